//! `dukpt diagnose mac`: under which key, and how, a MAC is that of a message.

use cardroot::aeskey;
use cardroot::tdea::hazmat::{DesKey, DesMac};
use cardroot::tdea::{self, CbcMac, Padding, RetailMac};
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
        WorkingKey::Tdea(key) => {
            let by_cmac = ("TDEA-CMAC", tdea::Cmac::compute(key, message).as_bytes().to_vec());
            let of_aes = scheme == "AES";
            let usual = |is_usual: bool, code: Code| {
                if is_usual {
                    Way::standard(code)
                } else {
                    Way::off(1, format!("the MAC is by {}", code.0), code)
                }
            };
            let mut codes = vec![usual(of_aes, by_cmac)];
            let left = DesKey::left_half(key);
            for (padding, names) in [
                (
                    Padding::Zeros,
                    [
                        "ISO 9797-1 algorithm 3 (X9.19)",
                        "ISO 9797-1 algorithm 1 with TDEA",
                        "ISO 9797-1 algorithm 1 with DES (X9.9)",
                    ],
                ),
                (
                    Padding::OneAndZeros,
                    [
                        "ISO 9797-1 algorithm 3, padding method 2",
                        "ISO 9797-1 algorithm 1 with TDEA, padding method 2",
                        "ISO 9797-1 algorithm 1 with DES, padding method 2",
                    ],
                ),
            ] {
                let computed = [
                    RetailMac::compute(key, padding, message),
                    CbcMac::compute(key, padding, message),
                    DesMac::compute(&left, padding, message),
                ];
                for (index, (name, mac)) in names.into_iter().zip(computed).enumerate() {
                    let is_usual = index == 0 && padding == Padding::Zeros && !of_aes;
                    codes.extend(mac.ok().map(|mac| usual(is_usual, (name, mac.as_bytes().to_vec()))));
                }
            }
            codes
        }
        WorkingKey::Aes(key) => {
            let by_cmac = ("AES-CMAC", aeskey::Cmac::compute(key, message).as_bytes().to_vec());
            let mut padded = Zeroizing::new(message.to_vec());
            padded.resize(message.len().max(1).next_multiple_of(aeskey::BLOCK_LEN), 0);
            let chained = key.encrypt_cbc([0; aeskey::BLOCK_LEN], &mut padded);
            let last = chained.ok().and_then(|()| padded.last_chunk::<{ aeskey::BLOCK_LEN }>());
            let by_cbc = last.map(|last| ("AES-CBC-MAC over zero padding", last.to_vec()));
            let by_cbc = by_cbc.map(|code| Way::off(1, "the MAC is by CBC, not by CMAC", code));
            [Way::standard(by_cmac)].into_iter().chain(by_cbc).collect()
        }
        WorkingKey::Hmac(_) => {
            let (name, mac) = key.mac(MacMethod::Cmac, message);
            vec![Way::standard((name, mac.as_bytes().to_vec()))]
        }
    }
}
