use super::*;

/// Integers, one after the other.
struct Numbers<'a>(&'a [u64]);

impl Hash for Numbers<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.iter().for_each(|number| hasher.write_u64(*number));
    }
}

/// Over the choice of the secret, two keys agree in six given bits of their fingerprints with 64 of 4,096 secrets, give or
/// take six times the deviation of 8. The upper bits choose the first line of a table, the lower ones the second.
fn assert_independent<A: Hash, B: Hash>(pairs: impl Iterator<Item = (A, B)>) {
    let functions: Vec<_> =
        (0..4_096_u128).map(|seed| Multilinear::new(Secret::from_bytes(seed.to_le_bytes()))).collect();
    for (pair, (one, other)) in pairs.enumerate() {
        for shift in [58, 26] {
            let bits = |fingerprint: Fingerprint| fingerprint.0 >> shift & 63;
            let shared = functions
                .iter()
                .filter(|function| bits(function.fingerprint(&one)) == bits(function.fingerprint(&other)))
                .count();
            assert!(
                (16..=112).contains(&shared),
                "pair {pair}, bits from {shift}: {shared} of 4,096 secrets"
            );
        }
    }
}

#[test]
fn numbers_that_an_attacker_would_choose_share_a_hash_as_rarely_as_chance_has_it() {
    let zeros = [0; 100];
    let (mut blocks, mut swapped) = ([0; 65], [0; 65]);
    (blocks[0], swapped[32]) = (1, 1);
    let pairs: [(&[u64], &[u64]); 15] = [
        (&blocks, &swapped),
        (&blocks[..64], &swapped[..64]),
        (&[0], &[1]),
        (&[0], &[1 << 63]),
        (&[1], &[u64::MAX]),
        (&[1, 2], &[2, 1]),
        (&[1 << 32, 0], &[0, 1 << 32]),
        (&[], &[0]),
        (&[0], &[0, 0]),
        (&[7], &[7, 0]),
        (&zeros[..1], &zeros[..5]),
        (&zeros[..16], &zeros[..32]),
        (&zeros[..32], &zeros[..33]),
        (&zeros[..32], &zeros[..64]),
        (&zeros[..64], &zeros[..65]),
    ];
    assert_independent(pairs.into_iter().map(|(one, other)| (Numbers(one), Numbers(other))));
}

#[test]
fn texts_that_an_attacker_would_choose_share_a_hash_as_rarely_as_chance_has_it() {
    let zeros = [0; 600];
    let mut one_bit_far = zeros;
    one_bit_far[250] = 1;
    let pairs: [(&[u8], &[u8]); 10] = [
        (b"", b"\0"),
        (b"", b"\x01"),
        (b"\x01", b"\0\x01"),
        (b"\0\0\0\0\0\0\0\x01", b"\0\0\0\0\0\0\x01"),
        (&zeros[..0], &zeros[..8]),
        (&zeros[..8], &zeros[..16]),
        (&zeros[..248], &zeros[..256]),
        (&zeros[..264], &zeros[..520]),
        (&zeros[..256], &one_bit_far[..256]),
        (&zeros, &one_bit_far),
    ];
    assert_independent(pairs.into_iter().map(|(one, other)| (Bytes(one), Bytes(other))));
}

#[test]
fn the_spread_can_be_undone() {
    // Else two sums would share a fingerprint more often than the sums are equal.
    for _ in 0..100 {
        let function = random();
        // Newton's iteration: each step doubles the bits that are right, of which an odd number has three at once.
        let inverse = (0..5).fold(function.spread, |inverse, _| {
            inverse.wrapping_mul(2_u64.wrapping_sub(function.spread.wrapping_mul(inverse)))
        });
        for sum in [0, 1, u64::MAX, 1 << 32, function.count] {
            let spread = function.spread(sum);
            let product = (spread ^ spread >> 32).wrapping_mul(inverse);
            assert_eq!(product ^ product >> 32, sum, "{spread:x}");
        }
    }
}
