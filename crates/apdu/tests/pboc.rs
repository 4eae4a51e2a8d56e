//! Secure messaging of the PBOC family against published bytes, and what both sides refuse.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    unreachable_pub,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_apdu::commands::pboc::{
    Access, Duration, HeaderKeyType, KeyAttributes, KeyHeader, KeyLoading, KeyRecord, KeyType, KeyUse,
    PinRecord, PsamKeyUsage, Tries, WriteKey, WriteKeyAction, WritePsamKey, application_block,
    application_unblock, card_block,
};
use cardroot_apdu::commands::{
    BinaryAddress, ChallengeLength, InternalOperation, Sfi, internal_authenticate, read_binary, update_binary,
};
use cardroot_apdu::secure::Rejected;
use cardroot_apdu::secure::pboc::{
    CardKey, Challenge, ChallengeLengthError, Challenged, ExternalAuthKey, InternalAuthKey, LineKey,
    LongChallenge, MasterKey, ProtectError, Protection, SessionError, Sm4LineKey, Sm4MasterKey,
    external_authenticate, external_authenticate_folded, external_authenticate_two_step, protect, unprotect,
    verify_external_cryptogram,
};
use cardroot_apdu::{
    Channel, CommandApdu, Header, Le, LogicalChannel, ResponseApdu, Script, ScriptedTransport, StatusWord,
};
use common::{assert_debug_hides_a5, hex, rows};
use diversify::block::Sm4Key;
use proptest::prelude::*;
use tdea::TdeaKey;
use tdea::hazmat::DesKey;

fn card_key(bytes: &[u8]) -> CardKey {
    match bytes.len() {
        8 => DesKey::try_from(bytes).unwrap().into(),
        _ => TdeaKey::try_from(bytes).unwrap().try_into().unwrap(),
    }
}

fn challenge(bytes: &[u8]) -> Challenge {
    Challenge::try_from(bytes).unwrap()
}

fn line_key(bytes: &[u8]) -> LineKey {
    LineKey::from_key(card_key(bytes))
}

fn master_key(bytes: &[u8]) -> MasterKey {
    MasterKey::from_key(card_key(bytes))
}

/// A row of `pboc_apdu.csv`.
struct Row {
    id: String,
    step: String,
    key: Vec<u8>,
    /// Up to ` IV `.
    input: String,
    /// After ` IV `: the challenge.
    iv: Vec<u8>,
    result: String,
    apdu: String,
    published: bool,
}

impl Row {
    fn all() -> Vec<Self> {
        rows(include_str!("data/pboc_apdu.csv")).into_iter().map(Self::new).collect()
    }

    fn new(row: Vec<String>) -> Self {
        let columns: [String; 10] = row.try_into().unwrap();
        let [id, step, key, _, input, result, apdu, status, ..] = columns;
        let (input, iv) = input.split_once(" IV ").unwrap_or((&input, ""));
        Self {
            id,
            step,
            key: hex(&key),
            input: input.into(),
            iv: hex(iv),
            result,
            apdu,
            published: status == "published",
        }
    }

    /// The command in the clear whose MAC the row has: class without the secure messaging bit, no Lc.
    fn command_under_mac(&self) -> CommandApdu {
        let input = hex(&self.input);
        let header = Header::try_from([input[0] & !0x04, input[1], input[2], input[3]]).unwrap();
        CommandApdu::new(header).with_data(&input[5..]).unwrap()
    }

    fn assert_apdu(&self, command: &CommandApdu) {
        assert_eq!(command.encode().expose_bytes(), hex(&self.apdu), "{}", self.id);
    }

    /// A MAC over a command: the host makes it, the card verifies it.
    fn check_command_mac(&self, command: &CommandApdu) {
        let key = line_key(&self.key);
        let protected = protect(command, Protection::Mac, &key, challenge(&self.iv)).unwrap().command;
        assert!(protected.expose_data().ends_with(&hex(&self.result)), "{}", self.id);
        if !self.apdu.is_empty() {
            self.assert_apdu(&protected);
        }
        let opened = unprotect(&protected, Protection::Mac, &key, challenge(&self.iv)).unwrap().command;
        assert_eq!(opened.encode().expose_bytes(), command.encode().expose_bytes(), "{}", self.id);
    }

