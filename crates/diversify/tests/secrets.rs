//! No secret type shows its key.

#![allow(clippy::unwrap_used, reason = "tests state facts about inputs they made")]

use core::fmt::Debug;

use cardroot_diversify::block::{AesKey, AesKeyLength, Sm4Key};
use cardroot_diversify::emv::{
    ApplicationCryptogram, MdkAc, MdkEnc, MdkIdn, MdkMac, PanPsn, ScriptPin, UdkAc, UdkEnc, UdkMac,
    VisaPinBlock,
};
use cardroot_diversify::gp::{Kmc, Template, scp03};
use cardroot_diversify::pboc::{self, Diversifier, ProcessInput, Transaction};
use cardroot_diversify::transport::TransportKey;
use cardroot_diversify::tree::purpose::Tac;
use cardroot_diversify::tree::{
    CardKey, CityKey, FunctionLabels, IssuanceMaster, Origin, ParentKey, ProvinceKey, TreeKey,
};
use cardroot_diversify::{Factor, emv, gp};
use tdea::TdeaKey;

/// Equal halves would be refused, so one bit sets them apart.
fn secret() -> TdeaKey {
    let mut bytes = [0xA5; 16];
    bytes[15] = 0xA1;
    bytes.into()
}

fn shows_nothing(secret: &impl Debug) {
    for shown in
        [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:x?}"), format!("{secret:#x?}")]
    {
        let shown = shown.to_lowercase();
        assert!(!shown.contains("a5") && !shown.contains("165"), "{shown}");
    }
}

#[test]
fn debug_shows_no_key_bytes() {
    let place = Factor::from([0x37; 8]);
    let parent = ParentKey::from_key(secret(), Origin::province(1)).unwrap();
    let master = IssuanceMaster::from_key(secret(), Origin::province(1)).unwrap();
    let province = ProvinceKey::<Tac>::from_key(secret(), Origin::province(1)).unwrap();
    let city = CityKey::<Tac>::from_key(secret(), Origin::city(1, place)).unwrap();
    let card = CardKey::<Tac>::from_key(secret(), Origin::card(1, place, place)).unwrap();
    shows_nothing(&parent);
    shows_nothing(&master);
    shows_nothing(&province);
    shows_nothing(&city);
    shows_nothing(&card);
    shows_nothing(&card.mac_key());
    shows_nothing(&TransportKey::from_key(secret()));
    shows_nothing(&Diversifier::new(&secret()).unwrap());
    let input = ProcessInput { random: [0; 4], counter: 0, transaction: Transaction::Host };
    shows_nothing(&pboc::process_key(&secret(), &input).unwrap());
}

#[test]
fn keys_of_emv_and_personalisation_show_no_bytes() {
    shows_nothing(&MdkAc::from_key(secret()));
    shows_nothing(&MdkMac::from_key(secret()));
    shows_nothing(&MdkEnc::from_key(secret()));
    let kmc = Kmc::from_key(secret());
    let card = kmc.diversify(Template::Cps, &[0; 10]).unwrap();
    shows_nothing(&kmc);
    assert_eq!(format!("{card:?}"), "CardKeys { enc: Kenc { .. }, mac: Kmac { .. }, dek: Kdek { .. } }");
    let card = PanPsn::new("6222021234567890", None).unwrap();
    assert_eq!(format!("{card:?}"), "PanPsn { pan_digits: 16, .. }");
    let keys = (
        MdkAc::from_key(secret()).diversify_a(&card).unwrap(),
        MdkMac::from_key(secret()).diversify_a(&card).unwrap(),
        MdkEnc::from_key(secret()).diversify_a(&card).unwrap(),
        MdkIdn::from_key(secret()).diversify_a(&card).unwrap(),
    );
    assert_eq!(format!("{keys:?}"), "(UdkAc { .. }, UdkMac { .. }, UdkEnc { .. }, UdkIdn { .. })");
    let request = ApplicationCryptogram::from([0; 8]);
    let keys = (
        UdkAc::from_key(secret()).without_session().unwrap(),
        UdkMac::from_key(secret()).derive_common(&request).unwrap(),
        UdkEnc::from_key(secret()).derive_common(&request).unwrap(),
    );
    shows_nothing(&keys);
    assert_eq!(format!("{keys:?}"), "(AcKey { .. }, ScriptMacKey { .. }, ScriptEncKey { .. })");
    assert_eq!(
        format!("{:?}", gp::CardKeys::scp02_session(&card_keys(), 1).unwrap()),
        "SessionKeys { enc: Senc { .. }, mac: Smac { .. }, rmac: Srmac { .. }, dek: Sdek { .. } }"
    );
}

fn card_keys() -> gp::CardKeys {
    Kmc::from_key(secret()).diversify(Template::Visa, &[0; 10]).unwrap()
}

#[test]
fn keys_of_aes_and_sm4_show_no_bytes() {
    let aes_secret = || AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0xA5));
    shows_nothing(&aes_secret());
    assert_eq!(format!("{:?}", aes_secret()), "AesKey { length: Aes256, .. }");
    let sm4_secret = Sm4Key::from_fill(|key| key.fill(0xA5));
    shows_nothing(&sm4_secret);
    assert_eq!(format!("{sm4_secret:?}"), "Sm4Key { .. }");
    let issuer = (
        emv::aes::MdkAc::from_key(aes_secret()),
        emv::aes::UdkMac::from_key(aes_secret()),
        emv::aes::AcKey::from_key(aes_secret()),
        gp::aes::Kmc::from_key(aes_secret()),
    );
    shows_nothing(&issuer);
    assert_eq!(format!("{issuer:?}"), "(MdkAc { .. }, UdkMac { .. }, AcKey { .. }, Kmc { .. })");
    let card = issuer.3.diversify_kdf3(&[0; 10]);
    assert_eq!(format!("{card:?}"), "CardKeys { enc: Kenc { .. }, mac: Kmac { .. }, dek: Kdek { .. } }");
    let session = card.scp03_session(&scp03::Challenges { host: [0; 8], card: [0; 8] });
    assert_eq!(
        format!("{session:?}"),
        "SessionKeys { enc: Senc { .. }, mac: Smac { .. }, rmac: Srmac { .. } }"
    );
}

