//! The networks of Bitcoin's family: how their files begin, how their addresses look, how easy their blocks may be, and in what
//! Litecoin and Bitcoin Cash differ.

/// Whose rules a network's blocks follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Bitcoin and its test networks.
    Bitcoin,
    /// Litecoin: proof of work by scrypt, an extension block (MWEB) behind the transactions.
    Litecoin,
    /// Bitcoin Cash: no witnesses, large blocks, tokens in outputs.
    BitcoinCash,
}

/// A network of Bitcoin's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words are the field's own
pub enum Network {
    Main,
    Testnet3,
    Testnet4,
    Signet,
    Regtest,
    Litecoin,
    LitecoinTestnet,
    LitecoinRegtest,
    BitcoinCash,
    BitcoinCashRegtest,
}

/// What tells one network from another (Bitcoin Core, Litecoin Core and Bitcoin Cash Node, `chainparams.cpp`).
struct Params {
    code: &'static str,
    family: Family,
    /// The four bytes before each block in its files. Bitcoin Cash's files kept Bitcoin's.
    magic: [u8; 4],
    /// Version bytes of addresses that hold a key's and a script's hash.
    base58: (u8, u8),
    /// The prefix of SegWit addresses, or of CashAddr.
    prefix: &'static str,
    /// The easiest compact target a block may have.
    easiest: u32,
    /// From this height on a coinbase begins with its height (BIP 34).
    heights_from: u64,
    /// The first block's hash, as it is displayed.
    first: &'static str,
    /// Later blocks that tell this chain from others with the same beginning.
    splits: &'static [(u64, &'static str)],
}

/// Bitcoin's main network begins like Bitcoin Cash's, and every regtest of Bitcoin's kind like every other.
const BITCOIN_FIRST: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const REGTEST_FIRST: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
const BITCOIN_MAGIC: [u8; 4] = [0xf9, 0xbe, 0xb4, 0xd9];
const REGTEST_MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
const REGTEST_EASIEST: u32 = 0x207f_ffff;
const TEST_BASE58: (u8, u8) = (0x6f, 0xc4);
/// 1 August 2017: the first block that only one of the two chains has.
const SPLIT: u64 = 478_559;
/// 15 November 2018: the first block that Bitcoin Cash and Bitcoin SV do not share (Bitcoin Cash Node, `chainparams.cpp`).
const SV_SPLIT: u64 = 556_767;
/// 15 November 2020: the first block that Bitcoin Cash and eCash (Bitcoin ABC) do not share (the same).
const ECASH_SPLIT: u64 = 661_648;

const BITCOIN: Params = Params {
    code: "btc",
    family: Family::Bitcoin,
    magic: BITCOIN_MAGIC,
    base58: (0x00, 0x05),
    prefix: "bc",
    easiest: 0x1d00_ffff,
    heights_from: 227_931,
    first: BITCOIN_FIRST,
    splits: &[(SPLIT, "00000000000000000019f112ec0a9982926f1258cdcc558dd7c3b7e5dc7fa148")],
};
const TESTNET3: Params = Params {
    code: "btc-testnet3",
    magic: [0x0b, 0x11, 0x09, 0x07],
    base58: TEST_BASE58,
    prefix: "tb",
    heights_from: 21_111,
    first: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    splits: &[],
    ..BITCOIN
};
const TESTNET4: Params = Params {
    code: "btc-testnet4",
    magic: [0x1c, 0x16, 0x3f, 0x28],
    heights_from: 1,
    first: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    ..TESTNET3
};
const SIGNET: Params = Params {
    code: "btc-signet",
    magic: [0x0a, 0x03, 0xcf, 0x40],
    easiest: 0x1e03_77ae,
    first: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    ..TESTNET4
};
const REGTEST: Params = Params {
    code: "btc-regtest",
    magic: REGTEST_MAGIC,
    prefix: "bcrt",
    easiest: REGTEST_EASIEST,
    first: REGTEST_FIRST,
    ..TESTNET4
};
const LITECOIN: Params = Params {
    code: "ltc",
    family: Family::Litecoin,
    magic: [0xfb, 0xc0, 0xb6, 0xdb],
    base58: (0x30, 0x32),
    prefix: "ltc",
    easiest: 0x1e0f_ffff,
    heights_from: 710_000,
    first: "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
    splits: &[],
};
const LITECOIN_TESTNET: Params = Params {
    code: "ltc-testnet",
    magic: [0xfd, 0xd2, 0xc8, 0xf1],
    base58: (0x6f, 0x3a),
    prefix: "tltc",
    heights_from: 76,
    first: "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0",
    ..LITECOIN
};
const LITECOIN_REGTEST: Params = Params {
    code: "ltc-regtest",
    magic: REGTEST_MAGIC,
    prefix: "rltc",
    easiest: REGTEST_EASIEST,
    heights_from: 1,
    first: "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
    ..LITECOIN_TESTNET
};
const BITCOIN_CASH: Params = Params {
    code: "bch",
    family: Family::BitcoinCash,
    prefix: "bitcoincash",
    splits: &[
        (SPLIT, "000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec"),
        (SV_SPLIT, "0000000000000000004626ff6e3b936941d341c5932ece4357eeccac44e6d56c"),
        (ECASH_SPLIT, "0000000000000000029e471c41818d24b8b74c911071c4ef0b4a0509f9b5a8ce"),
    ],
    ..BITCOIN
};
const BITCOIN_CASH_REGTEST: Params =
    Params { code: "bch-regtest", family: Family::BitcoinCash, prefix: "bchreg", ..REGTEST };