    /// A key enciphered under the master key: the ciphertext, and what the card makes of it.
    fn check_enciphered(&self, command: &CommandApdu, iv: &[u8]) {
        let ciphertext = hex(&self.result);
        assert!(command.expose_data().starts_with(&ciphertext), "{}", self.id);
        let key = master_key(&self.key);
        let opened = unprotect(command, Protection::CipherAndMac, &key, challenge(iv)).unwrap().command;
        let plain = hex(&self.input);
        assert_eq!(opened.expose_data(), &plain[1..][..usize::from(plain[0])], "{}", self.id);
    }

    fn check_psam_key(&self) {
        let (key, master) = (card_key(&hex(&self.input)[4..20]), master_key(&self.key));
        let attributes = KeyAttributes { version: 0x00, algorithm: 0x00 };
        let write = WritePsamKey { usage: PsamKeyUsage::new(1, 2).unwrap(), attributes, key: &key };
        let iv = hex("5D72B3FD");
        let command = write.protected(&master, challenge(&iv));
        self.assert_apdu(&command);
        self.check_enciphered(&command, &iv);
    }

    /// The record of the FMCOS WRITE KEY rows: a key 39 of 8 bytes, follow state AA, 15 tries.
    fn fmcos_command(&self, action: WriteKeyAction, id: u8, loading: KeyLoading, iv: &[u8]) -> CommandApdu {
        let key = card_key(&hex("1122334455667788"));
        let tries = Tries::new(15).unwrap();
        let key_use = KeyUse::ExternalAuthenticate { follow_state: 0xAA, tries };
        let record = KeyRecord { key_use, loading, usage: Access::ALWAYS, change: Access::ALWAYS, key: &key };
        WriteKey { action, id, record }.protected(&master_key(&self.key), challenge(iv))
    }

    fn check_external(&self, key_id: u8) {
        let key = ExternalAuthKey::from_key(card_key(&self.key));
        let drawn = hex(&self.input);
        // A challenge of four bytes comes completed by zeros in the row.
        let drawn = drawn.strip_suffix(&[0; 4]).unwrap_or(&drawn);
        self.assert_apdu(&external_authenticate(key_id, &key, challenge(drawn)));
        assert_eq!(verify_external_cryptogram(&key, challenge(drawn), &hex(&self.result)), Ok(()));
    }

    fn check_internal(&self, operation: InternalOperation, key_id: u8) {
        let key = InternalAuthKey::from_key(card_key(&self.key));
        let data = hex(&self.input);
        self.assert_apdu(&internal_authenticate(operation, key_id, &data).unwrap());
        assert_eq!(key.answer(operation, &data).unwrap().expose_bytes(), hex(&self.result), "{}", self.id);
        assert_eq!(key.verify_answer(operation, &data, &hex(&self.result)), Ok(()));
    }

    fn check_long_record(&self) {
        let key = card_key(&hex("00112233445566778899AABBCCDDEEFF"));
        let key_use = KeyUse::ExternalAuthenticate { follow_state: 0xAA, tries: Tries::new(3).unwrap() };
        let loading = KeyLoading::Plain;
        let record = KeyRecord { key_use, loading, usage: Access::ALWAYS, change: Access::ALWAYS, key: &key };
        let write = WriteKey { action: WriteKeyAction::Add, id: 0x00, record };
        // The row does not name its challenge; it is the one of the other computed rows.
        let iv = hex("A3BBCFC8");
        let command = write.protected(&master_key(&self.key), challenge(&iv));
        self.assert_apdu(&command);
    }

    fn check_two_step(&self) {
        let key = ExternalAuthKey::from_key(card_key(&self.key));
        let random = hex("1122334455667788").try_into().unwrap();
        let command = external_authenticate_two_step(0x07, &key, random, challenge(&hex("A1A2A3A4A5A6A7A8")));
        assert_eq!(command.encode().expose_bytes(), hex(&self.apdu.replace("<kid>", "07")), "{}", self.id);
        assert!(command.expose_data().starts_with(&hex(&self.result)));
    }

    fn check_sm4_key(&self) {
        let master = Sm4MasterKey::from_key(Sm4Key::try_from(&self.key[..]).unwrap());
        // LD, header of 8, key of 16, padding.
        let plain = hex(&self.input);
        let key = Sm4Key::try_from(&plain[9..25]).unwrap();
        let header = KeyHeader {
            id: plain[1],
            version: plain[2],
            key_type: HeaderKeyType::ALL.into_iter().find(|known| known.byte() == plain[4]).unwrap(),
            usage: Access::from_byte(plain[5]),
            follow_state: plain[6],
            change: Access::from_byte(plain[7]),
            tries: Tries::new(3).unwrap(),
        };
        let command = header.write_sm4(&key, &master, challenge(&self.iv));
        self.assert_apdu(&command);
        let opened = unprotect(&command, Protection::CipherAndMac, &master, challenge(&self.iv)).unwrap();
        assert_eq!(opened.command.expose_data(), &plain[1..25]);
    }

