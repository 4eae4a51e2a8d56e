//! Key exchange by cryptographic service messages.
#![cfg(feature = "csm")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a panic is the report of a failed test"
)]

mod exchange;
mod facts;
mod old_keys;
mod refusals;
mod second_road;
mod secrets;

use core::convert::Infallible;

use cardroot_keyblock::csm::{Agreement, DataKeyForm, DataKeyNames, MemoryStore, NewKeys, Party, State};
use cardroot_keyblock::smid::csm::KeyId;
use cardroot_keyblock::tdea_keys::Kek;
use rand_core::{TryCryptoRng, TryRng};

/// The `*KK` that both sides have by hand: odd parity, not weak.
pub(crate) const MASTER: [u8; 16] = 0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes();

pub(crate) const FORMS: [DataKeyForm; 3] =
    [DataKeyForm::SingleDes, DataKeyForm::DoubleCbcMac, DataKeyForm::DoubleRetailMac];

pub(crate) fn id(name: &str) -> Option<KeyId> {
    Some(name.parse().unwrap())
}

pub(crate) fn agreement(own: &str, peer: &str, form: DataKeyForm) -> Agreement {
    Agreement::new(own.parse().unwrap(), peer.parse().unwrap(), form)
}

pub(crate) fn party(agreement: Agreement) -> Party<MemoryStore> {
    let mut party = Party::new(agreement, State::default(), MemoryStore::default()).unwrap();
    party.install_kek(id("M1"), Kek::from_key(MASTER.into())).unwrap();
    party
}

/// Both sides of a relationship, with `M1` installed.
pub(crate) fn pair(form: DataKeyForm) -> (Party<MemoryStore>, Party<MemoryStore>) {
    (party(agreement("BANKA", "BANKB", form)), party(agreement("BANKB", "BANKA", form)))
}

/// Keys under `M1`.
pub(crate) fn under_master(data_keys: DataKeyNames) -> NewKeys<'static> {
    NewKeys { under: id("M1"), ..NewKeys::new(data_keys) }
}

pub(crate) fn two(first: &str, second: &str) -> NewKeys<'static> {
    under_master(DataKeyNames::Two(id(first), id(second)))
}

/// SplitMix64: every run repeats.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let Ok(number) = self.try_next_u64();
        (number % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}
