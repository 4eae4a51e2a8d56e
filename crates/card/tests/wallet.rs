//! The wallet: every transaction against the arithmetic of its host or terminal, and the ways to cheat it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_card::{CardSystem, LogSequence};
use common::wallet::{
    LOAD, MOMENT, OVERDRAFT, PURCHASE, TAC, TERMINAL, UNLOAD, folded_mac, keys, mac, process_key, wallet,
    wallet_key, wallet_with,
};
use common::{Desk, hex, hex_of};

/// A wallet with 1000 in the purse, its PIN shown.
fn loaded() -> Desk {
    let mut desk = wallet();
    desk.verify_pin();
    desk.load_account(0x02, 1000);
    desk
}

const INIT_PURCHASE: &str = "805001020B 01 00000064 001122334455 0F";

#[test]
fn loads_and_purchases_move_balance_counters_and_log() {
    let mut desk = loaded();
    desk.load_account(0x02, 500);
    assert_eq!(desk.balance(0x02), 1500);
    desk.pay(0x01, 0x02, 0x06, 300, 7);
    desk.pay(0x01, 0x02, 0x06, 1200, 8);
    assert_eq!(desk.balance(0x02), 0);
    // The newest record is number 1. Loads count online, purchases offline.
    let log = |number, record: &str| (number, record.to_owned() + TERMINAL + MOMENT);
    for (number, record) in [
        log(1, "0001 000000 000004B0 06"),
        log(2, "0000 000000 0000012C 06"),
        log(3, "0001 000000 000001F4 02"),
        log(4, "0000 000000 000003E8 02"),
    ] {
        assert_eq!(desk.ok(&format!("00B2{number:02X}C417")), hex(&record));
    }
    desk.refused(0x6A83, "00B205C417");
}

#[test]
fn the_log_keeps_the_last_ten() {
    let mut desk = loaded();
    (0..12).for_each(|sequence| drop(desk.pay(0x01, 0x02, 0x06, 1, sequence)));
    assert_eq!(desk.ok("00B201C417")[..2], [0, 11]);
    assert_eq!(desk.ok("00B20AC417")[..2], [0, 2]);
    desk.refused(0x6A83, "00B20BC417");
}

#[test]
fn the_number_in_the_log_is_the_profiles_choice() {
    for (choice, first) in [(LogSequence::BeforeIncrement, 0), (LogSequence::AfterIncrement, 1)] {
        let mut desk = wallet_with(CardSystem::FMCOS_2.with_log_sequence(choice), &keys());
        desk.verify_pin();
        desk.load_account(0x02, 10);
        assert_eq!(desk.ok("00B201C417")[..2], [0, first]);
    }
}

#[test]
fn an_unload_is_answered_with_mac3_of_the_process_key() {
    let mut desk = wallet();
    desk.verify_pin();
    desk.load_account(0x01, 0x50);
    let init = desk.initialize(0x05, 0x01, "00000020", &UNLOAD);
    assert_eq!(init.mac1, mac(&init.key, &format!("0000005000000020 03 {TERMINAL}")));
    let mac2 = mac(&init.key, &format!("00000020 03 {TERMINAL}{MOMENT}"));
    let mac3 = hex_of(&desk.ok(&format!("805403000B {MOMENT} {mac2} 04")));
    assert_eq!(mac3, mac(&init.key, &format!("00000030 0001 00000020 03 {TERMINAL}{MOMENT}")));
    assert_eq!(desk.balance(0x01), 0x30);
    assert_eq!(desk.ok("805A000302 0001 08"), hex(&format!("{mac3}00000000")));
}

#[test]
fn cash_and_purchases_of_the_deposit_have_their_types_and_need_the_pin() {
    let mut desk = wallet();
    desk.verify_pin();
    desk.load_account(0x01, 100);
    desk.pay(0x02, 0x01, 0x04, 30, 1);
    desk.pay(0x01, 0x01, 0x05, 30, 2);
    assert_eq!(desk.balance(0x01), 40);
    desk.card.reset();
    desk.ok("00A40000023F01");
    for init in ["805002010B", "805001010B", "805000010B", "805000020B", "805005010B"] {
        desk.refused(0x6982, &format!("{init} 01 00000001 {TERMINAL}"));
    }
    desk.refused(0x6982, &format!("8050040107 01 {TERMINAL}"));
    desk.refused(0x6982, "805C000104");
    // The purse is read and pays without it.
    assert_eq!(desk.balance(0x02), 0);
}

