//! Keys of cards with SM4, by purpose, and their cipher on the line.

use diversify::block::Sm4Key;
use zeroize::Zeroizing;

use super::authenticate::{LongChallenge, external_command};
use super::keys::ProtectionKey;
use super::keys::sealed::HasLineCipher;
use super::line_cipher::{LineCipher, MAC_LEN};
use crate::command::CommandApdu;
use crate::secure::Rejected;

/// An SM4 key at work on the line.
#[derive(Clone, Copy, Debug)]
pub struct Sm4LineCipher<'k>(&'k Sm4Key);

type Block = [u8; Sm4LineCipher::BLOCK_LEN];

impl Sm4LineCipher<'_> {
    /// Length of a block in bytes.
    pub(super) const BLOCK_LEN: usize = 16;

    /// Left 4 bytes of the CBC-MAC over `message`, padded by 80 00.., from `challenge || 00*8`.
    pub(super) fn mac(self, challenge: [u8; 8], message: &[&[u8]]) -> [u8; MAC_LEN] {
        let mut state: Zeroizing<Block> = Zeroizing::default();
        state.iter_mut().zip(challenge).for_each(|(state, byte)| *state = byte);
        let padded = message.iter().copied().flatten().chain(&[0x80]);
        let mut open = 0;
        for byte in padded {
            if open == Self::BLOCK_LEN {
                self.0.encrypt_block(&mut state);
                open = 0;
            }
            if let Some(state) = state.get_mut(open) {
                *state ^= byte;
            }
            open += 1;
        }
        self.0.encrypt_block(&mut state);
        *state.first_chunk().expect("a block is longer than a MAC")
    }

    pub(super) fn encrypt(self, data: &mut [u8]) {
        blocks(data).iter_mut().for_each(|block| self.0.encrypt_block(block));
    }

    pub(super) fn decrypt(self, data: &mut [u8]) {
        blocks(data).iter_mut().for_each(|block| self.0.decrypt_block(block));
    }
}

fn blocks(data: &mut [u8]) -> &mut [Block] {
    let (blocks, rest) = data.as_chunks_mut();
    assert!(rest.is_empty(), "the caller brought whole blocks");
    blocks
}

macro_rules! purpose {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name(Sm4Key);

        impl $name {
            /// Gives `key` this purpose, for good.
            #[must_use]
            pub const fn from_key(key: Sm4Key) -> Self {
                Self(key)
            }

            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub const fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }
    };
}

purpose! {
    /// Line protection key of a card with SM4, the counterpart of [`LineKey`](super::LineKey).
    Sm4LineKey
}

purpose! {
    /// Master key of a card or an application with SM4, the counterpart of [`MasterKey`](super::MasterKey): proves the host and
    /// protects the loading of keys.
    ///
    /// The challenge of 8 bytes that DES keys answer is no block of SM4:
    /// ```compile_fail,E0277
    /// # use cardroot_apdu::secure::pboc::{Challenge, Sm4MasterKey, external_authenticate};
    /// fn authenticate(key: &Sm4MasterKey, challenge: Challenge) {
    ///     external_authenticate(0x00, key, challenge);
    /// }
    /// ```
    /// ```
    /// # use cardroot_apdu::secure::pboc::{LongChallenge, Sm4MasterKey};
    /// fn authenticate(key: &Sm4MasterKey, challenge: LongChallenge) {
    ///     key.external_authenticate_folded(0x00, challenge);
    /// }
    /// ```
    Sm4MasterKey
}

impl HasLineCipher for Sm4LineKey {
    fn line_cipher(&self) -> LineCipher<'_> {
        LineCipher::Sm4(Sm4LineCipher(&self.0))
    }
}

impl HasLineCipher for Sm4MasterKey {
    fn line_cipher(&self) -> LineCipher<'_> {
        LineCipher::Sm4(Sm4LineCipher(&self.0))
    }
}

impl ProtectionKey for Sm4LineKey {}

impl ProtectionKey for Sm4MasterKey {}

impl Sm4MasterKey {
    /// The answer to a challenge of 16 bytes: the two halves of `SM4(key, challenge)` XORed. Public.
    fn folded(&self, challenge: LongChallenge) -> [u8; 8] {
        let LongChallenge(mut block) = challenge;
        self.0.encrypt_block(&mut block);
        let (left, right) = block.split_at(8);
        core::array::from_fn(|i| left.get(i).zip(right.get(i)).map_or(0, |(left, right)| left ^ right))
    }

    /// EXTERNAL AUTHENTICATE over a challenge of 16 bytes: `00 82 00 id 08 cryptogram`.
    ///
    /// # Source
    /// Toll collection (ETC) programs; no published value confirms it.
    #[must_use]
    pub fn external_authenticate_folded(&self, key_id: u8, challenge: LongChallenge) -> CommandApdu {
        external_command(key_id, &self.folded(challenge))
    }

    /// Verifies that answer, in the card that drew `challenge`, in constant time.
    ///
    /// # Errors
    /// Returns [`Rejected`] for any other bytes.
    pub fn verify_folded(&self, challenge: LongChallenge, received: &[u8]) -> Result<(), Rejected> {
        use subtle::ConstantTimeEq as _;
        if bool::from(self.folded(challenge).as_slice().ct_eq(received)) { Ok(()) } else { Err(Rejected) }
    }
}
