//! Builders against printed commands.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    unreachable_pub,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_apdu::commands::pboc::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateMf, CreateWallet, EfKind, KeyAttributes, KeyLoading,
    KeyRecord, KeyUse, LineKeyIds, PinRecord, PsamKeyUsage, ReadProtection, Tries, Wallet, WriteKey,
    WriteKeyAction, erase_df,
};
use cardroot_apdu::commands::{
    BinaryAddress, ChallengeLength, DfName, DfNameError, FileId, PinLengthError, Record, RecordAddress, Sfi,
    append_record, close_channel, get_challenge, open_channel, open_channel_numbered, read_binary,
    read_record, select_file, select_name, update_binary, update_record, verify,
};
use cardroot_apdu::secure::pboc::{CardKey, Protection};
use cardroot_apdu::{CommandApdu, Le, LogicalChannel};
use common::{hex, rows};
use tdea::TdeaKey;
use tdea::hazmat::DesKey;

fn assert_apdu(command: &CommandApdu, expected: &str) {
    assert_eq!(base16ct::upper::encode_string(command.encode().expose_bytes()), expected.replace(' ', ""));
}

fn binary(read: Access, write: Access) -> CreateEf {
    CreateEf {
        id: FileId(0x0001),
        kind: EfKind::Binary { size: 0x50 },
        read,
        write,
        protection: None,
        read_protection: ReadProtection::Free,
        line_keys: LineKeyIds::ZERO,
    }
}

fn write_key(key_use: KeyUse, usage: Access, change: Access, key: &CardKey) -> CommandApdu {
    let record = KeyRecord { key_use, loading: KeyLoading::Plain, usage, change, key };
    WriteKey { action: WriteKeyAction::Add, id: 0, record }.plain()
}

fn des_key(usage: Access, change: Access) -> CommandApdu {
    let key = TdeaKey::try_from(hex("11223344556677881122334455667788").as_slice()).unwrap();
    let attributes = KeyAttributes { version: 1, algorithm: 1 };
    write_key(KeyUse::DesEncrypt(attributes), usage, change, &key.try_into().unwrap())
}

#[test]
fn printed_commands_are_built() {
    let rows = rows(include_str!("data/pboc_commands.csv"));
    let (free, limited) = (Access::ALWAYS, [Access::from_byte(0xFA), Access::from_byte(0x99)]);
    for row in &rows {
        let command = match row[0].as_str() {
            // Printed without Le, as T=0 sends it.
            "select MF" => select_file(FileId::MASTER).with_repetition(cardroot_apdu::Repetition::Never),
            "key file in MF" => CreateKeyFile { id: FileId(0), size: 0x50, short_id: 1, add: free }.command(),
            "fixed record file" => CreateEf {
                id: FileId(0x0008),
                kind: EfKind::FixedRecords { count: 2, len: 0x13 },
                ..binary(free, Access::from_byte(0x00))
            }
            .command(),
            "line protection key" => {
                let key = DesKey::from_fill(|bytes| bytes.fill(0xFF)).into();
                write_key(KeyUse::Line(Tries::new(3).unwrap()), free, free, &key)
            }
            "binary file" => binary(free, free).command(),
            "binary file with rights" => binary(limited[0], limited[1]).command(),
            "DES key" => des_key(free, free),
            "DES key with rights" => des_key(limited[0], limited[1]),
            "MF" => CreateMf { create: free, erase: free, transport_code: [0xFF; 8] }.command(),
            other => panic!("{other}"),
        };
        let built = base16ct::upper::encode_string(command.encode().expose_bytes());
        assert!(built == row[1] || built == format!("{}00", row[1]), "{}: {built}", row[0]);
        assert_eq!(built.len() > row[1].len(), row[0] == "select MF");
    }
    println!("{} printed commands", rows.len());
    assert_eq!(rows.len(), 9);
}

#[test]
fn files_are_selected_read_and_written() {
    let sfi = Sfi::new(0x15);
    let record = |record| RecordAddress { file: sfi, record };
    assert_apdu(&select_file(FileId(0x0015)), "00A40000 02 0015 00");
    let name = DfName::try_from(hex("A00000000386980701").as_slice()).unwrap();
    assert_apdu(&select_name(&name), "00A40400 09 A00000000386980701 00");
    assert_apdu(&read_binary(BinaryAddress::in_file(sfi.unwrap(), 2), Le::MAX_SHORT), "00B09502 00");
    assert_apdu(&read_binary(BinaryAddress::current(0x7FFF).unwrap(), Le::from_short_byte(1)), "00B07FFF 01");
    assert_apdu(&update_binary(BinaryAddress::current(0).unwrap(), &[0xAA]).unwrap(), "00D60000 01 AA");
    assert_apdu(&read_record(record(Record::Number(1)), Le::from_short_byte(0x17)), "00B201AC 17");
    assert_apdu(&read_record(record(Record::Identifier(0x61)), Le::MAX_SHORT), "00B261A8 00");
    assert_apdu(&update_record(record(Record::Previous), &[0xAA]).unwrap(), "00DC00AB 01 AA");
    assert_apdu(&append_record(sfi, &[0xAA]).unwrap(), "00E200A8 01 AA");
    assert_apdu(&append_record(None, &[0xAA]).unwrap(), "00E20000 01 AA");
}

