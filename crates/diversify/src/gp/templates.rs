//! TDEA: the templates that pick six bytes of the diversification data.

use tdea::{BLOCK_LEN, TdeaKey};

use crate::cohort::{self, Cohort, Members, Personalisation};
use crate::gp::{CardKeys, Kdek, Kenc, KeyData, Kmac, Kmc};
use crate::pair::{TripleLengthKey, check_double_length, double_length, encrypt_pair};

/// Bytes of the diversification data that a template uses.
const USED_LEN: usize = BLOCK_LEN - 2;

/// Which six bytes of the diversification data a card's keys depend on. A wrong template gives wrong keys, and wrong
/// keys tried often enough block the card: compare check values first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Template {
    /// Bytes 4 to 9: the end of the issuer identifier and the chip's serial number.
    #[doc(alias = "EMV")]
    Cps,
    /// Bytes 0 to 3, 8 and 9.
    Visa,
    /// Bytes 0, 1 and 4 to 7.
    Visa2,
}

impl Template {
    const fn used(self, data: &KeyData) -> [u8; USED_LEN] {
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9] = *data;
        match self {
            Self::Cps => [b4, b5, b6, b7, b8, b9],
            Self::Visa => [b0, b1, b2, b3, b8, b9],
            Self::Visa2 => [b0, b1, b4, b5, b6, b7],
        }
    }

    /// What the master encrypts: two blocks for each of the three keys.
    pub(crate) fn blocks(self, data: &KeyData) -> [[[u8; BLOCK_LEN]; 2]; 3] {
        let [d0, d1, d2, d3, d4, d5] = self.used(data);
        [1, 2, 3].map(|number| [0xF0, 0x0F].map(|half| [d0, d1, d2, d3, d4, d5, half, number]))
    }
}

impl Kmc {
    /// Derives the three keys of a card.
    ///
    /// `E(KMC, D || F0 k) || E(KMC, D || 0F k)`, `D` being the template's six bytes and `k` 1 for KENC, 2 for KMAC and 3
    /// for KDEK. Parity is not adjusted.
    ///
    /// # Source
    /// EMV Card Personalization Specification 1.1, 4.1; the templates as GlobalPlatformPro names them.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_diversify::gp::{Kmc, Template};
    /// let kmc = Kmc::from_key(0x4041_4243_4445_4647_4849_4A4B_4C4D_4E4F_u128.to_be_bytes().into());
    /// let card = kmc.diversify(Template::Cps, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])?;
    /// assert_eq!(card.dek.kcv().as_bytes(), [0xBB, 0x81, 0x79]);
    /// # Ok::<(), cardroot_diversify::TripleLengthKey>(())
    /// ```
    pub fn diversify(&self, template: Template, data: &KeyData) -> Result<CardKeys, TripleLengthKey> {
        let cipher = double_length(&self.0)?;
        let keys = template.blocks(data).map(|[left, right]| encrypt_pair(&cipher, &left, &right));
        Ok(CardKeys::from_keys(keys))
    }

    /// Derives the keys of many cards; see [`diversify`](Self::diversify) and [cohorts](crate::cohort).
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn cohort<E>(
        &self,
        template: Template,
        cards: impl IntoIterator<Item = Result<KeyData, E>>,
    ) -> Result<Cohort<impl Members<Key = CardKeys, Fault = E>>, TripleLengthKey> {
        check_double_length(&self.0)?;
        Ok(cohort::of(cards, Personalisation { master: &self.0, template }))
    }
}

impl CardKeys {
    /// KENC, KMAC and KDEK.
    pub(crate) fn from_keys([enc, mac, dek]: [TdeaKey; 3]) -> Self {
        Self { enc: Kenc(enc), mac: Kmac(mac), dek: Kdek(dek) }
    }
}
