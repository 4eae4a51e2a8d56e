//! Keys of DUKPT on their way in key blocks: base keys between centres, initial keys to a terminal, and a new initial key under the
//! update key of the old one.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a failed test")]

use cardroot::aeskey::{AesKey, AesKeyLength};
use cardroot::dukpt::aes::{self, InitialKeyId};
use cardroot::dukpt::{Bdk, InitialKey, KeySetId, KeySets, Ksn, VolatileOriginator};
use cardroot::keyblock::{
    AesKbpk, BlockKey, Content, Exportability, Form, KeyBlock, ModeOfUse, NewKey, OptionalBlock, Unwrapped,
    Usage, Version, aes_keys, tdea_keys,
};
use cardroot::tdea::TdeaKey;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

/// ANS X9.24-1:2009 A.4.
const BDK: u128 = 0x0123456789ABCDEF_FEDCBA9876543210;
const KSN: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00];
const IK: u128 = 0x6AC292FAA1315B4D_858AB3A3D7D5933A;
/// ANS X9.24-3:2017, supplement of test vectors.
const AES_BDK: u128 = 0xFEDCBA9876543210_F1F1F1F1F1F1F1F1;
const AES_IK_ID: [u8; 8] = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56];
const AES_IK: u128 = 0x1273671EA26AC29A_FA4D1084127652A1;

fn tdea(key: u128) -> TdeaKey {
    TdeaKey::from(key.to_be_bytes())
}

fn aes(key: u128) -> AesKey {
    AesKey::try_from(&key.to_be_bytes()[..]).unwrap()
}

fn kbpk() -> AesKbpk {
    AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut UnwrapErr(SysRng)))
}

fn wrap<K: BlockKey>(key: K, name: OptionalBlock, kbpk: &AesKbpk) -> KeyBlock {
    let form = Form { optional_blocks: vec![name], ..Form::new(Version::D, Exportability::None) };
    let new = NewKey::new(key, ModeOfUse::DERIVE).unwrap();
    let block = new.wrap(kbpk, &form, &mut UnwrapErr(SysRng)).unwrap();
    // As text over the line.
    block.as_str().parse().unwrap()
}

fn names<K>(opened: &Unwrapped<K>) -> Content<'_> {
    opened.header().optional_blocks.first().unwrap().content()
}

#[test]
fn a_base_key_arrives_with_its_key_set_and_derives_what_the_sender_derived() {
    let kbpk = kbpk();
    let block = wrap(
        tdea_keys::Bdk::from_key(tdea(BDK)),
        OptionalBlock::key_set_id(&[0xFF, 0xFF, 0x98, 0x76, 0x54]),
        &kbpk,
    );
    assert_eq!(block.header().attributes.usage, Usage::BASE_DERIVATION);

    let opened = block.unwrap(&kbpk).unwrap().into_key::<tdea_keys::Bdk>().unwrap();
    let Content::KeySetId(id) = names(&opened) else { panic!("BI 00 is there") };
    let id = id.iter().fold(0, |id, byte| id << 8 | u64::from(*byte));
    let bdk = Bdk::from_key(opened.into_unbound_key().into_base());
    assert!(bdk.derive_initial_key(&Ksn::from(KSN)).unwrap().expose_key().ct_eq(&tdea(IK)));
    KeySets::new().insert(KeySetId::new(id, 40).unwrap(), bdk).unwrap();
}

#[test]
fn an_initial_key_arrives_with_its_serial_number_and_the_terminal_trades() {
    let kbpk = kbpk();
    let name = OptionalBlock::key_serial_number(&KSN);
    let block = wrap(tdea_keys::InitialKey::from_key(tdea(IK)), name, &kbpk);
    assert_eq!(block.header().attributes.usage, Usage::INITIAL);

    let opened = block.unwrap(&kbpk).unwrap().into_key::<tdea_keys::InitialKey>().unwrap();
    assert_eq!(names(&opened), Content::KeySerialNumber("FFFF9876543210E00000"));
    let key = InitialKey::from_key(opened.into_unbound_key().into_base(), &Ksn::from(KSN)).unwrap();
    let transaction = VolatileOriginator::load(key).next_transaction().unwrap();
    let first = tdea(0x042666B49184CFA3_68DE9628D0397BC9);
    assert!(transaction.key().expose_key().ct_eq(&first));
}

#[test]
fn an_aes_initial_key_arrives_with_its_identifier() {
    let kbpk = kbpk();
    let base = wrap(
        aes_keys::Bdk::from_key(aes(AES_BDK)),
        OptionalBlock::base_key_id(&[0x12, 0x34, 0x56, 0x78]),
        &kbpk,
    );
    let opened = base.unwrap(&kbpk).unwrap().into_key::<aes_keys::Bdk>().unwrap();
    assert_eq!(names(&opened), Content::BaseKeyId([0x12, 0x34, 0x56, 0x78]));
    let bdk = aes::Bdk::from_key(opened.into_unbound_key().into_base());
    let id = InitialKeyId::from(AES_IK_ID);
    let derived = bdk.derive_initial_key(&id);

    let key = aes_keys::InitialKey::from_key(derived.expose_key().duplicate());
    let block = wrap(key, OptionalBlock::initial_key_id(&AES_IK_ID), &kbpk);
    let opened = block.unwrap(&kbpk).unwrap().into_key::<aes_keys::InitialKey>().unwrap();
    assert_eq!(names(&opened), Content::InitialKeyId(AES_IK_ID));
    let key = aes::InitialKey::from_key(opened.into_unbound_key().into_base(), id);
    assert!(key.expose_key().ct_eq(&aes(AES_IK)));
}

#[test]
fn a_terminal_gets_its_next_initial_key_under_its_update_key() {
    let bdk = aes::Bdk::from_key(aes(AES_BDK));
    let (old, new) =
        (InitialKeyId::from(AES_IK_ID), InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 7]));
    let mut terminal = aes::VolatileOriginator::load(bdk.derive_initial_key(&old));
    terminal.next_transaction().unwrap();

    // The host: the key for other keys, of the update key of the old name.
    let protection = |update_key: &aes::UpdateKey| {
        let kek = update_key.key_encryption_key(AesKeyLength::Aes128).unwrap();
        AesKbpk::from_key(kek.expose_key().duplicate())
    };
    let next = bdk.derive_initial_key(&new);
    let key = aes_keys::InitialKey::from_key(next.expose_key().duplicate());
    let name = OptionalBlock::initial_key_id(new.as_bytes());
    let block = wrap(key, name, &protection(&bdk.derive_update_key(&old)));
    assert_eq!(block.as_str().get(5..12), Some("B1AX00N"));

    // The terminal: no initial key is left in it, the update key comes from its registers.
    let opened = block.unwrap(&protection(&terminal.update_key().unwrap())).unwrap();
    let opened = opened.into_key::<aes_keys::InitialKey>().unwrap();
    let Content::InitialKeyId(id) = names(&opened) else { panic!("IK is there") };
    assert_eq!(id, *new.as_bytes());
    let key = aes::InitialKey::from_key(opened.into_unbound_key().into_base(), InitialKeyId::from(id));
    assert!(key.expose_key().ct_eq(next.expose_key()));
    assert_eq!(aes::VolatileOriginator::load(key).next_transaction().unwrap().ksn().id(), new);
}
