use core::any::type_name;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::formula::Words;
use super::*;

#[test]
fn an_integer_has_the_same_value_on_every_machine() {
    let function = random();
    assert_eq!(function.fingerprint(&7_usize), function.fingerprint(&7_u64));
    assert_eq!(function.fingerprint(&7_u128), function.fingerprint(&(7_u64, 0_u64)));
}

#[test]
fn no_str_is_taken_for_the_filling_up_of_another() {
    // With an earlier function "ab" and "ab\0\0\0\0\0\x02" were one key under every secret: the block of a short end was
    // closed before the byte that tells where a `str` ends, and then looked like eight bytes of content. Here the word at
    // the end of the first is the first word of the last.
    let function = random();
    assert_ne!(function.fingerprint("ab"), function.fingerprint("ab\0\0\0\0\0\x02"));
    assert_ne!(function.fingerprint("ab"), function.fingerprint("ab\x01\0\0\0\0\0"));
    let mut texts = HashSet::new();
    for (length, fill) in (0..48_usize).flat_map(|length| (0..16).map(move |fill| (length, fill))) {
        let text = "x".repeat(length) + &"\0".repeat(fill);
        // Every byte that an end of up to 63 bytes could be filled up with.
        texts.extend((0..128_u8).map(|last| format!("{text}{}", char::from(last))));
        texts.insert(text);
    }
    let alone = texts.iter().map(|text| function.fingerprint(text));
    let with_a_word =
        texts.iter().flat_map(|text| [0, 0xff, 1_u64 << 56].map(|word| function.fingerprint(&(text, word))));
    let fingerprints: HashSet<_> = alone.chain(with_a_word).collect();
    assert_eq!(fingerprints.len(), 4 * texts.len(), "two keys share a fingerprint");
}

#[test]
fn parts_of_a_tuple_do_not_run_into_each_other() {
    let function = random();
    let long = "0123456789abcdefghijklmnopqrstuvwxyz";
    let halves: HashSet<_> =
        (0..=long.len()).map(|middle| function.fingerprint(&long.split_at(middle))).collect();
    assert_eq!(halves.len(), long.len() + 1);
    // What one part is filled up with, as content of the other.
    let fillings = ["ab", "ab\0", "ab\x01", "ab\0\0\0\0\0\0", "ab\0\0\0\0\0\x02", "ab\0\0\0\0\0\0ab"];
    let pairs: HashSet<_> =
        fillings.iter().flat_map(|one| fillings.map(|other| function.fingerprint(&(*one, other)))).collect();
    assert_eq!(pairs.len(), fillings.len() * fillings.len());
    let slices = [
        function.fingerprint(&(vec![1_u8, 2], vec![3_u8])),
        function.fingerprint(&(vec![1_u8], vec![2_u8, 3])),
        function.fingerprint(&(vec![1_u8, 2, 3], Vec::<u8>::new())),
        function.fingerprint(&vec![vec![1_u8, 2, 3]]),
    ];
    assert_eq!(HashSet::from(slices).len(), 4);
}

#[test]
fn integers_of_every_width_and_value_are_told_apart() {
    let function = random();
    let numbers: HashSet<_> = (0..64)
        .flat_map(|bit| [1_u64 << bit, (1 << bit) - 1])
        .map(|number| function.fingerprint(&number))
        .collect();
    // Zero, and all ones below each bit; 1 is both a power and a power less one.
    assert_eq!(numbers.len(), 64 + 64 - 1);
    let bytes: HashSet<_> = (0..=u8::MAX)
        .flat_map(|byte| [function.fingerprint(&byte), function.fingerprint(&(byte, 0_u16))])
        .chain((0..=u16::from(u8::MAX)).map(|short| function.fingerprint(&(short, 1_u8))))
        .collect();
    assert_eq!(bytes.len(), 3 * 256);
}