impl Network {
    /// All networks.
    pub const ALL: [Network; 10] = [
        Network::Main,
        Network::Testnet3,
        Network::Testnet4,
        Network::Signet,
        Network::Regtest,
        Network::Litecoin,
        Network::LitecoinTestnet,
        Network::LitecoinRegtest,
        Network::BitcoinCash,
        Network::BitcoinCashRegtest,
    ];

    fn params(self) -> &'static Params {
        match self {
            Network::Main => &BITCOIN,
            Network::Testnet3 => &TESTNET3,
            Network::Testnet4 => &TESTNET4,
            Network::Signet => &SIGNET,
            Network::Regtest => &REGTEST,
            Network::Litecoin => &LITECOIN,
            Network::LitecoinTestnet => &LITECOIN_TESTNET,
            Network::LitecoinRegtest => &LITECOIN_REGTEST,
            Network::BitcoinCash => &BITCOIN_CASH,
            Network::BitcoinCashRegtest => &BITCOIN_CASH_REGTEST,
        }
    }

    /// The network whose chain has that code.
    pub fn of(code: &str) -> Option<Network> {
        Network::ALL.into_iter().find(|network| network.code() == code)
    }

    /// The code of its chain.
    pub fn code(self) -> &'static str {
        self.params().code
    }

    /// The codes of all chains, as a list to read.
    pub fn codes() -> String {
        Network::ALL.map(Network::code).join(", ")
    }

    /// Whose rules its blocks follow.
    pub fn family(self) -> Family {
        self.params().family
    }

    /// The four bytes before each block in its files.
    pub fn magic(self) -> [u8; 4] {
        self.params().magic
    }

    /// Which network's files, or which relative's, begin with these four bytes.
    pub fn whose(magic: [u8; 4]) -> Option<&'static str> {
        const RELATIVES: [([u8; 4], &str); 2] =
            [([0xe3, 0xe1, 0xf3, 0xe8], "Bitcoin Cash's network messages"), ([0xc0, 0xc0, 0xc0, 0xc0], "Dogecoin")];
        let own = Network::ALL.into_iter().find(|network| network.magic() == magic).map(Network::code);
        own.or_else(|| RELATIVES.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name))
    }

    /// Version bytes of addresses that hold a key's and a script's hash, and the prefix of SegWit addresses or of CashAddr.
    pub fn prefixes(self) -> (u8, u8, &'static str) {
        let params = self.params();
        (params.base58.0, params.base58.1, params.prefix)
    }

    /// The version byte that addresses of a script's hash had before their own: Litecoin's were Bitcoin's until 2017.
    pub fn old_script_hash(self) -> Option<u8> {
        match self {
            Network::Litecoin => Some(BITCOIN.base58.1),
            Network::LitecoinTestnet | Network::LitecoinRegtest => Some(TEST_BASE58.1),
            _ => None,
        }
    }

    /// The easiest compact target a block may have.
    pub fn easiest(self) -> u32 {
        self.params().easiest
    }

    /// From this height on a coinbase begins with its height (BIP 34).
    pub fn heights_from(self) -> u64 {
        self.params().heights_from
    }

    /// Whether anybody can make such a network, with a first block of their own.
    pub fn is_private(self) -> bool {
        self.easiest() == REGTEST_EASIEST
    }

    /// Heights whose block is known, with its hash: the first, and those at which chains with one beginning part.
    pub fn known(self) -> impl Iterator<Item = (u64, [u8; 32])> {
        let params = self.params();
        std::iter::once((0, params.first)).chain(params.splits.iter().copied()).filter_map(|(height, text)| {
            let mut hash = [0; 32];
            hex::decode_to_slice(text, &mut hash).ok().map(|()| (height, hash))
        })
    }

    /// The hash that the block at this height must have, where one is known.
    pub fn known_at(self, height: u64) -> Option<[u8; 32]> {
        if height != 0 && self.params().splits.iter().all(|(split, _)| *split != height) {
            return None;
        }
        self.known().find(|(at, _)| *at == height).map(|(_, hash)| hash)
    }
}

