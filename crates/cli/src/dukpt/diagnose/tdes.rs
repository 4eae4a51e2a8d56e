//! The keys that TDES DUKPT might have given: derivation once more, with the mistakes that are made with it.

use cardroot::tdea::hazmat::DesKey;
use cardroot::tdea::{BLOCK_LEN, KeyLength, TdeaKey};

use super::path::{Candidate, Path, Problem, Way, ways};
use crate::dukpt::working_key::WorkingKey;

type Ksn = [u8; 10];

/// XORed onto each part of a key for the other half of its child.
const MASK: [u8; BLOCK_LEN] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];
const COUNTER_BITS: u32 = 21;
/// How far off the counter of another message is looked for.
pub(super) const NEIGHBOURS: u32 = 8;
pub(super) const OTHER_MESSAGE: &str = "the KSN is of another message, up to 8 counters away: see ksn used";

/// What the key that was given is.
enum Root {
    Base(TdeaKey),
    Initial(TdeaKey),
    Transaction(TdeaKey),
    Working(TdeaKey),
}

/// The order in which the ones of the counter are used.
#[derive(Clone, Copy)]
enum Order {
    HighToLow,
    LowToHigh,
    /// The whole counter in each step.
    Whole,
}

/// How the key of a transaction comes from the initial key.
#[derive(Clone, Copy)]
struct Walk {
    counter: u32,
    order: Order,
}

/// All keys within reach, from the key and the key serial number that were given.
pub(super) fn candidates(given: &[u8], ksn: &[u8], problem: Problem) -> Vec<Candidate> {
    let Ok(given) = TdeaKey::try_from(given) else { return Vec::new() };
    let mut found = Vec::new();
    let start = Path::new("TDES");
    for (root, path) in ways(&start, roots(&given)) {
        match root {
            Root::Working(key) => found.push(Candidate {
                key: WorkingKey::Tdea(key),
                path: path.with_key("key as given").with_ksn("-"),
            }),
            Root::Transaction(key) => working_keys(&key, &path.with_ksn("-"), problem, &mut found),
            Root::Base(key) => {
                for (ksn, path) in ways(&path, names(ksn)) {
                    for (initial, path) in ways(&path, initial_keys(&key, &ksn)) {
                        walk_all(&initial, &ksn, &path, problem, &mut found);
                    }
                }
            }
            Root::Initial(key) => {
                for (ksn, path) in ways(&path, names(ksn)) {
                    walk_all(&(key.duplicate(), COUNTER_BITS), &ksn, &path, problem, &mut found);
                }
            }
        }
    }
    if let Some((base, ksn)) = exchanged(&given, ksn)
        && let Some(path) = start.departing(2, "BDK and KSN are taken for each other")
    {
        for (initial, path) in ways(&path, initial_keys(&base, &ksn)) {
            walk_all(&initial, &ksn, &path, problem, &mut found);
        }
    }
    found
}

fn roots(given: &TdeaKey) -> Vec<Way<Root>> {
    let mut roots = vec![
        Way::standard(Root::Base(given.duplicate())),
        Way::off(1, "the key given is the initial key, not a BDK", Root::Initial(given.duplicate())),
        Way::off(1, "the key given is the transaction key", Root::Transaction(given.duplicate())),
        Way::off(1, "the key given is used as it is, nothing is derived", Root::Working(given.duplicate())),
    ];
    let bytes = given.expose_bytes();
    if given.length() == KeyLength::Double {
        let swapped = || {
            TdeaKey::from_fill(KeyLength::Double, |key| {
                key.copy_from_slice(bytes);
                key.rotate_left(BLOCK_LEN);
            })
        };
        roots.push(Way::off(2, "the halves of the BDK are swapped", Root::Base(swapped())));
        let what = "the key given is the initial key with its halves swapped";
        roots.push(Way::off(2, what, Root::Initial(swapped())));
    } else if let Some(first) = bytes.get(..KeyLength::Double.bytes()) {
        let first = TdeaKey::from_fill(KeyLength::Double, |key| key.copy_from_slice(first));
        roots.push(Way::off(2, "only the first 16 bytes of the BDK are used", Root::Base(first)));
    }
    roots
}

/// What programs do that have the two in the wrong order: each is cut or filled up to the other's length.
fn exchanged(given: &TdeaKey, ksn: &[u8]) -> Option<(TdeaKey, Ksn)> {
    let base = TdeaKey::from_fill(KeyLength::Double, |key| {
        for (byte, found) in key.iter_mut().rev().zip(ksn.iter().rev()) {
            *byte = *found;
        }
    });
    Some((base, *given.expose_bytes().last_chunk()?))
}