    fn check_sm4_folded(&self) {
        let key = Sm4MasterKey::from_key(Sm4Key::try_from(&self.key[..]).unwrap());
        let drawn = || LongChallenge(hex(&self.input).try_into().unwrap());
        let command = key.external_authenticate_folded(0x00, drawn());
        self.assert_apdu(&command);
        assert_eq!(key.verify_folded(drawn(), command.expose_data()), Ok(()));
        assert_eq!(key.verify_folded(drawn(), &[0; 8]), Err(Rejected));
    }

    fn check_folded(&self) {
        let key = ExternalAuthKey::from_key(card_key(&self.key));
        let drawn = LongChallenge(hex(&self.input).try_into().unwrap());
        self.assert_apdu(&external_authenticate_folded(0x00, &key, drawn));
    }
}

/// Checks a row; `false` if what it is about is not in this crate yet.
fn check(row: &Row) -> bool {
    let cyclic = || WriteKeyAction::Update { current: KeyType::EXTERNAL_AUTHENTICATE };
    match row.id.as_str() {
        "APDU-01" => row.check_psam_key(),
        "APDU-02" | "APDU-13" | "APDU-14" | "APDU-17" => row.check_command_mac(&row.command_under_mac()),
        "APDU-03" => row.check_external(0x01),
        "APDU-04" => row.check_external(0x00),
        "APDU-05" => row.check_internal(InternalOperation::Encrypt, 0x01),
        "APDU-06" => row.check_internal(InternalOperation::Decrypt, 0x02),
        "APDU-07" => row.check_internal(InternalOperation::Mac, 0x03),
        "APDU-08" => {
            let iv = hex("4C45BAB9");
            row.check_enciphered(
                &row.fmcos_command(WriteKeyAction::Add, 0x02, KeyLoading::Protected, &iv),
                &iv,
            );
        }
        "APDU-09" => {
            row.check_command_mac(&row.command_under_mac());
            row.assert_apdu(&row.fmcos_command(WriteKeyAction::Add, 0x02, KeyLoading::Protected, &row.iv));
        }
        "APDU-10" => {
            row.check_command_mac(&row.command_under_mac());
            row.assert_apdu(&row.fmcos_command(cyclic(), 0x01, KeyLoading::Protected, &row.iv));
        }
        "APDU-11" => {
            let iv = hex("4C45BAB9");
            row.check_enciphered(&row.fmcos_command(WriteKeyAction::Add, 0x02, KeyLoading::Plain, &iv), &iv);
        }
        "APDU-16" => check_reply_mac(row),
        "APDU-40" => row.check_command_mac(&card_block()),
        "APDU-41" => row.check_command_mac(&application_block(Duration::Temporary)),
        "APDU-42" => row.check_command_mac(&application_unblock()),
        "APDU-44" => row.check_long_record(),
        "APDU-46" => row.check_sm4_key(),
        "APDU-47" => row.check_sm4_folded(),
        "APDU-48" => row.check_folded(),
        "APDU-49" => row.check_two_step(),
        _ => return false,
    }
    true
}

/// The reply to the read of APDU-17, whose challenge it shares.
fn check_reply_mac(row: &Row) {
    let key = line_key(&row.key);
    let data = hex(&row.input);
    let read = CommandApdu::decode(&hex("00B0000010")).unwrap();
    let protected = protect(&read, Protection::Mac, &key, challenge(&row.iv)).unwrap();
    assert_eq!(protected.command.encode().expose_bytes(), hex("04B0000004F09C8A1910"));
    let received = unprotect(&protected.command, Protection::Mac, &key, challenge(&row.iv)).unwrap();
    let sealed = received.reply.seal(&data, StatusWord::OK).unwrap();
    assert_eq!(sealed.data(), [data.as_slice(), &hex(&row.result)].concat());
    assert_eq!(protected.reply.open(sealed).unwrap().data(), data);
}

#[test]
fn published_bytes_are_met_byte_by_byte() {
    let rows = Row::all();
    let (met, left): (Vec<_>, Vec<_>) = rows.iter().partition(|row| check(row));
    let published = met.iter().filter(|row| row.published).count();
    println!("{} of {} rows met, {published} of them published", met.len(), rows.len());
    for row in &left {
        println!("the wallet's, in the crate `card`: {} {}", row.id, row.step);
    }
    assert_eq!((rows.len(), met.len(), published), (41, 23, 15));
    // What is left is the wallet, PIN commands and SAM commands.
    let later = ["LOAD", "PURCHASE", "DTK", "RELOAD PIN", "PIN UNBLOCK", "PSAM INIT"];
    assert!(left.iter().all(|row| later.iter().any(|step| row.step.starts_with(step))));
}