#[test]
fn pins_in_scripts_show_no_digit() {
    let pin = ScriptPin::from_ascii_digits(b"165165").unwrap();
    shows_nothing(&pin);
    assert_eq!(format!("{pin:?}"), "ScriptPin { .. }");
    let block = VisaPinBlock::new(&UdkAc::from_key(secret()), &pin, None);
    shows_nothing(&block);
    assert_eq!(format!("{block:?}"), "VisaPinBlock { .. }");
}

#[test]
fn debug_says_which_kind_of_key_it_is() {
    let parent = ParentKey::from_key(secret(), Origin::province(9)).unwrap();
    assert_eq!(
        format!("{parent:?}"),
        r#"TreeKey { level: Parent, purpose: "secondary keys", version: 9, .. }"#
    );
    let labels = &FunctionLabels::V1;
    let city: TreeKey<_, Tac> =
        parent.provincial_application_master(labels).function_key(labels).city_key([1; 8].into());
    assert_eq!(format!("{city:?}"), r#"TreeKey { level: City, purpose: "TAC", version: 9, .. }"#);
}

#[test]
fn a_wrapped_key_does_not_show_its_ciphertext() {
    let place = Factor::from([0x37; 8]);
    let city = CityKey::<Tac>::from_key(secret(), Origin::city(1, place)).unwrap();
    let transport =
        TransportKey::from_key(TdeaKey::from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]));
    let wrapped = transport.wrap(&city).unwrap();
    assert!(!format!("{wrapped:?}").contains("ciphertext"));
}
