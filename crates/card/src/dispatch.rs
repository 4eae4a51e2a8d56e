//! From the bytes of a command to the method that carries it out.

use apdu::{CommandApdu, Instruction, LengthForm, StatusWord};
use rand_core::CryptoRng;

use crate::command::Command;
use crate::directory::Lock;
use crate::os::Os;
use crate::profile::{CardKind, CardProfile};
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
    /// Answers `bytes`, whatever they are; a card that is dead carries out nothing. Response data is appended to `out`, its status is returned.
    pub(crate) fn answer(&mut self, bytes: &[u8], rng: &mut dyn CryptoRng, out: &mut Vec<u8>) -> StatusWord {
        let outcome = if self.is_dead() { MEMORY_FAILURE } else { self.carry_out(bytes, rng, out) };
        // Nor does an answer leave that tells of a change which may not last.
        let outcome = if self.is_dead() { MEMORY_FAILURE } else { outcome };
        if outcome.is_err() {
            out.clear();
        }
        outcome.unwrap_or_else(|status| status)
    }

    fn carry_out(&mut self, bytes: &[u8], rng: &mut dyn CryptoRng, out: &mut Vec<u8>) -> Outcome {
        // Whatever the command turns out to be, the challenge before it is used up.
        let challenge = self.session.challenge.take();
        let pending = self.session.pending.take();
        require(!self.memory().blocked, StatusWord::FUNCTION_NOT_SUPPORTED)?;
        let apdu = CommandApdu::decode(bytes).map_err(|error| error.status())?;
        require(apdu.form() == LengthForm::Short, StatusWord::WRONG_LENGTH)?;
        let command = Command { header: apdu.header(), data: apdu.expose_data(), le: apdu.le(), challenge };
        let instruction = command.header.instruction;
        let class = command.header.class;
        // What waits for its second command waits no longer if this is another one.
        let is_proprietary = class.byte() == 0x80;
        self.session.pending = pending.filter(|pending| is_proprietary && pending.awaits(instruction.byte()));
        let plain_class = class.without_proprietary_sm().unwrap_or(class).byte();
        require(matches!(plain_class, 0x00 | 0x80), StatusWord::CLASS_NOT_SUPPORTED)?;
        self.check_lock(instruction)?;
        if (plain_class, instruction) == (0x00, Instruction::GET_CHALLENGE) {
            expect_messaging(&command, Messaging::Plain)?;
            return self.get_challenge(&command, rng, out);
        }
        if (plain_class, instruction) == (0x80, INITIALIZE) && self.profile.kind() == CardKind::User {
            expect_messaging(&command, Messaging::Plain)?;
            return self.initialize(&command, rng, out);
        }
        let (messaging, handler) =
            handler(plain_class, instruction, &self.profile).ok_or(StatusWord::INSTRUCTION_NOT_SUPPORTED)?;
        expect_messaging(&command, messaging)?;
        handler(self, &command, out)
    }

    /// A blocked application lets go of its session and can be unblocked, nothing else.
    fn check_lock(&self, instruction: Instruction) -> Result<(), StatusWord> {
        match (instruction, self.memory().root.lock_along(self.session.path)) {
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

/// The answer of a card whose store has failed.
const MEMORY_FAILURE: Outcome = Err(StatusWord::MEMORY_FAILURE);
/// The other code of UPDATE BINARY.
const WRITE_BINARY: Instruction = instruction(0xD0);
/// INITIALIZE of a transaction.
const INITIALIZE: Instruction = instruction(0x50);

const fn instruction(byte: u8) -> Instruction {
    match Instruction::from_byte(byte) {
        Ok(instruction) => instruction,
        Err(_) => panic!("the constants above are instructions"),
    }
}

/// The commands of a card, by class without its secure messaging bit. GET CHALLENGE and INITIALIZE are not here: they need
/// randomness.
fn handler(class: u8, instruction: Instruction, profile: &CardProfile) -> Option<(Messaging, Handler)> {
    match class {
        0x00 => interindustry(instruction),
        _ if instruction.byte() == profile.system().write_key => match profile.kind() {
            CardKind::User => Some((Messaging::Either, Os::write_key)),
            CardKind::Sam | CardKind::KeyCard(_) => Some((Messaging::Either, Os::write_key_to_sam)),
        },
        _ => of_every_card(instruction).or_else(|| match profile.kind() {
            CardKind::User => of_user_card(instruction),
            CardKind::Sam => of_sam(instruction),
            CardKind::KeyCard(_) => of_key_card(instruction),
        }),
    }
}

fn interindustry(instruction: Instruction) -> Option<(Messaging, Handler)> {
    use Messaging::{Either, Plain};
    Some(match instruction {
        Instruction::SELECT => (Plain, Os::select),
        Instruction::EXTERNAL_AUTHENTICATE => (Plain, Os::external_authenticate),
        Instruction::INTERNAL_AUTHENTICATE => (Plain, Os::internal_authenticate),
        Instruction::VERIFY => (Plain, Os::verify_pin),
        Instruction::READ_BINARY => (Either, Os::read_binary),
        Instruction::UPDATE_BINARY | WRITE_BINARY => (Either, Os::update_binary),
        Instruction::READ_RECORD => (Either, Os::read_record),
        Instruction::UPDATE_RECORD => (Either, Os::update_record),
        Instruction::APPEND_RECORD => (Either, Os::append_record),
        _ => return None,
    })
}

fn of_every_card(instruction: Instruction) -> Option<(Messaging, Handler)> {
    use Messaging::{Plain, Protected};
    Some(match instruction.byte() {
        0xE0 => (Plain, Os::create_file),
        0x0E => (Plain, Os::erase_directory),
        0x16 => (Protected, Os::block_card),
        0x1E => (Protected, Os::block_application),
        0x18 => (Protected, Os::unblock_application),
        0x24 => (Protected, Os::unblock_pin),
        0x5E => (Plain, Os::renew_pin),
        _ => return None,
    })
}

fn of_user_card(instruction: Instruction) -> Option<(Messaging, Handler)> {
    let handler: Handler = match instruction.byte() {
        0x52 => Os::credit_load,
        0x54 => Os::debit,
        0x58 => Os::update_overdraft,
        0x5A => Os::prove_transaction,
        0x5C => Os::get_balance,
        0xDC => Os::cache_record,
        _ => return None,
    };
    Some((Messaging::Plain, handler))
}

fn of_sam(instruction: Instruction) -> Option<(Messaging, Handler)> {
    use Messaging::{Plain, Protected};
    Some(match instruction.byte() {
        0x1A => (Plain, Os::init_for_descrypt),
        0xFA => (Plain, Os::des_crypt),
        0x70 => (Plain, Os::init_sam_for_purchase),
        0x72 => (Plain, Os::credit_sam_for_purchase),
        0xC8 => (Protected, Os::import_key),
        _ => return None,
    })
}

fn of_key_card(instruction: Instruction) -> Option<(Messaging, Handler)> {
    use Messaging::{Plain, Protected};
    Some(match instruction.byte() {
        0xC6 => (Plain, Os::export_key),
        0xC8 => (Protected, Os::import_key),
        _ => return None,
    })
}