const LINE: [u8; 16] = *b"0123456789ABCDEF";
const DRAWN: [u8; 4] = [0x5D, 0x72, 0xB3, 0xFD];
const BOTH: [Protection; 2] = [Protection::Mac, Protection::CipherAndMac];

fn an_update() -> CommandApdu {
    update_binary(BinaryAddress::in_file(Sfi::new(0x15).unwrap(), 0), b"cardroot!").unwrap()
}

fn protected(command: &CommandApdu, protection: Protection) -> Vec<u8> {
    let key = line_key(&LINE);
    let command = protect(command, protection, &key, challenge(&DRAWN)).unwrap().command;
    command.encode().expose_bytes().to_vec()
}

fn opened(bytes: &[u8], protection: Protection, key: &[u8], drawn: &[u8]) -> Result<Vec<u8>, Rejected> {
    let command = CommandApdu::decode(bytes).map_err(|_| Rejected)?;
    let key = line_key(key);
    let opened = unprotect(&command, protection, &key, challenge(drawn))?;
    Ok(opened.command.expose_data().to_vec())
}

#[test]
fn every_changed_bit_is_rejected() {
    for protection in BOTH {
        let sent = protected(&an_update(), protection);
        assert_eq!(opened(&sent, protection, &LINE, &DRAWN), Ok(b"cardroot!".to_vec()));
        for bit in 0..8 * sent.len() {
            let mut changed = sent.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&changed, protection, &LINE, &DRAWN), Err(Rejected), "bit {bit}");
        }
    }
}

#[test]
fn sm4_protects_both_ways_and_every_changed_bit_is_rejected() {
    let key = Sm4LineKey::from_key(Sm4Key::from_fill(|key| *key = LINE));
    let read = CommandApdu::decode(&hex("00B0000010")).unwrap();
    for (protection, len) in [(Protection::Mac, 13), (Protection::CipherAndMac, 20)] {
        let sent = protect(&an_update(), protection, &key, challenge(&DRAWN)).unwrap();
        assert_eq!(sent.command.expose_data().len(), len);
        let opened = unprotect(&sent.command, protection, &key, challenge(&DRAWN)).unwrap();
        assert_eq!(opened.command.expose_data(), b"cardroot!");
        let bytes = sent.command.encode();
        for bit in 0..8 * bytes.len() {
            let mut altered = bytes.expose_bytes().to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            let Ok(altered) = CommandApdu::decode(&altered) else { continue };
            assert!(unprotect(&altered, protection, &key, challenge(&DRAWN)).is_err(), "{bit}");
        }
        for data in [&[][..], &[0x80; 15], &[0x80; 16], &[7; 200]] {
            let sent = protect(&read, protection, &key, challenge(&DRAWN)).unwrap();
            let opened = unprotect(&sent.command, protection, &key, challenge(&DRAWN)).unwrap();
            let sealed = opened.reply.seal(data, StatusWord::OK).unwrap();
            assert_eq!(sent.reply.open(sealed).unwrap().data(), data);
        }
    }
    assert_debug_hides_a5(&Sm4LineKey::from_key(Sm4Key::from_fill(|key| key.fill(0xA5))));
    assert!(key.ct_eq(&key.duplicate()));
}

#[test]
fn another_key_challenge_or_protection_is_rejected() {
    let sent = protected(&an_update(), Protection::CipherAndMac);
    let rejected = Err(Rejected);
    assert_eq!(opened(&sent, Protection::CipherAndMac, b"0123456789ABCDEX", &DRAWN), rejected);
    assert_eq!(opened(&sent, Protection::CipherAndMac, &LINE, &[0; 4]), rejected);
    // The MAC is right, but nobody enciphered this.
    let sent = protected(&an_update(), Protection::Mac);
    assert_eq!(opened(&sent, Protection::CipherAndMac, &LINE, &DRAWN), rejected);
}

#[test]
fn a_command_without_mac_or_secure_messaging_bit_is_rejected() {
    for bytes in
        ["04D69500", "04D6950003AABBCC", "04B0950010", "00D6950006AABB01020304", "08D6950006AABB01020304"]
    {
        assert_eq!(opened(&hex(bytes), Protection::Mac, &LINE, &DRAWN), Err(Rejected), "{bytes}");
    }
}

