//! No secret type shows its key.

#![allow(clippy::unwrap_used, reason = "tests state facts about inputs they made")]

use core::fmt::Debug;

use cardroot_diversify::Factor;
use cardroot_diversify::emv::{MdkAc, MdkEnc, MdkMac, PanPsn};
use cardroot_diversify::gp::{Kmc, Template};
use cardroot_diversify::pboc::{self, Diversifier, ProcessInput, Transaction};
use cardroot_diversify::transport::TransportKey;
use cardroot_diversify::tree::purpose::Tac;
use cardroot_diversify::tree::{
    CardKey, CityKey, FunctionLabels, IssuanceMaster, Origin, ParentKey, ProvinceKey, TreeKey,
};
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
    );
    assert_eq!(format!("{keys:?}"), "(UdkAc { .. }, UdkMac { .. }, UdkEnc { .. })");
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
