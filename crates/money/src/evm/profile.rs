//! What is known of a chain beforehand: its coin, its wrapped coin, its well-known tokens, where its fees go.
use super::model::{Address, Hash, bytes};
use crate::chain::ChainCode;
use sha3::{Digest, Keccak256};

/// How a chain's addresses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// 0x and 40 digits, capitals by EIP-55.
    Hex,
    /// Base58Check over 0x41 and the twenty bytes.
    Tron,
}

/// Where what a unit of gas costs at least goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseFee {
    /// It is burnt (EIP-1559).
    Burnt,
    /// It is kept by this account.
    Kept(Address),
    /// Not known; the party of such fees is unknown.
    Unknown,
}

/// What is known of a chain of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The chain's id (EIP-155), if it has one.
    pub chain_id: Option<u64>,
    /// The name of its coin as an asset.
    pub coin: &'static str,
    /// How its addresses are written.
    pub writing: Writing,
    /// Contracts whose `Deposit` and `Withdrawal` wrap and unwrap the coin.
    pub wrapped: &'static [Address],
    /// The true contracts of the symbols that are passed off most, bridged ones too; another contract with such a symbol is a fake.
    /// Only the two stablecoins: of other symbols several true contracts are about.
    pub known: &'static [(&'static str, Address)],
    /// Contracts written as USDT's: `Issue` and `Redeem` change their owner's balance and emit no transfer.
    pub tether: &'static [Address],
    /// Tokens whose balances change by themselves and that are kept in shares.
    pub in_shares: &'static [Address],
    /// Where coins are staked.
    pub stake: &'static [Address],
    /// Where the base fee goes.
    pub base_fee: BaseFee,
    /// Whether the tip goes to the block's author.
    pub tip_to_author: bool,
    /// Who is paid what data costs on the chain below.
    pub l1_fee_to: Option<Address>,
    /// The hash of its first block, where an endpoint is asked for it.
    pub first: Option<Hash>,
}

const WETH: Address = bytes("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2");
const USDT: Address = bytes("dac17f958d2ee523a2206206994597c13d831ec7");
const OP_WETH: Address = bytes("4200000000000000000000000000000000000006");
const OP_BASE_FEES: Address = bytes("4200000000000000000000000000000000000019");
const OP_L1_FEES: Address = bytes("420000000000000000000000000000000000001a");
const TRON_USDT: Address = bytes("a614f803b6fd780986a42c78ec9c7f77e6ded13c");
const WTRX: Address = bytes("891cdb91d149f23b1a45d9c5ca78a88d0cb44c18");

/// A chain of which nothing but its id is known.
const PLAIN: Profile = Profile {
    chain_id: None,
    coin: "COIN",
    writing: Writing::Hex,
    wrapped: &[],
    known: &[],
    tether: &[],
    in_shares: &[],
    stake: &[],
    base_fee: BaseFee::Unknown,
    tip_to_author: false,
    l1_fee_to: None,
    first: None,
};

const ETHEREUM: Profile = Profile {
    chain_id: Some(1),
    coin: "ETH",
    wrapped: &[WETH],
    known: &[("USDT", USDT), ("USDC", bytes("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"))],
    tether: &[USDT],
    in_shares: &[bytes("ae7ab96520de3a18e5e111b5eaab095312d7fe84")],
    stake: &[bytes("00000000219ab540356cbb839cbe05303d7705fa")],
    base_fee: BaseFee::Burnt,
    tip_to_author: true,
    first: Some(bytes("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")),
    ..PLAIN
};

/// A chain of the OP Stack: fees go to vaults (specs.optimism.io, "Predeploys").
const OP_STACK: Profile = Profile {
    coin: "ETH",
    wrapped: &[OP_WETH],
    base_fee: BaseFee::Kept(OP_BASE_FEES),
    tip_to_author: true,
    l1_fee_to: Some(OP_L1_FEES),
    ..PLAIN
};

const TRON: Profile = Profile {
    coin: "TRX",
    writing: Writing::Tron,
    wrapped: &[WTRX],
    known: &[("USDT", TRON_USDT), ("USDC", bytes("3487b63d30b5b2c87fb7ffa8bcfade38eaac1abe"))],
    tether: &[TRON_USDT],
    base_fee: BaseFee::Burnt,
    ..PLAIN
};