#[test]
fn addresses_and_names_have_limits() {
    assert_eq!(BinaryAddress::current(0x8000), None);
    assert_eq!((Sfi::new(0), Sfi::new(31)), (None, None));
    assert_eq!(Sfi::new(30).map(Sfi::number), Some(30));
    assert_eq!(DfName::try_from(&[][..]), Err(DfNameError { found: 0 }));
    assert_eq!(DfName::try_from(&[1; 17][..]), Err(DfNameError { found: 17 }));
    assert_eq!(DfName::try_from(&[1; 16][..]).unwrap().as_bytes(), [1; 16]);
    assert!(update_binary(BinaryAddress::current(0).unwrap(), &[0; 65536]).is_err());
    assert_eq!(LineKeyIds::new(0, 4), None);
    assert_eq!((Tries::new(0), Tries::new(16)), (None, None));
    assert_eq!((PsamKeyUsage::new(8, 0), PsamKeyUsage::new(0, 32)), (None, None));
}

#[test]
fn challenges_pins_and_channels_are_asked_for() {
    assert_apdu(&get_challenge(ChallengeLength::Four), "00840000 04");
    assert_apdu(&get_challenge(ChallengeLength::Eight), "00840000 08");
    assert_apdu(&verify(1, &[0x12, 0x34, 0x56]).unwrap(), "00200001 03 123456");
    assert_eq!(verify(1, &[0x12]).unwrap_err(), PinLengthError { found: 1 });
    assert_eq!(verify(1, &[0; 9]).unwrap_err(), PinLengthError { found: 9 });
    // As in the flows channel_open, channel_open_numbered and channel_close_basic.
    assert_apdu(&open_channel(), "00700000 01");
    assert_apdu(&open_channel_numbered(LogicalChannel::new(2).unwrap()), "00700002");
    assert_apdu(&close_channel(LogicalChannel::BASIC), "00708000");
}

#[test]
fn directories_and_purses_are_created() {
    let df = CreateDf {
        id: FileId(0x3F01),
        size: 0x036F,
        create: Access::ALWAYS,
        erase: Access::ALWAYS,
        short_id: 0x95,
        name: DfName::try_from(hex("A00000000386980701").as_slice()).unwrap(),
    };
    assert_apdu(&df.command(), "80E03F01 11 38 036F F0F0 95 FFFF A00000000386980701");
    let log = Sfi::new(0x18).unwrap();
    let wallet = |wallet| CreateWallet { wallet, usage: Access::ALWAYS, log }.command();
    assert_apdu(&wallet(Wallet::Deposit), "80E00001 07 2F 0208 F0 00 FF 18");
    assert_apdu(&wallet(Wallet::Purse), "80E00002 07 2F 0208 F0 00 FF 18");
    assert_apdu(&erase_df(), "800E0000 00");
}

#[test]
fn protection_of_a_file_is_in_its_type_and_last_byte() {
    let file = |kind, protection, read_protection, read, write| {
        let line_keys = LineKeyIds::new(read, write).unwrap();
        let rights = (Access::ALWAYS, Access::ALWAYS);
        CreateEf { kind, protection, read_protection, line_keys, ..binary(rights.0, rights.1) }.command()
    };
    let (binary, cyclic) = (EfKind::Binary { size: 0x1E }, EfKind::Cyclic { count: 10, len: 23 });
    let variable = EfKind::VariableRecords { size: 0x1E };
    let (mac, both) = (Some(Protection::Mac), Some(Protection::CipherAndMac));
    assert_apdu(&file(binary, mac, ReadProtection::Free, 0, 0), "80E00001 07 A8 001E F0F0 FF FF");
    assert_apdu(&file(binary, both, ReadProtection::Protected, 0, 0), "80E00001 07 E8 001E F0F0 FF 7F");
    assert_apdu(&file(cyclic, None, ReadProtection::Free, 1, 2), "80E00001 07 2E 0A17 F0F0 FF F9");
    assert_apdu(&file(variable, None, ReadProtection::Free, 3, 3), "80E00001 07 2C 001E F0F0 FF F0");
}

#[test]
fn a_key_record_says_what_the_key_is_for() {
    let key = CardKey::from(DesKey::from_fill(|bytes| bytes.fill(0x11)));
    let tries = Tries::new(3).unwrap();
    let attributes = KeyAttributes { version: 2, algorithm: 0 };
    for (key_use, fields) in [
        (KeyUse::DesEncrypt(attributes), "30F0EF0200"),
        (KeyUse::DesDecrypt(attributes), "31F0EF0200"),
        (KeyUse::DesMac(attributes), "32F0EF0200"),
        (KeyUse::Tac(attributes), "34F0EF0200"),
        (KeyUse::Line(tries), "36F0EFFF33"),
        (KeyUse::PinUnblock(tries), "37F0EFFF33"),
        (KeyUse::PinReload(tries), "38F0EFFF33"),
        (KeyUse::ExternalAuthenticate { follow_state: 0x44, tries }, "39F0EF4433"),
        (KeyUse::Overdraft(attributes), "3CF0EF0200"),
        (KeyUse::Unload(attributes), "3DF0EF0200"),
        (KeyUse::Purchase(attributes), "3EF0EF0200"),
        (KeyUse::Load(attributes), "3FF0EF0200"),
    ] {
        let command = write_key(key_use, Access::ALWAYS, Access::NEVER, &key);
        assert_apdu(&command, &format!("80D40100 0D {fields} 1111111111111111"));
    }
}

#[test]
fn a_pin_record_takes_two_to_eight_bytes() {
    let record = |pin| {
        let tries = Tries::new(3).unwrap();
        PinRecord { usage: Access::ALWAYS, follow_state: 1, tries, pin }.plain(WriteKeyAction::Add, 0)
    };
    assert_apdu(&record(&[0x12, 0x34]).unwrap(), "80D40100 07 3AF0EF0133 1234");
    assert_apdu(&record(&[0x12; 8]).unwrap(), "80D40100 0D 3AF0EF0133 1212121212121212");
    assert_eq!(record(&[0x12]).unwrap_err(), PinLengthError { found: 1 });
    assert_eq!(record(&[0x12; 9]).unwrap_err(), PinLengthError { found: 9 });
}
