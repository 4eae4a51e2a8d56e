//! Components and ceremonies.

use ::components::{
    AesKey, Ceremony, CeremonyRecord, CombineError, ComponentKey, ConfirmError, CustodianName, KeyComponent,
    KeyLabel, NoParity, Outcome, Parity, Parts, Plan, Step, Verdict, combine, split_parts,
};
use ::tdea::{Kcv, KcvMethod, TdeaKey};

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// What is asked of components of TDEA and of AES keys alike.
trait Cipher: ComponentKey {
    const LENGTHS: &'static [usize];

    fn parity(input: &mut Input<'_>) -> Self::Parity;
    fn unchanged() -> Self::Parity;
}

impl Cipher for TdeaKey {
    const LENGTHS: &'static [usize] = &[16, 24];

    fn parity(input: &mut Input<'_>) -> Parity {
        input.one_of(&[Parity::Keep, Parity::AdjustToOdd, Parity::RequireOdd])
    }

    fn unchanged() -> Parity {
        Parity::Keep
    }
}

impl Cipher for AesKey {
    const LENGTHS: &'static [usize] = &[16, 24, 32];

    fn parity(_: &mut Input<'_>) -> NoParity {
        NoParity
    }

    fn unchanged() -> NoParity {
        NoParity
    }
}

fn component<K: Cipher>(input: &mut Input<'_>) -> KeyComponent<K> {
    let len = input.one_of(K::LENGTHS);
    let mut bytes = input.take(len).to_vec();
    bytes.resize(len, 0);
    KeyComponent::try_from(&bytes[..]).unwrap()
}

/// Any components make a key or are refused, in whatever order they come; the key is their XOR, is not weak and
/// is none of them.
///
/// Input: cipher, parity, then each component after its length.
pub fn component_combine_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    if input.coin() { combine_any::<AesKey>(&mut input) } else { combine_any::<TdeaKey>(&mut input) }
}

fn combine_any<K: Cipher>(input: &mut Input<'_>) -> Reach {
    let parity = K::parity(input);
    let mut components = Vec::new();
    while !input.is_empty() && components.len() <= Parts::MAX {
        components.push(component::<K>(input));
    }
    let forward: Vec<_> = components.iter().collect();
    let backward: Vec<_> = components.iter().rev().collect();
    let (key, same) = (combine(&forward, parity), combine(&backward, parity));
    assert_eq!(key.is_ok(), same.is_ok());
    let (Ok(key), Ok(same)) = (key, same) else { return Reach::Refused };
    assert_eq!(key.expose_bytes(), same.expose_bytes());
    assert!(key.check_strength().is_ok());
    assert!(!forward.iter().any(|component| component.expose_bytes() == key.expose_bytes()));
    for (place, byte) in key.expose_bytes().iter().enumerate() {
        let xor = forward.iter().fold(0, |xor, component| xor ^ component.expose_bytes()[place]);
        assert_eq!(byte & K::USED_BITS, xor & K::USED_BITS);
    }
    Reach::Held
}

/// A key that may be split comes back from its components, bit by bit; one that may not would not be combined either.
///
/// Input: cipher, number of components, seed, key.
pub fn component_split_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    if input.coin() { split_any::<AesKey>(&mut input) } else { split_any::<TdeaKey>(&mut input) }
}

fn split_any<K: Cipher>(input: &mut Input<'_>) -> Reach {
    let parts = Parts::try_from(Parts::MIN + input.below(Parts::MAX - Parts::MIN + 1)).unwrap();
    let mut rng = SeededRng::new(u64::from_be_bytes(input.array()));
    let bytes = component::<K>(input);
    let key = K::from_fill(bytes.length(), |key| key.copy_from_slice(bytes.expose_bytes()));
    let Ok(components) = split_parts(&key, parts, &mut rng) else {
        let is_zero = key.expose_bytes().iter().all(|byte| byte & K::USED_BITS == 0);
        assert!(is_zero || key.check_strength().is_err());
        return Reach::Refused;
    };
    let components: Vec<_> = components.collect();
    assert_eq!(components.len(), parts.get());
    let combined = combine(&components.iter().collect::<Vec<_>>(), K::unchanged()).unwrap();
    assert_eq!(combined.expose_bytes(), key.expose_bytes());
    Reach::Held
}

/// Whatever custodians bring, a ceremony takes it or refuses it, counts both, and ends; its key, if it makes one, is what its
/// components combine to, and nobody has two of them.
///
/// Input: cipher; check value method and length; number of components, parity, length; then custodian, claimed check value and
/// component of each entry.
pub fn ceremony_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    if input.coin() { ceremony::<AesKey>(&mut input) } else { ceremony::<TdeaKey>(&mut input) }
}

