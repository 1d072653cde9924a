//! The world's own source of chance: xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64 (Steele, Lea,
//! Flood, 2014). Both use wrapping 64-bit integers only, so a plan gives the same bytes on every machine. It is no
//! cryptographic generator and nothing secret may come from it.

use uuid::Uuid;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One stream of chance. Streams with different purposes or numbers are independent, so a change to how one report is
/// worded does not shift the next one.
#[derive(Clone, Debug)]
pub(crate) struct Rng([u64; 4]);

impl Rng {
    /// The stream of `seed` for a `purpose` (FNV-1a of its bytes) and a number within it.
    pub(crate) fn keyed(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        let mut state = seed ^ hash.rotate_left(17) ^ number.wrapping_mul(GOLDEN);
        // One round apart, so that neighbouring numbers start far from each other.
        state = splitmix(&mut state) ^ number;
        Self(std::array::from_fn(|_| splitmix(&mut state)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let out = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        out
    }

    /// A number in `0..n`; 0 when `n` is 0. The bias of the multiply-shift is below 2^-32 for every `n` used here.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `from`; `None` only when it is empty.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(from.len() as u64) as usize;
        from.get(at)
    }

    /// One of these words; empty only when there is none.
    pub(crate) fn word<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.pick(from).copied().unwrap_or_default()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| (self.next() >> 56) as u8)
    }

    /// A version 4 UUID (RFC 9562 section 5.4) whose random bits come from this stream.
    pub(crate) fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of xoshiro256** from state 1, 2, 3, 4, as its authors' C code gives them.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut rng = Rng([1, 2, 3, 4]);
        let out: Vec<u64> = (0..4).map(|_| rng.next()).collect();
        assert_eq!(out, [11520, 0, 1509978240, 1215971899390074240]);
    }

    #[test]
    fn splitmix_is_the_published_one() {
        let mut state = 1_234_567;
        assert_eq!(splitmix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(splitmix(&mut state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_of_different_purposes_and_numbers_differ() {
        let first = |purpose, number| Rng::keyed(7, purpose, number).next();
        assert_ne!(first("a", 0), first("b", 0));
        assert_ne!(first("a", 0), first("a", 1));
        assert_eq!(first("a", 1), first("a", 1));
    }
}