/// The 10 bytes that a key serial number of any length might stand for.
pub(super) fn names(ksn: &[u8]) -> Vec<Way<Ksn>> {
    let len = ksn.len();
    let filled = |fill: u8, left: bool| {
        let mut name = [fill; 10];
        let at = if left { name.len() - len } else { 0 };
        name.iter_mut().skip(at).zip(ksn).for_each(|(byte, found)| *byte = *found);
        name
    };
    if len > 10 {
        let mut names = Vec::new();
        if let (Some(first), Some(last)) = (ksn.first_chunk(), ksn.last_chunk()) {
            names.push(Way::off(1, "only the last 10 bytes of the KSN are used", *last));
            names.push(Way::off(1, "only the first 10 bytes of the KSN are used", *first));
        }
        return names;
    }
    let mut names = vec![Way::standard(filled(0xFF, true))];
    let padding = ksn.iter().take_while(|byte| **byte == 0xFF).count();
    let zeros = ksn.iter().take_while(|byte| **byte == 0).count();
    if len < 10 {
        names.push(Way::off(1, "the KSN is filled up by 00 on the left, not by FF", filled(0, true)));
        names.push(Way::off(2, "the KSN is filled up by FF on the right", filled(0xFF, false)));
        names.push(Way::off(2, "the KSN is filled up by 00 on the right", filled(0, false)));
    } else if padding > 0 {
        let mut name = filled(0, true);
        name.iter_mut().take(padding).for_each(|byte| *byte = 0);
        names.push(Way::off(1, "the KSN begins with 00, not with FF", name));
    } else if zeros > 0 {
        let mut name = filled(0, true);
        name.iter_mut().take(zeros).for_each(|byte| *byte = 0xFF);
        names.push(Way::off(1, "the KSN begins with FF, not with 00", name));
    }
    names
}

/// The initial key, and how many bits of the name are then the counter.
fn initial_keys(base: &TdeaKey, ksn: &Ksn) -> Vec<Way<(TdeaKey, u32)>> {
    let derive = |mask: u8| initial_key(base, ksn, mask);
    vec![
        Way::standard((derive(0xE0), COUNTER_BITS)),
        Way::off(2, "the initial key's parity is adjusted", (derive(0xE0).into_odd_parity(), COUNTER_BITS)),
        Way::off(2, "the initial key is derived without clearing the counter", (derive(0xFF), COUNTER_BITS)),
        Way::off(2, "the initial key is derived with 24 bits cleared, not 21", (derive(0x00), COUNTER_BITS)),
        Way::off(2, "the counter is taken to have 20 bits, not 21", (derive(0xF0), 20)),
    ]
}

/// `E(BDK, id) || E(BDK ^ M, id)`, the last byte of `id` under `mask`.
fn initial_key(base: &TdeaKey, ksn: &Ksn, mask: u8) -> TdeaKey {
    let [mut id @ .., _, _] = *ksn;
    let [.., last] = &mut id;
    *last &= mask;
    TdeaKey::from_fill(KeyLength::Double, |key| {
        for (half, base) in key.as_chunks_mut().0.iter_mut().zip([base, &base.variant(&MASK)]) {
            *half = id;
            base.cipher().encrypt_block(half);
        }
    })
}

fn walk_all(
    (initial_key, bits): &(TdeaKey, u32),
    ksn: &Ksn,
    path: &Path,
    problem: Problem,
    found: &mut Vec<Candidate>,
) {
    if initial_key.length() != KeyLength::Double {
        return;
    }
    for (Walk { counter, order }, path) in ways(path, walks(ksn, *bits)) {
        let used = with_counter(ksn, *bits, counter);
        let key = transaction_key(initial_key, &used, *bits, order);
        let path = remark(path, counter).with_ksn(crate::hex::encode(&used));
        working_keys(&key, &path, problem, found);
    }
}

/// Says of a counter that no transaction has it: a finding in itself.
fn remark(path: Path, counter: u32) -> Path {
    let remark = match counter.count_ones() {
        0 => "counter 000000 is of no transaction: its key is the initial key".into(),
        ones @ 11.. => format!("a counter of {ones} ones is of no transaction: terminals pass it over"),
        _ => return path,
    };
    path.departing(0, remark).expect("a remark costs nothing")
}