const CHAINS: [(&str, Profile); 8] = [
    ("eth", ETHEREUM),
    (
        "eth-sepolia",
        Profile {
            chain_id: Some(11_155_111),
            wrapped: &[],
            known: &[],
            tether: &[],
            in_shares: &[],
            first: Some(bytes("25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9")),
            ..ETHEREUM
        },
    ),
    (
        "bsc",
        Profile {
            chain_id: Some(56),
            first: Some(bytes("0d21840abff46b96c84b2ac9e10e4f5cdaeb5693cb665db62a2f3b02d2d57b5b")),
            coin: "BNB",
            wrapped: &[bytes("bb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c")],
            known: &[
                ("USDT", bytes("55d398326f99059ff775485246999027b3197955")),
                ("USDC", bytes("8ac76a51cc950d9822d68b83fe1ad97b32cd580d")),
            ],
            ..PLAIN
        },
    ),
    (
        "polygon",
        Profile {
            chain_id: Some(137),
            first: Some(bytes("a9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b")),
            coin: "POL",
            wrapped: &[bytes("0d500b1d8e8ef31e21c99d1db9a6444d3adf1270")],
            known: &[
                ("USDT", bytes("c2132d05d31c914a87c6611c10748aeb04b58e8f")),
                ("USDC", bytes("3c499c542cef5e3811e1192ce70d8cc03d5c3359")),
                ("USDC", bytes("2791bca1f2de4661ed88a30c99a7a9449aa84174")),
            ],
            ..PLAIN
        },
    ),
    (
        "arbitrum",
        Profile {
            chain_id: Some(42_161),
            first: Some(bytes("7ee576b35482195fc49205cec9af72ce14f003b9ae69f6ba0faef4514be8b442")),
            coin: "ETH",
            wrapped: &[bytes("82af49447d8a07e3bd95bd0d56f35241523fbab1")],
            known: &[
                ("USDT", bytes("fd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9")),
                ("USDC", bytes("af88d065e77c8cc2239327c5edb3a432268e5831")),
                ("USDC", bytes("ff970a61a04b1ca14834a43f5de4533ebddb5cc8")),
            ],
            ..PLAIN
        },
    ),
    (
        "optimism",
        Profile {
            chain_id: Some(10),
            first: Some(bytes("7ca38a1916c42007829c55e69d3e9a73265554b586a499015373241b8a3fa48b")),
            known: &[
                ("USDT", bytes("94b008aa00579c1307b0ef2c499ad98a8ce58e58")),
                ("USDC", bytes("0b2c639c533813f4aa9d7837caf62653d097ff85")),
                ("USDC", bytes("7f5c764cbc14f9669b88837ca1490cca17c31607")),
            ],
            ..OP_STACK
        },
    ),
    (
        "base",
        Profile {
            chain_id: Some(8_453),
            first: Some(bytes("f712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd")),
            known: &[("USDC", bytes("833589fcd6edb6e08f4c7c32d4f71b54bda02913"))],
            ..OP_STACK
        },
    ),
    ("trx", TRON),
];

impl Profile {
    /// What is known of a chain by its code; `evm-31337` is any chain with that id (burning its base fee, as EIP-1559 says).
    ///
    /// ```
    /// use money::{chain::ChainCode, evm::Profile};
    /// assert_eq!(Profile::of(&ChainCode::parse("trx")?).map(|chain| chain.coin), Some("TRX"));
    /// assert_eq!(Profile::of(&ChainCode::parse("evm-31337")?).and_then(|chain| chain.chain_id), Some(31337));
    /// assert!(Profile::of(&ChainCode::parse("thai-bank")?).is_none());
    /// # Ok::<(), money::chain::Error>(())
    /// ```
    pub fn of(chain: &ChainCode) -> Option<Profile> {
        let code = chain.as_str();
        if let Some(id) = code.strip_prefix("evm-").and_then(|id| id.parse().ok()) {
            return Some(Profile { chain_id: Some(id), base_fee: BaseFee::Burnt, tip_to_author: true, ..PLAIN });
        }
        CHAINS.iter().find(|(known, _)| *known == code).map(|(_, profile)| *profile)
    }

