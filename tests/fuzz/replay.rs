//! Seeds, and whatever a fuzzer once found, as ordinary tests: each input whole, and broken off at up to 64 places.
use std::path::Path;

/// A target's name, which is the name of its folder of seeds, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Feeds `fuzz/seeds/NAME/*` of the crate in `root` to each target.
pub fn replay(root: &str, targets: &[Target]) {
    for (name, target) in targets {
        let folder = Path::new(root).join("fuzz/seeds").join(name);
        let seeds: Vec<_> = std::fs::read_dir(&folder).map(|dir| dir.flatten().collect()).unwrap_or_default();
        assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
        for seed in seeds {
            let bytes = std::fs::read(seed.path()).expect("a seed can be read");
            target(&bytes);
            for cut in (0..bytes.len()).step_by((bytes.len() / 64).max(1)) {
                target(&bytes[..cut]);
            }
        }
    }
}