#[test]
fn an_overdraft_limit_is_part_of_the_balance() {
    let mut desk = wallet();
    desk.verify_pin();
    desk.load_account(0x01, 0x100);
    let set_limit = |desk: &mut Desk, limit: &str, status: u16| {
        let init = desk.ok(&format!("8050040107 01 {TERMINAL} 13"));
        let (balance, old) = (hex_of(&init[..4]), hex_of(&init[6..9]));
        let key = process_key(&OVERDRAFT, &init[11..15], &init[4..6], &[0x80, 0x00]);
        assert_eq!(hex_of(&init[15..]), mac(&key, &format!("{balance}{old}07{TERMINAL}")));
        let mac2 = mac(&key, &format!("{limit}07{TERMINAL}{MOMENT}"));
        let answer = desk.send(&format!("805800000E {limit}{MOMENT}{mac2} 04"));
        assert_eq!(answer.status, status);
        (hex_of(&init[4..6]), hex_of(&answer.data))
    };
    let (sequence, tac) = set_limit(&mut desk, "000200", 0x9000);
    assert_eq!(desk.balance(0x01), 0x300);
    assert_eq!(tac, folded_mac(&TAC, &format!("00000300{sequence}000200 07 {TERMINAL}{MOMENT}")));
    assert_eq!(desk.ok("00B201C417"), hex(&format!("{sequence} 000200 00000000 07 {TERMINAL}{MOMENT}")));
    desk.pay(0x01, 0x01, 0x05, 0x280, 1);
    assert_eq!(desk.balance(0x01), 0x80);
    // 180 are overdrawn: the limit can come down to that.
    set_limit(&mut desk, "00017F", 0x9401);
    assert_eq!(desk.balance(0x01), 0x80);
    set_limit(&mut desk, "000180", 0x9000);
    assert_eq!(desk.balance(0x01), 0);
    // With a limit, a full deposit would be more than it can say: too much money, not too little.
    let mut full = wallet();
    full.verify_pin();
    full.load_account(0x01, u32::MAX);
    set_limit(&mut full, "000001", 0x6985);
    assert_eq!(full.balance(0x01), u32::MAX);
}

#[test]
fn a_compound_purchase_writes_its_records_with_the_debit() {
    let mut desk = loaded();
    let init = desk.ok(&format!("805003020B 01 0000000A {TERMINAL} 0F"));
    desk.ok("80DC01CC08 1111111111111111");
    desk.ok("80DC02CC08 2222222222222222");
    desk.ok("80DC01CC08 3333333333333333");
    let (_, debit) = Desk::debit_command(&init, 10, 0x09, 5);
    desk.ok(&debit);
    assert_eq!(desk.ok("00B201CC08"), [0x33; 8]);
    assert_eq!(desk.ok("00B202CC08"), [0x22; 8]);
    assert_eq!(desk.balance(0x02), 990);
    assert_eq!(desk.ok("00B201C417")[9], 0x09);
}

#[test]
fn a_compound_purchase_that_ends_early_writes_nothing() {
    let cached = || {
        let mut desk = loaded();
        let init = desk.ok(&format!("805003020B 01 0000000A {TERMINAL} 0F"));
        desk.ok("80DC01CC08 1111111111111111");
        let (_, debit) = Desk::debit_command(&init, 10, 0x09, 5);
        (desk, debit)
    };
    for interruption in ["80DC01CC07 11111111111111", "80DC05CC08 1111111111111111", "805C000204"] {
        let (mut desk, debit) = cached();
        desk.send(interruption);
        desk.refused(0x6901, &debit);
        assert_eq!(desk.ok("00B201CC08"), hex("0000000000000001"));
        assert_eq!(desk.balance(0x02), 1000);
    }
    let (mut desk, debit) = cached();
    desk.refused(0x9302, &debit.replacen("00000005", "00000006", 1));
    assert_eq!(desk.ok("00B201CC08"), hex("0000000000000001"));
    // There is no cache outside of a compound purchase.
    desk.refused(0x6901, "80DC01CC08 1111111111111111");
    desk.ok(INIT_PURCHASE);
    desk.refused(0x6901, "80DC01CC08 1111111111111111");
    // The log and the accounts are no files for it.
    for (command, status) in [("80DC00C317", 0x6982), ("80DC010C17", 0x6981), ("80DC01F417", 0x6A82)] {
        desk.ok(&format!("805003020B 01 0000000A {TERMINAL}"));
        desk.refused(status, &format!("{command}{}", "00".repeat(23)));
    }
}

