//! Sessions of protocols 02 and 03 against published bytes, host and card.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    unreachable_pub,
    reason = "a panic is the report; a test program has no users"
)]

extern crate alloc;

mod common;

use alloc::collections::BTreeMap;

use aeskey::AesKey;
use cardroot_apdu::commands::gp::{
    Confidentiality, DgiFormat, KeyVersion, Last, StoreData, initialize_update, put_key,
};
use cardroot_apdu::secure::gp::{
    CardInitialised, CardSession, HostChallenge, HostSession, Initialised, PlainKey, Protocol, SecurityLevel,
};
use cardroot_apdu::secure::{scp02, scp03};
use cardroot_apdu::{CommandApdu, ResponseApdu, StatusWord};
use common::{hex, rows};
use diversify::gp::{self, Template};
use tdea::{MacPadding, RetailMac, TdeaKey};

/// A row of a vector file.
struct Row {
    id: String,
    session: String,
    step: String,
    input: String,
    result: String,
}

fn all(csv: &str) -> Vec<Row> {
    let row = |row: Vec<String>| {
        let [id, session, step, input, result]: [String; 5] = row[..5].to_vec().try_into().unwrap();
        Row { id, session, step, input, result }
    };
    rows(csv).into_iter().map(row).collect()
}

/// The inputs of a session, by name.
fn inputs(row: &Row) -> BTreeMap<String, Vec<u8>> {
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.into(), hex(value))).unwrap();
    row.input.split(';').map(pair).collect()
}

fn session<'r>(rows: &'r [Row], name: &str) -> Vec<&'r Row> {
    rows.iter().filter(|row| row.session == name).collect()
}

fn rest_of<'r>(rows: &[&'r Row], step: &str) -> Vec<&'r Row> {
    rows.iter().copied().filter(|row| row.step.starts_with(step)).collect()
}

fn command(bytes: &str) -> CommandApdu {
    CommandApdu::decode(&hex(bytes)).unwrap()
}

fn hex_of(command: &CommandApdu) -> String {
    base16ct::upper::encode_string(command.encode().expose_bytes())
}

/// Both sides through EXTERNAL AUTHENTICATE, whose bytes are published.
fn authenticate<P: Protocol>(
    initialised: Initialised<P>,
    card: CardInitialised<P>,
    published: &Row,
) -> (HostSession<P>, CardSession<P>) {
    let level = P::Level::from_byte(hex(&published.result)[2]).unwrap();
    let waiting = initialised.verify_card().unwrap().external_authenticate(level);
    assert_eq!(hex_of(waiting.command()), published.result, "{}", published.id);
    let card = card.authenticate(waiting.command()).unwrap();
    let ok = ResponseApdu::new(&[], StatusWord::OK).unwrap();
    (waiting.confirm(ok).unwrap(), card)
}

/// Wraps each command as published, unwraps it in the card, and sends a reply back: the published one if there is one. Returns
/// how many rows were checked.
fn exchange<P: Protocol>(rows: &[&Row], host: &mut HostSession<P>, card: &mut CardSession<P>) -> usize {
    let mut checked = 0;
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.step != "response") {
        let wrapped = host.wrap(&command(&row.input)).unwrap();
        assert_eq!(hex_of(&wrapped.command), row.result, "{}", row.id);
        let unwrapped = card.unwrap(&wrapped.command).unwrap();
        assert_eq!(hex_of(&unwrapped.command), row.input, "{}", row.id);
        checked += 1;

        let published = rows.get(at + 1).filter(|row| row.step == "response");
        let (data, status) = published.map_or(("", "9000"), |row| row.input.split_once(" SW ").unwrap());
        let status = StatusWord::try_from(<[u8; 2]>::try_from(hex(status)).unwrap()).unwrap();
        let sealed = unwrapped.reply.seal(ResponseApdu::new(&hex(data), status).unwrap()).unwrap();
        if let Some(row) = published {
            assert_eq!(sealed.data(), hex(&row.result), "{}", row.id);
            checked += 1;
        }
        assert_eq!(wrapped.reply.open(sealed).unwrap().data(), hex(data), "{}", row.id);
    }
    checked
}

fn tdea(bytes: &[u8]) -> TdeaKey {
    TdeaKey::try_from(bytes).unwrap()
}

fn scp02_keys(enc: &[u8], mac: &[u8], dek: &[u8]) -> scp02::CardKeys {
    scp02::CardKeys {
        enc: gp::Kenc::from_key(tdea(enc)),
        mac: gp::Kmac::from_key(tdea(mac)),
        dek: gp::Kdek::from_key(tdea(dek)),
    }
}

