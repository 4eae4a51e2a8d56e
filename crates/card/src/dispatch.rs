//! From the bytes of a command to the method that carries it out.

use apdu::{CommandApdu, Instruction, LengthForm, StatusWord};
use rand_core::CryptoRng;

use crate::command::Command;
use crate::directory::Lock;
use crate::os::Os;
use crate::profile::CardKind;
use crate::status::{Outcome, require};

/// Carries out one command and appends its response data.
type Handler = fn(&mut Os, &Command<'_>, &mut Vec<u8>) -> Outcome;

/// Whether a command comes with secure messaging.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Messaging {
    /// Never.
    Plain,
    /// Always.
    Protected,
    /// It depends on the file or the key.
    Either,
}

impl Os {
    /// Answers `bytes`, whatever they are. Response data is appended to `out`, its status is returned.
    pub(crate) fn answer(&mut self, bytes: &[u8], rng: &mut dyn CryptoRng, out: &mut Vec<u8>) -> StatusWord {
        let outcome = self.carry_out(bytes, rng, out);
        if outcome.is_err() {
            out.clear();
        }
        outcome.unwrap_or_else(|status| status)
    }

    fn carry_out(&mut self, bytes: &[u8], rng: &mut dyn CryptoRng, out: &mut Vec<u8>) -> Outcome {
        // Whatever the command turns out to be, the challenge before it is used up.
        let challenge = self.session.challenge.take();
        require(!self.blocked, StatusWord::FUNCTION_NOT_SUPPORTED)?;
        let apdu = CommandApdu::decode(bytes).map_err(|error| error.status())?;
        require(apdu.form() == LengthForm::Short, StatusWord::WRONG_LENGTH)?;
        let command = Command { header: apdu.header(), data: apdu.expose_data(), le: apdu.le(), challenge };
        let instruction = command.header.instruction;
        if instruction != DES_CRYPT {
            self.session.derived = None;
        }
        let class = command.header.class;
        let plain_class = class.without_proprietary_sm().unwrap_or(class).byte();
        require(matches!(plain_class, 0x00 | 0x80), StatusWord::CLASS_NOT_SUPPORTED)?;
        self.check_lock(instruction)?;
        if (plain_class, instruction) == (0x00, Instruction::GET_CHALLENGE) {
            expect_messaging(&command, Messaging::Plain)?;
            return self.get_challenge(&command, rng, out);
        }
        let (messaging, handler) = handler(plain_class, instruction, self.profile.kind())
            .ok_or(StatusWord::INSTRUCTION_NOT_SUPPORTED)?;
        expect_messaging(&command, messaging)?;
        handler(self, &command, out)
    }

    /// A blocked application lets go of its session and can be unblocked, nothing else.
    fn check_lock(&self, instruction: Instruction) -> Result<(), StatusWord> {
        match (instruction, self.root.lock_along(self.session.path)) {
            (Instruction::SELECT | Instruction::GET_CHALLENGE, _)
            | (Instruction::APPLICATION_UNBLOCK, Lock::Temporary) => Ok(()),
            _ => self.expect_unlocked(),
        }
    }
}

fn expect_messaging(command: &Command<'_>, messaging: Messaging) -> Result<(), StatusWord> {
    match (messaging, command.is_protected()) {
        (Messaging::Plain, true) => Err(StatusWord::SECURE_MESSAGING_NOT_SUPPORTED),
        (Messaging::Protected, false) => Err(StatusWord::SM_OBJECT_MISSING),
        _ => Ok(()),
    }
}

/// INIT_FOR_DESCRYPT of a SAM.
const INIT_FOR_DESCRYPT: Instruction = instruction(0x1A);
/// DES CRYPT of a SAM.
const DES_CRYPT: Instruction = instruction(0xFA);
/// The other code of UPDATE BINARY.
const WRITE_BINARY: Instruction = instruction(0xD0);

const fn instruction(byte: u8) -> Instruction {
    match Instruction::from_byte(byte) {
        Ok(instruction) => instruction,
        Err(_) => panic!("the constants above are instructions"),
    }
}

/// The commands of a card, by class without its secure messaging bit. GET CHALLENGE is not here: it needs randomness.
fn handler(class: u8, instruction: Instruction, kind: CardKind) -> Option<(Messaging, Handler)> {
    use Messaging::{Either, Plain, Protected};
    Some(match (class, instruction) {
        (0x00, Instruction::SELECT) => (Plain, Os::select),
        (0x00, Instruction::EXTERNAL_AUTHENTICATE) => (Plain, Os::external_authenticate),
        (0x00, Instruction::INTERNAL_AUTHENTICATE) => (Plain, Os::internal_authenticate),
        (0x00, Instruction::VERIFY) => (Plain, Os::verify_pin),
        (0x00, Instruction::READ_BINARY) => (Either, Os::read_binary),
        (0x00, Instruction::UPDATE_BINARY | WRITE_BINARY) => (Either, Os::update_binary),
        (0x00, Instruction::READ_RECORD) => (Either, Os::read_record),
        (0x00, Instruction::UPDATE_RECORD) => (Either, Os::update_record),
        (0x00, Instruction::APPEND_RECORD) => (Either, Os::append_record),
        (0x80, Instruction::CREATE_FILE) => (Plain, Os::create_file),
        (0x80, Instruction::ERASE) => (Plain, Os::erase_directory),
        (0x80, Instruction::WRITE_KEY) if kind == CardKind::Sam => (Either, Os::write_key_to_sam),
        (0x80, Instruction::WRITE_KEY) => (Either, Os::write_key),
        (0x80, Instruction::CARD_BLOCK) => (Protected, Os::block_card),
        (0x80, Instruction::APPLICATION_BLOCK) => (Protected, Os::block_application),
        (0x80, Instruction::APPLICATION_UNBLOCK) => (Protected, Os::unblock_application),
        (0x80, INIT_FOR_DESCRYPT) if kind == CardKind::Sam => (Plain, Os::init_for_descrypt),
        (0x80, DES_CRYPT) if kind == CardKind::Sam => (Plain, Os::des_crypt),
        _ => return None,
    })
}