#[test]
fn initialize_refuses_by_reason() {
    let mut desk = loaded();
    for (status, command) in [
        (0x6A86, "805006020B 01 00000001 001122334455"),
        (0x6A86, "805000030B 01 00000001 001122334455"),
        (0x6A86, "805002020B 01 00000001 001122334455"),
        (0x6A86, "805003010B 01 00000001 001122334455"),
        (0x6A86, "805005020B 01 00000001 001122334455"),
        (0x6A86, "8050040207 01 001122334455"),
        (0x6700, "805001020A 01 00000001 0011223344"),
        (0x6700, "805001020C 01 00000001 00112233445566"),
        (0x6700, "8050040108 01 00112233445566"),
        (0x6700, "80500102"),
        (0x9403, "805001020B 02 00000001 001122334455"),
        (0x9401, "805001020B 01 000003E9 001122334455"),
        (0x6985, "805000020B 01 FFFFFFFF 001122334455"),
        (0x6C0F, "805001020B 01 00000001 001122334455 0E"),
        (0x6C10, "805000020B 01 00000001 001122334455 0F"),
        (0x6882, "845001020B 01 00000001 001122334455"),
        (0x6D00, "005001020B 01 00000001 001122334455"),
    ] {
        desk.refused(status, command);
    }
    // The whole balance can be spent, and the whole rest loaded.
    desk.ok("805001020B 01 000003E8 001122334455");
    desk.ok("805000020B 01 FFFFFC17 001122334455");
}

#[test]
fn a_transaction_key_of_an_unknown_algorithm_starts_nothing() {
    let init = "805000020B 01 00000001 001122334455";
    for (algorithm, status) in
        [(0x00, 0x9000), (0x01, 0x9000), (0x02, 0x6985), (0x03, 0x6985), (0xFF, 0x6985)]
    {
        let keys =
            [(0x01, wallet_key(0x3F, 0x01, algorithm, &LOAD)), (0x00, wallet_key(0x34, 0x01, 0x00, &TAC))];
        let mut desk = wallet_with(CardSystem::FMCOS_2, &keys);
        desk.verify_pin();
        assert_eq!(desk.send(init).status, status, "{algorithm:02X}");
    }
}

#[test]
fn without_account_log_or_tac_key_nothing_starts() {
    let mut desk = Desk::user().with_application();
    let init = "805001020B 01 00000000 001122334455";
    desk.refused(0x6A82, init);
    desk.refused(0x6A82, "805C000204");
    desk.ok("80E0000207 2F 0208 F0 00 FF 18");
    desk.refused(0x9403, init);
    desk.write_key(0x01, 0x01, &common::key_record(0x3E, &PURCHASE), &common::APP_MASTER).ok();
    desk.refused(0x6A88, init);
    desk.write_key(0x01, 0x00, &common::key_record(0x34, &TAC), &common::APP_MASTER).ok();
    desk.refused(0x6985, init);
    desk.ok("80E0001807 2E 0A16 F0 EF FF FF");
    desk.refused(0x6985, init);
    // An account is no file to be read or written, and is there once.
    desk.refused(0x6981, "00B0820004");
    desk.refused(0x6981, "00D6820004 7FFFFFFF");
    desk.refused(0x6981, "00B2011404");
    desk.refused(0x6A86, "80E0000207 2F 0208 F0 00 FF 18");
}

