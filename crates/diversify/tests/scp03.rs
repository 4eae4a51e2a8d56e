//! Session keys of secure channel protocol 03. The source prints no session key: that whole exchanges agree shows that
//! all three are right.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use aes::{Aes128, Aes192, Aes256};
use cardroot_diversify::block::AesKey;
use cardroot_diversify::gp::CardCryptogram;
use cardroot_diversify::gp::aes::{CardKeys, Kdek, Kenc, Kmac};
use cardroot_diversify::gp::scp03::{Challenges, SessionKeys};
use cardroot_diversify::{CodeLengthError, CodeMismatch};
use cipher::{BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};
use common::{Row, hex, rows, session_input};

const VECTORS: &str = include_str!("data/scp03.csv");

fn encrypt(key: &AesKey, mut block: [u8; 16]) -> [u8; 16] {
    let key = key.expose_bytes();
    match key.len() {
        16 => Aes128::new_from_slice(key).unwrap().encrypt_block((&mut block).into()),
        24 => Aes192::new_from_slice(key).unwrap().encrypt_block((&mut block).into()),
        _ => Aes256::new_from_slice(key).unwrap().encrypt_block((&mut block).into()),
    }
    block
}

fn cmac(key: &AesKey, message: &[u8]) -> [u8; 16] {
    let key = key.expose_bytes();
    match key.len() {
        16 => <Cmac<Aes128> as KeyInit>::new_from_slice(key)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes(),
        24 => <Cmac<Aes192> as KeyInit>::new_from_slice(key)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes(),
        _ => <Cmac<Aes256> as KeyInit>::new_from_slice(key)
            .unwrap()
            .chain_update(message)
            .finalize()
            .into_bytes(),
    }
    .into()
}

/// CBC under S-ENC, with `80` padding; the vector is the command counter encrypted.
fn encrypt_data(key: &AesKey, counter: u128, data: &[u8]) -> Vec<u8> {
    let mut padded = [data, &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(16), 0);
    let mut chain = encrypt(key, counter.to_be_bytes());
    for block in padded.chunks_exact_mut(16) {
        chain.iter_mut().zip(&*block).for_each(|(chain, byte)| *chain ^= byte);
        chain = encrypt(key, chain);
        block.copy_from_slice(&chain);
    }
    padded
}

/// A host in one session: its keys and the state of the channel.
struct Host {
    keys: SessionKeys,
    challenges: Challenges,
    level: u8,
    counter: u128,
    chain: [u8; 16],
}

impl Host {
    fn new(inputs: &Row) -> Self {
        let input = |name| hex(session_input(inputs.text("input"), name));
        let key = |name| AesKey::try_from(input(name).as_slice()).unwrap();
        let card_keys = CardKeys {
            enc: Kenc::from_key(key("ENC")),
            mac: Kmac::from_key(key("MAC")),
            dek: Kdek::from_key(key("DEK")),
        };
        // data(10) version(1) protocol(1) options(1) challenge(8) cryptogram(8) sequence(3)
        let answer = input("init_update_resp");
        let card = answer[13..21].try_into().unwrap();
        let challenges = Challenges { host: input("host_challenge").try_into().unwrap(), card };
        let keys = card_keys.scp03_session(&challenges);
        let received = CardCryptogram::try_from(&answer[21..29]).unwrap();
        assert_eq!(keys.mac.card_cryptogram(&challenges).verify(&received), Ok(()));
        Self { keys, challenges, level: 0, counter: 0, chain: [0; 16] }
    }

    /// The command with its MAC.
    fn authenticate(&mut self, header: [u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [&header[..], &[u8::try_from(data.len() + 8).unwrap()], data].concat();
        self.chain = cmac(self.keys.mac.expose_key(), &[&self.chain[..], &body].concat());
        [&body[..], &self.chain[..8]].concat()
    }

    fn external_authenticate(&mut self, level: u8) -> Vec<u8> {
        self.level = level;
        let cryptogram = *self.keys.mac.host_cryptogram(&self.challenges).as_bytes();
        self.authenticate([0x84, 0x82, level, 0x00], &cryptogram)
    }

    fn wrap(&mut self, command: &[u8]) -> Vec<u8> {
        let header = [0x84, command[1], command[2], command[3]];
        let (data, le) = match &command[4..] {
            [] => (&[][..], &[][..]),
            [le] => (&[][..], core::slice::from_ref(le)),
            [lc, rest @ ..] => rest.split_at(usize::from(*lc)),
        };
        self.counter += 1;
        let data = if self.level & 0x02 == 0 || data.is_empty() {
            data.to_vec()
        } else {
            encrypt_data(self.keys.enc.expose_key(), self.counter, data)
        };
        [&self.authenticate(header, &data), le].concat()
    }

    /// What the card answers: its data, encrypted if the level says so, and the MAC of the response.
    fn response(&self, data: &[u8], status: &[u8]) -> Vec<u8> {
        let data = if self.level & 0x20 == 0 {
            data.to_vec()
        } else {
            encrypt_data(self.keys.enc.expose_key(), 0x80 << 120 | self.counter, data)
        };
        let mac = cmac(self.keys.rmac.expose_key(), &[&self.chain[..], &data, status].concat());
        [&data, &mac[..8]].concat()
    }
}

#[test]
fn recorded_sessions_agree_from_the_first_cryptogram_to_the_last_command() {
    let mut counts = [0; 5];
    let mut host = None;
    for row in rows(VECTORS).iter().filter(|row| row.text("session") != "KCV-AES") {
        let (id, session) = (row.text("id"), row.text("session"));
        let level = u8::from_str_radix(&session[session.len() - 2..], 16).unwrap();
        let step = match (row.text("step"), &mut host) {
            ("inputs", host) => {
                *host = Some(Host::new(row));
                0
            }
            ("card cryptogram", Some(host)) => {
                let cryptogram = host.keys.mac.card_cryptogram(&host.challenges);
                assert_eq!(cryptogram.as_bytes()[..], row.bytes("result"), "{id}");
                1
            }
            ("EXTERNAL AUTHENTICATE", Some(host)) => {
                assert_eq!(host.external_authenticate(level), row.bytes("result"), "{id}");
                2
            }
            ("wrap", Some(host)) => {
                assert_eq!(host.wrap(&row.bytes("input")), row.bytes("result"), "{id}");
                3
            }
            ("response", Some(host)) => {
                let (data, status) = row.text("input").split_once(" SW ").unwrap();
                assert_eq!(host.response(&hex(data), &hex(status)), row.bytes("result"), "{id}");
                4
            }
            (other, _) => panic!("{id}: {other}"),
        };
        counts[step] += 1;
    }
    println!("{counts:?} inputs, cryptograms, authentications, commands, responses");
    assert_eq!(counts, [5, 5, 5, 25, 4]);
    // And three check values, which belong to the tests of keys.
    assert_eq!(rows(VECTORS).len(), 5 + 5 + 5 + 25 + 4 + 3);
}

#[test]
fn another_challenge_makes_another_cryptogram() {
    let host = Host::new(&rows(VECTORS)[0]);
    let other = Challenges { host: [0; 8], ..host.challenges };
    let cryptogram = host.keys.mac.card_cryptogram(&host.challenges);
    assert_eq!(host.keys.mac.card_cryptogram(&other).verify(&cryptogram), Err(CodeMismatch));
}

#[test]
fn a_cryptogram_is_8_bytes() {
    for found in [0, 4, 7, 9] {
        let error = CardCryptogram::try_from(&[0; 9][..found]).unwrap_err();
        assert_eq!(error, CodeLengthError { expected: 8, found });
    }
}
