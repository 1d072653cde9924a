//! Several questions of JSON-RPC at once (JSON-RPC 2.0, section 6).
use super::client::{Answer, Node, Refusal, TRIES, refusal};
use super::without_text;
use crate::chain::Result;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// No more questions are asked at once.
pub const MOST_AT_ONCE: usize = 64;

impl Node {
    /// Asks the same of several things at once, [`MOST_AT_ONCE`] at most: an answer for each, in order. Asks all again while the node
    /// is busy with any.
    ///
    /// # Errors
    /// As [`Node::ask`]; answers that are not to what was asked, or are too few.
    pub fn batch<T>(
        &mut self,
        method: &str,
        params: &[Value],
        mut read: impl FnMut(usize, &RawValue) -> std::result::Result<T, String>,
    ) -> Result<Vec<std::result::Result<T, Refusal>>> {
        if params.len() > MOST_AT_ONCE {
            return Err(self.fault(format!("{method}: {} questions at once are too many", params.len())));
        }
        let mut wait = self.first_wait();
        for left in (0..TRIES).rev() {
            let first = self.calls + 1;
            let questions = (first..).zip(params);
            let body: Vec<Value> = questions
                .map(|(id, params)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
                .collect();
            let url = self.url.clone();
            match self.send(method, &url, Value::from(body).to_string())? {
                Ok(text) => {
                    if let Some(answers) = self.answers(method, &text, (first, params.len()), &mut read)? {
                        return Ok(answers);
                    }
                }
                Err(Refusal::Busy(told)) => wait = told.unwrap_or(wait),
                Err(Refusal::Said(why)) => return Err(self.fault(format!("{method}: {why}"))),
                Err(_) => return Err(self.fault(format!("does not answer {method}"))),
            }
            if left > 0 {
                Node::rest(&mut wait);
            }
        }
        Err(self.busy(method))
    }

    /// Puts the answers into the order of the questions, whose ids begin with `first`; `None` when the node is busy with one.
    #[allow(clippy::type_complexity)] // busy, or for each what was read or why not
    fn answers<T>(
        &mut self,
        method: &str,
        text: &str,
        (first, many): (u64, usize),
        read: &mut impl FnMut(usize, &RawValue) -> std::result::Result<T, String>,
    ) -> Result<Option<Vec<std::result::Result<T, Refusal>>>> {
        let not_so = |why: &dyn std::fmt::Display| self.fault(format!("{method}: {why}"));
        let answers: Vec<Answer<'_>> = match serde_json::from_str(text) {
            Ok(answers) => answers,
            // A server that refuses the whole says so once.
            Err(error) => match serde_json::from_str::<Answer<'_>>(text).ok().and_then(|one| refusal(one.error)) {
                Some(Refusal::Busy(_)) => return Ok(None),
                Some(Refusal::Said(why)) => return Err(not_so(&why)),
                _ => return Err(not_so(&format!("not JSON-RPC ({})", without_text(&error)))),
            },
        };
        let mut found: Vec<Option<std::result::Result<T, Refusal>>> = (0..many).map(|_| None).collect();
        for answer in answers {
            let place = answer.id.and_then(|id| id.checked_sub(first)).and_then(|place| usize::try_from(place).ok());
            let Some((place, slot)) = place.and_then(|place| Some((place, found.get_mut(place)?))) else {
                return Err(not_so(&"an answer is not to what was asked"));
            };
            let told = match refusal(answer.error) {
                Some(Refusal::Busy(_)) => return Ok(None),
                Some(other) => Err(other),
                None => Ok(read(place, answer.result.unwrap_or(RawValue::NULL)).map_err(|why| not_so(&why))?),
            };
            if slot.replace(told).is_some() {
                return Err(not_so(&"two answers to one question"));
            }
        }
        let all: Option<Vec<_>> = found.into_iter().collect();
        let all = all.ok_or_else(|| not_so(&"fewer answers than questions"))?;
        self.calls = self.calls.max(first + many as u64 - 1);
        Ok(Some(all))
    }
}