#[test]
fn access_conditions_of_account_and_key_hold() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0001807 2E 0A17 F0 EF FF FF");
    desk.ok("80E0000207 2F 0208 A5 00 FF 18");
    desk.write_key(0x01, 0x00, &common::key_record(0x34, &TAC), &common::APP_MASTER).ok();
    let record = [&hex("3E A7 F0 01 00")[..], &PURCHASE].concat();
    desk.write_key(0x01, 0x01, &record, &common::APP_MASTER).ok();
    for level in [5, 7] {
        let record = [&[0x39, 0xF0, 0xF0, level, 0x33][..], &LOAD].concat();
        desk.write_key(0x01, level, &record, &common::APP_MASTER).ok();
    }
    desk.ok("00A40000023F01");
    desk.refused(0x6982, "805C000204");
    desk.authenticate(0x05, &LOAD);
    assert_eq!(desk.balance(0x02), 0);
    desk.refused(0x6982, "805001020B 01 00000000 001122334455");
    desk.authenticate(0x07, &LOAD);
    desk.ok("805001020B 01 00000000 001122334455");
}

/// Attacks that the reports about cards of this kind name.
mod attacks {
    use super::*;

    #[test]
    fn a_second_command_without_initialize_is_6901() {
        let mut desk = loaded();
        for command in [
            "805200000B 20161216105800 00000000",
            "805401000F 00000000 20161216105800 00000000",
            "805403000B 20161216105800 00000000",
            "805800000E 000000 20161216105800 00000000",
        ] {
            desk.refused(0x6901, command);
        }
    }

    #[test]
    fn any_command_in_between_ends_the_transaction() {
        for interruption in
            ["805C000204", "0084000004", "00A40000023F01", "00", "", "FFFFFFFF", "805A000602 0000"]
        {
            let mut desk = loaded();
            let init = desk.ok(INIT_PURCHASE);
            let (_, debit) = Desk::debit_command(&init, 100, 0x06, 1);
            desk.send(interruption);
            desk.refused(0x6901, &debit);
            assert_eq!(desk.balance(0x02), 1000);
        }
        let mut desk = loaded();
        let init = desk.ok(INIT_PURCHASE);
        let (_, debit) = Desk::debit_command(&init, 100, 0x06, 1);
        desk.card.reset();
        desk.ok("00A40000023F01");
        desk.refused(0x6901, &debit);
    }

    #[test]
    fn the_second_command_is_of_its_own_transaction() {
        let mut desk = loaded();
        desk.ok(INIT_PURCHASE);
        desk.refused(0x6901, "805200000B 20161216105800 00000000");
        let init = desk.initialize(0x00, 0x02, "00000064", &LOAD);
        let mac2 = mac(&init.key, &format!("0000006402{TERMINAL}{MOMENT}"));
        desk.refused(0x6901, &format!("805401000F 00000000 {MOMENT} {mac2}"));
        desk.refused(0x6901, &format!("805200000B {MOMENT} {mac2}"));
    }

    #[test]
    fn a_wrong_mac_ends_the_transaction_and_moves_nothing() {
        let mut desk = loaded();
        let init = desk.initialize(0x00, 0x02, "00000064", &LOAD);
        let mac2 = mac(&init.key, &format!("0000006402{TERMINAL}{MOMENT}"));
        for bit in 0..32 {
            let init = desk.initialize(0x00, 0x02, "00000064", &LOAD);
            let mac2 = mac(&init.key, &format!("0000006402{TERMINAL}{MOMENT}"));
            let wrong = u32::from_str_radix(&mac2, 16).unwrap() ^ (1 << bit);
            desk.refused(0x9302, &format!("805200000B {MOMENT} {wrong:08X}"));
            desk.refused(0x6901, &format!("805200000B {MOMENT} {mac2}"));
        }
        desk.refused(0x6901, &format!("805200000B {MOMENT} {mac2}"));
        assert_eq!(desk.balance(0x02), 1000);
        assert_eq!(desk.initialize(0x00, 0x02, "00000064", &LOAD).sequence, "0001");
        // A terminal that has no SAM has no MAC1 either.
        desk.ok(INIT_PURCHASE);
        desk.refused(0x9302, &format!("805401000F 00000001 {MOMENT} 00000000"));
        assert_eq!(desk.balance(0x02), 1000);
    }

    #[test]
    fn a_mac2_is_worth_nothing_twice_even_if_the_random_number_comes_again() {
        let mut desk = wallet();
        desk.verify_pin();
        desk.lay_ready("01020304");
        let init = desk.initialize(0x00, 0x02, "00000064", &LOAD);
        let credit =
            format!("805200000B {MOMENT} {}", mac(&init.key, &format!("0000006402{TERMINAL}{MOMENT}")));
        desk.ok(&credit);
        desk.refused(0x6901, &credit);
        desk.lay_ready("01020304");
        desk.initialize(0x00, 0x02, "00000064", &LOAD);
        desk.refused(0x9302, &credit);
        assert_eq!(desk.balance(0x02), 100);
    }

