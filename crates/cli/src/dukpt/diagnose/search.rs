//! The search: every key within reach, the nearest to the standard first, and what fits under it.

use alloc::collections::BTreeSet;
use std::collections::HashSet;

use zeroize::Zeroizing;

use super::path::{Candidate, Path, Problem};
use super::{aes, tdes};

/// What fits, and how it was read.
pub(super) struct Fit {
    pub(super) path: Path,
    /// Cipher, mode, format or MAC algorithm.
    pub(super) how: String,
    /// What came out, if that is data.
    pub(super) plain: Option<Zeroizing<Vec<u8>>>,
}

/// What was found, and what was looked into.
pub(super) struct Outcome {
    /// The nearest to the standard first.
    pub(super) fits: Vec<Fit>,
    /// How many keys were tried.
    pub(super) keys: usize,
    /// Each use of a key, and each departure from the standard, that was tried.
    pub(super) tried: BTreeSet<String>,
}

/// More fits than these say no more.
const MOST_FITS: usize = 5;

/// Tries `fits` with every key that the given key and key serial number might have led to.
pub(super) fn search(
    given: &[u8],
    ksn: &[u8],
    problem: Problem,
    mut fits: impl FnMut(&Candidate) -> Vec<Fit>,
) -> Outcome {
    let mut candidates = tdes::candidates(given, ksn, problem);
    candidates.extend(aes::candidates(given, ksn, problem));
    // Where two ways lead to one key, the nearer one is the answer.
    candidates.sort_by_key(|candidate| candidate.path.cost());
    let mut seen = HashSet::new();
    let mut outcome = Outcome { fits: Vec::new(), keys: 0, tried: BTreeSet::new() };
    for candidate in &candidates {
        let kind = core::mem::discriminant(&candidate.key);
        if !seen.insert((kind, candidate.key.as_any().expose_bytes())) {
            continue;
        }
        outcome.keys += 1;
        outcome.tried.insert(candidate.path.what());
        outcome.tried.extend(candidate.path.departures.iter().cloned());
        outcome.fits.extend(fits(candidate));
    }
    outcome.fits.sort_by_key(|fit| fit.path.cost());
    outcome.fits.truncate(MOST_FITS);
    outcome
}
