//! What a block's inputs spent, as `getblock` with verbosity 3 tells it (Bitcoin Core from 23 on).
use crate::chain::{Coin, Undo};
use crate::columns::Amount;
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;

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