    #[test]
    fn a_process_key_is_of_one_initialize() {
        let mut desk = loaded();
        let first = desk.ok(INIT_PURCHASE);
        let (_, old) = Desk::debit_command(&first, 100, 0x06, 1);
        desk.ok(INIT_PURCHASE);
        desk.refused(0x9302, &old);
        assert_eq!(desk.balance(0x02), 1000);
    }

    #[test]
    fn amount_type_terminal_and_time_are_under_the_mac() {
        let mut desk = loaded();
        for changed in [
            "00000065 06 001122334455 20161216105800",
            "00000064 09 001122334455 20161216105800",
            "00000064 06 001122334456 20161216105800",
            "00000064 06 001122334455 20161216105801",
        ] {
            let init = desk.ok(INIT_PURCHASE);
            let key = process_key(&PURCHASE, &init[11..15], &init[4..6], &[0, 1]);
            desk.refused(0x9302, &format!("805401000F 00000001 {MOMENT} {}", mac(&key, changed)));
        }
    }

    #[test]
    fn a_lost_answer_is_proven_after_the_tear() {
        let mut desk = loaded();
        let answer = desk.pay(0x01, 0x02, 0x06, 100, 1);
        let (tac, mac2) = answer.split_at(8);
        desk.card.reset();
        desk.ok("00A40000023F01");
        assert_eq!(desk.ok("805A000602 0000 08"), hex(&format!("{mac2}{tac}")));
        // Of the last transaction alone: its type, its number.
        desk.refused(0x9406, "805A000602 0001 08");
        desk.refused(0x9406, "805A000902 0000 08");
        desk.refused(0x9406, "805A000502 0000 08");
        desk.refused(0x6A86, "805A000802 0000 08");
        desk.refused(0x6700, "805A000601 00 08");
        desk.refused(0x6C08, "805A000602 0000 07");
        // A transaction that did not come about leaves the proof.
        desk.ok(INIT_PURCHASE);
        desk.refused(0x9302, &format!("805401000F 00000001 {MOMENT} 00000000"));
        assert_eq!(desk.ok("805A000602 0000 08"), hex(&format!("{mac2}{tac}")));
        desk.verify_pin();
        desk.load_account(0x02, 1);
        desk.refused(0x9406, "805A000602 0000 08");
        assert_eq!(desk.ok("805A000202 0001 08")[..4], [0; 4]);
    }

    #[test]
    fn a_refused_length_costs_nothing_but_the_transaction() {
        let mut desk = loaded();
        let init = desk.ok(INIT_PURCHASE);
        let (_, debit) = Desk::debit_command(&init, 100, 0x06, 1);
        desk.refused(0x6C08, &format!("{}07", debit.strip_suffix("08").unwrap()));
        assert_eq!(desk.balance(0x02), 1000);
    }

    // cargo test -p cardroot-card --release --test wallet -- --ignored
    #[test]
    #[ignore = "65,535 purchases: a second in release"]
    fn a_purse_ends_after_its_last_transaction() {
        let mut desk = loaded();
        for number in 0..u32::from(u16::MAX) {
            desk.pay(0x01, 0x02, 0x06, 0, number);
            desk.seen.clear();
        }
        desk.refused(0x9402, INIT_PURCHASE);
        desk.verify_pin();
        desk.load_account(0x02, 1);
    }
}

#[test]
fn the_key_of_the_tac_has_its_access_rule_too() {
    let mut keys = keys();
    for (_, record) in &mut keys {
        if record[0] == 0x34 {
            record[1] = 0xF1;
        }
    }
    let mut desk = wallet_with(CardSystem::FMCOS_2, &keys);
    // Level 1 is that of the PIN.
    desk.refused(0x6982, "805001020B 01 00000000 001122334455 0F");
    desk.verify_pin();
    desk.load_account(0x02, 10);
    desk.pay(0x01, 0x02, 0x06, 10, 1);
}
