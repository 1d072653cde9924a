//! IP addresses and networks, and which of them are nobody's.

use crate::{Found, Kind};
use std::net::{Ipv4Addr, Ipv6Addr};

const PRIVATE: &str = "a private, loopback, link-local or reserved address: everybody has one";

/// An IPv4 address or network, in four decimal numbers without leading zeros.
pub(crate) fn v4(raw: &str) -> Option<Found> {
    let (address, prefix) = split(raw, 32)?;
    let address: Ipv4Addr = address.parse().ok()?;
    let value = match prefix {
        Some(prefix) => format!("{}/{prefix}", Ipv4Addr::from_bits(network4(address.to_bits(), prefix))),
        None => address.to_string(),
    };
    let [a, b, _, _] = address.octets();
    // The documentation ranges of RFC 5737 link: only exercises write them.
    let nobodys = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b));
    Some(if nobodys { Found::never(Kind::Ipv4, value, PRIVATE) } else { Found::links(Kind::Ipv4, value) })
}

/// An IPv6 address or network; a mapped IPv4 address is read as IPv4.
pub(crate) fn v6(raw: &str) -> Option<Found> {
    let raw = raw.strip_prefix('[').and_then(|r| r.strip_suffix(']')).unwrap_or(raw);
    let (address, prefix) = split(raw, 128)?;
    let address: Ipv6Addr = address.split('%').next()?.parse().ok()?;
    if let (Some(mapped), None) = (address.to_ipv4_mapped(), prefix) {
        return v4(&mapped.to_string());
    }
    let value = match prefix {
        Some(prefix) => format!("{}/{prefix}", Ipv6Addr::from_bits(network6(address.to_bits(), prefix))),
        None => address.to_string(),
    };
    let first = address.segments().first().copied().unwrap_or(0);
    let nobodys = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || first & 0xffc0 == 0xfe80
        || first & 0xfe00 == 0xfc00
        || address.to_bits() >> 96 == 0;
    Some(if nobodys { Found::never(Kind::Ipv6, value, PRIVATE) } else { Found::links(Kind::Ipv6, value) })
}

/// Address and prefix length; the length of a whole address is dropped.
fn split(raw: &str, whole: u32) -> Option<(&str, Option<u32>)> {
    match raw.split_once('/') {
        None => Some((raw, None)),
        Some((address, prefix)) => {
            let prefix: u32 = prefix.parse().ok().filter(|p| *p <= whole)?;
            Some((address, (prefix < whole).then_some(prefix)))
        }
    }
}

fn network4(bits: u32, prefix: u32) -> u32 {
    bits & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)
}

fn network6(bits: u128, prefix: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    #[test]
    fn nobodys_addresses_never_link() {
        for raw in
            ["10.1.2.3", "127.0.0.1", "192.168.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.0", "100.64.0.1", "10.0.0.0/8"]
        {
            assert_eq!(v4(raw).map(|f| f.strength), Some(Strength::Never), "{raw}");
        }
        for raw in ["::1", "fe80::1", "fd00::1", "ff02::1", "::"] {
            assert_eq!(v6(raw).map(|f| f.strength), Some(Strength::Never), "{raw}");
        }
    }

    #[test]
    fn one_address_has_one_form() {
        assert_eq!(v6("2001:DB8:0:0::1").map(|f| f.value), Some("2001:db8::1".into()));
        assert_eq!(v6("::ffff:198.51.100.7").map(|f| (f.kind, f.value)), Some((Kind::Ipv4, "198.51.100.7".into())));
        assert_eq!(v4("198.51.100.7/24").map(|f| f.value), Some("198.51.100.0/24".into()));
        assert_eq!(v4("198.51.100.7/32").map(|f| f.value), Some("198.51.100.7".into()));
        assert_eq!(v4("1.2.3.04"), None);
        assert_eq!(v4("1.2.3.256"), None);
    }
}
