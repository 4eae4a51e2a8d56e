//! Translation from one key and format to another.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic here is the report")]

mod common;

use core::cell::Cell;
use core::convert::Infallible;
use core::error::Error;
use core::fmt;

use aes::Aes128;
use cardroot_pin::PinBlockFormat::{self, Iso0, Iso1, Iso2, Iso3, Iso4};
use cardroot_pin::translation::{
    Blocks, Incoming, Iso4Blocks, NotTranslated, Outgoing, Translation, TranslationError, check,
};
use cardroot_pin::{
    ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
};
use common::keys::{AesPinKey, TdeaPinKey, aes_key, tdea_key};
use common::{KnownRng, hex_array, pan, pin, rows};

const ACCOUNT: &str = "4012345678909";
const INTERCHANGE: [PinBlockFormat; 4] = [Iso0, Iso1, Iso3, Iso4];

/// A key of each width; the two ends have keys of their own.
struct End {
    tdea: TdeaPinKey,
    aes: AesPinKey<Aes128>,
}

fn terminal() -> End {
    End {
        tdea: tdea_key("042666B49184CF5C68DE9628D0397B36"),
        aes: aes_key("AF8CB133A78F8DC2D1359F18527593FB"),
    }
}

fn network() -> End {
    End {
        tdea: tdea_key("0123456789ABCDEFFEDCBA9876543210"),
        aes: aes_key("000102030405060708090A0B0C0D0E0F"),
    }
}

/// A block of either width.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Block {
    Eight(EncryptedPinBlock),
    Sixteen(EncryptedIso4PinBlock),
}

impl Block {
    fn eight(self) -> EncryptedPinBlock {
        let Self::Eight(block) = self else { panic!("{self:?}") };
        block
    }

    fn sixteen(self) -> EncryptedIso4PinBlock {
        let Self::Sixteen(block) = self else { panic!("{self:?}") };
        block
    }
}

impl End {
    /// What a sender does, without the code under test.
    fn encipher(&self, format: PinBlockFormat, pin: &Pin, pan: &Pan) -> Block {
        let mut rng = KnownRng(1);
        let clear = match format {
            Iso0 => ClearPinBlock::encode_iso0(pin, pan),
            Iso1 => ClearPinBlock::encode_iso1(pin, &mut rng),
            Iso3 => ClearPinBlock::encode_iso3(pin, pan, &mut rng),
            _ => {
                let (pin, pan) = (Iso4PinField::encode(pin, &mut rng), Iso4PanField::encode(pan));
                return Block::Sixteen(self.aes.encrypt_iso4_pin_block(&pin, &pan).unwrap());
            }
        };
        Block::Eight(self.tdea.encrypt_pin_block(&clear).unwrap())
    }

    /// What a receiver does, without the code under test.
    fn decipher(&self, format: PinBlockFormat, block: Block, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
        match block {
            Block::Eight(block) => self.tdea.decrypt_pin_block(block).unwrap().decode(format, pan),
            Block::Sixteen(block) => {
                self.aes.decrypt_iso4_pin_block(block, &Iso4PanField::encode(pan)).unwrap().decode()
            }
        }
    }
}

type Outcome = Result<Result<Block, NotTranslated<Infallible, Infallible>>, TranslationError>;

/// Translates from the terminal's keys to the network's, whatever the formats.
fn translate(
    (from, to): (PinBlockFormat, PinBlockFormat),
    block: Block,
    pan: Option<&Pan>,
    seed: u64,
) -> Outcome {
    let (terminal, network) = (terminal(), network());
    let (rng, eight) = (&mut KnownRng(seed), |format| Blocks::new(format, &network.tdea));
    let incoming = |format| Blocks::new(format, &terminal.tdea);
    Ok(match (from, to) {
        (Iso4, Iso4) => {
            let (from, to) = (Iso4Blocks::new(&terminal.aes), Iso4Blocks::new(&network.aes));
            Translation::new(from, to, pan)?.translate(block.sixteen(), rng).map(Block::Sixteen)
        }
        (Iso4, to) => {
            let from = Iso4Blocks::new(&terminal.aes);
            Translation::new(from, eight(to), pan)?.translate(block.sixteen(), rng).map(Block::Eight)
        }
        (from, Iso4) => {
            let to = Iso4Blocks::new(&network.aes);
            Translation::new(incoming(from), to, pan)?.translate(block.eight(), rng).map(Block::Sixteen)
        }
        (from, to) => {
            Translation::new(incoming(from), eight(to), pan)?.translate(block.eight(), rng).map(Block::Eight)
        }
    })
}

