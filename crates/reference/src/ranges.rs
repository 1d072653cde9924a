//! Networks on disk: sorted, merged ranges of 128-bit addresses (IPv4 mapped as RFC 4291 section 2.5.5.2 does).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a range: first and last address, big-endian.
const RANGE: usize = 32;
const BLOCK: usize = 128;

/// An address as a number.
pub(crate) fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// First and last address of `198.51.100.0/24`, `2001:db8::/32` or one address.
pub(crate) fn parse(text: &str) -> Option<(u128, u128)> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text.trim(), None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (width, number) = (if address.is_ipv4() { 32 } else { 128 }, number_of(address));
    let free = width - bits.unwrap_or(width).min(width);
    let mask = if free == 128 { u128::MAX } else { (1_u128 << free) - 1 };
    Some((number & !mask, number | mask))
}

pub(crate) fn write(folder: &Path, mut ranges: Vec<(u128, u128)>) -> io::Result<usize> {
    ranges.sort_unstable();
    let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    let mut file = BufWriter::new(File::create(folder.join("ranges"))?);
    for (first, last) in &merged {
        file.write_all(&first.to_be_bytes())?;
        file.write_all(&last.to_be_bytes())?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(merged.len())
}

pub(crate) struct Ranges {
    file: File,
    count: usize,
    fences: Box<[u128]>,
}

impl Ranges {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let file = File::open(folder.join("ranges"))?;
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if bytes % RANGE != 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the ranges are broken off; install the list again",
            ));
        }
        let count = bytes / RANGE;
        let mut fences = Vec::with_capacity(count.div_ceil(BLOCK));
        for block in 0..count.div_ceil(BLOCK) {
            let mut first = [0; 16];
            file.read_exact_at(&mut first, (block * BLOCK * RANGE) as u64)?;
            fences.push(u128::from_be_bytes(first));
        }
        Ok(Self { file, count, fences: fences.into() })
    }

    /// The range around an address, as `first-last` or the one address.
    pub fn find(&self, address: IpAddr) -> Option<String> {
        let wanted = number_of(address);
        let block = self.fences.partition_point(|first| *first <= wanted).checked_sub(1)?;
        let count = BLOCK.min(self.count - block * BLOCK);
        let mut bytes = [0; BLOCK * RANGE];
        let page = bytes.get_mut(..count * RANGE)?;
        self.file.read_exact_at(page, (block * BLOCK * RANGE) as u64).ok()?;
        page.chunks_exact(RANGE).find_map(|range| {
            let (first, last) = range.split_at_checked(16)?;
            let first = u128::from_be_bytes(first.try_into().ok()?);
            let last = u128::from_be_bytes(last.try_into().ok()?);
            (first <= wanted && wanted <= last)
                .then(|| if first == last { shown(first) } else { format!("{}-{}", shown(first), shown(last)) })
        })
    }
}

fn shown(number: u128) -> String {
    Ipv6Addr::from_bits(number).to_canonical().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_networks_around_it_and_in_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let ranges = ["198.51.100.0/24", "198.51.100.128/25", "2001:db8::/32", "203.0.113.9"]
            .iter()
            .map(|text| parse(text).unwrap())
            .collect();
        assert_eq!(write(folder.path(), ranges).unwrap(), 3);
        let ranges = Ranges::open(folder.path()).unwrap();
        let find = |text: &str| ranges.find(text.parse().unwrap());
        assert_eq!(find("198.51.100.200").unwrap(), "198.51.100.0-198.51.100.255");
        assert_eq!(find("203.0.113.9").unwrap(), "203.0.113.9");
        assert!(find("2001:db8:ffff::1").is_some());
        assert_eq!(find("203.0.113.10"), None);
        assert_eq!(find("2001:db9::1"), None);
        assert_eq!(parse("0.0.0.0/0").map(|(first, _)| shown(first)).as_deref(), Some("0.0.0.0"));
    }
}
