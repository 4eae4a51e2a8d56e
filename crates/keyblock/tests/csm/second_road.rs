//! Offset, encryption and MAC a second time, out of single blocks of the crate `des`, and messages made with them.

use cardroot_keyblock::csm::{CountPlacement, DataKeyForm, DataKeyNames, Event, NewKeys};
use cardroot_keyblock::smid::csm::{Csm, Field};
use des::Des;
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::{FORMS, MASTER, Seeded, agreement, id, pair, party, two};

type Block = [u8; 8];

fn single(key: &[u8], mut block: Block, encrypt: bool) -> Block {
    let cipher = Des::new_from_slice(key).unwrap();
    match encrypt {
        true => cipher.encrypt_block((&mut block).into()),
        false => cipher.decrypt_block((&mut block).into()),
    }
    block
}

/// One block under a key of 8 or 16 bytes.
fn block(key: &[u8], data: Block, encrypt: bool) -> Block {
    let (left, right) = (&key[..8], &key[key.len() - 8..]);
    if key.len() == 8 {
        return single(key, data, encrypt);
    }
    single(left, single(right, single(left, data, encrypt), !encrypt), encrypt)
}

/// A pair offset by a count, for counts of which both placements are written out by hand.
pub(crate) fn offset(kek: &[u8; 16], count: u64, placement: CountPlacement) -> Vec<u8> {
    let mask: Block = match placement {
        CountPlacement::RightAligned => count.to_be_bytes(),
        CountPlacement::SkippingParity => {
            let bits: String = format!("{count:056b}");
            let byte = |septet: &[u8]| {
                u8::from_str_radix(&format!("{}0", str::from_utf8(septet).unwrap()), 2).unwrap()
            };
            let bytes: Vec<u8> = bits.as_bytes().chunks(7).map(byte).collect();
            bytes.try_into().unwrap()
        }
    };
    kek.iter().zip(mask.iter().cycle()).map(|(key, mask)| key ^ mask).collect()
}

/// A key part by part under another.
pub(crate) fn ecb(key: &[u8], data: &[u8], encrypt: bool) -> Vec<u8> {
    data.chunks(8).flat_map(|part| block(key, part.try_into().unwrap(), encrypt)).collect()
}