#[test]
fn every_row_of_scp02_holds() {
    let rows = all(include_str!("data/scp02.csv"));
    let mut checked = 0;
    for name in ["pysim", "gpshell-mac", "gpshell-enc"] {
        let rows = session(&rows, name);
        let inputs = inputs(rows[0]);
        let keys = scp02_keys(&inputs["ENC"], &inputs["MAC"], &inputs["DEK"]);
        let host_challenge = <[u8; 8]>::try_from(&inputs["host_challenge"][..]).unwrap();
        let answer = scp02::Answer::decode(&inputs["init_update_resp"]).unwrap();
        assert_eq!(answer.encode()[..], inputs["init_update_resp"]);
        checked += 1;

        let sequence = answer.sequence;
        for (step, derived) in [
            ("S-ENC", keys.enc.scp02_session_key(sequence).unwrap().expose_key().duplicate()),
            ("S-MAC", keys.mac.scp02_session_key(sequence).unwrap().expose_key().duplicate()),
            ("S-DEK", keys.dek.scp02_session_key(sequence).unwrap().expose_key().duplicate()),
        ] {
            for row in rest_of(&rows, step) {
                assert_eq!(hex(&row.input), sequence.to_be_bytes(), "{}", row.id);
                assert_eq!(derived.expose_bytes(), hex(&row.result), "{}", row.id);
                checked += 1;
            }
        }

        let side = scp02::CardSide {
            key_data: answer.key_data,
            key_version: answer.key_version,
            keys: &keys,
            sequence,
            challenge: answer.challenge,
        };
        let (ours, _) = scp02::answer(host_challenge, &side).unwrap();
        assert_eq!(ours.encode(), answer.encode());
        let [row] = rest_of(&rows, "card cryptogram")[..] else { panic!("one row") };
        assert_eq!(ours.cryptogram.as_bytes()[..], hex(&row.result), "{}", row.id);
        let [cryptogram] = rest_of(&rows, "host cryptogram")[..] else { panic!("one row") };
        let [external] = rest_of(&rows, "EXTERNAL")[..] else { panic!("one row") };
        assert!(external.result[10..].starts_with(&cryptogram.result));
        checked += 3;

        // The commands of personalisation were computed as those that come first in the session.
        let is_wrap = |row: &&Row| row.step == "wrap";
        let is_personalisation =
            |row: &&Row| row.step.starts_with("PUT KEY") || row.step.starts_with("STORE DATA");
        for exchanges in [
            rows.iter().copied().filter(is_wrap).collect::<Vec<_>>(),
            rows.iter().copied().filter(is_personalisation).collect(),
        ] {
            let (_, card) = scp02::answer(host_challenge, &side).unwrap();
            let initialised = scp02::initialise(host_challenge.into(), &answer, &keys).unwrap();
            let (mut host, mut card) = authenticate(initialised, card, external);
            checked += exchange(&exchanges, &mut host, &mut card);
            if name == "gpshell-mac" {
                check_personalisation_commands(&rows, &host);
            }
        }
    }
    checked += check_single_values(&rows);
    println!("scp02.csv: {checked} rows");
    assert_eq!((checked, rows.len()), (34, 34));
}

/// PUT KEY and STORE DATA as our builders make them.
fn check_personalisation_commands(rows: &[&Row], host: &HostSession<scp02::Scp02>) {
    let kmc = gp::Kmc::from_key(tdea(&hex("404142434445464748494A4B4C4D4E4F")));
    let card = kmc.diversify(Template::Cps, &[0, 0, 0, 0, 4, 5, 6, 7, 8, 9]).unwrap();
    let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
    let data_key = host.data_key().unwrap();
    let wrapped = keys.map(|key| data_key.wrap(&PlainKey::Tdea(key)).unwrap());
    let (old, new) = (KeyVersion::new(0x01), KeyVersion::new(0x30).unwrap());
    let put = put_key(old, new, 0x01, &wrapped).unwrap();
    assert_eq!(hex_of(&put), rest_of(rows, "PUT KEY")[0].input);

    let content: Vec<u8> = keys
        .iter()
        .flat_map(|key| data_key.encrypt(key.expose_bytes()).unwrap().expose_bytes().to_vec())
        .collect();
    let grouping = [&hex("800030")[..], &content].concat();
    let store = StoreData {
        last: Last::MoreToCome,
        confidentiality: Confidentiality::Encrypted,
        format: DgiFormat::Cps,
        block: 0,
    };
    assert_eq!(hex_of(&store.command(&grouping).unwrap()), rest_of(rows, "STORE DATA encrypted")[0].input);
    let last = StoreData { last: Last::Last, confidentiality: Confidentiality::Plain, block: 1, ..store };
    let check_values: Vec<u8> = keys.iter().flat_map(|key| key.kcv().as_bytes().to_vec()).collect();
    let grouping = [&hex("900009")[..], &check_values].concat();
    assert_eq!(hex_of(&last.command(&grouping).unwrap()), rest_of(rows, "STORE DATA last")[0].input);
}