    /// The codes of the chains that are known.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        CHAINS.iter().map(|(code, _)| *code)
    }

    /// Whether a symbol is that of a well-known token and the contract is another one. Letters that look alike count as alike.
    pub fn is_fake(&self, contract: &Address, symbol: &str) -> bool {
        let plain = |text: &str| -> String {
            let seen: String = unicode_security::skeleton(text).collect();
            seen.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
        };
        let name = plain(symbol);
        let mut same = self.known.iter().filter(|(known, _)| plain(known) == name).peekable();
        same.peek().is_some() && !same.any(|(_, known)| known == contract)
    }

    /// An account's or token's bytes as people write them; what is no address stands as it is.
    pub fn text(&self, name: &[u8]) -> String {
        let Ok(address) = Address::try_from(name) else { return String::from_utf8_lossy(name).into_owned() };
        match self.writing {
            Writing::Hex => checksummed(&address),
            Writing::Tron => bs58::encode([&[0x41], &address[..]].concat()).with_check().into_string(),
        }
    }

    /// The bytes of an address, of the coin or (TRON) of a TRC-10 token as people write them.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn parse(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        if text.eq_ignore_ascii_case(self.coin) {
            return Ok(self.coin.as_bytes().to_vec());
        }
        // A TRC-10 token is its number.
        if self.writing == Writing::Tron && (1..=19).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()) {
            return Ok(text.as_bytes().to_vec());
        }
        if self.writing == Writing::Tron && text.starts_with('T') {
            let wrong = "the address is not TRON's: its checksum does not fit";
            let bytes = bs58::decode(text).with_check(Some(0x41)).into_vec().map_err(|_| wrong)?;
            return bytes.get(1..).filter(|rest| rest.len() == 20).map(<[u8]>::to_vec).ok_or(wrong);
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut address = [0; 20];
        hex::decode_to_slice(digits, &mut address).map_err(|_| "an address is 0x and 40 hex digits")?;
        let mixed = digits.bytes().any(|c| c.is_ascii_lowercase()) && digits.bytes().any(|c| c.is_ascii_uppercase());
        if mixed && checksummed(&address).strip_prefix("0x") != Some(digits) {
            return Err("the address has a wrong capital letter (EIP-55): look at it again");
        }
        Ok(address.to_vec())
    }
}

/// An address with the capitals of EIP-55.
fn checksummed(address: &Address) -> String {
    let digits = hex::encode(address);
    let hash = hex::encode(Keccak256::digest(digits.as_bytes()));
    let capital = |(c, h): (char, char)| if h >= '8' { c.to_ascii_uppercase() } else { c };
    std::iter::once("0x".to_owned())
        .chain(digits.chars().zip(hash.chars()).map(|pair| capital(pair).to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(code: &str) -> Profile {
        Profile::of(&ChainCode::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn addresses_are_written_as_their_chain_writes_them_and_read_back() {
        // The examples of EIP-55; USDT's contract on TRON.
        for text in ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"] {
            assert_eq!(chain("eth").text(&chain("eth").parse(text).unwrap()), text);
            assert!(chain("eth").parse(&text.replace("Ae", "aE").replace("B7", "b7")).is_err());
        }
        let usdt = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
        assert_eq!(chain("trx").parse(usdt).unwrap(), TRON_USDT);
        assert_eq!(chain("trx").text(&TRON_USDT), usdt);
        assert!(chain("trx").parse("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u").is_err());
        assert_eq!(chain("eth").text(b"ETH"), "ETH");
    }

    #[test]
    fn a_symbol_on_another_contract_is_a_fake_however_it_is_spelt() {
        let eth = chain("eth");
        assert!(!eth.is_fake(&USDT, "USDT"));
        assert!(!eth.is_fake(&[7; 20], "EXERCISE"));
        for symbol in ["USDT", "usdt", "U\u{200b}SDT", "USD\u{422}", "$USDT"] {
            assert!(eth.is_fake(&[7; 20], symbol), "{symbol}");
        }
        assert!(!chain("evm-31337").is_fake(&[7; 20], "USDT"), "nothing is known of that chain's tokens");
    }
}