#[test]
fn every_allowed_pair_carries_every_length_of_pin_over_and_every_other_is_refused() {
    let (mut carried, mut refused) = (0, 0);
    for from in INTERCHANGE {
        for to in INTERCHANGE {
            for len in Pin::MIN_DIGITS..=Pin::MAX_DIGITS {
                let (pin, pan) = (pin(&"908172635441"[..len]), pan(ACCOUNT));
                let block = terminal().encipher(from, &pin, &pan);
                match translate((from, to), block, Some(&pan), 2) {
                    Err(refusal) => {
                        refused += 1;
                        assert_eq!(check(from, to), Err(refusal));
                    }
                    Ok(translated) => {
                        carried += 1;
                        let opened = network().decipher(to, translated.unwrap(), &pan);
                        assert!(opened.unwrap().ct_eq(&pin), "{from:?} to {to:?}, {len} digits");
                    }
                }
            }
        }
    }
    assert_eq!((carried, refused), (13 * 9, 3 * 9));
}

#[test]
fn format_2_is_neither_source_nor_target() {
    let (key, pan) = (terminal().tdea, pan(ACCOUNT));
    for other in [Iso0, Iso1, Iso3] {
        let refused = |from, to| {
            let (from, to) = (Blocks::new(from, &key), Blocks::new(to, &key));
            Translation::new(from, to, Some(&pan)).err()
        };
        assert_eq!(refused(Iso2, other), Some(TranslationError::NotForInterchange));
        assert_eq!(refused(other, Iso2), Some(TranslationError::CardInterfaceOnly));
    }
}

#[test]
fn format_4_is_not_of_eight_bytes() {
    let (key, pan) = (terminal().tdea, pan(ACCOUNT));
    for (from, to) in [(Iso4, Iso0), (Iso0, Iso4), (Iso4, Iso4)] {
        let translation = Translation::new(Blocks::new(from, &key), Blocks::new(to, &key), Some(&pan));
        assert_eq!(translation.err(), Some(TranslationError::NotOfEightBytes));
    }
}

#[test]
fn pan_is_needed_wherever_a_format_binds_it() {
    for from in INTERCHANGE {
        for to in INTERCHANGE.into_iter().filter(|to| check(from, *to).is_ok()) {
            let (pin, pan) = (pin("1234"), pan(ACCOUNT));
            let translated = translate((from, to), terminal().encipher(from, &pin, &pan), None, 2);
            match [from, to].into_iter().find(|format| format.binds_pan()) {
                Some(format) => assert_eq!(translated, Err(TranslationError::PanMissing { format })),
                None => assert!(translated.unwrap().is_ok()),
            }
        }
    }
}

#[test]
fn wrong_pan_and_wrong_key_and_every_defect_give_one_answer() {
    let invalid = NotTranslated::InvalidPinBlock(InvalidPinBlock);
    let other = pan("4111111111111111");
    for format in [Iso0, Iso3, Iso4] {
        let block = terminal().encipher(format, &pin("1234"), &pan(ACCOUNT));
        assert_eq!(translate((format, Iso4), block, Some(&other), 2), Ok(Err(invalid)));
        let block = network().encipher(format, &pin("1234"), &pan(ACCOUNT));
        assert_eq!(translate((format, Iso4), block, Some(&pan(ACCOUNT)), 2), Ok(Err(invalid)));
    }

    let rows = rows::<5>(include_str!("data/fails_pinblocks.csv"), "format,pan,block,defect,source");
    let mut checked = 0;
    for [format, account, block, defect, _] in rows.into_iter().filter(|[format, ..]| *format != "2") {
        let format = PinBlockFormat::try_from(format.parse::<u8>().unwrap()).unwrap();
        let pan = pan(if account.is_empty() { ACCOUNT } else { account });
        let enciphered = if format == Iso4 {
            let field = Iso4PinField::from_fill(|bytes| *bytes = hex_array(block));
            let sent = terminal().aes.encrypt_iso4_pin_block(&field, &Iso4PanField::encode(&pan));
            Block::Sixteen(sent.unwrap())
        } else {
            let clear = ClearPinBlock::from_fill(|bytes| *bytes = hex_array(block));
            Block::Eight(terminal().tdea.encrypt_pin_block(&clear).unwrap())
        };
        let translated = translate((format, Iso4), enciphered, Some(&pan), 2).unwrap();
        assert_eq!(translated, Err(invalid), "{defect}");
        assert_eq!(translated.unwrap_err().to_string(), "invalid PIN block");
        checked += 1;
    }
    println!("checked {checked} defective blocks");
    assert_eq!(checked, 32);
}

