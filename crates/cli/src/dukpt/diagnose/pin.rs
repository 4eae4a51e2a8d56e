//! `dukpt diagnose pin`: under which key, and how, a PIN block opens.

use cardroot::dukpt::Bdk;
use cardroot::dukpt::legacy::edition_1992::SingleDesReceiver;
use cardroot::pin::{
    ClearPinBlock, DecryptPinBlock, EncryptedPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
};
use cardroot::tdea::TdeaKey;

use super::cipher::{Cipher, Sent};
use super::path::{Candidate, Path, Way, ways};
use super::search::Fit;

/// What is known of a PIN block.
pub(super) struct PinBlock {
    pub(super) block: Vec<u8>,
    pub(super) pan: Pan,
    /// Without it, blocks whose fill may be anything are not taken for opened.
    pub(super) pin: Option<Pin>,
}

impl PinBlock {
    /// All ways in which the block opens under one key.
    pub(super) fn fits(&self, candidate: &Candidate) -> Vec<Fit> {
        let Some(cipher) = Cipher::of(&candidate.key) else { return Vec::new() };
        if cipher.block_len() != self.block.len() {
            return Vec::new();
        }
        let directions = [
            Way::standard(Sent::Encrypted),
            Way::off(1, "the block is decrypted where it should be encrypted", Sent::Decrypted),
        ];
        let mut fits = Vec::new();
        for (sent, path) in ways(&candidate.path, directions) {
            match &cipher {
                Cipher::Tdea(_) => self.fits_of_8_bytes(&cipher, sent, &path, &mut fits),
                Cipher::Aes(_) => fits.extend(self.fit_of_16_bytes(&cipher, sent, path)),
            }
        }
        fits
    }

    fn fits_of_8_bytes(&self, cipher: &Cipher, sent: Sent, path: &Path, fits: &mut Vec<Fit>) {
        let clear = ClearPinBlock::from_fill(|clear| {
            clear.iter_mut().zip(&self.block).for_each(|(byte, found)| *byte = *found);
            cipher.undo(sent, clear);
        });
        self.fits_clear(&clear, cipher.name(), path, fits);
    }

    fn fits_clear(&self, clear: &ClearPinBlock, cipher: &str, path: &Path, fits: &mut Vec<Fit>) {
        let found = |path: Path, format: u8| Fit {
            path,
            how: format!("{cipher}, PIN block format {format}"),
            plain: None,
        };
        for (pan, path) in ways(path, self.pans()) {
            // Of a block with any fill, most that there is to know a PIN block by is gone.
            let by_any_fill = path.cost() == 0 || self.pin.is_some();
            if self.is_pin(clear.decode_iso0(&pan).ok()) {
                return fits.push(found(path, 0));
            } else if by_any_fill && self.is_pin(clear.decode_iso3(&pan).ok()) {
                return fits.push(found(path, 3));
            }
        }
        if self.pin.is_some() && self.is_pin(clear.decode_iso1().ok()) {
            fits.push(found(path.clone(), 1));
        }
    }

    /// The account numbers that a block may be bound to in place of the right one: their last digit plays no part.
    fn pans(&self) -> Vec<Way<Pan>> {
        const DIGITS: usize = 12;
        let digits = self.pan.expose_digits();
        let with_check_digit = |digits: &[u8]| Pan::from_ascii_digits(&[digits, b"0"].concat()).ok();
        let mut pans = vec![Way::standard(self.pan.duplicate())];
        let mut off = |departure: &str, pan: Option<Pan>| {
            pans.extend(pan.map(|pan| Way::off(1, departure, pan)));
        };
        off("the PAN goes in with its check digit", with_check_digit(digits));
        off("the PAN goes in by its first 12 digits", digits.get(..DIGITS).and_then(with_check_digit));
        off("no PAN goes in", with_check_digit(&[b'0'; DIGITS]));
        pans
    }

    fn fit_of_16_bytes(&self, cipher: &Cipher, sent: Sent, path: Path) -> Option<Fit> {
        let pan = Iso4PanField::encode(&self.pan);
        let field = Iso4PinField::from_fill(|field| {
            field.iter_mut().zip(&self.block).for_each(|(byte, found)| *byte = *found);
            cipher.undo(sent, field);
            field.iter_mut().zip(pan.expose_bytes()).for_each(|(byte, pan)| *byte ^= pan);
            cipher.undo(sent, field);
        });
        let how = "AES, PIN block format 4".into();
        self.is_pin(field.decode().ok()).then_some(Fit { path, how, plain: None })
    }

    fn is_pin(&self, found: Option<Pin>) -> bool {
        match (found, &self.pin) {
            (Some(found), Some(known)) => found.ct_eq(known),
            (found, None) => found.is_some(),
            (None, Some(_)) => false,
        }
    }

    /// The scheme of 1992, whose keys are of single DES and lie on no other way.
    pub(super) fn fits_single_des(&self, given: &[u8], ksn: &[u8]) -> Vec<Fit> {
        let mut fits = Vec::new();
        let path = Path::new("single DES of 1992").with_key("PIN key");
        let remark = "the scheme of 1992: see dukpt legacy decrypt-pin-single-des-1992";
        let (Some(path), Ok(block)) = (path.departing(1, remark), EncryptedPinBlock::try_from(&*self.block))
        else {
            return fits;
        };
        let Ok(receiver) = TdeaKey::try_from(given).map(Bdk::from_key).map(SingleDesReceiver::new) else {
            return fits;
        };
        let Ok(receiver) = receiver else { return fits };
        for (name, path) in ways(&path, super::tdes::names(ksn)) {
            let name = cardroot::dukpt::Ksn::from(name);
            if let Ok(key) = receiver.derive_pin_key(&name) {
                let Ok(clear) = key.decrypt_pin_block(block);
                self.fits_clear(&clear, "DES", &path.with_ksn(name), &mut fits);
            }
        }
        fits
    }
}
