//! The sale itself: the same with every method. Only whose keys, and how they are named, differs.

use std::convert::Infallible;

use cardroot::pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, EncryptedPinBlock, Pan, Pin};
use cardroot::smid::iso8583::{Dialect, KeyReference, Message, RuleOptions, validate};
use cardroot::smid::{SmidList, SmidProfile};

use crate::{Failure, rng};

pub const DIALECT: &Dialect = Dialect::ISO1993_BINARY;
pub const TERMINAL: &str = "TERM0001";
pub const APPROVED: &str = "000";
pub const WRONG_PIN: &str = "117";

const PAN: &[u8] = b"4012345678909";
const PIN: &[u8] = b"1234";

/// How the keys of a message are named: in bit 53, or not at all.
pub enum Names<'a> {
    Terminal,
    Smids(&'a SmidProfile, SmidList),
}

/// A purchase: the PIN under the PIN key in bit 52, the MAC under the MAC key in bit 64. Its trace number is new.
pub fn request(
    names: &Names<'_>,
    trace: &str,
    pin_key: &impl EncryptPinBlock<Error = Infallible>,
    mac: impl FnOnce(&[u8]) -> [u8; 8],
) -> Result<Vec<u8>, Failure> {
    let (pan, pin) = (Pan::from_ascii_digits(PAN)?, Pin::from_ascii_digits(PIN)?);
    let Ok(pin_block) = pin_key.encrypt_pin_block(&ClearPinBlock::encode_iso3(&pin, &pan, &mut rng()));
    let mut message = Message::new("1200".parse()?);
    let texts = [(2, str::from_utf8(PAN)?), (3, "000000"), (4, "000000012345"), (11, trace), (41, TERMINAL)];
    for (field, text) in texts {
        message.set_text(DIALECT, field, text)?;
    }
    message.set_bytes(DIALECT, 52, &pin_block.to_bytes())?;
    seal(message, names, mac)
}

/// The answer to a request, with a MAC of its own.
pub fn response(
    request: &Message,
    action: &str,
    names: &Names<'_>,
    mac: impl FnOnce(&[u8]) -> [u8; 8],
) -> Result<Vec<u8>, Failure> {
    let mut message = Message::new("1210".parse()?);
    for field in [3, 4, 11, 41] {
        let text = request.text(field).ok_or("a field of the request is missing")?;
        message.set_text(DIALECT, field, text)?;
    }
    message.set_text(DIALECT, 39, action)?;
    seal(message, names, mac)
}

/// Refuses a verified message that is not the one waited for. Where one MAC key serves both directions, what a party sent itself verifies too
/// if somebody sends it back, and so does what it received before.
pub fn expect(message: &Message, mti: &str, trace: &str) -> Result<(), Failure> {
    if message.mti() == mti.parse()? && message.text(11) == Some(trace) {
        Ok(())
    } else {
        Err("the message is not the one waited for".into())
    }
}

/// What the host answered to the request with this trace number.
pub fn action<'a>(answer: &'a Message, trace: &str) -> Result<&'a str, Failure> {
    expect(answer, "1210", trace)?;
    answer.text(39).ok_or_else(|| "the answer has no action code".into())
}

/// Names the keys in bit 53 and computes the MAC.
pub fn seal(
    mut message: Message,
    names: &Names<'_>,
    mac: impl FnOnce(&[u8]) -> [u8; 8],
) -> Result<Vec<u8>, Failure> {
    let mut options = RuleOptions::default();
    match names {
        Names::Terminal => {
            options.pin_key = KeyReference::Implicit;
            options.mac_key = KeyReference::Implicit;
        }
        Names::Smids(profile, smids) => message.set_smids(DIALECT, profile, smids)?,
    }
    let sealed = message.seal_with(DIALECT, mac)?;
    match validate(&message, &options).first() {
        Some(finding) => Err(finding.to_string().into()),
        None => Ok(sealed),
    }
}

/// What the host makes of the PIN in a request that it has verified. The clear PIN does not leave here.
pub fn judge_pin(
    request: &Message,
    pin_key: &impl DecryptPinBlock<Error = Infallible>,
) -> Result<&'static str, Failure> {
    expect(request, "1200", request.text(11).ok_or("no trace number")?)?;
    let pan = Pan::from_ascii_digits(request.text(2).ok_or("no card number")?.as_bytes())?;
    let block = EncryptedPinBlock::try_from(request.bytes(52).ok_or("no PIN data")?)?;
    let Ok(clear) = pin_key.decrypt_pin_block(block);
    let pin = clear.decode_iso3(&pan)?;
    Ok(if pin.ct_eq(&Pin::from_ascii_digits(PIN)?) { APPROVED } else { WRONG_PIN })
}
