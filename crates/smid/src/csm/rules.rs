//! Which fields a message of a class has.

use alloc::vec::Vec;

use super::{Class, Csm, Field, Service, Tag};

/// A rule that a message breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A field that the class demands is not there.
    #[error("field {0} is missing")]
    Missing(Tag),
    /// A field that the class does not have is there.
    #[error("field {0} has no place in this class")]
    Unexpected(Tag),
    /// A field is there more often than it may be.
    #[error("field {0} comes too often")]
    Repeated(Tag),
    /// No key is there that the class is sent for: a data key in a KSM, a key for the ultimate recipient in an RTR.
    #[error("no key of those that the class carries")]
    NoKey,
    /// None of the counts is there that the class demands one of.
    #[error("no count of those that the class carries")]
    NoCount,
    /// A single key encrypting key and a pair are both there, or both asked for.
    #[error("a key encrypting key and a pair of them in one message")]
    KkAndPair,
    /// The count that keys are offset by is empty.
    #[error("field {0} is empty")]
    EmptyCount(Tag),
    /// A count that was received is reported, and no count that was expected.
    #[error("field CTR without the count that was expected")]
    ReceivedWithoutExpected,
}

/// What a class demands and what it may have besides; at least one of each group is demanded too.
struct Rule {
    class: Class,
    required: &'static [Tag],
    optional: &'static [Tag],
    keys: &'static [Tag],
    counts: &'static [Tag],
}

#[rustfmt::skip]
const RULES: [Rule; 8] = {
    use Tag::{Cta, Ctb, Ctp, Ctr, Edc, Edk, Erf, Ida, Idc, Idd, Idu, Iv, Kd, Kdu, Kk, KkPair, Kku, KkuPair, Mac, Nos, Org, Rcv, Svr, Tid};
    [
        Rule { class: Class::Rsi, required: &[Rcv, Org, Svr], optional: &[Idu, Idc, Edc, Nos, Tid], keys: &[], counts: &[] },
        Rule { class: Class::Ksm, required: &[Rcv, Org, Mac],
            optional: &[Idc, Idu, Kk, KkPair, Kku, KkuPair, Iv, Edk, Nos, Tid], keys: &[Kd, Kdu], counts: &[Ctp, Cta, Ctb] },
        Rule { class: Class::Rsm, required: &[Rcv, Org, Mac], optional: &[Idd, Idu, Idc, Tid], keys: &[], counts: &[] },
        Rule { class: Class::Esm, required: &[Rcv, Org, Erf], optional: &[Ctp, Cta, Ctb, Ctr, Idu, Idc, Edc, Tid], keys: &[], counts: &[] },
        Rule { class: Class::Dsm, required: &[Rcv, Org, Idd, Mac], optional: &[Ida, Idc, Tid], keys: &[], counts: &[] },
        Rule { class: Class::Rfs, required: &[Rcv, Org, Idu, Cta, Mac], optional: &[Kk, KkPair, Idc, Edk, Nos, Tid], keys: &[Kd], counts: &[] },
        Rule { class: Class::Rtr, required: &[Rcv, Org, Idu, Mac],
            optional: &[Kd, Kk, KkPair, Idc, Iv, Edk, Nos, Tid], keys: &[Kdu, Kku, KkuPair], counts: &[Cta, Ctb] },
        Rule { class: Class::Ers, required: &[Rcv, Org, Idu, Erf, Mac], optional: &[Ctp, Cta, Ctb, Ctr, Idc, Tid], keys: &[], counts: &[] },
    ]
};

/// How often a field may be there.
const fn most(tag: Tag) -> usize {
    match tag {
        Tag::Kd | Tag::Kdu => 2,
        Tag::Idd => usize::MAX,
        _ => 1,
    }
}

/// Returns all rules that `csm` breaks.
///
/// # Source
/// FIPS PUB 171: options 2 to 4, 7, 12, 14, 16 and 20 to 26, A.9, A.10, A.13, A.15 and A.16. What it leaves open is allowed here, so the
/// two sides of an exchange may demand more; `TID`, `NOS`, `IDC` and `IDU` are allowed wherever they might stand.
///
/// # Examples
/// ```
/// use cardroot_smid::csm::{Csm, Finding, Tag, check};
///
/// let csm = Csm::decode(b"CSM(MCL/RSM RCV/BANKB ORG/BANKA )")?;
/// assert_eq!(check(&csm), [Finding::Missing(Tag::Mac)]);
/// # Ok::<(), cardroot_smid::csm::DecodeError>(())
/// ```
#[must_use]
pub fn check(csm: &Csm<'_>) -> Vec<Finding> {
    let rule = RULES.iter().find(|rule| rule.class == csm.class()).expect("every class has a rule");
    let count = |tag: Tag| csm.fields().filter(|field| field.tag() == tag).count();
    let has = |tag: &Tag| count(*tag) > 0;
    let mut findings = Vec::new();
    for tag in Tag::ALL.iter().filter(|tag| **tag != Tag::Mcl) {
        let allowed =
            [rule.required, rule.optional, rule.keys, rule.counts].iter().any(|tags| tags.contains(tag));
        match count(*tag) {
            0 if rule.required.contains(tag) => findings.push(Finding::Missing(*tag)),
            0 => {}
            _ if !allowed => findings.push(Finding::Unexpected(*tag)),
            found if found > most(*tag) => findings.push(Finding::Repeated(*tag)),
            _ => {}
        }
    }
    if !rule.keys.is_empty() && !rule.keys.iter().any(has) {
        findings.push(Finding::NoKey);
    }
    if !rule.counts.is_empty() && !rule.counts.iter().any(has) {
        findings.push(Finding::NoCount);
    }
    findings.extend(content(csm));
    findings
}

/// What the fields say against each other.
fn content(csm: &Csm<'_>) -> impl Iterator<Item = Finding> {
    let has = |tag: Tag| csm.fields().any(|field| field.tag() == tag);
    let pairs = [(Tag::Kk, Tag::KkPair), (Tag::Kku, Tag::KkuPair)];
    let asked = csm.fields().any(|field| match field {
        Field::Svr(request) => request.contains(Service::Kk) && request.contains(Service::KkPair),
        _ => false,
    });
    let both = asked || pairs.iter().any(|(single, pair)| has(*single) && has(*pair));
    let offset = matches!(csm.class(), Class::Ksm | Class::Rfs | Class::Rtr);
    let empty = csm.fields().filter_map(move |field| match field {
        Field::Ctp(None) | Field::Cta(None) | Field::Ctb(None) if offset => {
            Some(Finding::EmptyCount(field.tag()))
        }
        _ => None,
    });
    let received = has(Tag::Ctr) && ![Tag::Ctp, Tag::Cta, Tag::Ctb].into_iter().any(has);
    let both = both.then_some(Finding::KkAndPair);
    both.into_iter().chain(empty).chain(received.then_some(Finding::ReceivedWithoutExpected))
}
