//! The builders of `apdu` for files, names, locks and proofs against the card.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::commands::pboc::{
    Access, CreateEf, CreateWallet, Duration, EfKind, LineKeyIds, ReadProtection, Wallet, application_block,
    application_unblock, card_block, erase_df,
};
use apdu::commands::{
    DfName, FileId, Record, RecordAddress, Sfi, append_record, read_record, select_name, update_record,
};
use apdu::secure::pboc::{
    Challenge, LineKey, MasterKey, Protection, external_authenticate_two_step, protect,
};
use apdu::{CommandApdu, Le};
use cardroot_card::{AuthenticationForm, CardProfile, CardSystem, LifeCycle};
use common::{APP_MASTER, Answer, Desk, SERIAL, TRANSPORT, card_key, key_record};

const LINE: [u8; 16] = *b"line protection.";
const NAME: [u8; 9] = [0xA0, 0, 0, 0, 0x03, 0x86, 0x98, 0x07, 0x01];

impl Desk {
    fn transmit(&mut self, command: &CommandApdu) -> Answer {
        self.send_bytes(command.encode().expose_bytes())
    }

    /// Sends it under line protection.
    fn transmit_under(&mut self, command: &CommandApdu, protection: Protection, key: [u8; 16]) -> Answer {
        let challenge = Challenge::try_from(&self.challenge(4)[..]).unwrap();
        let key = LineKey::from_key(card_key(&key));
        self.transmit(&protect(command, protection, &key, challenge).unwrap().command)
    }
}

fn with_line_key() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x00, &key_record(0x36, &LINE), &APP_MASTER).ok();
    desk
}

fn records(id: u16, kind: EfKind, protection: Option<Protection>) -> CreateEf {
    CreateEf {
        id: FileId(id),
        kind,
        read: Access::ALWAYS,
        write: Access::ALWAYS,
        protection,
        read_protection: ReadProtection::Free,
        line_keys: LineKeyIds::ZERO,
    }
}

const fn number(file: Option<Sfi>, number: u8) -> RecordAddress {
    RecordAddress { file, record: Record::Number(number) }
}

#[test]
fn a_directory_is_selected_by_its_name() {
    let mut desk = Desk::user().with_application();
    desk.ok("00A40000023F00");
    let name = DfName::try_from(&NAME[..]).unwrap();
    let answer = desk.transmit(&select_name(&name)).ok();
    assert_eq!(answer[2..4], [0x84, 9]);
    assert_eq!(answer[4..13], NAME);
    desk.transmit(&select_name(&DfName::try_from(&NAME[..8]).unwrap())).refused(0x6A82);
}

#[test]
fn records_are_appended_updated_and_read() {
    for protection in [None, Some(Protection::Mac), Some(Protection::CipherAndMac)] {
        let mut desk = with_line_key();
        let send = |desk: &mut Desk, command: &CommandApdu| match protection {
            None => desk.transmit(command),
            Some(protection) => desk.transmit_under(command, protection, LINE),
        };
        let kind = EfKind::FixedRecords { count: 2, len: 4 };
        desk.transmit(&records(0x0019, kind, protection).command()).ok();
        let sfi = Sfi::new(0x19);
        for record in [[1, 2, 3, 4], [5, 6, 7, 8]] {
            send(&mut desk, &append_record(sfi, &record).unwrap()).ok();
        }
        send(&mut desk, &append_record(sfi, &[9; 4]).unwrap()).refused(0x6A84);
        send(&mut desk, &update_record(number(sfi, 2), &[0x22; 4]).unwrap()).ok();
        for (place, content) in [(1, [1, 2, 3, 4]), (2, [0x22; 4])] {
            let read = read_record(number(sfi, place), Le::new(4).unwrap());
            assert_eq!(desk.transmit(&read).ok(), content, "{protection:?}");
        }
        desk.transmit(&read_record(number(sfi, 3), Le::MAX_SHORT)).refused(0x6A83);
    }
}

#[test]
fn a_directory_is_erased_with_all_that_is_in_it() {
    let mut desk = with_line_key();
    let log = EfKind::Cyclic { count: 10, len: 23 };
    desk.transmit(&records(0x0018, log, None).command()).ok();
    let account = |wallet| CreateWallet { wallet, usage: Access::ALWAYS, log: Sfi::new(0x18).unwrap() };
    for wallet in [Wallet::Deposit, Wallet::Purse] {
        desk.transmit(&account(wallet).command()).ok();
        desk.transmit(&account(wallet).command()).refused(0x6A86);
        assert_eq!(desk.ok(&format!("00A4000002{:04X}", wallet.file().0)), []);
    }
    desk.transmit(&erase_df()).ok();
    desk.refused(0x6A82, "00A40000020002");
}

#[test]
fn applications_and_cards_are_blocked_under_the_line_key() {
    let mut desk = with_line_key();
    let send = |desk: &mut Desk, command: &CommandApdu| desk.transmit_under(command, Protection::Mac, LINE);
    send(&mut desk, &application_block(Duration::Temporary)).ok();
    assert_eq!(desk.send("00A40000023F01").status, 0x6283);
    send(&mut desk, &application_unblock()).ok();
    desk.ok("00A40000023F01");
    send(&mut desk, &application_block(Duration::Permanent)).ok();
    desk.refused(0x9303, "00A40000023F01");

    let mut desk = with_line_key();
    desk.transmit_under(&card_block(), Protection::Mac, APP_MASTER).refused(0x6988);
    send(&mut desk, &card_block()).ok();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Blocked);
}

#[test]
fn host_and_card_agree_about_the_proof_in_two_steps() {
    let system = CardSystem::FMCOS_2.with_authentication(AuthenticationForm::TwoStep);
    let mut desk = Desk::new(CardProfile::user(SERIAL).with_system(system), &TRANSPORT);
    for (key, status) in [(APP_MASTER, 0x63C2), (TRANSPORT, 0x9000)] {
        let challenge = Challenge::try_from(&desk.challenge(8)[..]).unwrap();
        let key = MasterKey::from_key(card_key(&key));
        let proof = external_authenticate_two_step(0x00, &key, *b"of host.", challenge);
        assert_eq!(desk.transmit(&proof).status, status);
    }
}
