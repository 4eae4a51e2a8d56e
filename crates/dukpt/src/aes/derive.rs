//! The one derivation of AES DUKPT on bare keys. The types that give them a purpose are in `keys` and `working_keys`.

use aeskey::{AesKey, AesKeyLength, BLOCK_LEN};
use tdea::{KeyLength, TdeaKey};
use zeroize::Zeroizing;

use crate::aes::counter::Counter;
use crate::aes::hmac_keys::{HmacKey, HmacKeyLength};
use crate::aes::keys::StrongerThanParent;
use crate::aes::ksn::{InitialKeyId, Ksn};

/// What a derived key is for. Directions are those of the originator: it generates and encrypts requests.
///
/// Source: ANS X9.24-3:2017 6.3.2, tables 2 and 3.
#[derive(Clone, Copy)]
pub(super) enum Usage {
    KeyEncryption = 0x0002,
    Pin = 0x1000,
    MacRequest = 0x2000,
    MacResponse = 0x2001,
    MacBoth = 0x2002,
    DataRequest = 0x3000,
    DataResponse = 0x3001,
    DataBoth = 0x3002,
    KeyDerivation = 0x8000,
    InitialKeyDerivation = 0x8001,
}

/// What kind of key is derived.
///
/// Source: ANS X9.24-3:2017 6.3.2, tables 2 and 3.
#[derive(Clone, Copy)]
enum Algorithm {
    Tdea(KeyLength),
    Aes(AesKeyLength),
    Hmac(HmacKeyLength),
}

impl Algorithm {
    const fn code(self) -> u16 {
        match self {
            Self::Tdea(KeyLength::Double) => 0,
            Self::Tdea(KeyLength::Triple) => 1,
            Self::Aes(AesKeyLength::Aes128) => 2,
            Self::Aes(AesKeyLength::Aes192) => 3,
            Self::Aes(AesKeyLength::Aes256) => 4,
            Self::Hmac(_) => 5,
        }
    }

    /// Length of the key in bits, parity bits of TDEA included.
    const fn bits(self) -> u16 {
        match self {
            Self::Tdea(KeyLength::Double) => 128,
            Self::Tdea(KeyLength::Triple) => 192,
            Self::Aes(length) => length.bits(),
            Self::Hmac(length) => length.bits(),
        }
    }
}

/// `IK = derive(BDK, initial key identifier)`, as long as the BDK.
pub(super) fn initial_key(bdk: &AesKey, id: &InitialKeyId) -> AesKey {
    let algorithm = Algorithm::Aes(bdk.length());
    AesKey::from_fill(bdk.length(), |key| {
        derive(bdk, Usage::InitialKeyDerivation, algorithm, *id.as_bytes(), key);
    })
}

/// The derivation key that the KSN `child` names, from one with a bit less in its counter.
pub(super) fn step(parent: &AesKey, child: &Ksn) -> AesKey {
    let algorithm = Algorithm::Aes(parent.length());
    AesKey::from_fill(parent.length(), |key| {
        derive(parent, Usage::KeyDerivation, algorithm, child.context(), key);
    })
}

/// The derivation key of `counter | bits`, from that of `counter`, whose ones are all above those of `bits`: one step for each
/// of `bits`, from the highest down. Judges nothing: callers refuse bad counters first.
pub(super) fn steps(parent: AesKey, id: InitialKeyId, counter: u32, bits: u32) -> AesKey {
    let (mut key, mut so_far) = (parent, counter);
    for bit in (0..Counter::BITS).rev().map(|bit| 1 << bit).filter(|bit| bits & bit != 0) {
        so_far |= bit;
        key = step(&key, &Ksn::with_counter_bits(id, so_far));
    }
    key
}

/// An AES working key of the transaction that `ksn` names.
pub(super) fn aes_key(
    parent: &AesKey,
    usage: Usage,
    length: AesKeyLength,
    ksn: &Ksn,
) -> Result<AesKey, StrongerThanParent> {
    StrongerThanParent::check(parent.length(), length.bits())?;
    Ok(AesKey::from_fill(length, |key| derive(parent, usage, Algorithm::Aes(length), ksn.context(), key)))
}

/// A TDEA working key: weaker than any AES key.
pub(super) fn tdea_key(parent: &AesKey, usage: Usage, length: KeyLength, ksn: &Ksn) -> TdeaKey {
    TdeaKey::from_fill(length, |key| derive(parent, usage, Algorithm::Tdea(length), ksn.context(), key))
}

/// A working key for HMAC.
pub(super) fn hmac_key(
    parent: &AesKey,
    usage: Usage,
    length: HmacKeyLength,
    ksn: &Ksn,
) -> Result<HmacKey, StrongerThanParent> {
    StrongerThanParent::check(parent.length(), length.bits())?;
    Ok(HmacKey::from_fill(length, |key| derive(parent, usage, Algorithm::Hmac(length), ksn.context(), key)))
}

/// "Derive_Key": the leftmost bytes of `E(parent, data with block counter 1) || E(parent, data with block counter 2)`, with
/// `data = 01 || block counter || usage(2) || algorithm(2) || key bits(2) || context(8)`.
///
/// Source: ANS X9.24-3:2017 6.3.1, 6.3.3 and B.4.1.
fn derive(parent: &AesKey, usage: Usage, algorithm: Algorithm, context: [u8; 8], key: &mut [u8]) {
    let [usage_high, usage_low] = (usage as u16).to_be_bytes();
    let [algorithm_high, algorithm_low] = algorithm.code().to_be_bytes();
    let [bits_high, bits_low] = algorithm.bits().to_be_bytes();
    let mut blocks = Zeroizing::new([[0; BLOCK_LEN]; 2]);
    for (number, block) in (1..).zip(blocks.iter_mut()) {
        let (label, tail) = block.split_at_mut(8);
        label.copy_from_slice(&[
            1,
            number,
            usage_high,
            usage_low,
            algorithm_high,
            algorithm_low,
            bits_high,
            bits_low,
        ]);
        tail.copy_from_slice(&context);
    }
    let (used, _) = blocks.split_at_mut(key.len().div_ceil(BLOCK_LEN));
    parent.encrypt_blocks(used);
    for (byte, made) in key.iter_mut().zip(used.as_flattened()) {
        *byte = *made;
    }
}