fn walks(ksn: &Ksn, bits: u32) -> Vec<Way<Walk>> {
    let counter = counter(ksn, bits);
    let standard = |counter| Walk { counter, order: Order::HighToLow };
    let mut walks = vec![Way::standard(standard(counter))];
    if counter.count_ones() > 1 {
        for (departure, order) in [
            ("the counter's ones are used from the lowest up", Order::LowToHigh),
            ("the whole counter is used in each step", Order::Whole),
        ] {
            walks.push(Way::off(2, departure, Walk { counter, order }));
        }
    }
    if counter != 0 {
        walks.push(Way::off(2, "the initial key is used as the transaction key", standard(0)));
    }
    for distance in 1..=NEIGHBOURS {
        let after = counter.checked_add(distance).filter(|after| after >> bits == 0);
        let before = counter.checked_sub(distance).filter(|before| *before > 0);
        let others = [before, after].into_iter().flatten();
        walks.extend(others.map(|other| Way::off(2, OTHER_MESSAGE, standard(other))));
    }
    walks
}

/// The last `bits` bits of a key serial number, at most 24.
fn counter(ksn: &Ksn, bits: u32) -> u32 {
    let [.., a, b, c] = *ksn;
    u32::from_be_bytes([0, a, b, c]) & ((1 << bits) - 1)
}

fn with_counter(ksn: &Ksn, bits: u32, counter: u32) -> Ksn {
    let [head @ .., a, b, c] = *ksn;
    let tail = u32::from_be_bytes([0, a, b, c]) & !((1 << bits) - 1) | counter;
    let [_, a, b, c] = tail.to_be_bytes();
    let [d, e, f, g, h, i, j] = head;
    [d, e, f, g, h, i, j, a, b, c]
}

fn transaction_key(initial_key: &TdeaKey, ksn: &Ksn, bits: u32, order: Order) -> TdeaKey {
    let [_, _, register @ ..] = with_counter(ksn, bits, 0);
    let (register, counter) = (u64::from_be_bytes(register), counter(ksn, bits));
    let steps: Vec<u32> = match order {
        Order::HighToLow => (0..bits).rev().collect(),
        Order::LowToHigh | Order::Whole => (0..bits).collect(),
    };
    let (mut key, mut so_far) = (initial_key.duplicate(), 0);
    for bit in steps.into_iter().map(|bit| 1 << bit).filter(|bit| counter & bit != 0) {
        so_far |= bit;
        let used = if matches!(order, Order::Whole) { counter } else { so_far };
        key = step(&key, register | u64::from(used));
    }
    key
}

/// The non-reversible step: `DES(L', X ^ R') ^ R' || DES(L, X ^ R) ^ R`.
fn step(key: &TdeaKey, register: u64) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |child| {
        for (half, parent) in child.as_chunks_mut().0.iter_mut().zip([&key.variant(&MASK), key]) {
            let right = DesKey::right_half(parent);
            *half = register.to_be_bytes();
            add(half, &right);
            DesKey::left_half(parent).encrypt_block(half);
            add(half, &right);
        }
    })
}

fn add(block: &mut [u8; BLOCK_LEN], key: &DesKey) {
    block.iter_mut().zip(key.expose_bytes()).for_each(|(byte, key)| *byte ^= key);
}

/// How the variant becomes the working key.
#[derive(Clone, Copy)]
enum OneWay {
    None,
    /// Each half under the variant itself.
    Standard,
    UnderTransactionKey,
    ByCbc,
}

/// One byte of ones at `byte` of each half, then the one-way step.
struct Recipe {
    name: &'static str,
    byte: Option<usize>,
    one_way: OneWay,
    of: Option<Problem>,
    odd: bool,
}

const RECIPES: &[Recipe] = {
    use OneWay::{ByCbc, None as Bare, Standard, UnderTransactionKey};
    const fn recipe(name: &'static str, byte: usize, one_way: OneWay, of: Problem) -> Recipe {
        Recipe { name, byte: Some(byte), one_way, of: Some(of), odd: false }
    }
    const fn odd(name: &'static str, byte: usize, one_way: OneWay) -> Recipe {
        Recipe { name, byte: Some(byte), one_way, of: None, odd: true }
    }
    &[
        recipe("PIN key", 7, Bare, Problem::Pin),
        recipe(
            "MAC key of requests, edition 2009, or of both directions, edition 2004",
            6,
            Bare,
            Problem::Mac,
        ),
        recipe("MAC key of responses, edition 2009", 4, Bare, Problem::Mac),
        recipe("data key of requests, edition 2009", 5, Standard, Problem::Data),
        recipe("data key of responses, edition 2009", 3, Standard, Problem::Data),
        recipe("data key of edition 2004, the variant without the one-way step", 5, Bare, Problem::Data),
        Recipe { name: "transaction key itself", byte: None, one_way: Bare, of: None, odd: false },
        recipe("variant of the data key of responses, without the one-way step", 3, Bare, Problem::Data),
        odd("data key of requests, the one-way step under the transaction key", 5, UnderTransactionKey),
        odd("data key of requests, the one-way step by CBC over both halves", 5, ByCbc),
        odd("data key of responses, the one-way step under the transaction key", 3, UnderTransactionKey),
        odd("data key of responses, the one-way step by CBC over both halves", 3, ByCbc),
        odd("PIN key with the one-way step", 7, Standard),
        odd("MAC key of requests with the one-way step", 6, Standard),
        odd("MAC key of responses with the one-way step", 4, Standard),
    ]
};

