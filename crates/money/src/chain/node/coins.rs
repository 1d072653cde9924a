//! What a block's inputs spent: how often a node is asked for it, and as `getblock` with verbosity 3 tells it (Bitcoin Core from 23 on).
use crate::chain::{Coin, Result as Asked, Undo};
use crate::columns::Amount;
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A node that refuses what a block spent is asked so often in all, after twice the wait each time.
const TRIES: u32 = 3;
const FIRST_WAIT: std::time::Duration = std::time::Duration::from_millis(200);
/// After so many blocks in a row that it refused, each is asked for once: it has pruned them, and every wait would be for nothing.
const REFUSED_IN_A_ROW: u32 = 3;

/// What became of one question for a block's coins.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// They are told.
    Coins(Undo),
    /// The node does not know this question, as older ones do not.
    Never,
    /// It refuses now, or does not have them.
    NotNow,
}

/// Whether a node tells coins. One refusal makes one block partial, never the rest of a load.
#[derive(Debug, Default)]
pub struct Telling {
    never: bool,
    told: bool,
    refused: u32,
}

impl Telling {
    /// Asks for a block's coins, again when they are refused; `None` when they are not to be had.
    ///
    /// # Errors
    /// Those of asking.
    pub fn ask(&mut self, mut once: impl FnMut() -> Asked<Told>) -> Asked<Option<Undo>> {
        if self.never {
            return Ok(None);
        }
        let tries = if self.refused < REFUSED_IN_A_ROW { TRIES } else { 1 };
        let mut wait = FIRST_WAIT;
        for left in (0..tries).rev() {
            match once()? {
                Told::Coins(coins) => {
                    (self.told, self.refused) = (true, 0);
                    return Ok(Some(coins));
                }
                // One that has told some has pruned what is missing, or lost it.
                Told::Never => {
                    self.never = !self.told;
                    return Ok(None);
                }
                Told::NotNow if left > 0 => {
                    std::thread::sleep(wait);
                    wait *= 2;
                }
                Told::NotNow => {}
            }
        }
        self.refused = self.refused.saturating_add(1);
        Ok(None)
    }
}

/// Decimals of a coin of Bitcoin's family.
const DECIMALS: u32 = 8;

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "nTx")]
    count: Option<u64>,
    #[serde(borrow)]
    tx: Vec<Tx<'a>>,
}

#[derive(Deserialize)]
struct Tx<'a> {
    #[serde(borrow)]
    vin: Vec<Input<'a>>,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    prevout: Option<Prevout<'a>>,
}

#[derive(Deserialize)]
struct Prevout<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(rename = "scriptPubKey", borrow)]
    script: Script<'a>,
}

#[derive(Deserialize)]
struct Script<'a> {
    hex: &'a str,
}

/// Reads the coins of a block, no more than `most`; `None` when the node tells none: it is older, or has pruned them.
///
/// # Errors
/// What cannot be read, a count that does not match, coins of some inputs alone.
pub fn coins(text: &str, most: u64) -> Result<Option<Undo>, String> {
    let block: Block<'_> = serde_json::from_str(text).map_err(|error| without_text(&error))?;
    let have = block.tx.len() as u64;
    if block.count.is_some_and(|count| count != have) {
        return Err(format!("says it has {} transactions and tells {have}", block.count.unwrap_or(0)));
    }
    let inputs = || block.tx.iter().skip(1).flat_map(|tx| &tx.vin);
    if !inputs().any(|input| input.prevout.is_some()) {
        return Ok(inputs().next().is_none().then(Vec::new));
    }
    if inputs().count() as u64 > most {
        return Err("has more inputs than a block can have".into());
    }
    let coins = block.tx.iter().enumerate().skip(1).map(|(place, tx)| {
        let coins = tx.vin.iter().map(|input| input.prevout.as_ref().and_then(coin));
        coins
            .collect::<Option<Vec<Coin>>>()
            .ok_or_else(|| format!("transaction {place}: what an input spent is missing or cannot be read"))
    });
    coins.collect::<Result<Undo, String>>().map(Some)
}

fn coin(told: &Prevout<'_>) -> Option<Coin> {
    let value = Amount::parse(told.value.get(), DECIMALS)?.to_u64()?;
    Some(Coin { value, script: hex::decode(told.script.hex).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> String {
        format!(
            r#"{{"nTx":2,"tx":[{{"vin":[{{"coinbase":"00"}}]}},
            {{"vin":[{{"txid":"00","prevout":{{"generated":false,"value":{value},"scriptPubKey":{{"asm":"","hex":"51"}}}}}}]}}]}}"#
        )
    }

    #[test]
    fn one_refusal_makes_one_block_partial_and_no_more() {
        let mut telling = Telling::default();
        // How often a node is asked that answers so, and what comes of it.
        let mut ask = |told: fn(u32) -> Told| {
            let mut asked = 0;
            let coins = telling.ask(|| {
                asked += 1;
                Ok(told(asked))
            });
            (coins.unwrap(), asked)
        };
        let passing = |n: u32| if n == 1 { Told::NotNow } else { Told::Coins(Vec::new()) };
        assert_eq!(ask(passing), (Some(Vec::new()), 2), "a refusal that passes");
        assert_eq!(ask(|_| Told::Never), (None, 1), "one block's coins are pruned");
        for tries in [TRIES, TRIES, TRIES, 1] {
            assert_eq!(ask(|_| Told::NotNow), (None, tries));
        }
        assert_eq!(ask(|_| Told::Coins(Vec::new())), (Some(Vec::new()), 1), "the good way again at the next block");
        let (mut older, mut asked) = (Telling::default(), 0);
        for _ in 0..2 {
            let coins = older.ask(|| {
                asked += 1;
                Ok(Told::Never)
            });
            assert_eq!((coins.unwrap(), asked), (None, 1), "an older node is not asked again");
        }
    }

    #[test]
    fn values_are_read_to_the_last_base_unit_and_never_as_floats() {
        for (text, value) in
            [("20999999.97690000", 2_099_999_997_690_000), ("1e-8", 1), ("0", 0), ("0.10944832", 10_944_832)]
        {
            let coin = Coin { value, script: vec![0x51] };
            assert_eq!(coins(&told(text), 10), Ok(Some(vec![vec![coin]])), "{text}");
        }
        for wrong in ["0.000000001", "-1", "\"1\"", "null", "1e30"] {
            assert!(coins(&told(wrong), 10).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_node_that_tells_no_coins_is_known_from_one_that_tells_some() {
        let one = r#"{"vin":[{"txid":"00"}]}"#;
        let block = |txs: &[&str]| {
            format!(
                r#"{{"tx":[{{"vin":[{{"coinbase":"00"}}]}}{}]}}"#,
                txs.iter().map(|tx| format!(",{tx}")).collect::<String>()
            )
        };
        assert_eq!(coins(&block(&[]), 10), Ok(Some(Vec::new())), "nothing was spent");
        assert_eq!(coins(&block(&[one]), 10), Ok(None), "an older node");
        let with = r#"{"vin":[{"prevout":{"value":1,"scriptPubKey":{"hex":""}}}]}"#;
        assert!(coins(&block(&[with, one]), 10).is_err(), "half of them");
        assert!(coins(&block(&[with, with]), 1).is_err(), "more than a block can have");
        assert!(coins(&told("1").replace(r#""nTx":2"#, r#""nTx":3"#), 10).is_err(), "a count that does not match");
    }
}
