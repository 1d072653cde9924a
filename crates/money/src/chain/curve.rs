//! The second coordinate of a public key on secp256k1: undo data keep only the first (SEC 1, section 2.3.4).

/// A number below 2^256, lowest limb first.
type Field = [u64; 4];

/// p = 2^256 - 2^32 - 977.
const P: Field = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
/// (p + 1) / 4: raising to it takes a square root, since p leaves 3 modulo 4.
const ROOT: Field = [0xffff_ffff_bfff_ff0c, u64::MAX, u64::MAX, 0x3fff_ffff_ffff_ffff];
/// 2^256 modulo p.
const FOLD: u64 = 0x1_0000_03d1;

/// The uncompressed key (65 bytes) of x and the parity of y; `None` when no point has that x.
pub fn uncompressed(odd: bool, x: &[u8; 32]) -> Option<[u8; 65]> {
    let x_field = from_be(x);
    if !below_p(&x_field) {
        return None;
    }
    let square = add(&multiply(&multiply(&x_field, &x_field), &x_field), &[7, 0, 0, 0]);
    let mut y = root(&square);
    if multiply(&y, &y) != square {
        return None;
    }
    if (y.first()? & 1 == 1) != odd {
        y = subtract_raw(&P, &y);
    }
    let mut key = [4; 65];
    key.get_mut(1..33)?.copy_from_slice(x);
    key.get_mut(33..)?.copy_from_slice(&to_be(&y));
    Some(key)
}

fn from_be(bytes: &[u8; 32]) -> Field {
    let mut field = [0; 4];
    for (limb, chunk) in field.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = chunk.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte));
    }
    field
}

fn to_be(field: &Field) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).zip(field.iter().rev()).for_each(|(to, limb)| to.copy_from_slice(&limb.to_be_bytes()));
    bytes
}

fn below_p(n: &Field) -> bool {
    n.iter().rev().lt(P.iter().rev())
}

/// The low and the high half.
#[allow(clippy::cast_possible_truncation)] // that is what it is for
fn halves(n: u128) -> (u64, u64) {
    (n as u64, (n >> 64) as u64)
}

fn subtract_raw(a: &Field, b: &Field) -> Field {
    let (mut out, mut borrow) = (*a, false);
    for (limb, b) in out.iter_mut().zip(b) {
        let (first, under) = limb.overflowing_sub(*b);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (second, under || again);
    }
    out
}

/// `a + carry * 2^256`, brought below p.
fn fold(mut a: Field, mut carry: u64) -> Field {
    while carry != 0 {
        let mut more = u128::from(carry) * u128::from(FOLD);
        for limb in &mut a {
            let (low, high) = halves(u128::from(*limb) + (more & u128::from(u64::MAX)));
            *limb = low;
            more = (more >> 64) + u128::from(high);
        }
        carry = halves(more).0;
    }
    if below_p(&a) { a } else { subtract_raw(&a, &P) }
}

fn add(a: &Field, b: &Field) -> Field {
    let (mut out, mut carry) = (*a, 0);
    for (limb, b) in out.iter_mut().zip(b) {
        let (low, high) = halves(u128::from(*limb) + u128::from(*b) + u128::from(carry));
        (*limb, carry) = (low, high);
    }
    fold(out, carry)
}

/// Horner over the limbs of `a`, highest first: everything moves up one limb, and what falls out is folded in again.
fn multiply(a: &Field, b: &Field) -> Field {
    let mut sum = [0; 4];
    for limb in a.iter().rev() {
        let [low, second, third, top] = sum;
        sum = fold([0, low, second, third], top);
        let (mut product, mut carry) = (*b, 0);
        for part in &mut product {
            let (low, high) = halves(u128::from(*part) * u128::from(*limb) + u128::from(carry));
            (*part, carry) = (low, high);
        }
        sum = add(&sum, &fold(product, carry));
    }
    sum
}

fn root(n: &Field) -> Field {
    let mut result = [1, 0, 0, 0];
    for limb in ROOT.iter().rev() {
        for bit in (0..64).rev() {
            result = multiply(&result, &result);
            if (limb >> bit) & 1 == 1 {
                result = multiply(&result, n);
            }
        }
    }
    result
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
