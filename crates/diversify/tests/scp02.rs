//! Session keys of secure channel protocol 02 in recorded sessions.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::gp::scp02::{Challenges, SessionKeys};
use cardroot_diversify::gp::{CardCryptogram, CardKeys, HostCryptogram, Kdek, Kenc, Kmac, Kmc, Template};
use cardroot_diversify::{CodeMismatch, TripleLengthKey};
use common::{Row, hex, key, rows, session_input};
use tdea::hazmat::DesKey;
use tdea::{MacPadding, Mode, Padding, RetailMac};

const VECTORS: &str = include_str!("data/scp02.csv");

struct Session {
    keys: SessionKeys,
    challenges: Challenges,
}

/// The session of a row, from the row of its inputs.
fn session(rows: &[Row], name: &str) -> Session {
    let inputs = rows.iter().find(|row| row.text("session") == name && row.text("step") == "inputs").unwrap();
    let input = |name| session_input(inputs.text("input"), name);
    let card_keys = CardKeys {
        enc: Kenc::from_key(key(input("ENC"))),
        mac: Kmac::from_key(key(input("MAC"))),
        dek: Kdek::from_key(key(input("DEK"))),
    };
    // data(10) version(1) protocol(1) sequence(2) challenge(6) cryptogram(8)
    let answer = hex(input("init_update_resp"));
    let sequence = u16::from_be_bytes([answer[12], answer[13]]);
    let host = hex(input("host_challenge")).try_into().unwrap();
    let challenges = Challenges { host, sequence, card: answer[14..20].try_into().unwrap() };
    Session { keys: card_keys.scp02_session(sequence).unwrap(), challenges }
}

#[test]
fn session_keys_and_cryptograms_agree_with_recorded_sessions() {
    let rows = rows(VECTORS);
    let (mut keys, mut cryptograms, mut external) = (0, 0, 0);
    for row in
        rows.iter().filter(|row| ["pysim", "gpshell-mac", "gpshell-enc"].contains(&row.text("session")))
    {
        let Session { keys: session, challenges } = session(&rows, row.text("session"));
        let id = row.text("id");
        match row.text("step") {
            "S-ENC" => assert!(session.enc.expose_key().ct_eq(&row.key("result")), "{id}"),
            "S-MAC" => assert!(session.mac.expose_key().ct_eq(&row.key("result")), "{id}"),
            "S-DEK" => assert!(session.dek.expose_key().ct_eq(&row.key("result")), "{id}"),
            "card cryptogram" => {
                let received = CardCryptogram::from(row.array("result"));
                assert_eq!(session.enc.card_cryptogram(&challenges).verify(&received), Ok(()), "{id}");
            }
            "host cryptogram" => {
                let received = HostCryptogram::from(row.array("result"));
                assert_eq!(session.enc.host_cryptogram(&challenges).verify(&received), Ok(()), "{id}");
            }
            "EXTERNAL AUTHENTICATE" => {
                let (command, mac) = (row.bytes("result"), session.mac.expose_key());
                let (command, sent) = command.split_at(command.len() - 8);
                assert_eq!(command[5..], session.enc.host_cryptogram(&challenges).as_bytes()[..], "{id}");
                let computed = RetailMac::compute(mac, Padding::OneAndZeros, command).unwrap();
                assert_eq!(computed.verify(sent), Ok(()), "{id}");
            }
            _ => continue,
        }
        match row.text("step") {
            "EXTERNAL AUTHENTICATE" => external += 1,
            step if step.ends_with("cryptogram") => cryptograms += 1,
            _ => keys += 1,
        }
    }
    println!("{keys} keys, {cryptograms} cryptograms, {external} commands");
    assert_eq!((keys, cryptograms, external), (9, 6, 3));
}

#[test]
fn a_session_printed_by_another_source_agrees() {
    let rows = rows(VECTORS);
    let row = |id: &str| rows.iter().find(|row| row.text("id") == id).unwrap();
    let enc = Kenc::from_key(key("00112233445566778899AABBCCDDEEFF")).scp02_session_key(0).unwrap();
    assert!(enc.expose_key().ct_eq(&row("SCP02-29").key("result")));
    let host = hex("1234567891234567").try_into().unwrap();
    let challenges = Challenges { host, sequence: 0, card: hex("B17EECA5CEB9").try_into().unwrap() };
    assert_eq!(enc.card_cryptogram(&challenges).as_bytes()[..], row("SCP02-30").bytes("result"));
}

