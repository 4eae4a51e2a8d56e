//! How far a secure channel has come, of either protocol.

use apdu::CommandApdu;
use apdu::secure::gp::{CardInitialised, CardSession, SecurityLevel};
use apdu::secure::scp02::Scp02;
use apdu::secure::scp03::Scp03;
use apdu::secure::{Rejected, scp03};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::keys::{DomainKeys, KeySet};
use super::profile::DomainProfile;

/// The secure channel of a card. There is one at a time.
#[derive(Debug, Default)]
pub(super) enum Channel {
    #[default]
    Closed,
    /// INITIALIZE UPDATE was answered, with the keys of this version.
    Initialised(u8, Initialised),
    Open02(CardSession<Scp02>),
    Open03(CardSession<Scp03>),
}

/// A host to be authenticated.
#[expect(clippy::large_enum_variant, reason = "a card has one of them")]
#[derive(Debug)]
pub(super) enum Initialised {
    Scp02(CardInitialised<Scp02>),
    Scp03(CardInitialised<Scp03>, scp03::Implementation),
}

impl Initialised {
    /// Answers INITIALIZE UPDATE with the keys of `set`, as the session with that number.
    pub(super) fn answer(
        host_challenge: [u8; 8],
        profile: &DomainProfile,
        set: &KeySet,
        sequence: u32,
        rng: &mut impl CryptoRng,
    ) -> (Zeroizing<Vec<u8>>, Self) {
        let (key_data, key_version) = (profile.key_data, set.version.number());
        let (answer, initialised) = match &set.keys {
            DomainKeys::Tdea(keys) => {
                let sequence = u16::try_from(sequence).expect("the counter of protocol 02 ends at FFFF");
                let challenge = scp02_challenge(profile, keys, sequence, rng);
                let side = apdu::secure::scp02::CardSide { key_data, key_version, keys, sequence, challenge };
                let (answer, card) = apdu::secure::scp02::answer(host_challenge, &side)
                    .expect("a set of TDEA keys has keys of 16 bytes");
                (answer.encode().to_vec(), Self::Scp02(card))
            }
            DomainKeys::Aes(keys) => {
                let [_, a, b, c] = sequence.to_be_bytes();
                let (implementation, sequence) = (profile.scp03, [a, b, c]);
                let challenge = match implementation.is_pseudo_random() {
                    true => keys.enc.scp03_card_challenge(sequence, profile.name.as_bytes()),
                    false => draw(rng),
                };
                let side =
                    scp03::CardSide { key_data, key_version, keys, implementation, challenge, sequence };
                let (answer, card) = scp03::answer(host_challenge, &side);
                let answer = answer.encode().expose_bytes().to_vec();
                (answer, Self::Scp03(card, implementation))
            }
        };
        (Zeroizing::new(answer), initialised)
    }

    /// Verifies EXTERNAL AUTHENTICATE.
    pub(super) fn authenticate(self, command: &CommandApdu) -> Result<Channel, Rejected> {
        Ok(match self {
            Self::Scp02(card) => Channel::Open02(card.authenticate(command)?),
            Self::Scp03(card, _) => Channel::Open03(card.authenticate(command)?),
        })
    }

    /// Whether the protocol, in the card's variant, has this level.
    pub(super) fn has_level(&self, byte: u8) -> bool {
        match self {
            Self::Scp02(_) => apdu::secure::scp02::SecurityLevel::from_byte(byte).is_some(),
            Self::Scp03(_, implementation) => {
                scp03::SecurityLevel::from_byte(byte).is_some_and(|level| implementation.supports(level))
            }
        }
    }
}

fn scp02_challenge(
    profile: &DomainProfile,
    keys: &diversify::gp::CardKeys,
    sequence: u16,
    rng: &mut impl CryptoRng,
) -> [u8; 6] {
    match profile.scp02 {
        apdu::secure::scp02::Implementation::I15 => draw(rng),
        apdu::secure::scp02::Implementation::I55 => {
            let mac = keys.mac.scp02_session_key(sequence).expect("a set of TDEA keys has keys of 16 bytes");
            mac.scp02_card_challenge(profile.name.as_bytes())
        }
    }
}

fn draw<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut challenge = [0; N];
    rng.fill_bytes(&mut challenge);
    challenge
}