/// The 4 bytes of the MAC that a form computes.
pub(crate) fn mac(form: DataKeyForm, key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut chain = [0; 8];
    for part in message.chunks(8) {
        part.iter().enumerate().for_each(|(index, byte)| chain[index] ^= byte);
        chain = match form {
            DataKeyForm::DoubleRetailMac => single(&key[..8], chain, true),
            _ => block(key, chain, true),
        };
    }
    if form == DataKeyForm::DoubleRetailMac {
        chain = single(&key[..8], single(&key[8..], chain, false), true);
    }
    chain[..4].to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

pub(crate) fn xor(keys: &[Vec<u8>]) -> Vec<u8> {
    keys.iter().fold(vec![0; keys[0].len()], |sum, key| sum.iter().zip(key).map(|(a, b)| a ^ b).collect())
}

/// A message with the MAC of `key` over the fields, which end with a blank.
pub(crate) fn sealed(form: DataKeyForm, key: &[u8], fields: &str) -> String {
    format!("CSM({fields}MAC/{} )", hex(&mac(form, key, fields.as_bytes())))
}

/// A KSM as A would send it, made of nothing but blocks.
pub(crate) struct Ksm<'a> {
    pub(crate) form: DataKeyForm,
    pub(crate) head: &'a str,
    pub(crate) count: u64,
    pub(crate) pair: Option<(&'a str, [u8; 16])>,
    pub(crate) keys: Vec<(&'a str, Vec<u8>)>,
    pub(crate) more: &'a str,
}

impl Ksm<'_> {
    /// Names come with their full stops: `.A.M1`.
    pub(crate) fn text(&self) -> String {
        let placement = CountPlacement::RightAligned;
        let mut fields = format!("MCL/KSM {} ", self.head);
        let mut under = offset(&MASTER, self.count, placement);
        if let Some((names, key)) = &self.pair {
            fields += &format!("*KK/{}{names} ", hex(&ecb(&under, key, true)));
            under = offset(key, 1, placement);
        }
        for (names, key) in &self.keys {
            fields += &format!("KD/{}{names} ", hex(&ecb(&under, key, true)));
        }
        fields += self.more;
        fields += &format!("CTP/{:014X} ", self.count);
        let keys: Vec<Vec<u8>> = self.keys.iter().map(|(_, key)| key.clone()).collect();
        sealed(self.form, &xor(&keys), &fields)
    }
}

/// Sound keys of a form, all different.
pub(crate) fn sound(form: DataKeyForm, number: u8) -> Vec<u8> {
    let odd = |byte: u8| (byte & 0xFE) | u8::from((byte & 0xFE).count_ones().is_multiple_of(2));
    (0..form.key_len() as u8)
        .map(|index| odd(number.wrapping_mul(37) ^ index.wrapping_mul(29) ^ 0x52))
        .collect()
}

#[test]
fn keys_offset_and_macs_are_those_of_single_blocks() {
    let mut checked = 0;
    for form in FORMS {
        for placement in [CountPlacement::RightAligned, CountPlacement::SkippingParity] {
            let mut rng = Seeded(1);
            let [mut a, mut b] = [("BANKA", "BANKB"), ("BANKB", "BANKA")].map(|(own, peer)| {
                let mut agreement = agreement(own, peer, form);
                agreement.offset = placement;
                party(agreement)
            });
            for number in 1..=20_u64 {
                let kek = (number % 3 == 0).then(|| id("K2")).flatten();
                let keys = NewKeys { kek, iv: Some([0x5A; 8].into()), ..two("A", "B") };
                let ksm = a.send_keys(&keys, &mut rng).unwrap();
                let csm = Csm::decode(ksm.as_bytes()).unwrap();
                let mut under = offset(&MASTER, number, placement);
                let mut clear = Vec::new();
                let mut iv = Vec::new();
                for field in csm.fields() {
                    match field {
                        Field::KkPair(key) => {
                            let bytes: Vec<u8> = key.key.bytes().collect();
                            let pair = ecb(&under, &bytes, false);
                            under = offset(&pair.try_into().unwrap(), 1, placement);
                        }
                        Field::Kd(key) => {
                            clear.push(ecb(&under, &key.key.bytes().collect::<Vec<_>>(), false));
                        }
                        Field::Iv(vector) => iv = vector.bytes().collect(),
                        _ => {}
                    }
                }
                assert!(clear.iter().flatten().all(|byte| byte.count_ones() % 2 == 1), "odd parity");
                assert_eq!(ecb(clear.last().unwrap(), &iv, false), [0x5A; 8]);
                let (covered, code) = csm.mac().unwrap();
                assert_eq!(code.as_bytes(), mac(form, &xor(&clear), covered));
                let outcome = b.receive(ksm.as_bytes()).unwrap();
                let Event::KeysReceived(received) = &outcome.event else { panic!("{outcome:?}") };
                assert_eq!((&received.iv, received.skipped), (&Some([0x5A; 8].into()), 0));
                let rsm = outcome.reply.unwrap();
                let (covered, code) = Csm::decode(rsm.as_bytes()).unwrap().mac().unwrap();
                assert_eq!(code.as_bytes(), mac(form, &xor(&clear), covered));
                let stored: Vec<&[u8]> =
                    b.state().data_keys.iter().map(|key| key.key.expose_bytes()).collect();
                assert_eq!(stored, clear);
                a.receive(rsm.as_bytes()).unwrap();
                // The keys compute what their form says.
                let code = a.authentication_key(id("A")).unwrap().mac(b"any message").truncated::<4>();
                assert_eq!(code.to_vec(), mac(form, &clear[0], b"any message"));
                let mut data = [7; 8];
                b.encryption_key(id("B")).unwrap().encrypt([0; 8], &mut data).unwrap();
                assert_eq!(data.to_vec(), ecb(&clear[1], &[7; 8], true));
                checked += 1;
            }
        }
    }
    println!("{checked} messages");
    assert_eq!(checked, 120);
}

#[test]
fn a_message_made_of_single_blocks_is_accepted() {
    for form in FORMS {
        let (_, mut b) = pair(form);
        let pair_key = MASTER.map(|byte| byte ^ 0x06);
        let ksm = Ksm {
            form,
            head: "RCV/BANKB ORG/BANKA",
            count: 3,
            pair: Some((".K2.M1", pair_key)),
            keys: vec![(".A.K2", sound(form, 1)), (".B.K2", sound(form, 2))],
            more: "",
        };
        let Event::KeysReceived(received) = b.receive(ksm.text().as_bytes()).unwrap().event else { panic!() };
        assert_eq!((received.skipped, received.kek), (2, id("K2")));
        let one = DataKeyNames::One(id("C"));
        // The new pair began with 1 in that message.
        let kek = b.state().keks.iter().find(|kek| kek.name == id("K2")).unwrap();
        assert_eq!((kek.expect.unwrap().value(), kek.send.unwrap().value()), (2, 1));
        b.send_keys(&NewKeys { under: id("K2"), ..NewKeys::new(one) }, &mut Seeded(2)).unwrap();
    }
}
