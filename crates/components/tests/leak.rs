//! No secret shows in `Debug`.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

use core::fmt::Debug;

use cardroot_components::{AesComponent, AesKey, AesKeyLength, TdeaComponent};
use tdea::KeyLength;

fn assert_shows_nothing(secret: &impl Debug) {
    for text in
        [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:x?}"), format!("{secret:#X?}")]
    {
        let text = text.to_lowercase();
        assert!(!text.contains("a5") && !text.contains("165"), "{text}");
    }
}

#[test]
fn keys_and_components_show_nothing() {
    for len in [16, 24, 32] {
        let bytes = vec![0xA5; len];
        assert_shows_nothing(&AesKey::try_from(&bytes[..]).unwrap());
        assert_shows_nothing(&AesComponent::try_from(&bytes[..]).unwrap());
        assert_shows_nothing(&TdeaComponent::try_from(&bytes[..]));
    }
    let key = AesKey::from_fill(AesKeyLength::Aes128, |bytes| bytes.fill(0xA5));
    assert_eq!(format!("{key:?}"), "AesKey { length: Aes128, .. }");
    let component = TdeaComponent::from_fill(KeyLength::Double, |bytes| bytes.fill(0xA5));
    assert_eq!(format!("{component:?}"), "KeyComponent { length: Double, .. }");
}
