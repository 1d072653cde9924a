//! Bitcoin's networks: how their files begin, how their addresses look, how easy their blocks may be.

/// A network of Bitcoin's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words are the field's own
pub enum Network {
    Main,
    Testnet3,
    Testnet4,
    Signet,
    Regtest,
}

impl Network {
    /// All networks with the code of their chain.
    pub const ALL: [(&'static str, Network); 5] = [
        ("btc", Network::Main),
        ("btc-testnet3", Network::Testnet3),
        ("btc-testnet4", Network::Testnet4),
        ("btc-signet", Network::Signet),
        ("btc-regtest", Network::Regtest),
    ];

    /// The network of that code.
    pub fn of(code: &str) -> Option<Network> {
        Network::ALL.iter().find(|(known, _)| *known == code).map(|(_, network)| *network)
    }

    /// Its code.
    pub fn code(self) -> &'static str {
        Network::ALL.iter().find(|(_, network)| *network == self).map_or("", |(code, _)| code)
    }

    /// The four bytes before each block in its files (Bitcoin Core, `chainparams.cpp`).
    pub fn magic(self) -> [u8; 4] {
        match self {
            Network::Main => [0xf9, 0xbe, 0xb4, 0xd9],
            Network::Testnet3 => [0x0b, 0x11, 0x09, 0x07],
            Network::Testnet4 => [0x1c, 0x16, 0x3f, 0x28],
            Network::Signet => [0x0a, 0x03, 0xcf, 0x40],
            Network::Regtest => [0xfa, 0xbf, 0xb5, 0xda],
        }
    }

    /// Which network's files, or which relative's, begin with these four bytes.
    pub fn whose(magic: [u8; 4]) -> Option<&'static str> {
        const RELATIVES: [([u8; 4], &str); 4] = [
            ([0xfb, 0xc0, 0xb6, 0xdb], "Litecoin"),
            ([0xe3, 0xe1, 0xf3, 0xe8], "Bitcoin Cash's network messages"),
            ([0xc0, 0xc0, 0xc0, 0xc0], "Dogecoin"),
            ([0xfd, 0xd2, 0xc8, 0xf1], "Litecoin's testnet"),
        ];
        let own = Network::ALL.iter().find(|(_, network)| network.magic() == magic).map(|(code, _)| *code);
        own.or_else(|| RELATIVES.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name))
    }

    /// Version bytes of addresses that hold a key's and a script's hash, and the prefix of SegWit addresses.
    pub fn prefixes(self) -> (u8, u8, &'static str) {
        match self {
            Network::Main => (0x00, 0x05, "bc"),
            Network::Testnet3 | Network::Testnet4 | Network::Signet => (0x6f, 0xc4, "tb"),
            Network::Regtest => (0x6f, 0xc4, "bcrt"),
        }
    }

    /// The easiest compact target a block may have.
    pub fn easiest(self) -> u32 {
        match self {
            Network::Main | Network::Testnet3 | Network::Testnet4 => 0x1d00_ffff,
            Network::Signet => 0x1e03_77ae,
            Network::Regtest => 0x207f_ffff,
        }
    }

    /// From this height on a coinbase begins with its height (BIP 34).
    pub fn heights_from(self) -> u64 {
        match self {
            Network::Main => 227_931,
            Network::Testnet3 => 21_111,
            _ => 1,
        }
    }
}
