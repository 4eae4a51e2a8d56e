//! A card of the Tianyu family under SM4 keys.

use apdu::CommandApdu;
use apdu::secure::pboc::{
    Challenge, LongChallenge, MasterKey, Protection, Sm4LineKey, Sm4MasterKey, external_authenticate_folded,
    protect,
};
use cardroot_card::{AuthenticationForm, CardProfile, CardSystem};
use diversify::block::Sm4Key;

use super::{Answer, Desk, SERIAL, TRANSPORT, card_key, hex_of};

/// `id version 04 type use follow change errors key`
pub fn sm4_record(id: u8, key_type: u8, key: &[u8]) -> Vec<u8> {
    [&[id, 0x01, 0x04, key_type, 0xF0, 0x0A, 0xF0, 0x33][..], key].concat()
}

/// A card whose transport key, a TDEA key, gave way to the SM4 master `master`.
pub fn sm4_card(master: &[u8]) -> Desk {
    let system = CardSystem::TIANYU.with_authentication(AuthenticationForm::Folded);
    let mut desk = Desk::new(CardProfile::user(SERIAL).with_system(system), &TRANSPORT);
    let drawn = LongChallenge(desk.challenge(16).try_into().unwrap());
    let transport = MasterKey::from_key(card_key(&TRANSPORT));
    let proof = external_authenticate_folded(0x00, &transport, drawn);
    desk.send_bytes(proof.encode().expose_bytes()).ok();
    let record = sm4_record(0x00, 0x08, master);
    let command = format!("80D40000{:02X}{}", record.len(), hex_of(&record));
    desk.send_protected(&command, Protection::CipherAndMac, &TRANSPORT).ok();
    desk
}

pub fn sm4_key(bytes: &[u8]) -> Sm4Key {
    Sm4Key::try_from(bytes).unwrap()
}

impl Desk {
    pub fn try_authenticate_sm4(&mut self, id: u8, key: &[u8]) -> Answer {
        let drawn = LongChallenge(self.challenge(16).try_into().unwrap());
        let proof = Sm4MasterKey::from_key(sm4_key(key)).external_authenticate_folded(id, drawn);
        self.send_bytes(proof.encode().expose_bytes())
    }

    pub fn authenticate_sm4(&mut self, id: u8, key: &[u8]) {
        self.try_authenticate_sm4(id, key).ok();
    }

    /// WRITE KEY with a header under an SM4 master.
    pub fn write_with_header(&mut self, record: &[u8], master: &[u8]) -> Answer {
        let command = format!("80D40000{:02X}{}", record.len(), hex_of(record));
        self.send_under_sm4(&command, Protection::CipherAndMac, master)
    }

    /// Sends a protected command over a fresh challenge, and opens the reply to a read.
    pub fn send_under_sm4(&mut self, command: &str, protection: Protection, key: &[u8]) -> Answer {
        let command = CommandApdu::decode(&super::hex(command)).unwrap();
        let challenge = Challenge::try_from(&self.challenge(4)[..]).unwrap();
        let key = Sm4LineKey::from_key(sm4_key(key));
        let protected = protect(&command, protection, &key, challenge).unwrap();
        let answer = self.send_bytes(protected.command.encode().expose_bytes());
        if answer.data.is_empty() {
            return answer;
        }
        let response = apdu::ResponseApdu::new(&answer.data, apdu::StatusWord::OK).unwrap();
        let opened = protected.reply.open(response).unwrap();
        Answer { data: opened.data().to_vec(), ..answer }
    }
}