impl Family {
    /// Base units of all the money there can be: no output holds more.
    pub fn max_money(self) -> u64 {
        match self {
            Family::Bitcoin | Family::BitcoinCash => 2_100_000_000_000_000,
            Family::Litecoin => 8_400_000_000_000_000,
        }
    }

    /// Weight limit of a block (BIP 141). Bitcoin Cash has none by weight; its limit moves with use, and 128 MB are far above it.
    pub fn max_weight(self) -> u64 {
        match self {
            Family::Bitcoin | Family::Litecoin => 4_000_000,
            Family::BitcoinCash => 4 * (128 << 20),
        }
    }

    /// Bytes of a block at most. Behind Litecoin's transactions stands the extension block, "just over 11 MB" (Litecoin Core, `consensus.h`).
    pub fn max_bytes(self) -> u64 {
        match self {
            Family::Bitcoin => self.max_weight(),
            Family::Litecoin => self.max_weight() + (12 << 20),
            Family::BitcoinCash => self.max_weight() / 4,
        }
    }

    /// Inputs of a block at most: each has 41 bytes that count four times.
    pub fn max_inputs(self) -> u64 {
        self.max_weight() / 164
    }

    /// From when on (Unix seconds) a commitment to witnesses is one (BIP 141); Bitcoin Cash has no witnesses.
    pub fn segwit_from(self) -> Option<u32> {
        match self {
            // 24 August 2017, block 481,824.
            Family::Bitcoin => Some(1_503_539_857),
            // 11 May 2017, after block 1,201,536.
            Family::Litecoin => Some(1_494_460_800),
            Family::BitcoinCash => None,
        }
    }

    /// From when on (Unix seconds) a script's hash is looked into (BIP 16): before, it was only compared.
    pub fn script_hashes_from(self) -> u32 {
        match self {
            // 1 April 2012.
            Family::Bitcoin | Family::BitcoinCash => 1_333_238_400,
            // 1 October 2012, block 218,579.
            Family::Litecoin => 1_349_049_600,
        }
    }

    /// Bits of a signature's last byte that say nothing of what it covers (Bitcoin Cash: FORKID, UTXOS).
    pub fn sighash_beside(self) -> u8 {
        if self == Family::BitcoinCash { 0x60 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_blocks_are_those_of_the_oracle() {
        let oracle = [
            (Network::Main, bitcoin::Network::Bitcoin),
            (Network::Testnet3, bitcoin::Network::Testnet),
            (Network::Signet, bitcoin::Network::Signet),
            (Network::Regtest, bitcoin::Network::Regtest),
        ];
        for (ours, theirs) in oracle {
            let first = bitcoin::constants::genesis_block(theirs).block_hash().to_string();
            assert_eq!(ours.known_at(0).map(hex::encode), Some(first));
            assert_eq!(ours.magic(), theirs.magic().to_bytes());
        }
    }

    #[test]
    fn every_chain_has_one_name_and_a_first_block() {
        let mut codes = Network::ALL.map(Network::code);
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
        for network in Network::ALL {
            assert_eq!(Network::of(network.code()), Some(network));
            assert!(network.known_at(0).is_some());
        }
        assert_ne!(Network::Main.known_at(SPLIT), Network::BitcoinCash.known_at(SPLIT));
        assert_eq!(Network::Main.known_at(0), Network::BitcoinCash.known_at(0));
    }

    #[test]
    fn bitcoin_cash_is_told_from_the_chains_that_left_it() {
        // Bitcoin SV's block 556,767 and eCash's 661,648: as their nodes' own checkpoints say.
        let theirs = [
            (SV_SPLIT, "000000000000000001d956714215d96ffc00e0afda4cd0a96c96f8d802b1662b"),
            (ECASH_SPLIT, "000000000000000004284c9d8b2c8ff731efeaec6be50729bdc9bd07f910757d"),
        ];
        for (height, hash) in theirs {
            let ours = Network::BitcoinCash.known_at(height).map(hex::encode).unwrap();
            assert_ne!(ours, hash);
            assert!(Network::Main.known_at(height).is_none());
        }
        assert_eq!(Network::BitcoinCash.known().count(), 4);
    }
}
