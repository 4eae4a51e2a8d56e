//! AES keys of a card, and their diversification by KDF3.

use aeskey::{AesKey, Cmac};

use crate::cohort::{self, Cohort, Members, OneByOne};
use crate::gp::KeyData;

aeskey::key_type! {
    /// Issuer's AES master key for card personalisation (KMC). It is no card's key: only what is derived from it is.
    pub struct Kmc;
}

aeskey::key_type! {
    /// A card's AES key that session keys for encryption come from (KENC).
    pub struct Kenc;
}

aeskey::key_type! {
    /// A card's AES key that session keys for MACs come from (KMAC).
    pub struct Kmac;
}

aeskey::key_type! {
    /// A card's AES key that encrypts confidential data and keys (KDEK). It serves in sessions as it is.
    pub struct Kdek;
}

/// The three AES keys of a card.
#[derive(Debug)]
pub struct CardKeys {
    /// Encryption of the secure channel.
    pub enc: Kenc,
    /// MACs of the secure channel.
    pub mac: Kmac,
    /// Encryption of confidential data and keys.
    pub dek: Kdek,
}

impl Kmc {
    /// Derives the three keys of a card, each as long as the master.
    ///
    /// The leftmost bytes of `B(1) || B(2)`, with `B(i) = CMAC(KMC, i || 00 00 00 k 00 || data)` and `k` 1 for KENC, 2
    /// for KMAC and 3 for KDEK. The counter comes first, unlike in the session keys of
    /// [protocol 03](crate::gp::scp03).
    ///
    /// # Source
    /// KDF3 as GlobalPlatformPro names it: NIST SP 800-108 in counter mode with AES-CMAC.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_diversify::block::AesKey;
    /// # use cardroot_diversify::gp::aes::Kmc;
    /// # use tdea::KcvMethod;
    /// let master = 0x4041_4243_4445_4647_4849_4A4B_4C4D_4E4F_u128.to_be_bytes();
    /// let kmc = Kmc::from_key(AesKey::try_from(&master[..])?);
    /// let card = kmc.diversify_kdf3(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// let check = card.enc.expose_key().kcv_by(KcvMethod::AesOnes, 3)?;
    /// assert_eq!(check.as_bytes(), [0xE7, 0x9C, 0x05]);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn diversify_kdf3(&self, data: &KeyData) -> CardKeys {
        let card_key = |number| {
            AesKey::from_blocks(self.0.length(), |counter, block| {
                Cmac::new(&self.0).chain(&[counter, 0, 0, 0, number, 0]).chain(data).finalize_into(block);
            })
        };
        CardKeys { enc: Kenc(card_key(1)), mac: Kmac(card_key(2)), dek: Kdek(card_key(3)) }
    }

    /// Derives the keys of many cards, one after another; see [`diversify_kdf3`](Self::diversify_kdf3) and
    /// [cohorts](crate::cohort).
    pub fn cohort_kdf3<E>(
        &self,
        cards: impl IntoIterator<Item = Result<KeyData, E>>,
    ) -> Cohort<impl Members<Key = CardKeys, Fault = E>> {
        cohort::of(cards, OneByOne(|data: KeyData| self.diversify_kdf3(&data)))
    }
}
