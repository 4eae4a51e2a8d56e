//! PINs, PANs and PIN blocks.

use core::convert::Infallible;

use ::pin::translation::{self, Blocks, Iso4Blocks, NotTranslated, Translation};
use ::pin::{
    CardPinBlock, ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
    PinBlockFormat,
};

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// Any block decodes or is refused, in every format; what decodes encodes to the same block, its fill given back, and in
/// format 3 to one of the same PIN. No block is valid in two formats.
///
/// Input: number of PAN digits, 10 bytes of them, a block of 16 bytes, of which formats 0 to 3 have the first 8.
pub fn pin_block_decode_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let pan = pan(&mut input);
    let field: [u8; 16] = input.array();
    let (half, random) = (*field.first_chunk::<8>().unwrap(), *field.last_chunk::<8>().unwrap());
    let fill = *half.last_chunk::<7>().unwrap();

    let clear = ClearPinBlock::from_fill(|block| *block = half);
    let mut decoded = 0;
    for format in PinBlockFormat::ALL {
        let Ok(pin) = clear.decode(format, &pan) else { continue };
        decoded += 1;
        let again = match format {
            PinBlockFormat::Iso0 => ClearPinBlock::encode_iso0(&pin, &pan),
            PinBlockFormat::Iso1 => ClearPinBlock::encode_iso1_with_fixed_fill(&pin, &fill),
            PinBlockFormat::Iso3 => {
                let again =
                    ClearPinBlock::encode_iso3(&pin, &pan, &mut SeededRng::new(u64::from_be_bytes(random)));
                assert!(again.decode_iso3(&pan).unwrap().ct_eq(&pin));
                continue;
            }
            other => panic!("{other:?} has a type of its own"),
        };
        assert_eq!(again.expose_bytes(), &half);
    }
    if let Ok(pin) = CardPinBlock::from_fill(|block| *block = half).decode() {
        decoded += 1;
        assert_eq!(CardPinBlock::encode(&pin).expose_bytes(), &half);
    }
    if let Ok(pin) = Iso4PinField::from_fill(|block| *block = field).decode() {
        decoded += 1;
        assert_eq!(Iso4PinField::encode_with_fixed_random(&pin, &random).expose_bytes(), &field);
    }
    match decoded {
        0 => Reach::Refused,
        1 => Reach::Held,
        _ => panic!("one block is valid in {decoded} formats"),
    }
}

/// A translation is there exactly if the table allows it and the PAN is there where it is needed; then a block that the
/// sender's format does not have is refused, and any other comes out in the format of the receiver, with the same PIN.
///
/// Input: both formats, whether the PAN is given, a seed, number of PAN digits, 10 bytes of them, a block of 16 bytes, of which
/// formats 0 to 3 have the first 8: the clear block, or PIN field, that the sender made.
pub fn translated_pin_is_the_same_pin(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let (from, to) = (input.one_of(&PinBlockFormat::ALL), input.one_of(&PinBlockFormat::ALL));
    let (with_pan, seed) = (input.coin(), u64::from_be_bytes(input.array()));
    let pan = pan(&mut input);
    let sent = Sent { format: from, clear: input.array() };

    let given = with_pan.then_some(&pan);
    let allowed = translation::check(from, to).is_ok() && (with_pan || !(from.binds_pan() || to.binds_pan()));
    let rng = &mut SeededRng::new(seed);
    let (source, target) = (Iso4Blocks::new(&SENDER), Iso4Blocks::new(&RECEIVER));
    let (short_source, short_target) = (Blocks::new(from, &SENDER), Blocks::new(to, &RECEIVER));
    let translated = match (from, to) {
        (PinBlockFormat::Iso4, PinBlockFormat::Iso4) => Translation::new(source, target, given)
            .map(|allowed| allowed.translate(sent.sixteen(&pan), rng).map(|block| open_16(block, &pan))),
        (PinBlockFormat::Iso4, _) => Translation::new(source, short_target, given)
            .map(|allowed| allowed.translate(sent.sixteen(&pan), rng).map(|block| open_8(to, block, &pan))),
        (_, PinBlockFormat::Iso4) => Translation::new(short_source, target, given)
            .map(|allowed| allowed.translate(sent.eight(), rng).map(|block| open_16(block, &pan))),
        _ => Translation::new(short_source, short_target, given)
            .map(|allowed| allowed.translate(sent.eight(), rng).map(|block| open_8(to, block, &pan))),
    };
    assert_eq!(translated.is_ok(), allowed, "{from:?} to {to:?}, PAN given: {with_pan}");
    match (translated, sent.pin(&pan)) {
        (Err(_), _) => Reach::Refused,
        (Ok(Err(refusal)), Err(InvalidPinBlock)) => {
            assert_eq!(refusal, NotTranslated::InvalidPinBlock(InvalidPinBlock));
            Reach::Refused
        }
        (Ok(Ok(received)), Ok(pin)) => {
            assert!(received.unwrap().ct_eq(&pin));
            Reach::Held
        }
        (Ok(translated), pin) => panic!("{from:?} to {to:?}: {translated:?} of {pin:?}"),
    }
}

/// What the sender enciphered.
struct Sent {
    format: PinBlockFormat,
    clear: [u8; 16],
}

impl Sent {
    fn short(&self) -> ClearPinBlock {
        ClearPinBlock::from_fill(|block| *block = *self.clear.first_chunk().unwrap())
    }

    fn long(&self) -> Iso4PinField {
        Iso4PinField::from_fill(|field| *field = self.clear)
    }

    fn eight(&self) -> EncryptedPinBlock {
        SENDER.encrypt_pin_block(&self.short()).unwrap()
    }