const DATA_UNDER_PIN_KEY: &str =
    "data is under the key for PINs: dukpt legacy decrypt-data-under-pin-key reads what is so by CBC";

fn working_keys(transaction_key: &TdeaKey, path: &Path, problem: Problem, found: &mut Vec<Candidate>) {
    for recipe in RECIPES {
        let path = match recipe.of {
            Some(of) if of == problem => Some(path.clone()),
            Some(Problem::Pin) if problem == Problem::Data => path.departing(1, DATA_UNDER_PIN_KEY),
            Some(of) => path.departing(1, format!("a {} is used", of.key())),
            None if recipe.odd => path.departing(2, "the working key is made in a way of no edition"),
            None => path.departing(1, "no working key is made"),
        };
        if let Some(path) = path {
            let key = recipe.key(transaction_key);
            found.push(Candidate { key: WorkingKey::Tdea(key), path: path.with_key(recipe.name) });
        }
    }
}

impl Problem {
    const fn key(self) -> &'static str {
        match self {
            Self::Pin => "key for PINs",
            Self::Mac => "key for MACs",
            Self::Data => "key for data",
        }
    }
}

impl Recipe {
    fn key(&self, transaction_key: &TdeaKey) -> TdeaKey {
        let mut mask = [0; BLOCK_LEN];
        if let Some(byte) = self.byte.and_then(|byte| mask.get_mut(byte)) {
            *byte = 0xFF;
        }
        let variant = transaction_key.variant(&mask);
        let cipher = match self.one_way {
            OneWay::None => return variant,
            OneWay::Standard | OneWay::ByCbc => variant.cipher(),
            OneWay::UnderTransactionKey => transaction_key.cipher(),
        };
        TdeaKey::from_fill(variant.length(), |key| {
            key.copy_from_slice(variant.expose_bytes());
            let mut before = zeroize::Zeroizing::new([0; BLOCK_LEN]);
            for half in key.as_chunks_mut().0 {
                if matches!(self.one_way, OneWay::ByCbc) {
                    half.iter_mut().zip(*before).for_each(|(byte, before)| *byte ^= before);
                }
                cipher.encrypt_block(half);
                *before = *half;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use cardroot::dukpt::{Bdk, Ksn as Name};

    use super::*;

    /// The way without departures is the library's: two roads to one key.
    #[test]
    fn standard_keys_are_those_of_the_library() {
        let bdk = TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
        let mut compared = 0;
        for counter in [1, 2, 0x15, 0x7FE, 0x0F_F801, 0x10_0000, 0x1F_F800] {
            let ksn = with_counter(&[0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 0], 21, counter);
            let bdk = Bdk::from_key(bdk.duplicate());
            let key = bdk.derive_transaction_key(&Name::from(ksn)).unwrap();
            let library = [
                key.pin_key().expose_key().duplicate(),
                key.mac_request_key().expose_key().duplicate(),
                key.mac_response_key().expose_key().duplicate(),
                key.data_request_key().expose_key().duplicate(),
                key.data_response_key().expose_key().duplicate(),
                key.data_key_2004().expose_key().duplicate(),
            ];
            for (problem, range) in [(Problem::Pin, 0..1), (Problem::Mac, 1..3), (Problem::Data, 3..6)] {
                let found = candidates(bdk.expose_key().expose_bytes(), &ksn, problem);
                let standard = found.iter().filter(|candidate| candidate.path.departures.is_empty());
                for (candidate, key) in standard.zip(library.get(range).unwrap()) {
                    assert_eq!(
                        candidate.key.as_any().expose_bytes(),
                        key.expose_bytes(),
                        "{:?}",
                        candidate.path
                    );
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 7 * 6);
    }

    #[test]
    fn short_names_are_filled_up_in_four_ways() {
        let all: Vec<_> = ways(&Path::new("TDES"), names(&[0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 1]));
        let shown: Vec<String> = all.iter().map(|(name, _)| crate::hex::encode(name)).collect();
        assert_eq!(
            shown,
            ["FFFF9876543210E00001", "00009876543210E00001", "9876543210E00001FFFF", "9876543210E000010000"]
        );
    }
}
