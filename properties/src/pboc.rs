//! Secure messaging of the PBOC family.

use ::apdu::secure::pboc::{CardKey, Challenge, LineKey, Protection, protect, unprotect};
use ::apdu::{CommandApdu, ResponseApdu};
use ::tdea::TdeaKey;
use ::tdea::hazmat::DesKey;

use crate::Reach;
use crate::input::Input;

/// A key of 8 or 16 bytes and a challenge of 4 or 8.
struct Line {
    key: LineKey,
    challenge: Vec<u8>,
}

impl Line {
    fn new(input: &mut Input<'_>) -> Self {
        let key = if input.coin() {
            CardKey::from(DesKey::from_fill(|key| *key = input.array()))
        } else {
            CardKey::try_from(TdeaKey::from(input.array::<16>())).unwrap()
        };
        let challenge_len = input.one_of(&[4, 8]);
        let challenge = input.array::<8>()[..challenge_len].to_vec();
        Self { key: LineKey::from_key(key), challenge }
    }

    fn challenge(&self) -> Challenge {
        Challenge::try_from(&self.challenge[..]).unwrap()
    }
}

/// No command and no reply makes the card's or the host's side panic: not one under a wrong MAC, and not one under a right
/// MAC whose ciphertext is anything. What is opened is never longer than what came.
///
/// Input: key, challenge, command.
pub fn pboc_unprotect_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let line = Line::new(&mut input);
    let bytes = input.take_rest();
    let Ok(command) = CommandApdu::decode(bytes) else { return Reach::Refused };
    for protection in [Protection::Mac, Protection::CipherAndMac] {
        if let Ok(opened) = unprotect(&command, protection, &line.key, line.challenge()) {
            assert!(opened.command.encoded_len() < bytes.len());
        }
    }

    // The right MAC over data that is then taken for ciphertext.
    let Ok(forged) = protect(&command, Protection::Mac, &line.key, line.challenge()) else {
        return Reach::Refused;
    };
    if let Ok(opened) = unprotect(&forged.command, Protection::CipherAndMac, &line.key, line.challenge()) {
        assert!(opened.command.expose_data().len() <= command.expose_data().len());
    }
    let sealer = unprotect(&forged.command, Protection::Mac, &line.key, line.challenge()).unwrap().reply;
    let opener = protect(&command, Protection::CipherAndMac, &line.key, line.challenge());
    if let (Ok(reply), Ok(opener)) = (sealer.seal(command.expose_data(), ::apdu::StatusWord::OK), opener)
        && let Ok(opened) = opener.reply.open(reply)
    {
        assert!(opened.data().len() <= command.expose_data().len());
    }
    Reach::Held
}

/// A command that is protected comes out of the card's side as it went in, and so does the reply out of the host's; with one
/// bit of a MAC wrong neither does.
///
/// Input: protection, MAC bit, key, challenge, reply after its length, command.
pub fn pboc_protect_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let protection = input.one_of(&[Protection::Mac, Protection::CipherAndMac]);
    let bit = input.below(32);
    let line = Line::new(&mut input);
    let reply = input.counted();
    let Ok(command) = CommandApdu::decode(input.take_rest()) else { return Reach::Refused };
    let Ok(protected) = protect(&command, protection, &line.key, line.challenge()) else {
        return Reach::Refused;
    };

    let opened = unprotect(&protected.command, protection, &line.key, line.challenge()).unwrap();
    assert_eq!(opened.command.encode().expose_bytes(), command.encode().expose_bytes());
    let header = protected.command.header();
    let mut altered =
        CommandApdu::new(header).with_data(&with_wrong_mac(protected.command.expose_data(), bit)).unwrap();
    if let Some(le) = command.le() {
        altered = altered.with_le(le);
    }
    assert!(unprotect(&altered, protection, &line.key, line.challenge()).is_err());

    let status = ::apdu::StatusWord::OK;
    let Ok(sealed) = opened.reply.seal(reply, status) else { return Reach::Refused };
    let wrong = ResponseApdu::new(&with_wrong_mac(sealed.data(), bit), status).unwrap();
    let again = protect(&command, protection, &line.key, line.challenge()).unwrap();
    assert!(again.reply.open(wrong).is_err());
    assert_eq!(protected.reply.open(sealed).unwrap().data(), reply);
    Reach::Held
}

/// Flips one bit of the MAC in the last four bytes.
fn with_wrong_mac(data: &[u8], bit: usize) -> Vec<u8> {
    let mut altered = data.to_vec();
    let at = altered.len() - 1 - bit / 8;
    altered[at] ^= 1 << (bit % 8);
    altered
}
