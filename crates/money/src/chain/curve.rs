//! The second coordinate of a public key on secp256k1: undo data keep only the first (SEC 1, section 2.3.4).
use k256::elliptic_curve::sec1::ToSec1Point;

/// The uncompressed key (65 bytes) of x and the parity of y; `None` when no point has that x.
pub fn uncompressed(odd: bool, x: &[u8; 32]) -> Option<[u8; 65]> {
    let mut compressed = [2 + u8::from(odd); 33];
    compressed.get_mut(1..)?.copy_from_slice(x);
    let key = k256::PublicKey::from_sec1_bytes(&compressed).ok()?;
    key.to_sec1_point(false).as_bytes().try_into().ok()
}

/// Whether bytes are a public key in SEC 1's form (section 2.3.3).
pub fn is_point(bytes: &[u8]) -> bool {
    k256::PublicKey::from_sec1_bytes(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_coordinate_is_the_oracles() {
        let secp = bitcoin::secp256k1::Secp256k1::new();
        for seed in 1..40u8 {
            let secret = bitcoin::secp256k1::SecretKey::from_slice(&[seed; 32]).unwrap();
            let key = secret.public_key(&secp);
            let short = key.serialize();
            let x: [u8; 32] = short[1..].try_into().unwrap();
            assert_eq!(uncompressed(short[0] == 3, &x), Some(key.serialize_uncompressed()));
        }
    }

    #[test]
    fn an_x_without_a_point_is_refused() {
        let known = |x: [u8; 32]| {
            let mut key = vec![2];
            key.extend(x);
            bitcoin::secp256k1::PublicKey::from_slice(&key).is_ok()
        };
        for n in 0..60u8 {
            let mut x = [0; 32];
            x[31] = n;
            assert_eq!(uncompressed(false, &x).is_some(), known(x), "{n}");
        }
        assert_eq!(uncompressed(false, &[0xff; 32]), None);
    }
}