#[test]
fn an_extended_command_is_neither_protected_nor_opened() {
    let (key, update) = (line_key(&LINE), an_update().extended());
    let refused = protect(&update, Protection::Mac, &key, challenge(&DRAWN)).unwrap_err();
    assert_eq!(refused, ProtectError::Extended);
    let sent = CommandApdu::decode(&protected(&an_update(), Protection::Mac)).unwrap().extended();
    let rejected = unprotect(&sent, Protection::Mac, &key, challenge(&DRAWN)).unwrap_err();
    assert_eq!(rejected, Rejected);
}

#[test]
fn data_that_does_not_fit_is_refused_at_its_exact_length() {
    let key = line_key(&LINE);
    for (protection, most) in [(Protection::Mac, 251), (Protection::CipherAndMac, 247)] {
        let result = |len: usize| {
            let update = update_binary(BinaryAddress::current(0).unwrap(), &vec![0xAA; len]).unwrap();
            protect(&update, protection, &key, challenge(&DRAWN)).map(|protected| protected.command.form())
        };
        assert!(result(most).is_ok());
        assert_eq!(result(most + 1), Err(ProtectError::TooLong { found: most + 1 }));
        assert_eq!(result(255), Err(ProtectError::TooLong { found: 255 }));
    }
}

#[test]
fn a_class_without_room_for_protection_is_refused() {
    for class in ["04", "84", "08", "40", "A0"] {
        let command = CommandApdu::decode(&hex(&format!("{class}D69500"))).unwrap();
        let key = line_key(&LINE);
        let refused = protect(&command, Protection::Mac, &key, challenge(&DRAWN)).unwrap_err();
        assert_eq!(refused, ProtectError::Class { byte: hex(class)[0] });
    }
}

#[test]
fn a_protected_command_is_never_repeated() {
    let read = read_binary(BinaryAddress::current(0).unwrap(), Le::from_short_byte(8));
    let key = line_key(&LINE);
    let command = protect(&read, Protection::Mac, &key, challenge(&DRAWN)).unwrap().command;
    assert_eq!(command.le(), Some(Le::from_short_byte(8)));
    assert_eq!(command.repetition(), cardroot_apdu::Repetition::Never);
}

/// Seals `data` as a card does, passes it through `on_the_way` and opens it as a host does.
fn reply(
    data: &[u8],
    protection: Protection,
    on_the_way: impl Fn(ResponseApdu) -> ResponseApdu,
) -> Result<ResponseApdu, Rejected> {
    let read = read_binary(BinaryAddress::current(0).unwrap(), Le::MAX_SHORT);
    let (host_key, key) = (line_key(&LINE), line_key(&LINE));
    let sent = protect(&read, protection, &host_key, challenge(&DRAWN)).unwrap();
    let received = unprotect(&sent.command, protection, &key, challenge(&DRAWN)).unwrap();
    sent.reply.open(on_the_way(received.reply.seal(data, StatusWord::OK).unwrap()))
}

#[test]
fn every_changed_bit_of_a_reply_is_rejected() {
    for protection in BOTH {
        assert_eq!(reply(b"balance", protection, |sealed| sealed).unwrap().data(), b"balance");
        let len = 8 * if protection == Protection::Mac { 7 + 4 } else { 8 + 4 };
        for bit in 0..len {
            let result = reply(b"balance", protection, |sealed| {
                let mut data = sealed.data().to_vec();
                data[bit / 8] ^= 1 << (bit % 8);
                ResponseApdu::new(&data, sealed.status()).unwrap()
            });
            assert_eq!(result.unwrap_err(), Rejected, "bit {bit}");
        }
    }
}

#[test]
fn a_reply_without_its_mac_is_rejected_and_a_refusal_is_not() {
    let answer = |data: &[u8], word: u16| {
        let status = StatusWord::try_from(word).unwrap();
        reply(b"balance", Protection::Mac, |_| ResponseApdu::new(data, status).unwrap())
    };
    assert_eq!(answer(&[], 0x9000).unwrap_err(), Rejected);
    assert_eq!(answer(&[1, 2, 3], 0x9000).unwrap_err(), Rejected);
    assert_eq!(answer(b"balance", 0x6282).unwrap_err(), Rejected);
    assert_eq!(answer(&[], 0x6988).unwrap().status(), StatusWord::SM_OBJECT_WRONG);
}

