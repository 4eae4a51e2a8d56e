#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a property fails by a panic, and nobody else calls this crate"
)]

pub mod apdu;
pub mod card;
pub mod components;
pub mod csm;
pub mod diversify;
pub mod dukpt;
mod input;
pub mod iso8583;
pub mod keyblock;
pub mod kms;
pub mod pboc;
pub mod pin;
mod rng;
pub mod scp;
pub mod smid;
pub mod tdea;
pub mod tlv;
pub mod vpcd;

/// A claim about any input at all. It panics if the claim is false.
pub type Property = fn(&[u8]) -> Reach;

/// How far an input got: a corpus of inputs that are all refused would prove nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// The code under test refused the input, without a panic.
    Refused,
    /// The code under test took the input, and the whole claim held for it.
    Held,
}

impl Reach {
    /// The farther of two.
    const fn or(self, other: Self) -> Self {
        match self {
            Self::Held => Self::Held,
            Self::Refused => other,
        }
    }
}

/// Lists properties under the names of their functions.
macro_rules! properties {
    ($($module:ident: $($name:ident),+;)+) => {
        &[$($((stringify!($name), $module::$name as Property)),+),+]
    };
}

/// Every property under its name, which is also that of its fuzz target and of its folder of inputs.
pub const ALL: &[(&str, Property)] = properties! {
    apdu: apdu_command_round_trip, apdu_response_round_trip, apdu_script_is_total, apdu_channel_is_total;
    pboc: pboc_unprotect_is_total, pboc_protect_round_trip;
    smid: smid_decode_is_total, smid_any_profile_is_total, smid_profile_toml_is_total, key_name_layout_round_trip,
        data_sets_decode_is_total;
    csm: csm_decode_is_total, csm_exchange_is_total;
    iso8583: iso8583_decode_is_total, iso8583_any_dialect_is_total, iso8583_header_round_trip, dialect_toml_is_total,
        iso8583_json_is_total, iso8583_subfields_are_total;
    pin: pin_block_decode_is_total, pin_and_pan_digits, translated_pin_is_the_same_pin;
    dukpt: ksn_decode_is_total, dukpt_host_equals_terminal, aes_ksn_decode_is_total,
        dukpt_aes_host_equals_terminal, durable_state_open_is_total;
    tdea: tdea_key_ignores_parity, tdea_padding_round_trip, tdea_mac_incremental_equals_one_shot;
    diversify: dispersion_profile_is_total, dispersion_any_profile_is_total, wrapped_key_decode_is_total,
        wrapped_key_altered_never_opens, emv_pan_psn_is_total;
    keyblock: key_block_decode_is_total, key_block_round_trip, key_block_altered_never_opens, key_block_payload_is_total,
        key_hierarchy_keeps_one_current;
    components: component_combine_is_total, component_split_round_trip, ceremony_is_total;
    card: card_process_is_total, card_state_open_is_total;
    kms: plan_parse_is_total;
    tlv: tlv_decode_is_total, dgi_decode_is_total;
    vpcd: vpcd_frames_are_total, t0_card_is_total;
    scp: scp_sessions_are_total, gp_domain_is_total, gp_state_open_is_total;
};
