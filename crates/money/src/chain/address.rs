//! From an address as people write it to its key: the other way round of [`super::address_text`]. Where a chain has had two ways of
//! writing, both are read: Litecoin's scripts once began with 3 like Bitcoin's, Bitcoin Cash's addresses were Bitcoin's.
use super::script::kind;
use super::{Family, Network};

/// The key of an address of this network; `None` when it is none, its checksum fails, or it is another network's.
///
/// ```
/// use money::chain::{Network, address_key, address_text};
/// let text = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
/// let key = address_key(text, Network::Main).unwrap();
/// assert_eq!(address_text(&key, Network::Main).as_deref(), Some(text));
/// assert_eq!(address_key(text, Network::Regtest), None);
/// ```
#[must_use]
pub fn address_key(text: &str, network: Network) -> Option<Vec<u8>> {
    let (pubkey_hash, script_hash, prefix) = network.prefixes();
    let text = text.trim();
    if network.family() == Family::BitcoinCash
        && let Some((sort, hash)) = selectors::read_cash_address(prefix, text)
    {
        let first = match (sort, hash.len()) {
            (0, 20) => kind::P2PKH,
            (1, 20) => kind::P2SH,
            (1, 32) => kind::P2SH32,
            _ => return None,
        };
        return Some([&[first], &*hash].concat());
    }
    if network.family() != Family::BitcoinCash
        && let Ok((hrp, version, program)) = bech32::segwit::decode(text)
    {
        if hrp.to_lowercase() != prefix {
            return None;
        }
        let first: &[u8] = match (version.to_u8(), program.len()) {
            (0, 20) => &[kind::P2WPKH],
            (0, 32) => &[kind::P2WSH],
            (1, 32) => &[kind::P2TR],
            (0, _) => return None,
            (version, _) => &[kind::WITNESS, version],
        };
        return Some([first, &program].concat());
    }
    let bytes = bs58::decode(text).with_check(None).into_vec().ok()?;
    let (version, hash) = bytes.split_first()?;
    let first = match *version {
        version if version == pubkey_hash => kind::P2PKH,
        version if version == script_hash || network.old_script_hash() == Some(version) => kind::P2SH,
        _ => return None,
    };
    (hash.len() == 20).then(|| [&[first], hash].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::address_text;

    #[test]
    fn every_kind_of_address_comes_back_as_it_went_and_a_wrong_letter_as_nothing() {
        let of_bitcoin: &[(&[u8], usize)] =
            &[(&[1], 20), (&[2], 20), (&[3], 20), (&[4], 32), (&[5], 32), (&[7, 9], 12)];
        let of_cash: &[(&[u8], usize)] = &[(&[kind::P2PKH], 20), (&[kind::P2SH], 20), (&[kind::P2SH32], 32)];
        for network in Network::ALL {
            let kinds = if network.family() == Family::BitcoinCash { of_cash } else { of_bitcoin };
            for (first, len) in kinds {
                let key = [first, &*vec![0x5a; *len]].concat();
                let text = address_text(&key, network).unwrap();
                assert_eq!(address_key(&text, network), Some(key), "{text}");
                let wrong = format!("{}{}", &text[..text.len() - 1], if text.ends_with('q') { 'p' } else { 'q' });
                assert_eq!(address_key(&wrong, network), None, "{wrong}");
            }
        }
        assert_eq!(address_key("", Network::Main), None);
    }

    #[test]
    fn a_chain_that_is_named_is_read_in_its_old_writing_too() {
        let written = |version: u8| bs58::encode([&[version], &[0x5a; 20][..]].concat()).with_check().into_string();
        let key = |first: u8| Some([&[first], &[0x5a; 20][..]].concat());
        for (network, keys, scripts) in [
            (Network::BitcoinCash, 0x00, 0x05),
            (Network::BitcoinCashRegtest, 0x6f, 0xc4),
            (Network::Litecoin, 0x30, 0x05),
            (Network::LitecoinTestnet, 0x6f, 0xc4),
        ] {
            assert_eq!(address_key(&written(keys), network), key(kind::P2PKH), "{network:?}");
            assert_eq!(address_key(&written(scripts), network), key(kind::P2SH), "{network:?}");
        }
        assert_eq!(address_key(&written(0x00), Network::Litecoin), None, "Litecoin never wrote keys as Bitcoin does");
        assert_eq!(address_key(&written(0x32), Network::Main), None);
    }
}