fn ceremony<K: Cipher>(input: &mut Input<'_>) -> Reach {
    let method = input.one_of(&[
        KcvMethod::TdeaZeros,
        KcvMethod::TdeaCmac,
        KcvMethod::AesZeros,
        KcvMethod::AesOnes,
        KcvMethod::AesCmac,
    ]);
    let kcv_len = input.below(20);
    let parts = Parts::try_from(Parts::MIN + input.below(Parts::MAX - Parts::MIN + 1)).unwrap();
    let parity = K::parity(input);
    let sample = component::<K>(input);
    let expected = input.coin().then(|| sample.kcv_by(method, kcv_len).ok()).flatten();
    let label = KeyLabel::new("key").unwrap();
    let plan = Plan { label, length: sample.length(), parts, parity, method, kcv_len, expected };
    let Ok(mut open) = Ceremony::plan(plan) else {
        assert!(sample.kcv_by(method, kcv_len).is_err());
        return Reach::Refused;
    };

    let mut taken: Vec<KeyComponent<K>> = Vec::new();
    let mut refused = 0;
    while !input.is_empty() {
        let custodian = CustodianName::new(input.one_of(&NAMES)).unwrap();
        let claim = input.below(4);
        let component = component::<K>(input);
        let kcv = match claim {
            0 => None,
            1 => Kcv::new(method, &[0x5A; 16][..kcv_len.min(16)]).ok(),
            _ => component.kcv_by(method, kcv_len).ok(),
        };
        let copy = KeyComponent::try_from(component.expose_bytes()).unwrap();
        match open.enter(custodian, component, kcv) {
            Step::Taken(next) => {
                taken.push(copy);
                open = next;
            }
            Step::Refused(next, error) => {
                if let Some(refusal) = next.record().refusals().nth(refused) {
                    assert_eq!((refusal.error, usize::from(refusal.number)), (error, taken.len() + 1));
                }
                refused += 1;
                open = next;
            }
            Step::Complete(complete) => {
                taken.push(copy);
                let kcv = complete.kcv();
                return check_end(&complete.confirm(), kcv, parity, &taken, refused);
            }
        }
        assert_eq!(open.record().missing(), parts.get() - taken.len());
    }
    let record = open.abort();
    assert_eq!(record.verdict, Verdict::Aborted);
    check_counts(&record, taken.len(), refused);
    Reach::Refused
}

fn check_end<K: Cipher>(
    Outcome { key, record }: &Outcome<K>,
    shown: Kcv,
    parity: K::Parity,
    taken: &[KeyComponent<K>],
    refused: usize,
) -> Reach {
    check_counts(record, taken.len(), refused);
    assert_eq!(record.missing(), 0);
    let combined = combine(&taken.iter().collect::<Vec<_>>(), parity);
    match (key, record.verdict) {
        (Ok(key), Verdict::Made { kcv }) => {
            assert_eq!(kcv, shown);
            assert!(record.expected.is_none_or(|expected| expected == kcv));
            assert_eq!(key.expose_bytes(), combined.unwrap().expose_bytes());
            Reach::Held
        }
        (Err(ConfirmError::Kcv { found }), Verdict::Failed(_)) => {
            assert!(*found == shown && record.expected.is_some_and(|expected| expected != shown));
            Reach::Refused
        }
        (Err(ConfirmError::Key(fault)), Verdict::Failed(_)) => {
            assert_eq!(combined.unwrap_err(), CombineError::Key(*fault));
            Reach::Refused
        }
        (_, verdict) => panic!("the verdict {verdict:?} is not of this end"),
    }
}

fn check_counts(record: &CeremonyRecord, taken: usize, refused: usize) {
    assert_eq!(record.entries().count(), taken);
    assert_eq!(usize::try_from(record.refused()), Ok(refused));
    assert_eq!(record.refusals().count(), refused.min(CeremonyRecord::REFUSALS_KEPT));
    let mut custodians: Vec<String> =
        record.entries().map(|entry| entry.custodian.as_str().to_ascii_lowercase()).collect();
    custodians.sort_unstable();
    custodians.dedup();
    assert_eq!(custodians.len(), taken, "somebody has two components");
    assert!(record.entries().all(|entry| entry.expected.is_none_or(|expected| expected == entry.kcv)));
}

/// Two of them are one person.
const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "A"];
