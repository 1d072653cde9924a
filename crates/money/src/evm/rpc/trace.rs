//! The calls of a transaction: geth's `callTracer` (nested, with the place of each log) and `trace_block` (flat, with rewards).
use crate::columns::Amount;
use crate::evm::fields::{address, bytes, fixed};
use crate::evm::model::{Address, CallSort, Hash, Payment, PaymentKind, RawCall};
use crate::node::without_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{HashMap, HashSet};

/// A `transferFrom` has so many bytes; of longer inputs no more is kept.
const INPUT: usize = 4 + 3 * 32;
/// No transaction has more calls.
const MAX_CALLS: usize = 1 << 20;

/// The calls of one transaction, and where its logs stand among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// Calls in the order in which they begin.
    pub calls: Vec<RawCall>,
    /// Contract and place of each log that stayed, if the tracer tells.
    pub logs: Option<Vec<(Address, u64)>>,
}

#[derive(Deserialize)]
struct One {
    #[serde(rename = "txHash")]
    tx: Option<String>,
    result: Option<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    sort: String,
    from: String,
    to: Option<String>,
    value: Option<String>,
    #[serde(default)]
    input: String,
    error: Option<String>,
    #[serde(default)]
    calls: Vec<Frame>,
    #[serde(default)]
    logs: Vec<FrameLog>,
}

#[derive(Deserialize)]
struct FrameLog {
    address: String,
    position: Option<String>,
}

/// Reads `debug_traceBlockByHash` with `callTracer`: one a transaction, in their order.
pub fn nested(raw: &RawValue, ids: &[Hash]) -> Result<Vec<Traced>, String> {
    let all: Vec<One> =
        serde_json::from_str(raw.get()).map_err(|error| format!("cannot be read ({})", without_text(&error)))?;
    if all.len() != ids.len() {
        return Err(format!("{} traces for {} transactions", all.len(), ids.len()));
    }
    let mut traced = Vec::with_capacity(all.len());
    for (one, id) in all.into_iter().zip(ids) {
        if one.tx.as_deref().is_some_and(|told| fixed(told) != Some(*id)) {
            return Err("a trace of another transaction".into());
        }
        let frame = one.result.ok_or("a transaction without a trace")?;
        let mut walk = Walk { traced: Traced { calls: Vec::new(), logs: Some(Vec::new()) }, next: 0 };
        walk.frame(&frame, true, true).ok_or("a call that cannot be read")?;
        traced.push(walk.traced);
    }
    Ok(traced)
}

struct Walk {
    traced: Traced,
    next: u64,
}

impl Walk {
    /// Nested no deeper than JSON was allowed to be when it was read.
    fn frame(&mut self, frame: &Frame, root: bool, above: bool) -> Option<()> {
        let ok = above && frame.error.is_none();
        if self.traced.calls.len() >= MAX_CALLS {
            return None;
        }
        let sort = match frame.sort.to_ascii_uppercase().as_str() {
            "CALL" => CallSort::Call,
            "CREATE" | "CREATE2" => CallSort::Create,
            "SELFDESTRUCT" => CallSort::Destruct,
            "STATICCALL" => CallSort::Static,
            "DELEGATECALL" | "CALLCODE" => CallSort::Delegate,
            _ => return None,
        };
        let order = self.tick();
        self.traced.calls.push(RawCall {
            order,
            root,
            from: address(&frame.from)?,
            to: frame.to.as_deref().map(address).map_or(Some(None), |to| to.map(Some))?,
            value: frame.value.as_deref().map_or(Some(Amount::default()), Amount::from_hex)?,
            sort,
            ok,
            token: Vec::new(),
            cut: false,
            input: input(&frame.input)?,
        });
        let mut logs = frame.logs.iter().peekable();
        for (place, call) in frame.calls.iter().enumerate() {
            while let Some(log) = logs.next_if(|log| position(log).is_some_and(|position| position <= place as u64)) {
                self.log(log, ok)?;
            }
            self.frame(call, false, ok)?;
        }
        logs.try_for_each(|log| self.log(log, ok))
    }