/// The rows that are no session: one key, one cryptogram, and the two ways to write a C-MAC.
fn check_single_values(rows: &[Row]) -> usize {
    let single = hex("00112233445566778899AABBCCDDEEFF");
    let keys = scp02_keys(&single, &single, &single);
    let enc = keys.enc.scp02_session_key(0).unwrap();
    let row = |id: &str| rows.iter().find(|row| row.id == id).unwrap();
    assert_eq!(enc.expose_key().expose_bytes(), hex(&row("SCP02-29").result));
    let challenges = gp::scp02::Challenges {
        host: hex("1234567891234567").try_into().unwrap(),
        sequence: 0,
        card: hex("B17EECA5CEB9").try_into().unwrap(),
    };
    assert_eq!(enc.card_cryptogram(&challenges).as_bytes()[..], hex(&row("SCP02-30").result));

    let mac_key = keys.mac.scp02_session_key(0).unwrap();
    let mac_key = mac_key.expose_key();
    let (previous, text) = (hex("14DB34FA4341DCA8"), hex("84E26000080102030405060708"));
    let mut iv = <[u8; 8]>::try_from(&previous[..]).unwrap();
    tdea::hazmat::DesKey::left_half(mac_key).encrypt_block(&mut iv);
    for (iv, pieces) in [([0; 8], vec![&previous, &text]), (iv, vec![&text])] {
        let mut mac = RetailMac::with_iv(mac_key, MacPadding::OneAndZeros, iv).unwrap();
        pieces.into_iter().for_each(|piece| mac.update(piece));
        assert_eq!(mac.finalize().unwrap().as_bytes()[..], hex(&row("SCP02-31").result));
    }
    3
}

fn aes(bytes: &[u8]) -> AesKey {
    AesKey::try_from(bytes).unwrap()
}

#[test]
fn every_row_of_scp03_holds() {
    let rows = all(include_str!("data/scp03.csv"));
    let mut checked = 0;
    for name in ["AES128-level11", "AES128-level03", "AES128-level33", "AES192-level11", "AES256-level33"] {
        let rows = session(&rows, name);
        let inputs = inputs(rows[0]);
        let keys = scp03::CardKeys {
            enc: gp::aes::Kenc::from_key(aes(&inputs["ENC"])),
            mac: gp::aes::Kmac::from_key(aes(&inputs["MAC"])),
            dek: gp::aes::Kdek::from_key(aes(&inputs["DEK"])),
        };
        let host_challenge = <[u8; 8]>::try_from(&inputs["host_challenge"][..]).unwrap();
        let answer = scp03::Answer::decode(&inputs["init_update_resp"]).unwrap();
        assert_eq!(answer.encode().expose_bytes(), inputs["init_update_resp"]);
        let (sequence, name) = (answer.sequence.unwrap(), hex("A0000005591010FFFFFFFF8900000100"));
        assert_eq!(keys.enc.scp03_card_challenge(sequence, &name), answer.challenge);
        checked += 1;

        let side = scp03::CardSide {
            key_data: answer.key_data,
            key_version: answer.key_version,
            keys: &keys,
            implementation: answer.implementation,
            challenge: answer.challenge,
            sequence,
        };
        let (ours, card) = scp03::answer(host_challenge, &side);
        assert_eq!(ours.encode().expose_bytes(), answer.encode().expose_bytes());
        let [row] = rest_of(&rows, "card cryptogram")[..] else { panic!("one row") };
        assert_eq!(ours.cryptogram.as_bytes()[..], hex(&row.result), "{}", row.id);
        let initialised = scp03::initialise(host_challenge.into(), &answer, &keys);
        let [external] = rest_of(&rows, "EXTERNAL")[..] else { panic!("one row") };
        let cryptogram = external.input.strip_prefix("HOST CRYPTOGRAM ").unwrap();
        assert!(external.result[10..].starts_with(cryptogram));
        let (mut host, mut card) = authenticate(initialised, card, external);
        checked += 2;

        let exchanges: Vec<&Row> =
            rows.iter().copied().filter(|row| matches!(&*row.step, "wrap" | "response")).collect();
        checked += exchange(&exchanges, &mut host, &mut card);
    }
    for row in session(&rows, "KCV-AES") {
        let key = aes(&hex(&row.input));
        assert_eq!(PlainKey::Aes(&key).kcv().as_bytes(), hex(&row.result), "{}", row.id);
        checked += 1;
    }
    println!("scp03.csv: {checked} rows");
    assert_eq!((checked, rows.len()), (47, 47));
}

#[test]
fn initialize_update_is_as_hosts_send_it() {
    let command = initialize_update(0x30, &HostChallenge::from([1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(hex_of(&command), "8050300008010203040506070800");
}