#[test]
fn fill_is_new_for_every_block_where_the_format_has_one() {
    let (pin, pan) = (pin("1234"), pan(ACCOUNT));
    for (to, has_fill) in [(Iso0, false), (Iso1, true), (Iso3, true), (Iso4, true)] {
        let block = terminal().encipher(Iso1, &pin, &pan);
        let translated = |seed| translate((Iso1, to), block, Some(&pan), seed).unwrap().unwrap();
        assert_eq!(translated(2) != translated(3), has_fill, "{to:?}");
    }
}

#[test]
fn keys_chosen_at_run_time_are_taken_too() {
    let (pin, pan) = (pin("1234"), pan(ACCOUNT));
    let from: Box<dyn DecryptPinBlock<Error = Infallible>> = Box::new(terminal().tdea);
    let to: Box<dyn EncryptIso4PinBlock<Error = Infallible>> = Box::new(network().aes);
    let (from, to) = (Blocks::new(Iso0, &*from), Iso4Blocks::new(&*to));
    let translation = Translation::new(from, to, Some(&pan)).unwrap();
    let sent = terminal().encipher(Iso0, &pin, &pan).eight();
    let translated = Block::Sixteen(translation.translate(sent, &mut KnownRng(2)).unwrap());
    assert!(network().decipher(Iso4, translated, &pan).unwrap().ct_eq(&pin));
}

/// A token that is not there, and how often it was asked.
#[derive(Debug, Default)]
struct Absent(Cell<u32>);

#[derive(Debug, Eq, PartialEq)]
struct Unplugged;

impl fmt::Display for Unplugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token is not there")
    }
}

impl Error for Unplugged {}

impl DecryptPinBlock for Absent {
    type Error = Unplugged;

    fn decrypt_pin_block(&self, _: EncryptedPinBlock) -> Result<ClearPinBlock, Unplugged> {
        self.0.set(self.0.get() + 1);
        Err(Unplugged)
    }
}

impl EncryptPinBlock for Absent {
    type Error = Unplugged;

    fn encrypt_pin_block(&self, _: &ClearPinBlock) -> Result<EncryptedPinBlock, Unplugged> {
        self.0.set(self.0.get() + 1);
        Err(Unplugged)
    }
}

/// What comes of a block of PIN 1234, or of another PAN than it was made for.
fn outcome<S, T>(from: S, to: T, made_for: &str) -> NotTranslated<S::Error, T::Error>
where
    S: Incoming<Block = EncryptedPinBlock>,
    T: Outgoing<Block = EncryptedPinBlock>,
{
    let block = terminal().encipher(Iso0, &pin("1234"), &pan(made_for)).eight();
    let pan = pan(ACCOUNT);
    let translation = Translation::new(from, to, Some(&pan)).unwrap();
    translation.translate(block, &mut KnownRng(2)).err().unwrap()
}

#[test]
fn failing_key_is_named_by_its_side() {
    let (absent, key) = (Absent::default(), terminal().tdea);
    let incoming = outcome(Blocks::new(Iso0, &absent), Blocks::new(Iso0, &key), ACCOUNT);
    assert_eq!(incoming, NotTranslated::IncomingKey(Unplugged));
    assert_eq!(incoming.source().unwrap().to_string(), "the token is not there");
    let outgoing = outcome(Blocks::new(Iso0, &key), Blocks::new(Iso0, &absent), ACCOUNT);
    assert_eq!(outgoing, NotTranslated::OutgoingKey(Unplugged));
    assert_eq!(absent.0.get(), 2);
}

#[test]
fn block_that_does_not_decode_never_reaches_the_outgoing_key() {
    let (absent, key) = (Absent::default(), terminal().tdea);
    let refused = outcome(Blocks::new(Iso0, &key), Blocks::new(Iso0, &absent), "4111111111111111");
    assert_eq!(refused, NotTranslated::InvalidPinBlock(InvalidPinBlock));
    assert_eq!(absent.0.get(), 0);
}

#[test]
fn refused_translation_has_asked_no_key() {
    let (absent, pan) = (Absent::default(), pan(ACCOUNT));
    for (from, to) in [(Iso0, Iso1), (Iso3, Iso1), (Iso2, Iso0), (Iso0, Iso2), (Iso4, Iso0)] {
        assert!(Translation::new(Blocks::new(from, &absent), Blocks::new(to, &absent), Some(&pan)).is_err());
    }
    assert_eq!(absent.0.get(), 0);
}

#[test]
fn translation_is_printed_with_the_pan_masked() {
    let (absent, pan) = (Absent::default(), pan(ACCOUNT));
    let translation = Translation::new(Blocks::new(Iso0, &absent), Blocks::new(Iso3, &absent), Some(&pan));
    let shown = format!("{:?}", translation.unwrap());
    assert!(shown.contains("401******8909") && !shown.contains(ACCOUNT), "{shown}");
}