#[test]
fn a_reply_that_does_not_fit_is_refused() {
    let read = read_binary(BinaryAddress::current(0).unwrap(), Le::MAX_SHORT);
    let key = line_key(&LINE);
    for (protection, most) in [(Protection::Mac, 252), (Protection::CipherAndMac, 247)] {
        for (len, fits) in [(most, true), (most + 1, false)] {
            let sent = protect(&read, protection, &key, challenge(&DRAWN)).unwrap().command;
            let received = unprotect(&sent, protection, &key, challenge(&DRAWN)).unwrap();
            let sealed = received.reply.seal(&vec![0xAA; len], StatusWord::OK);
            assert_eq!(sealed.is_ok(), fits, "{protection:?} {len}");
        }
    }
}

#[test]
fn a_wrong_cryptogram_is_rejected() {
    let key = ExternalAuthKey::from_key(card_key(&hex("0102030405060708")));
    for wrong in ["74B0047DD681D96D", "74B0047DD681D9", "74B0047DD681D96C00", ""] {
        assert_eq!(verify_external_cryptogram(&key, challenge(&hex("BB83BFF3")), &hex(wrong)), Err(Rejected));
    }
    assert!(verify_external_cryptogram(&key, challenge(&hex("BB83BFF3")), &hex("74B0047DD681D96C")).is_ok());
}

#[test]
fn a_wrong_internal_answer_is_rejected() {
    let key = InternalAuthKey::from_key(card_key(&hex("1122334455667788")));
    let data = hex("0102030405060708");
    for (operation, wrong) in [
        (InternalOperation::Encrypt, "178F59F8578E0D3E"),
        (InternalOperation::Mac, "A82A8CEBA82A8CEB"),
        (InternalOperation::Mac, ""),
    ] {
        assert_eq!(key.verify_answer(operation, &data, &hex(wrong)), Err(Rejected));
    }
    for len in [0, 7, 9] {
        assert_eq!(key.answer(InternalOperation::Encrypt, &data.repeat(2)[..len]).unwrap_err().found, len);
        assert_eq!(key.verify_answer(InternalOperation::Decrypt, &data.repeat(2)[..len], &[]), Err(Rejected));
    }
    assert_eq!(key.answer(InternalOperation::Mac, &[]).unwrap().len(), 4);
}

#[test]
fn a_challenge_is_four_or_eight_bytes() {
    for len in 0..=9 {
        let result = Challenge::try_from(&[0; 9][..len]).map(|_| ());
        let expected = if [4, 8].contains(&len) { Ok(()) } else { Err(ChallengeLengthError { found: len }) };
        assert_eq!(result, expected);
    }
}

#[test]
fn a_triple_length_key_is_no_card_key() {
    assert!(CardKey::try_from(TdeaKey::from([0x25; 24])).is_err());
    assert_eq!(CardKey::try_from(TdeaKey::from([0x25; 16])).unwrap().length(), 16);
    assert_eq!(card_key(&[0x25; 8]).length(), 8);
}

#[test]
fn a_key_equals_its_copy_only() {
    let (key, other) = (card_key(&LINE), card_key(&LINE[..8]));
    assert!(key.ct_eq(&key.duplicate()) && other.ct_eq(&other.duplicate()));
    assert!(!key.ct_eq(&other));
    assert!(line_key(&LINE).ct_eq(&line_key(&LINE).duplicate()));
    assert!(!line_key(&LINE).ct_eq(&line_key(&[0; 16])));
}

/// Single DES is TDEA with equal halves, and MAC algorithm 3 with equal halves is algorithm 1.
#[test]
fn a_single_key_does_what_the_doubled_key_does() {
    for protection in BOTH {
        let sent = |key: LineKey| {
            let command = protect(&an_update(), protection, &key, challenge(&DRAWN)).unwrap().command;
            command.expose_data().to_vec()
        };
        assert_eq!(sent(line_key(&LINE[..8])), sent(line_key(&LINE[..8].repeat(2))));
    }
}

fn channel(script: &str) -> Channel<ScriptedTransport> {
    Channel::new(ScriptedTransport::new(script.parse::<Script>().unwrap()))
}

const GET_CHALLENGE: &str = "> 0084000004\n< 5D72B3FD9000\n";

