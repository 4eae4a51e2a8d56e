//! `dukpt diagnose mac`: under which key, and how, a MAC is that of a message.

use cardroot::aeskey::{self, AesKey};
use cardroot::tdea::hazmat::{DesKey, DesMac};
use cardroot::tdea::{self, CbcMac, Padding, RetailMac, TdeaKey};
use zeroize::Zeroizing;

use super::path::{Candidate, Path, Way, ways};
use super::search::Fit;
use crate::dukpt::working_key::{MacMethod, WorkingKey};

/// A message and the MAC that came with it.
pub(super) struct Message {
    pub(super) mac: Vec<u8>,
    forms: Vec<Way<Zeroizing<Vec<u8>>>>,
}

/// A code of the message, and what it is called.
type Code = (&'static str, Vec<u8>);

impl Message {
    /// Shorter codes fit by chance.
    pub(super) const MIN_LEN: usize = 4;

    pub(super) fn new(message: &[u8], mac: Vec<u8>) -> Self {
        Self { mac, forms: forms(message) }
    }

    /// All ways in which the MAC is one of the message under one key.
    pub(super) fn fits(&self, candidate: &Candidate) -> Vec<Fit> {
        let mut fits = Vec::new();
        for (message, path) in self.forms(&candidate.path) {
            for ((name, code), path) in ways(&path, codes(&candidate.key, message, candidate.path.scheme)) {
                fits.extend(self.compare(name, &code, &path));
            }
        }
        fits
    }

    fn forms(&self, path: &Path) -> Vec<(&[u8], Path)> {
        ways(path, self.forms.iter().map(|way| way.map(|message| message.as_slice())))
    }

    fn compare(&self, name: &str, code: &[u8], path: &Path) -> Option<Fit> {
        let (path, part) = if code.starts_with(&self.mac) {
            (path.clone(), "leftmost")
        } else if code.ends_with(&self.mac) {
            (path.departing(1, "the rightmost bytes of the code are sent, not the leftmost")?, "rightmost")
        } else {
            return None;
        };
        let how = match self.mac.len() {
            len if len == code.len() => name.to_owned(),
            len => format!("{name}, the {part} {len} bytes"),
        };
        Some(Fit { path, how, plain: None })
    }
}

/// The message as it is, and as what it might have been meant.
fn forms(message: &[u8]) -> Vec<Way<Zeroizing<Vec<u8>>>> {
    let copy = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    let mut forms = vec![Way::standard(copy(message))];
    let trimmed = message.trim_ascii_end();
    if trimmed.len() < message.len() {
        forms.push(Way::off(1, "the message is without the blanks or line end behind it", copy(trimmed)));
    }
    if let Ok(bytes) = crate::hex::decode(message) {
        forms.push(Way::off(1, "the message is the bytes that its hexadecimal digits stand for", bytes));
    }
    let digits = crate::hex::encode_secret(message);
    forms.push(Way::off(1, "the message is its own hexadecimal digits, as text", copy(digits.as_bytes())));
    forms
}

fn codes(key: &WorkingKey, message: &[u8], scheme: &str) -> Vec<Way<Code>> {
    match key {
        WorkingKey::Tdea(key) => tdea_codes(key, message, scheme),
        WorkingKey::Aes(key) => aes_codes(key, message),
        WorkingKey::Hmac(_) => {
            let (name, mac) = key.mac(MacMethod::Cmac, message);
            vec![Way::standard((name, mac.as_bytes().to_vec()))]
        }
    }
}

/// Algorithm 3 is the usual one in TDES DUKPT, and CMAC in AES DUKPT.
fn tdea_codes(key: &TdeaKey, message: &[u8], scheme: &str) -> Vec<Way<Code>> {
    let left = DesKey::left_half(key);
    let retail = |padding| RetailMac::compute(key, padding, message).ok();
    let chained = |padding| CbcMac::compute(key, padding, message).ok();
    let single = |padding| DesMac::compute(&left, padding, message).ok();
    let (zeros, one_and_zeros) = (Padding::Zeros, Padding::OneAndZeros);
    let (usual_in_tdes, usual_in_aes) = (scheme == "TDES", scheme == "AES");
    let codes = [
        ("ISO 9797-1 algorithm 3 (X9.19)", retail(zeros), usual_in_tdes),
        ("TDEA-CMAC", Some(tdea::Cmac::compute(key, message)), usual_in_aes),
        ("ISO 9797-1 algorithm 3, padding method 2", retail(one_and_zeros), false),
        ("ISO 9797-1 algorithm 1 with TDEA", chained(zeros), false),
        ("ISO 9797-1 algorithm 1 with TDEA, padding method 2", chained(one_and_zeros), false),
        ("ISO 9797-1 algorithm 1 with DES (X9.9)", single(zeros), false),
        ("ISO 9797-1 algorithm 1 with DES, padding method 2", single(one_and_zeros), false),
    ];
    let codes = codes.into_iter().filter_map(|(name, mac, is_usual)| {
        let code = (name, mac?.as_bytes().to_vec());
        Some(if is_usual { Way::standard(code) } else { Way::off(1, format!("the MAC is by {name}"), code) })
    });
    codes.collect()
}

fn aes_codes(key: &AesKey, message: &[u8]) -> Vec<Way<Code>> {
    let mut codes =
        vec![Way::standard(("AES-CMAC", aeskey::Cmac::compute(key, message).as_bytes().to_vec()))];
    let mut padded = Zeroizing::new(message.to_vec());
    padded.resize(message.len().max(1).next_multiple_of(aeskey::BLOCK_LEN), 0);
    if key.encrypt_cbc([0; aeskey::BLOCK_LEN], &mut padded).is_ok()
        && let Some(last) = padded.last_chunk::<{ aeskey::BLOCK_LEN }>()
    {
        let code = ("AES-CBC-MAC over zero padding", last.to_vec());
        codes.push(Way::off(1, "the MAC is by CBC, not by CMAC", code));
    }
    codes
}