/// Keys of one type, as many as there are different ones.
fn assert_told_apart<K: Hash + Ord + fmt::Debug>(mut keys: Vec<K>) {
    keys.sort();
    keys.dedup();
    let function = random();
    let (mut words, mut fingerprints) = (HashMap::new(), HashSet::new());
    for key in &keys {
        if let Some(other) = words.insert(Words::of(key), key) {
            panic!("{key:?} writes what {other:?} does");
        }
        fingerprints.insert(function.fingerprint(key).0);
    }
    assert_eq!(fingerprints.len(), keys.len(), "{}", type_name::<K>());
}

#[test]
fn values_of_a_type_that_people_use_as_a_key_are_told_apart() {
    #[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
    enum Caller {
        Nobody,
        Everybody,
        Account(u64),
        Token { text: String, bytes: Vec<u8> },
        Of(Option<Box<Caller>>, bool),
        Address(IpAddr),
    }

    // Up to three of these, which look like what is written behind texts, of lengths around that of a word.
    let ends = [0, 1, 2, 4, 7, b'a', 0x80, 0xff];
    let mut bytes: Vec<Vec<u8>> = (0..4_u32)
        .flat_map(|length| {
            (0..8_usize.pow(length))
                .map(move |number| (0..length).map(|place| ends[number >> (3 * place) & 7]).collect())
        })
        .collect();
    let short = bytes[..64].to_vec();
    for length in [5, 7, 8, 15, 16, 240, 247, 248, 256] {
        bytes.extend(short.iter().map(|end| [&vec![0; length][..], end].concat()));
    }
    let texts: Vec<_> = bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    let (few, few_texts) = (&bytes[..80], &texts[..80]);

    assert_told_apart(bytes.clone());
    assert_told_apart(bytes.iter().map(|bytes| Cow::Borrowed(&bytes[..])).collect());
    assert_told_apart(texts.clone());
    assert_told_apart(texts.iter().map(OsString::from).collect());
    assert_told_apart(
        texts.iter().flat_map(|text| few_texts.iter().map(move |other| (text, other))).collect(),
    );
    assert_told_apart(bytes.iter().flat_map(|one| few.iter().map(move |other| vec![one, other])).collect());
    assert_told_apart(
        bytes.iter().map(|bytes| bytes.iter().map(|byte| Some(*byte)).collect::<Vec<_>>()).collect(),
    );
    assert_told_apart(
        bytes.iter().map(|bytes| bytes.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>()).collect(),
    );
    assert_told_apart(bytes.iter().filter_map(|bytes| <[u8; 3]>::try_from(&bytes[..]).ok()).collect());
    assert_told_apart((0..100).map(|length| vec![(); length]).collect());
    assert_told_apart((0..char::MAX as u32).step_by(17).filter_map(char::from_u32).collect());
    assert_told_apart((0..128).flat_map(|bit| [1_u128 << bit, !(1 << bit)]).collect());
    assert_told_apart((0..128).flat_map(|bit| [1_i128 << bit, !(1 << bit)]).collect());
    assert_told_apart(vec![None, Some(None), Some(Some(0_u8)), Some(Some(1))]);

    let addresses: Vec<IpAddr> = (0..32)
        .map(|bit| Ipv4Addr::from(1 << bit).into())
        .chain((0..128).map(|bit| Ipv6Addr::from(1 << bit).into()))
        .collect();
    assert_told_apart(
        addresses.iter().flat_map(|ip| [0, 1, 256].map(|port| SocketAddr::new(*ip, port))).collect(),
    );
    let callers = [Caller::Nobody, Caller::Everybody]
        .into_iter()
        .chain((0..9).map(Caller::Account))
        .chain(addresses.into_iter().map(Caller::Address))
        .chain(
            few.iter()
                .zip(few_texts.iter().rev())
                .map(|(bytes, text)| Caller::Token { text: text.clone(), bytes: bytes.clone() }),
        );
    let nested = callers
        .clone()
        .flat_map(|caller| [true, false].map(|flag| Caller::Of(Some(caller.clone().into()), flag)));
    assert_told_apart(
        callers.chain(nested).chain([Caller::Of(None, true), Caller::Of(None, false)]).collect(),
    );
}
