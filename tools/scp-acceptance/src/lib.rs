//! What the host of crate `scll` does with our security domain, over any link.

use scll::CardManager;
use scll::backend::{KeyBackend, KeyHandle, KeyKind};
use scll::backend_rustcrypto::RustCryptoBackend;
use scll::model::ScpVariant;
use scll::report::{CardLifeCycle, ScpTargetKind};
use scll::transport::Transport;
use scll::workflow::{NewKeyset, OpenScpArgs, PutSdKeysArgs, SdKeys};

/// One kind of card and the levels to try on it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Length of its keys in bytes, as `cardroot card serve --known-domain-key` takes it.
    pub length: &'static str,
    /// The variant in hexadecimal, as `--variant` takes it.
    pub variant: &'static str,
    /// Levels of EXTERNAL AUTHENTICATE.
    pub levels: &'static [u8],
}

/// Every kind of card, each with the levels that its variant has.
pub const KINDS: [Kind; 8] = [
    Kind { length: "16", variant: "15", levels: &[0x01, 0x03, 0x11, 0x13] },
    Kind { length: "16", variant: "55", levels: &[0x01, 0x03, 0x11, 0x13] },
    Kind { length: "16", variant: "10", levels: &[0x01, 0x03] },
    Kind { length: "16", variant: "30", levels: &[0x01, 0x03, 0x11, 0x13] },
    Kind { length: "16", variant: "60", levels: &[0x01, 0x03, 0x11, 0x13, 0x33] },
    Kind { length: "16", variant: "70", levels: &[0x01, 0x03, 0x11, 0x13, 0x33] },
    Kind { length: "24", variant: "70", levels: &[0x03, 0x33] },
    Kind { length: "32", variant: "70", levels: &[0x03, 0x33] },
];

impl Kind {
    fn key(&self) -> (KeyKind, usize) {
        match (self.variant, self.length) {
            ("15" | "55", _) => (KeyKind::TripleDesDouble, 16),
            (_, "16") => (KeyKind::Aes128, 16),
            (_, "24") => (KeyKind::Aes192, 24),
            _ => (KeyKind::Aes256, 32),
        }
    }

    fn scp(&self) -> ScpVariant {
        let i_param = u8::from_str_radix(self.variant, 16).expect("hexadecimal");
        match self.variant {
            "15" | "55" => ScpVariant::Scp02 { i_param },
            _ => ScpVariant::Scp03 { i_param },
        }
    }
}

type Backend = RustCryptoBackend<rand_core::OsRng>;

/// Opens a session at each level in turn, asks for the card's status in it, loads a new key set, opens a session with that, and asks
/// again. Returns how many sessions were open.
pub fn drive<T: Transport>(kind: Kind, transport: T) -> usize {
    let mut host = CardManager::new(transport, Backend::new(rand_core::OsRng));
    let info = host.discover(None).expect("the domain tells what it is");
    assert_eq!(info.scp_supported.as_slice(), [kind.scp()]);
    assert_eq!(info.isd_keysets.len(), 1);
    assert_eq!(info.isd_aid.as_bytes(), [0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00]);

    let mut open = 0;
    let [key, enc, mac, dek, wrong] = [0x40, 0x50, 0x60, 0x70, 0x41].map(|first| import(&host, kind, first));
    for (level, new_version) in kind.levels.iter().zip(0x30..) {
        session(&mut host, kind, SdKeys { enc: key, mac: key, dek: key }, 0x01, *level);
        let args = PutSdKeysArgs {
            dek: key,
            new_keys: NewKeyset { enc, mac, dek, kind: kind.key().0 },
            new_kvn: new_version,
            target_sd_aid: info.isd_aid.as_bytes(),
        };
        host.put_sd_keys(&args).expect("the card confirms the check values");
        host.close_channel();
        session(&mut host, kind, SdKeys { enc, mac, dek }, new_version, *level);
        host.close_channel();
        open += 2;
    }
    let info = host.discover(None).expect("the domain tells what it is");
    assert_eq!(info.isd_keysets.len(), 1 + kind.levels.len());
    // The host finds the card's cryptogram wrong before it sends its own.
    let scp = [kind.scp()];
    let keys = SdKeys { enc: wrong, mac: wrong, dek: wrong };
    assert!(host.open_scp(&args(&scp, keys, 0x01, 0x01)).is_err());
    open
}

/// A key of bytes that count up from `first`.
fn import<T: Transport>(host: &CardManager<T, Backend>, kind: Kind, first: u8) -> KeyHandle {
    let (cipher, len) = kind.key();
    let bytes: Vec<u8> = (first..).take(len).collect();
    host.backend().import_key(cipher, &bytes).expect("room for a key")
}

fn args<'a>(scp: &'a [ScpVariant; 1], sd_keys: SdKeys, kvn: u8, requested_level: u8) -> OpenScpArgs<'a> {
    OpenScpArgs {
        target_aid: &[0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00],
        target_kind: ScpTargetKind::SecurityDomainAid,
        sd_keys,
        advertised: scp,
        force_scp: Some(scp[0]),
        kvn,
        requested_level,
    }
}

fn session<T: Transport>(host: &mut CardManager<T, Backend>, kind: Kind, keys: SdKeys, kvn: u8, level: u8) {
    let scp = [kind.scp()];
    let effective = host.open_scp(&args(&scp, keys, kvn, level)).expect("both sides authenticate");
    assert_eq!(effective.security_level_effective, level);
    for _ in 0..3 {
        let status = host.get_card_status(&[0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00]);
        assert_eq!(status.expect("the session goes on").state, CardLifeCycle::Secured);
    }
    // A refusal within the session: no such command.
    let refused = host.transmit(&[0x80, 0xEE, 0x00, 0x00, 0x01, 0xAA]).expect("a refusal is an answer");
    assert_eq!(refused.effective.sw, [0x6D, 0x00]);
}
