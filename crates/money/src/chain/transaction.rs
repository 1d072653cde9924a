//! One transaction of a raw block: its inputs and outputs into the block's rows. Litecoin's HogEx, which the usual readers refuse, too.
use super::decode::{Fault, fault};
use super::network::Family;
use super::script::{Rules, each_push, key_of_script, revealed, taproot_signs_less};
use super::{Coin, token};
use crate::columns::{Block, Flags, Input, Origin, Output, Prevout, Span};
use crate::hash::reversed;
use bitcoin_slices::bsl::{Transaction, TxIn, TxIns, TxOut, TxOuts};
use bitcoin_slices::{Error, Visit, Visitor};
use std::ops::ControlFlow;

/// Before the witness commitment's hash in a coinbase output (BIP 141): OP_RETURN, push of 36, and four bytes.
const COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
/// How a CashFusion begins its OP_RETURN: a push of "FUZ\0", then the session's hash (CashFusion, `Protocol.FUSE_ID`).
const FUSION: [u8; 6] = [0x6a, 4, b'F', b'U', b'Z', 0];
/// Marker and flag of a HogEx (LIP 3): extended form, with the extension block's bit and no witnesses.
const HOG_EX: [u8; 2] = [0, 8];

/// Where a part of the block's bytes stands in them.
type Place = (usize, usize);

/// What visiting one transaction leaves.
pub(super) struct Reader<'a, 'b> {
    bytes: &'a [u8],
    pub block: &'b mut Block,
    rules: Rules,
    sigs: Vec<Place>,
    witness: Vec<Place>,
    witness_ends: Vec<usize>,
    elements: Vec<&'a [u8]>,
    /// How many outputs it has.
    pub outputs: u32,
    paid: u64,
    /// The hash of the witnesses that an output commits to.
    pub commitment: Option<[u8; 32]>,
    fusion: bool,
    wrong: Option<String>,
}

/// The bytes of a transaction.
pub(super) struct Parts<'a> {
    /// All of it.
    pub whole: &'a [u8],
    /// What its id is the hash of.
    pub named: [&'a [u8]; 3],
    /// Weight (BIP 141).
    pub weight: u64,
    /// Whether it carries witnesses.
    pub segwit: bool,
    /// Whether it is Litecoin's HogEx.
    pub hog_ex: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub fn new(bytes: &'a [u8], block: &'b mut Block, rules: Rules) -> Reader<'a, 'b> {
        Reader {
            bytes,
            block,
            rules,
            sigs: Vec::new(),
            witness: Vec::new(),
            witness_ends: Vec::new(),
            elements: Vec::new(),
            outputs: 0,
            paid: 0,
            commitment: None,
            fusion: false,
            wrong: None,
        }
    }

    fn place(&self, part: &[u8]) -> Place {
        let from = (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        (from, part.len())
    }

    fn part(&self, (from, len): Place) -> &'a [u8] {
        self.bytes.get(from..from + len).unwrap_or_default()
    }

    fn reset(&mut self) {
        self.sigs.clear();
        self.witness.clear();
        self.witness_ends.clear();
        (self.outputs, self.paid, self.commitment, self.fusion) = (0, 0, None, false);
    }

    /// The first element of the first input's witness.
    pub fn first_witness(&self) -> Option<&'a [u8]> {
        self.witness.first().map(|place| self.part(*place))
    }

    /// Reads the transaction at `at`, the one at `tx` in its block.
    pub fn read(&mut self, at: usize, tx: u64) -> Result<Parts<'a>, Fault> {
        self.reset();
        let rest = self.bytes.get(at..).unwrap_or_default();
        let marked = self.rules.family == Family::Litecoin && rest.get(4..6) == Some(&HOG_EX);
        let parsed = if marked { hog_ex(rest, self) } else { ordinary(rest, self) };
        let parts = parsed.map_err(|error| fault(tx, self.wrong.take().unwrap_or_else(|| said(&error, at))))?;
        if parts.segwit && self.rules.family == Family::BitcoinCash {
            return Err(fault(
                tx,
                "carries witnesses, which Bitcoin Cash does not have: is the block of another chain?",
            ));
        }
        Ok(parts)
    }

    /// What the transaction says of itself.
    pub fn flags(&self, parts: &Parts<'_>) -> Flags {
        let marks = [(parts.segwit, Flags::SEGWIT), (parts.hog_ex, Flags::HOG_EX), (self.fusion, Flags::CASH_FUSION)];
        marks.into_iter().filter(|(is, _)| *is).fold(Flags::default(), |flags, (_, flag)| flags.with(flag))
    }

    /// Gives the inputs from `first` on what is known of the outputs they spend. Returns whether a signature signs less than all.
    pub fn fill_inputs(&mut self, first: usize, coins: Option<&[Coin]>) -> Result<bool, Fault> {
        let mut signs_little = false;
        let mut from = 0;
        let mut elements = std::mem::take(&mut self.elements);
        for i in 0..self.sigs.len() {
            let script_sig = self.sigs.get(i).map_or(&[][..], |place| self.part(*place));
            let to = self.witness_ends.get(i).copied().unwrap_or(0);
            elements.clear();
            elements.extend(self.witness.get(from..to).unwrap_or_default().iter().map(|place| self.part(*place)));
            from = to;
            signs_little |= elements.iter().any(|element| self.rules.signs_less(element))
                || each_push(script_sig).any(|push| self.rules.signs_less(push))
                || (script_sig.is_empty() && taproot_signs_less(&elements));
            let (value, key, origin) = match coins.and_then(|coins| coins.get(i)) {
                Some(coin) => self.recorded(coin)?,
                None => self.shown(script_sig, &elements),
            };
            if let Some(input) = self.block.inputs.get_mut(first + i) {
                (input.value, input.key, input.origin) = (value, key, origin);
            }
        }
        self.elements = elements;
        Ok(signs_little)
    }

    fn recorded(&mut self, coin: &Coin) -> Result<(Option<u64>, Span, Origin), Fault> {
        if coin.value > self.rules.family.max_money() {
            return Err(fault(None, "what the inputs spent is more than all the money there is"));
        }
        let (_, script) = token::split(&coin.script, self.rules.time);
        Ok((Some(coin.value), key_of_script(script, self.rules.family, self.block), Origin::Recorded))
    }

    fn shown(&mut self, script_sig: &[u8], witness: &[&[u8]]) -> (Option<u64>, Span, Origin) {
        match revealed(script_sig, witness, self.rules) {
            Some(shown) => (None, self.block.key(&[&[shown.kind], shown.shown]), Origin::Revealed(shown.hashing)),
            None => (None, Span::default(), Origin::Unknown),
        }
    }
}