    fn sixteen(&self, pan: &Pan) -> EncryptedIso4PinBlock {
        SENDER.encrypt_iso4_pin_block(&self.long(), &Iso4PanField::encode(pan)).unwrap()
    }

    fn pin(&self, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
        match self.format {
            PinBlockFormat::Iso4 => self.long().decode(),
            format => self.short().decode(format, pan),
        }
    }
}

fn open_8(format: PinBlockFormat, block: EncryptedPinBlock, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
    RECEIVER.decrypt_pin_block(block).unwrap().decode(format, pan)
}

fn open_16(block: EncryptedIso4PinBlock, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
    RECEIVER.decrypt_iso4_pin_block(block, &Iso4PanField::encode(pan)).unwrap().decode()
}

/// A cipher for speed alone: bytes are reversed and a key is added, so that mixed up keys, steps and orders show.
struct ToyKey(u8);

const SENDER: ToyKey = ToyKey(0x35);
const RECEIVER: ToyKey = ToyKey(0xC6);

impl ToyKey {
    fn encrypt(&self, block: &mut [u8]) {
        block.reverse();
        (0u8..).zip(block).for_each(|(place, byte)| *byte = byte.wrapping_add(self.0 ^ place));
    }

    fn decrypt(&self, block: &mut [u8]) {
        (0u8..).zip(&mut *block).for_each(|(place, byte)| *byte = byte.wrapping_sub(self.0 ^ place));
        block.reverse();
    }
}

impl EncryptPinBlock for ToyKey {
    type Error = Infallible;

    fn encrypt_pin_block(&self, clear: &ClearPinBlock) -> Result<EncryptedPinBlock, Infallible> {
        let mut block = *clear.expose_bytes();
        self.encrypt(&mut block);
        Ok(block.into())
    }
}

impl DecryptPinBlock for ToyKey {
    type Error = Infallible;

    fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Infallible> {
        Ok(ClearPinBlock::from_fill(|clear| {
            *clear = block.to_bytes();
            self.decrypt(clear);
        }))
    }
}

impl EncryptIso4PinBlock for ToyKey {
    type Error = Infallible;

    fn encrypt_iso4_pin_block(
        &self,
        pin: &Iso4PinField,
        pan: &Iso4PanField,
    ) -> Result<EncryptedIso4PinBlock, Infallible> {
        Ok(EncryptedIso4PinBlock::encrypt_with(pin, pan, |block| self.encrypt(block)))
    }
}

impl DecryptIso4PinBlock for ToyKey {
    type Error = Infallible;

    fn decrypt_iso4_pin_block(
        &self,
        block: EncryptedIso4PinBlock,
        pan: &Iso4PanField,
    ) -> Result<Iso4PinField, Infallible> {
        Ok(block.decrypt_with(pan, |block| self.decrypt(block)))
    }
}

/// A PAN of 8 to 19 digits.
fn pan(input: &mut Input<'_>) -> Pan {
    let len = Pan::MIN_DIGITS + input.below(Pan::MAX_DIGITS - Pan::MIN_DIGITS + 1);
    let nibbles = input.array::<10>().map(|byte| [byte >> 4, byte & 0xF]);
    let digits: Vec<u8> = nibbles.as_flattened().iter().map(|nibble| b'0' + nibble % 10).collect();
    Pan::from_ascii_digits(&digits[..len]).unwrap()
}

/// A PIN is 4 to 12 digits and a PAN 8 to 19, nothing else is either. A PAN shown hides at least six of them and shows at most the first
/// six and the last four, and its check
/// digit is judged as plain arithmetic does.
pub fn pin_and_pan_digits(data: &[u8]) -> Reach {
    let are_digits = data.iter().all(u8::is_ascii_digit);
    let pin = Pin::from_ascii_digits(data);
    assert_eq!(pin.is_ok(), are_digits && (Pin::MIN_DIGITS..=Pin::MAX_DIGITS).contains(&data.len()));
    if let Ok(pin) = pin {
        assert_eq!(pin.expose_digits(), data);
    }
    let pan = Pan::from_ascii_digits(data);
    assert_eq!(pan.is_ok(), are_digits && (Pan::MIN_DIGITS..=Pan::MAX_DIGITS).contains(&data.len()));
    let Ok(pan) = pan else { return Reach::Refused };
    assert_eq!(pan.expose_digits(), data);

    let shown = pan.to_string();
    assert_eq!(shown.len(), data.len());
    let hidden = shown.find('*').unwrap()..shown.rfind('*').unwrap() + 1;
    assert!(hidden.len() >= 6 && hidden.start <= 6 && shown.len() - hidden.end <= 4);
    let expected = |(place, digit): (usize, &u8)| if hidden.contains(&place) { b'*' } else { *digit };
    assert!(shown.bytes().eq(data.iter().enumerate().map(expected)));
    assert_eq!(pan.verify_luhn().is_ok(), luhn_sum(data).is_multiple_of(10));

    let field = *Iso4PanField::encode(&pan).expose_bytes();
    let digits: String = field.iter().map(|byte| format!("{byte:02X}")).collect();
    assert!(digits.trim_end_matches('0').len() <= 1 + data.len().max(12));
    assert!(digits.contains(str::from_utf8(data).unwrap()));
    Reach::Held
}

/// Every second digit from the right counts twice, a sum above 9 by its digits.
fn luhn_sum(digits: &[u8]) -> u32 {
    const TWICE: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let values = digits.iter().rev().map(|digit| u32::from(digit - b'0'));
    values.enumerate().map(|(place, value)| if place % 2 == 0 { value } else { TWICE[value as usize] }).sum()
}