#[test]
fn a_session_writes_and_reads_under_fresh_challenges() {
    let (key, read) = (line_key(&[0xFF; 16]), CommandApdu::decode(&hex("00B0000010")).unwrap());
    let update = hex("00D69500091122334455667788AA");
    let update = CommandApdu::decode(&update).unwrap();
    let sent = protect(&update, Protection::Mac, &key, challenge(&DRAWN)).unwrap().command;
    let sent = base16ct::upper::encode_string(sent.encode().expose_bytes());
    let mut channel = channel(&format!(
        "{GET_CHALLENGE}> {sent}\n< 9000\n> 0084000004\n< D0FE4FB99000\n> 04B0000004F09C8A1910\n\
         < 11223344556677889900AABBCCDDEEFF8D3185779000"
    ));
    let challenged = Challenged::request(&mut channel, ChallengeLength::Four).unwrap();
    challenged.write(&update, Protection::Mac, &key).unwrap().into_ok().unwrap();
    let challenged = Challenged::request(&mut channel, ChallengeLength::Four).unwrap();
    let response = challenged.read(&read, Protection::Mac, &key).unwrap().into_ok().unwrap();
    assert_eq!(response.data(), hex("11223344556677889900AABBCCDDEEFF"));
    channel.into_transport().finish().unwrap();
}

#[test]
fn the_mac_of_a_session_is_over_the_class_that_the_card_gets() {
    let (key, master) = (line_key(&[0xFF; 16]), master_key(&[0xFF; 8]));
    let command = |text: &str| CommandApdu::decode(&hex(text)).unwrap();
    let text = |command: &CommandApdu| base16ct::upper::encode_string(command.encode().expose_bytes());
    // What a card on channel 1 is sent, protected as it stands.
    let moved = |plain: &str, protection, key: &LineKey| {
        text(&protect(&command(plain), protection, key, challenge(&DRAWN)).unwrap().command)
    };
    let update = moved("01D69500091122334455667788AA", Protection::Mac, &key);
    let load = moved("81D401020D39F0F0AAFF1122334455667788", Protection::CipherAndMac, &line_key(&[0xFF; 8]));
    assert!(update.starts_with("05D6") && load.starts_with("85D4"));
    let drawn = "> 0184000004\n< 5D72B3FD9000\n";
    let mut basic = channel(&format!("{drawn}> {update}\n< 9000\n{drawn}> {load}\n< 9000\n"));
    let mut first = basic.on(LogicalChannel::new(1).unwrap());
    let challenged = Challenged::request(&mut first, ChallengeLength::Four).unwrap();
    let plain = command("00D69500091122334455667788AA");
    challenged.write(&plain, Protection::Mac, &key).unwrap().into_ok().unwrap();
    let challenged = Challenged::request(&mut first, ChallengeLength::Four).unwrap();
    let loaded = card_key(&hex("1122334455667788"));
    let key_use = KeyUse::ExternalAuthenticate { follow_state: 0xAA, tries: Tries::new(15).unwrap() };
    let (loading, usage, change) = (KeyLoading::Plain, Access::ALWAYS, Access::ALWAYS);
    let record = KeyRecord { key_use, loading, usage, change, key: &loaded };
    let write = WriteKey { action: WriteKeyAction::Add, id: 2, record };
    challenged.write_key(&write, &master).unwrap().into_ok().unwrap();
    basic.into_transport().finish().unwrap();
}

#[test]
fn a_logical_channel_without_room_for_protection_is_not_written_on() {
    let mut basic = channel("> 4084000004\n< 5D72B3FD9000\n");
    let mut fourth = basic.on(LogicalChannel::new(4).unwrap());
    let challenged = Challenged::request(&mut fourth, ChallengeLength::Four).unwrap();
    let update = CommandApdu::decode(&hex("00D69500091122334455667788AA")).unwrap();
    let error = challenged.write(&update, Protection::Mac, &line_key(&[0xFF; 16])).unwrap_err();
    assert_eq!(error, SessionError::Protect(ProtectError::Class { byte: 0x40 }));
    basic.into_transport().finish().unwrap();
}

#[test]
fn a_session_loads_a_key_as_published() {
    let mut channel =
        channel("> 0084000004\n< 4C45BAB99000\n> 84D40102147C87BC23140021B3AFEA67E6359DDCFED7C943F6\n< 9000");
    let key = card_key(&hex("1122334455667788"));
    let key_use = KeyUse::ExternalAuthenticate { follow_state: 0xAA, tries: Tries::new(15).unwrap() };
    let loading = KeyLoading::Protected;
    let record = KeyRecord { key_use, loading, usage: Access::ALWAYS, change: Access::ALWAYS, key: &key };
    let write = WriteKey { action: WriteKeyAction::Add, id: 2, record };
    let challenged = Challenged::request(&mut channel, ChallengeLength::Four).unwrap();
    challenged.write_key(&write, &master_key(&[0xFF; 8])).unwrap().into_ok().unwrap();
}