impl Visitor for Reader<'_, '_> {
    fn visit_tx_in(&mut self, _: usize, input: &TxIn<'_>) -> ControlFlow<()> {
        self.sigs.push(self.place(input.script_sig()));
        let id = input.prevout().txid().try_into().map(reversed).unwrap_or_default();
        let prevout = Prevout { id, vout: input.prevout().vout() };
        self.block.inputs.push(Input { prevout, value: None, key: Span::default(), origin: Origin::Unknown });
        ControlFlow::Continue(())
    }

    fn visit_tx_out(&mut self, _: usize, output: &TxOut<'_>) -> ControlFlow<()> {
        self.outputs = self.outputs.saturating_add(1);
        self.paid = self.paid.saturating_add(output.value());
        if self.paid > self.rules.family.max_money() {
            self.wrong = Some(format!("an output of {} base units exceeds all the money there is", output.value()));
            return ControlFlow::Break(());
        }
        let family = self.rules.family;
        let mut script = output.script_pubkey();
        if family == Family::BitcoinCash {
            let (tokens, behind) = token::split(script, self.rules.time);
            let place = u32::try_from(self.block.outputs.len()).unwrap_or(u32::MAX);
            self.block.tokens.extend(tokens.map(|token| (place, token)));
            self.fusion |= behind.starts_with(&FUSION);
            script = behind;
        } else if let Some(hash) = script.strip_prefix(&COMMITMENT).and_then(|rest| rest.first_chunk()) {
            self.commitment = Some(*hash);
        }
        let key = key_of_script(script, family, self.block);
        self.block.outputs.push(Output { value: output.value(), key });
        ControlFlow::Continue(())
    }

    fn visit_witness_element(&mut self, _: usize, element: &[u8]) {
        self.witness.push(self.place(element));
    }

    fn visit_witness_end(&mut self) {
        self.witness_ends.push(self.witness.len());
    }
}

/// A transaction as Bitcoin writes it.
fn ordinary<'a>(rest: &'a [u8], reader: &mut Reader<'a, '_>) -> Result<Parts<'a>, Error> {
    let tx = Transaction::visit(rest, reader)?.parsed_owned();
    let (a, b, c) = tx.txid_preimage();
    let whole = rest.get(..tx.as_ref().len()).ok_or(Error::MoreBytesNeeded)?;
    Ok(Parts { whole, named: [a, b, c], weight: tx.weight(), segwit: !b.is_empty(), hog_ex: false })
}

/// A HogEx: version, marker and flag, inputs, outputs, a zero where a transaction of the extension block would stand, lock time. Its
/// id is the hash of the rest (Litecoin Core, `UnserializeTransaction`).
fn hog_ex<'a>(rest: &'a [u8], reader: &mut Reader<'a, '_>) -> Result<Parts<'a>, Error> {
    let (version, body) = (rest.get(..4), rest.get(6..).unwrap_or_default());
    let inputs = TxIns::visit(body, reader)?;
    let outputs = TxOuts::visit(inputs.remaining(), reader)?;
    let len = inputs.consumed() + outputs.consumed();
    let after = outputs.remaining();
    if after.first().is_some_and(|byte| *byte != 0) {
        reader.wrong = Some("carries a transaction of the extension block, which no block may".into());
        return Err(Error::VisitBreak);
    }
    match (version, body.get(..len), after.get(1..5), rest.get(..6 + len + 5)) {
        (Some(version), Some(paid), Some(locktime), Some(whole)) => {
            let weight = 4 * (8 + len as u64);
            Ok(Parts { whole, named: [version, paid, locktime], weight, segwit: false, hog_ex: true })
        }
        _ => Err(Error::MoreBytesNeeded),
    }
}

fn said(error: &Error, at: usize) -> String {
    use Error::*;
    match error {
        MoreBytesNeeded => format!("breaks off (it begins at byte {at} of the block)"),
        UnknownSegwitFlag(flag) => format!("has SegWit flag {flag}, which this network does not know"),
        SegwitFlagWithoutWitnesses => "says it has witnesses and has none".into(),
        NonMinimalVarInt => "has a count that is not written in its shortest form".into(),
        other => format!("cannot be decoded: {other:?}"),
    }
}