/// The previous MAC in front of the message, as CPS has it, or encrypted as the chaining value, as GlobalPlatform does.
#[test]
fn both_chainings_of_command_macs_are_the_same() {
    let rows = rows(VECTORS);
    let row = rows.iter().find(|row| row.text("id") == "SCP02-31").unwrap();
    let smac = Kmac::from_key(key("00112233445566778899AABBCCDDEEFF")).scp02_session_key(0).unwrap();
    let previous: [u8; 8] = hex("14DB34FA4341DCA8").try_into().unwrap();
    let command = hex("84E26000080102030405060708");
    let in_front = [&previous[..], &command].concat();
    let by_cps = RetailMac::compute(smac.expose_key(), Padding::OneAndZeros, &in_front).unwrap();
    assert_eq!(by_cps.as_bytes()[..], row.bytes("result"));

    let mut chaining = previous;
    DesKey::left_half(smac.expose_key()).encrypt_block(&mut chaining);
    let mut mac = RetailMac::with_iv(smac.expose_key(), MacPadding::OneAndZeros, chaining).unwrap();
    mac.update(&command);
    assert_eq!(mac.finalize().unwrap().as_bytes(), by_cps.as_bytes());
}

/// The personalisation of a card with its own keys: diversified by the CPS template, encrypted under the session's key.
#[test]
fn personalised_keys_open_under_the_session_key() {
    let rows = rows(VECTORS);
    let row = rows.iter().find(|row| row.text("id") == "SCP02-33").unwrap();
    // CLA INS P1 P2 Lc, DGI 8000, its length, three keys.
    let mut keys = row.bytes("input")[8..].to_vec();
    let Session { keys: session, .. } = session(&rows, "gpshell-mac");
    session.dek.expose_key().cipher().decrypt(Mode::Ecb, &mut keys).unwrap();
    let kmc = Kmc::from_key(key("404142434445464748494A4B4C4D4E4F"));
    let card = kmc.diversify(Template::Cps, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
    let expected = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
    assert_eq!(keys, expected.map(|key| key.expose_bytes()).concat());
}

#[test]
fn rows_of_wrapped_commands_are_left_to_the_secure_channel() {
    let rows = rows(VECTORS);
    let count = |step: &str| rows.iter().filter(|row| row.text("step").starts_with(step)).count();
    assert_eq!(["wrap", "PUT KEY", "STORE DATA last", "inputs"].map(count), [7, 1, 1, 3]);
    // Keys, cryptograms, commands; the other source; the two chainings; personalisation.
    assert_eq!(rows.len(), 9 + 6 + 3 + 2 + 1 + 1 + 7 + 1 + 1 + 3);
}

#[test]
fn another_challenge_makes_another_cryptogram() {
    let rows = rows(VECTORS);
    let Session { keys, challenges } = session(&rows, "pysim");
    let other = Challenges { card: [0; 6], ..challenges };
    let cryptogram = keys.enc.card_cryptogram(&challenges);
    assert_eq!(keys.enc.card_cryptogram(&other).verify(&cryptogram), Err(CodeMismatch));
    assert_eq!(format!("{cryptogram:?}"), "CardCryptogram(F32EA3838BC148F3)");
}

#[test]
fn a_triple_length_key_is_refused() {
    let triple = || [0x13; 24].into();
    assert_eq!(Kenc::from_key(triple()).scp02_session_key(0).unwrap_err(), TripleLengthKey);
    assert_eq!(Kmac::from_key(triple()).scp02_session_key(0).unwrap_err(), TripleLengthKey);
    assert_eq!(Kmac::from_key(triple()).scp02_response_key(0).unwrap_err(), TripleLengthKey);
    assert_eq!(Kdek::from_key(triple()).scp02_session_key(0).unwrap_err(), TripleLengthKey);
}
