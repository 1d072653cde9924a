//! Whatever reaches the local socket.
use crate::frames::{MOST, Request, Stdin, frame, read_frame};
use std::io::Read;

/// A caller's bytes: frames within the limit whatever they say of their length, a request or none, and a stdin that ends;
/// what was read is written as the same bytes.
pub fn frames(bytes: &[u8]) {
    let mut left = bytes;
    let mut again = Vec::new();
    while let Ok((kind, inside)) = read_frame(&mut left, MOST) {
        assert!(inside.len() <= MOST as usize);
        frame(&mut again, kind, &inside).expect("memory takes it");
        if let Ok(request) = serde_json::from_slice::<Request>(&inside) {
            let written = serde_json::to_vec(&request).expect("a request is JSON");
            let read: Request = serde_json::from_slice(&written).expect("what was written is read");
            assert_eq!((read.words, read.cwd, read.progress), (request.words, request.cwd, request.progress));
        }
    }
    assert!(bytes.starts_with(&again), "a frame was read that nobody sent");
    let mut text = Vec::new();
    let whole = Stdin::new(bytes).read_to_end(&mut text).is_ok();
    assert!(text.len() < bytes.len().max(1) && (!whole || bytes.len() >= 5), "stdin has bytes that nobody sent");
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), &[("frames", super::frames)]);
    }
}