    fn log(&mut self, log: &FrameLog, ok: bool) -> Option<()> {
        let order = self.tick();
        if log.position.is_none() {
            self.traced.logs = None;
        }
        if let (Some(logs), true) = (&mut self.traced.logs, ok) {
            logs.push((address(&log.address)?, order));
        }
        Some(())
    }

    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

fn position(log: &FrameLog) -> Option<u64> {
    Amount::from_hex(log.position.as_deref()?)?.to_u64()
}

/// As much of an input as a `transferFrom` has, if it may be one.
fn input(text: &str) -> Option<Vec<u8>> {
    let most = 2 + 2 * INPUT;
    let first = if text.is_ascii() { text.get(..text.len().min(most))? } else { return None };
    if first.len() < most { Some(Vec::new()) } else { bytes(first, true) }
}

#[derive(Deserialize)]
struct Flat {
    action: Action,
    #[serde(rename = "type")]
    sort: String,
    #[serde(rename = "traceAddress", default)]
    path: Vec<u64>,
    #[serde(rename = "transactionHash")]
    tx: Option<String>,
    #[serde(rename = "blockHash")]
    block: Option<String>,
    error: Option<String>,
    result: Option<Made>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Action {
    from: Option<String>,
    to: Option<String>,
    value: Option<String>,
    input: Option<String>,
    call_type: Option<String>,
    author: Option<String>,
    address: Option<String>,
    refund_address: Option<String>,
    balance: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    address: Option<String>,
}

/// Reads `trace_block`: calls by transaction, and what the block pays its author and uncles.
pub fn flat(raw: &RawValue, hash: &Hash, ids: &[Hash]) -> Result<(Vec<Traced>, Vec<Payment>), String> {
    let all: Vec<Flat> =
        serde_json::from_str(raw.get()).map_err(|error| format!("cannot be read ({})", without_text(&error)))?;
    let places: HashMap<&Hash, usize> = ids.iter().enumerate().map(|(place, id)| (id, place)).collect();
    let mut traced: Vec<Traced> = ids.iter().map(|_| Traced::default()).collect();
    let mut failed: HashSet<(usize, Vec<u64>)> = HashSet::new();
    let mut payments = Vec::new();
    for (order, one) in (0..).zip(&all) {
        if one.block.as_deref().and_then(fixed).is_some_and(|told| told != *hash) {
            return Err("a trace of another block".into());
        }
        if one.sort == "reward" {
            let to = one.action.author.as_deref().and_then(address).ok_or("a reward for nobody")?;
            let amount = one.action.value.as_deref().and_then(Amount::from_hex).ok_or("a reward of nothing")?;
            payments.push(Payment { from: None, to, amount, why: PaymentKind::Reward });
            continue;
        }
        let id = one.tx.as_deref().and_then(fixed).ok_or("a call of no transaction")?;
        let place = *places.get(&id).ok_or("a call of a transaction that the block lacks")?;
        let above =
            (0..one.path.len()).all(|n| one.path.get(..n).is_none_or(|path| !failed.contains(&(place, path.to_vec()))));
        let ok = above && one.error.is_none();
        if !ok {
            failed.insert((place, one.path.clone()));
        }
        let call = one.call(order, ok).ok_or("a call that cannot be read")?;
        if let Some(traced) = traced.get_mut(place) {
            traced.calls.push(call);
        }
    }
    if traced.iter().any(|traced| !traced.calls.iter().any(|call| call.root)) {
        return Err("a transaction without a trace".into());
    }
    Ok((traced, payments))
}

impl Flat {
    fn call(&self, order: u64, ok: bool) -> Option<RawCall> {
        let action = &self.action;
        let party = |text: &Option<String>| text.as_deref().map(address).map_or(Some(None), |party| party.map(Some));
        let destruct = matches!(self.sort.as_str(), "suicide" | "selfdestruct");
        let made = self.result.as_ref().and_then(|made| made.address.as_deref());
        let (from, to, value) = match self.sort.as_str() {
            _ if destruct => (party(&action.address)??, party(&action.refund_address)?, &action.balance),
            "create" => {
                (party(&action.from)??, made.map(address).map_or(Some(None), |to| to.map(Some))?, &action.value)
            }
            _ => (party(&action.from)??, party(&action.to)?, &action.value),
        };
        let sort = match (self.sort.as_str(), action.call_type.as_deref()) {
            ("create", _) => CallSort::Create,
            _ if destruct => CallSort::Destruct,
            (_, Some("delegatecall" | "callcode")) => CallSort::Delegate,
            (_, Some("staticcall")) => CallSort::Static,
            _ => CallSort::Call,
        };
        Some(RawCall {
            order,
            root: self.path.is_empty(),
            from,
            to,
            value: value.as_deref().map_or(Some(Amount::default()), Amount::from_hex)?,
            sort,
            ok,
            token: Vec::new(),
            cut: false,
            input: action.input.as_deref().map_or(Some(Vec::new()), input)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(value: &serde_json::Value) -> Box<RawValue> {
        RawValue::from_string(value.to_string()).unwrap()
    }

    fn party(n: u8) -> String {
        format!("0x{}", hex::encode([n; 20]))
    }

    #[test]
    fn logs_stand_among_calls_where_the_tracer_says_and_those_of_failed_calls_are_gone() {
        let log = |n: u8, position: &str| serde_json::json!({"address": party(n), "position": position});
        let call = |to: u8, error: Option<&str>, logs: Vec<serde_json::Value>| serde_json::json!({"type": "CALL", "from": party(1), "to": party(to), "value": "0x5", "error": error, "logs": logs});
        let root = serde_json::json!({
            "type": "CALL", "from": party(9), "to": party(1), "value": "0x0",
            "logs": [log(1, "0x0"), log(2, "0x1"), log(3, "0x2")],
            "calls": [call(4, None, vec![log(4, "0x0")]), call(5, Some("reverted"), vec![log(5, "0x0")])],
        });
        let id = [7; 32];
        let list = raw(&serde_json::json!([{"txHash": format!("0x{}", hex::encode(id)), "result": root}]));
        let traced = nested(&list, &[id]).unwrap().remove(0);
        let calls: Vec<_> = traced.calls.iter().map(|call| (call.order, call.root, call.ok, call.moves())).collect();
        assert_eq!(calls, [(0, true, true, false), (2, false, true, true), (5, false, false, false)]);
        let logs: Vec<_> = traced.logs.unwrap().iter().map(|(address, order)| (address[0], *order)).collect();
        assert_eq!(logs, [(1, 1), (4, 3), (2, 4), (3, 7)]);
        assert!(nested(&list, &[[8; 32]]).unwrap_err().contains("another transaction"));
        assert!(nested(&list, &[]).unwrap_err().contains("1 traces for 0"));
    }

    #[test]
    fn what_a_failed_call_called_failed_too_and_rewards_are_the_blocks() {
        let (id, hash) = ([7; 32], [6; 32]);
        let one = |path: &[u64], error: Option<&str>| {
            serde_json::json!({
                "type": "call", "traceAddress": path, "error": error, "transactionHash": hex::encode(id),
                "action": {"from": party(1), "to": party(2), "value": "0x5", "callType": "call"},
            })
        };
        let reward =
            serde_json::json!({"type": "reward", "action": {"author": party(3), "value": "0x1bc16d674ec80000"}});
        let list = serde_json::json!([
            one(&[], None),
            one(&[0], Some("Reverted")),
            one(&[0, 0], None),
            one(&[1], None),
            reward
        ]);
        let (traced, payments) = flat(&raw(&list), &hash, &[id]).unwrap();
        assert_eq!(traced[0].calls.iter().map(|call| call.ok).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(payments[0].amount.to_string(), "2000000000000000000");
        assert!(flat(&raw(&serde_json::json!([])), &hash, &[id]).unwrap_err().contains("without a trace"));
    }
}
