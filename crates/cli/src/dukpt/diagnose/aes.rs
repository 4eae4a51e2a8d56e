//! The keys that AES DUKPT might have given.

use cardroot::aeskey::AesKey;
use cardroot::dukpt::{Ksn, aes};
use clap::ValueEnum;

use super::path::{Candidate, Path, Problem, Way, ways};
use super::tdes::{NEIGHBOURS, OTHER_MESSAGE};
use crate::dukpt::names::TransactionRef;
use crate::dukpt::value_name;
use crate::dukpt::working_key::{KeyType, Kind, Usage, WorkingKey};

enum Root {
    Base(aes::Bdk),
    Initial(AesKey),
}

/// All keys within reach, from the key and the key serial number that were given.
pub(super) fn candidates(given: &[u8], ksn: &[u8], problem: Problem) -> Vec<Candidate> {
    let Ok(given) = AesKey::try_from(given) else { return Vec::new() };
    let mut found = Vec::new();
    let start = Path::new("AES");
    if let Some(path) = start.departing(1, "the key given is used as it is, nothing is derived") {
        let path = path.with_ksn("-").with_key("key as given");
        found.push(Candidate { key: WorkingKey::Aes(given.duplicate()), path });
    }
    let roots = [
        Way::standard(Root::Base(aes::Bdk::from_key(given.duplicate()))),
        Way::off(1, "the key given is the initial key, not a BDK", Root::Initial(given)),
    ];
    for (root, path) in ways(&start, roots) {
        for (name, path) in ways(&path, names(ksn)) {
            let initial_key = match &root {
                Root::Base(bdk) => bdk.derive_initial_key(&name.id()),
                Root::Initial(key) => aes::InitialKey::from_key(key.duplicate(), name.id()),
            };
            for (name, path) in ways(&path, counters(&name)) {
                transaction(&initial_key, &name, &path, problem, &mut found);
            }
        }
    }
    found
}

/// The 12 bytes that a key serial number of any length might stand for.
fn names(ksn: &[u8]) -> Vec<Way<aes::Ksn>> {
    if let Ok(name) = aes::Ksn::try_from(ksn) {
        return vec![Way::standard(name)];
    }
    let mut names = Vec::new();
    if let Ok(short) = Ksn::try_from(ksn) {
        let name = aes::Ksn::from_compatibility_mode(&short);
        names.push(Way::off(1, "the KSN is the 10-byte form of compatibility mode", name));
    }
    if let (Some(first), Some(last)) = (ksn.first_chunk::<12>(), ksn.last_chunk::<12>()) {
        names.push(Way::off(1, "only the last 12 bytes of the KSN are used", (*last).into()));
        names.push(Way::off(1, "only the first 12 bytes of the KSN are used", (*first).into()));
        return names;
    }
    for (fill, departure) in [
        (0x00, "the KSN is filled up by 00 on the left, where AES DUKPT fills nothing up"),
        (0xFF, "the KSN is filled up by FF on the left, where AES DUKPT fills nothing up"),
    ] {
        let mut name = [fill; aes::Ksn::LEN];
        name.iter_mut().rev().zip(ksn.iter().rev()).for_each(|(byte, found)| *byte = *found);
        names.push(Way::off(1, departure, name.into()));
    }
    names
}

/// The counter, and those near it.
fn counters(name: &aes::Ksn) -> Vec<Way<aes::Ksn>> {
    let [head @ .., a, b, c, d] = *name.as_bytes();
    let counter = u32::from_be_bytes([a, b, c, d]);
    let mut counters = vec![Way::standard(*name)];
    for distance in 1..=NEIGHBOURS {
        for other in [counter.checked_sub(distance), counter.checked_add(distance)].into_iter().flatten() {
            if let Ok(other) = aes::Counter::within(other, aes::OnesLimit::Seventeen) {
                counters.push(Way::off(2, OTHER_MESSAGE, aes::Ksn::new(head.into(), other)));
            }
        }
    }
    counters
}

fn transaction(
    initial_key: &aes::InitialKey,
    name: &aes::Ksn,
    path: &Path,
    problem: Problem,
    found: &mut Vec<Candidate>,
) {
    // Counters that no transaction has give no key here either.
    let Ok(key) = initial_key.derive_transaction_key(name, aes::OnesLimit::Seventeen) else { return };
    let mut path = path.with_ksn(name);
    if name.counter().is_err() {
        let remark = "the counter has 17 ones, as the standard's pseudo code has it: --ones-limit 17";
        path = path.departing(0, remark).expect("a remark costs nothing");
    }
    let transaction = TransactionRef::Aes(&key);
    for usage in Usage::value_variants() {
        let path = match (usage_of(*usage), usage) {
            (Some(of), _) if of == problem => Some(path.clone()),
            (None, Usage::Transaction) => path.departing(1, "no working key is made"),
            _ => path.departing(1, "a key for something else is used"),
        };
        let Some(path) = path else { continue };
        let types =
            KeyType::value_variants().iter().copied().map(Some).filter(|_| *usage != Usage::Transaction);
        for key_type in types.chain((*usage == Usage::Transaction).then_some(None)) {
            let Ok(chosen) = (Kind { edition: None, key_type }).choose(transaction.parent(), *usage) else {
                continue;
            };
            let name = match key_type {
                Some(key_type) => format!("{} key, {}", value_name(*usage), value_name(key_type)),
                None => "transaction key itself".into(),
            };
            found.push(Candidate { key: chosen.key(transaction), path: path.with_key(name) });
        }
    }
}

const fn usage_of(usage: Usage) -> Option<Problem> {
    match usage {
        Usage::Pin => Some(Problem::Pin),
        Usage::MacRequest | Usage::MacResponse | Usage::MacBoth => Some(Problem::Mac),
        Usage::DataRequest | Usage::DataResponse | Usage::DataBoth => Some(Problem::Data),
        Usage::Transaction | Usage::KeyEncryption | Usage::Update => None,
    }
}
