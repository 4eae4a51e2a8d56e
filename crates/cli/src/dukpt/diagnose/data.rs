//! `dukpt diagnose data`: under which key, and how, data decrypts to something.

use cardroot::aeskey::AesKey;

use super::cipher::{Chaining, Cipher, Sent};
use super::look::{self, Hint};
use super::path::{Candidate, Path, Way, ways};
use super::search::Fit;
use crate::dukpt::working_key::WorkingKey;

/// What is known of data that was sent.
pub(super) struct Data {
    pub(super) sent: Vec<u8>,
    pub(super) iv: Option<Vec<u8>>,
    pub(super) hint: Hint,
}

/// What is taken for the initial vector.
#[derive(Clone, Copy)]
enum Start<'a> {
    Zero,
    Given(&'a [u8]),
    /// So the first block is left out.
    Unknown,
}

impl Data {
    /// All ways in which the data decrypts to something under one key.
    pub(super) fn fits(&self, candidate: &Candidate) -> Vec<Fit> {
        let mut fits = Vec::new();
        if let Some(cipher) = Cipher::of(&candidate.key) {
            self.fits_cipher(&cipher, &candidate.path, &mut fits);
        }
        if let WorkingKey::Tdea(key) = &candidate.key
            && let Ok(key) = AesKey::try_from(key.expose_bytes())
            && let Some(path) = candidate.path.departing(2, "a TDEA key is used as an AES key")
        {
            self.fits_cipher(&Cipher::Aes(key), &path, &mut fits);
        }
        fits
    }

    fn fits_cipher(&self, cipher: &Cipher, path: &Path, fits: &mut Vec<Fit>) {
        if self.sent.is_empty() || !self.sent.len().is_multiple_of(cipher.block_len()) {
            return;
        }
        let directions = [
            Way::standard(Sent::Encrypted),
            Way::off(1, "the data is decrypted where it should be encrypted", Sent::Decrypted),
        ];
        for (sent, path) in ways(path, directions) {
            for ((chaining, start), path) in ways(&path, self.modes(cipher.block_len())) {
                fits.extend(self.fit(cipher, sent, chaining, start, path));
                // One reading of a key is enough: of short data, several are the same.
                if !fits.is_empty() {
                    return;
                }
            }
        }
    }

    fn modes(&self, block_len: usize) -> Vec<Way<(Chaining, Start<'_>)>> {
        let mut modes = Vec::new();
        if let Some(iv) = self.iv.as_deref().filter(|iv| iv.len() == block_len) {
            modes.push(Way::standard((Chaining::Cbc, Start::Given(iv))));
        }
        modes.push(Way::standard((Chaining::Cbc, Start::Zero)));
        if self.sent.len() > block_len {
            modes.push(Way::off(1, "blocks are not chained: ECB", (Chaining::Ecb, Start::Zero)));
            let unknown = "the initial vector is another one: the first block is not known";
            modes.push(Way::off(1, unknown, (Chaining::Cbc, Start::Unknown)));
        }
        modes
    }

    fn fit(
        &self,
        cipher: &Cipher,
        sent: Sent,
        chaining: Chaining,
        start: Start<'_>,
        path: Path,
    ) -> Option<Fit> {
        let zero = vec![0; cipher.block_len()];
        let iv = match start {
            Start::Given(iv) => iv,
            Start::Zero | Start::Unknown => &zero,
        };
        let mut plain = cipher.open(sent, chaining, iv, &self.sent);
        if matches!(start, Start::Unknown) {
            plain.drain(..cipher.block_len());
        }
        if chaining == Chaining::Cbc && look::only_the_first_block_is_wrong(&plain, cipher.block_len()) {
            return None;
        }
        let looks = self.hint.recognises(&plain)?;
        let mode = match (chaining, start) {
            (Chaining::Ecb, _) => "ECB",
            (Chaining::Cbc, Start::Zero) => "CBC from zero",
            (Chaining::Cbc, Start::Given(_)) => "CBC from --iv",
            (Chaining::Cbc, Start::Unknown) => "CBC from an unknown initial vector",
        };
        let how = format!("{} {mode}, told by {looks}", cipher.name());
        Some(Fit { path, how, plain: Some(plain) })
    }
}