#[test]
fn a_forged_reply_ends_the_session() {
    let mut channel = channel(
        "> 0084000004\n< D0FE4FB99000\n> 04B0000004F09C8A1910\n< 11223344556677889900AABBCCDDEE008D3185779000",
    );
    let read = CommandApdu::decode(&hex("00B0000010")).unwrap();
    let challenged = Challenged::request(&mut channel, ChallengeLength::Four).unwrap();
    let error = challenged.read(&read, Protection::Mac, &line_key(&[0xFF; 16])).unwrap_err();
    assert_eq!(error, SessionError::Rejected(Rejected));
}

#[test]
fn no_challenge_no_session() {
    let request = |script: &str| {
        Challenged::request(&mut channel(script), ChallengeLength::Four).map(|_| ()).unwrap_err()
    };
    assert!(matches!(request("> 0084000004\n< 6D00"), SessionError::Status(_)));
    assert_eq!(
        request("> 0084000004\n< AABB9000"),
        SessionError::Challenge(ChallengeLengthError { found: 2 })
    );
    assert!(matches!(request(""), SessionError::Channel(_)));
}

#[test]
fn no_debug_output_shows_a_key() {
    for bytes in [&[0xA5; 8][..], &[0xA5; 16]] {
        assert_debug_hides_a5(&card_key(bytes));
        assert_debug_hides_a5(&line_key(bytes));
        assert_debug_hides_a5(&master_key(bytes));
        assert_debug_hides_a5(&ExternalAuthKey::from_key(card_key(bytes)));
        assert_debug_hides_a5(&InternalAuthKey::from_key(card_key(bytes)));
        let (key, attributes) = (card_key(bytes), KeyAttributes { version: 0, algorithm: 0 });
        let key_use = KeyUse::Purchase(attributes);
        let loading = KeyLoading::Plain;
        let record = KeyRecord { key_use, loading, usage: Access::ALWAYS, change: Access::ALWAYS, key: &key };
        let write = WriteKey { action: WriteKeyAction::Add, id: 0, record };
        assert_debug_hides_a5(&write);
        assert_debug_hides_a5(&write.plain());
        let usage = PsamKeyUsage::new(1, 2).unwrap();
        assert_debug_hides_a5(&WritePsamKey { usage, attributes, key: &key });
        let key = line_key(bytes);
        assert_debug_hides_a5(&protect(&an_update(), Protection::Mac, &key, challenge(&DRAWN)).unwrap());
    }
    let tries = Tries::new(3).unwrap();
    let pin = PinRecord { usage: Access::ALWAYS, follow_state: 1, tries, pin: &[0xA5; 6] };
    assert_debug_hides_a5(&pin);
    assert_debug_hides_a5(&pin.plain(WriteKeyAction::Add, 0).unwrap());
}

proptest! {
    #[test]
    fn the_card_gets_what_the_host_protected(
        header in any::<[u8; 3]>(),
        data in proptest::collection::vec(any::<u8>(), 0..248),
        le in proptest::option::of(1..=256_u32),
        key in prop_oneof![proptest::collection::vec(any::<u8>(), 8), proptest::collection::vec(any::<u8>(), 16)],
        drawn in prop_oneof![proptest::collection::vec(any::<u8>(), 4), proptest::collection::vec(any::<u8>(), 8)],
        cipher: bool,
    ) {
        let Ok(header) = Header::try_from([0x80, header[0], header[1], header[2]]) else { return Ok(()) };
        let command = CommandApdu::new(header).with_data(&data).unwrap();
        let command = le.and_then(Le::new).into_iter().fold(command, CommandApdu::with_le);
        let protection = BOTH[usize::from(cipher)];
        let key = line_key(&key);
        let sent = protect(&command, protection, &key, challenge(&drawn)).unwrap();
        let wire = sent.command.encode();
        let received = CommandApdu::decode(wire.expose_bytes()).unwrap();
        let opened = unprotect(&received, protection, &key, challenge(&drawn)).unwrap();
        let (ours, theirs) = (command.encode(), opened.command.encode());
        prop_assert_eq!(theirs.expose_bytes(), ours.expose_bytes());
        if !data.is_empty() {
            let sealed = opened.reply.seal(&data, StatusWord::OK).unwrap();
            let reply = sent.reply.open(sealed).unwrap();
            prop_assert_eq!(reply.data(), data);
        }
    }
}
