//! Bytes or a text at an address behind the node's own.
use super::client::{Node, Refusal, TRIES};
use crate::chain::Result;

impl Node {
    /// Gets what stands at `path` behind the node's address; again while the node is busy. What is not there is
    /// [`Refusal::Absent`].
    ///
    /// # Errors
    /// No connection, no answer in time, too large, or still busy.
    pub fn get(&mut self, path: &str) -> Result<std::result::Result<Vec<u8>, Refusal>> {
        let url = self.place(path);
        let mut wait = self.first_wait();
        for left in (0..TRIES).rev() {
            match self.call(path, &url, None)? {
                Err(Refusal::Busy(told)) => wait = told.unwrap_or(wait),
                answered => return Ok(answered),
            }
            if left > 0 {
                Node::rest(&mut wait);
            }
        }
        Err(self.busy(path))
    }
}
