//! An application with a wallet, and the terminal's and host's arithmetic on `tdea` alone.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "a panic is the report")]

use cardroot_card::{CardProfile, CardSystem};
use tdea::hazmat::{DesKey, DesMac};
use tdea::{Mode, Padding, TdeaKey};

use super::{APP_MASTER, Desk, SERIAL, TRANSPORT, hex, hex_of};

pub const LOAD: [u8; 16] = *b"load key number1";
pub const PURCHASE: [u8; 16] = *b"purchase key no1";
pub const UNLOAD: [u8; 16] = *b"unload key numb1";
pub const OVERDRAFT: [u8; 16] = *b"overdraft key n1";
pub const TAC: [u8; 16] = *b"key of the TAC..";
pub const UNBLOCK: [u8; 16] = *b"PIN unblock key.";
pub const RELOAD: [u8; 16] = *b"PIN reload key..";
pub const TERMINAL: &str = "001122334455";
pub const MOMENT: &str = "20161216105800";

/// A card whose application has these keys, as records after their identifiers, and the files of a wallet: log 18,
/// deposit 01, purse 02, and file 19 with two records of 8 bytes for compound purchases. PIN 00 is 1234.
pub fn wallet_with(system: CardSystem, keys: &[(u8, Vec<u8>)]) -> Desk {
    let profile = CardProfile::user(SERIAL).with_system(system);
    let mut desk = Desk::new(profile, &TRANSPORT).with_application();
    for (id, record) in keys {
        desk.write_key(0x01, *id, record, &APP_MASTER).ok();
    }
    desk.write_key(0x01, 0x00, &hex("3A F0 EF 01 33 1234"), &APP_MASTER).ok();
    desk.ok("80E0001807 2E 0A17 F0 EF FF FF");
    desk.ok("80E0000107 2F 0208 F0 00 FF 18");
    desk.ok("80E0000207 2F 0208 F0 00 FF 18");
    desk.ok("80E0001907 2A 0208 F0 F0 FF FF");
    desk.ok("00DC01CC08 0000000000000001");
    desk.ok("00DC02CC08 0000000000000002");
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk
}

/// A key that is used and changed always.
pub fn wallet_key(key_type: u8, version: u8, algorithm: u8, key: &[u8]) -> Vec<u8> {
    [&[key_type, 0xF0, 0xF0, version, algorithm], key].concat()
}

pub fn keys() -> Vec<(u8, Vec<u8>)> {
    vec![
        (0x01, wallet_key(0x3F, 0x01, 0x00, &LOAD)),
        (0x01, wallet_key(0x3E, 0x01, 0x00, &PURCHASE)),
        (0x01, wallet_key(0x3D, 0x01, 0x00, &UNLOAD)),
        (0x01, wallet_key(0x3C, 0x01, 0x00, &OVERDRAFT)),
        (0x00, wallet_key(0x34, 0x01, 0x00, &TAC)),
        (0x00, wallet_key(0x37, 0xFF, 0x33, &UNBLOCK)),
        (0x00, wallet_key(0x38, 0xFF, 0x33, &RELOAD)),
    ]
}

pub fn wallet() -> Desk {
    wallet_with(CardSystem::FMCOS_2, &keys())
}

/// `E(key, random || sequence || tail)`
pub fn process_key(key: &[u8], random: &[u8], sequence: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut block = [random, sequence, tail].concat();
    TdeaKey::try_from(key).unwrap().cipher().encrypt(Mode::Ecb, &mut block).unwrap();
    block
}

/// DES-CBC-MAC of 4 bytes over what the text says.
pub fn mac(key: &[u8], message: &str) -> String {
    let key = DesKey::try_from(key).unwrap();
    let mac = DesMac::compute(&key, Padding::OneAndZeros, &hex(message)).unwrap();
    hex_of(&mac.truncated::<4>())
}

/// The same under the halves of a key XORed.
pub fn folded_mac(key: &[u8], message: &str) -> String {
    let folded: Vec<u8> = key[..8].iter().zip(&key[8..]).map(|(left, right)| left ^ right).collect();
    mac(&folded, message)
}

/// What an answer to INITIALIZE of a transaction with the host says.
pub struct Online {
    pub balance: String,
    pub sequence: String,
    pub key: Vec<u8>,
    pub mac1: String,
}

impl Desk {
    pub fn verify_pin(&mut self) {
        self.ok("0020000002 1234");
    }

    /// INITIALIZE of a load or unload, under the key of the card.
    pub fn initialize(&mut self, p1: u8, p2: u8, amount: &str, key: &[u8]) -> Online {
        let answer = self.ok(&format!("8050{p1:02X}{p2:02X}0B 01 {amount} {TERMINAL} 10"));
        Online {
            balance: hex_of(&answer[..4]),
            sequence: hex_of(&answer[4..6]),
            key: process_key(key, &answer[8..12], &answer[4..6], &[0x80, 0x00]),
            mac1: hex_of(&answer[12..]),
        }
    }

    /// A whole load; MAC1 and TAC are checked.
    pub fn load_account(&mut self, p2: u8, amount: u32) {
        let amount = format!("{amount:08X}");
        let init = self.initialize(0x00, p2, &amount, &LOAD);
        assert_eq!(init.mac1, mac(&init.key, &format!("{}{amount}{p2:02X}{TERMINAL}", init.balance)));
        let mac2 = mac(&init.key, &format!("{amount}{p2:02X}{TERMINAL}{MOMENT}"));
        let tac = hex_of(&self.ok(&format!("805200000B {MOMENT} {mac2} 04")));
        let balance = u32::from_str_radix(&init.balance, 16).unwrap();
        let balance = balance + u32::from_str_radix(&amount, 16).unwrap();
        let statement = format!("{balance:08X}{}{amount}{p2:02X}{TERMINAL}{MOMENT}", init.sequence);
        assert_eq!(tac, folded_mac(&TAC, &statement));
    }

    /// DEBIT for what INITIALIZE answered `init` to; answers process key and command.
    pub fn debit_command(init: &[u8], amount: u32, code: u8, terminal_sequence: u32) -> (Vec<u8>, String) {
        let tail = &terminal_sequence.to_be_bytes()[2..];
        let key = process_key(&PURCHASE, &init[11..15], &init[4..6], tail);
        let mac1 = mac(&key, &format!("{amount:08X}{code:02X}{TERMINAL}{MOMENT}"));
        (key, format!("805401000F {terminal_sequence:08X} {MOMENT} {mac1} 08"))
    }

    /// A whole purchase from the purse, or by P1 and P2 another transaction with a terminal; MAC2 and TAC are checked.
    pub fn pay(&mut self, p1: u8, p2: u8, code: u8, amount: u32, terminal_sequence: u32) -> String {
        let init = self.ok(&format!("8050{p1:02X}{p2:02X}0B 01 {amount:08X} {TERMINAL} 0F"));
        let (key, command) = Self::debit_command(&init, amount, code, terminal_sequence);
        let answer = self.ok(&command);
        let statement = format!("{amount:08X}{code:02X}{TERMINAL}{terminal_sequence:08X}{MOMENT}");
        let expected = folded_mac(&TAC, &statement) + &mac(&key, &format!("{amount:08X}"));
        assert_eq!(hex_of(&answer), expected);
        expected
    }

    pub fn balance(&mut self, p2: u8) -> u32 {
        let balance = self.ok(&format!("805C00{p2:02X}04"));
        u32::from_be_bytes(balance.try_into().unwrap())
    }
}
