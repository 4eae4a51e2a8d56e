//! The commands that open sessions, and the table of the others.

use apdu::secure::gp::DataKey;
use apdu::{CommandApdu, Instruction, StatusWord};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::channel::{Channel, Initialised};
use super::domain::{Answer, Authority, SecurityDomain};
use super::objects;
use crate::status::require;

impl<R: CryptoRng> SecurityDomain<R> {
    /// SELECT by name. Of a session nothing is left, unless the name is another's.
    pub(super) fn select(&mut self, command: &CommandApdu) -> Answer {
        let header = command.header();
        require(header.class.byte() == 0x00, StatusWord::CLASS_NOT_SUPPORTED)?;
        require((header.p1, header.p2) == (0x04, 0x00), StatusWord::WRONG_P1_P2)?;
        require(self.profile.name.is_meant_by(command.expose_data()), StatusWord::FILE_NOT_FOUND)?;
        self.reset();
        fitting(command, objects::control_information(&self.profile))
    }

    /// INITIALIZE UPDATE. A session that was open is gone. In protocol 03 the counter moves before the answer is made of it.
    pub(super) fn initialize_update(&mut self, command: &CommandApdu) -> Answer {
        self.reset();
        let header = command.header();
        require(header.class.byte() == 0x80, StatusWord::CLASS_NOT_SUPPORTED)?;
        require(header.p2 == 0x00, StatusWord::WRONG_P1_P2)?;
        let challenge = command.expose_data().try_into().map_err(|_| StatusWord::WRONG_LENGTH)?;
        require(self.tries_left() > 0, StatusWord::AUTHENTICATION_BLOCKED)?;
        let set = self.memory.get().keys.find(header.p1)?;
        let (version, sequence) = (set.version.number(), set.sequence()?);
        if set.keys.count_when_begun() {
            self.memory.try_commit(|memory| memory.keys.advance(version))?;
        }
        let set = self.memory.get().keys.find(version)?;
        let (answer, initialised) =
            Initialised::answer(challenge, &self.profile, set, sequence, &mut self.rng);
        self.channel = Channel::Initialised(version, initialised);
        Ok(answer)
    }

    /// EXTERNAL AUTHENTICATE. A try is spent before the check and given back by success; with it, and before the success is
    /// told, the counter of protocol 02 moves.
    pub(super) fn external_authenticate(&mut self, command: &CommandApdu) -> Answer {
        let Channel::Initialised(version, initialised) = core::mem::take(&mut self.channel) else {
            return Err(StatusWord::CONDITIONS_OF_USE);
        };
        let header = command.header();
        require(initialised.has_level(header.p1) && header.p2 == 0x00, StatusWord::WRONG_P1_P2)?;
        self.memory.try_commit(|memory| memory.spend_try(&self.profile))?;
        let open = initialised.authenticate(command).map_err(|_| StatusWord::NO_INFORMATION_CHANGED)?;
        self.memory.try_commit(|memory| {
            if !memory.keys.find(version)?.keys.count_when_begun() {
                memory.keys.advance(version)?;
            }
            memory.restore_tries();
            Ok(())
        })?;
        self.channel = open;
        Ok(Zeroizing::default())
    }

    /// Carries out a command that is not about sessions.
    pub(super) fn carry_out(
        &mut self,
        command: &CommandApdu,
        authority: Authority,
        data_key: Option<&DataKey>,
    ) -> Answer {
        let header = command.header();
        let tag = u16::from_be_bytes([header.p1, header.p2]);
        match (header.instruction, data_key) {
            (Instruction::GET_DATA, _) => {
                require(command.expose_data().is_empty(), StatusWord::WRONG_LENGTH)?;
                fitting(command, objects::data_object(tag, &self.profile, &self.memory.get().keys)?)
            }
            (Instruction::GET_STATUS, Some(_)) => {
                fitting(command, objects::status(header.p1, header.p2, command.expose_data(), &self.profile)?)
            }
            (Instruction::PUT_KEY, Some(key)) if authority == Authority::Verified => {
                self.put_key(header.p1, header.p2, command.expose_data(), key)
            }
            (Instruction::STORE_DATA, Some(key)) if authority == Authority::Verified => {
                self.store_data(header.p1, header.p2, command.expose_data(), key)
            }
            (
                Instruction::GET_STATUS
                | Instruction::PUT_KEY
                | Instruction::STORE_DATA
                | Instruction::EXTERNAL_AUTHENTICATE,
                _,
            ) => Err(StatusWord::SECURITY_STATUS),
            _ => Err(StatusWord::INSTRUCTION_NOT_SUPPORTED),
        }
    }
}

/// Demands that Le, if there is one, does not cut the answer.
fn fitting(command: &CommandApdu, answer: Vec<u8>) -> Answer {
    let len = u8::try_from(answer.len()).expect("the answers of a domain are shorter than 256 bytes");
    match command.le() {
        Some(le) if le.bytes() < u32::from(len) => Err(StatusWord::wrong_le(len)),
        _ => Ok(Zeroizing::new(answer)),
    }
}
