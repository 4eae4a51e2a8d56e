//! How the versions encrypt and authenticate: the two methods of TDEA, and that of AES.

use alloc::vec::Vec;

use aeskey::AesKey;
use tdea::{CbcMac, Mode, Padding, TdeaKey};
use zeroize::Zeroizing;

use crate::version::Version;

/// The MAC is not that of the block under this key. Opaque: nothing says where they differ.
#[derive(Debug)]
pub struct Refused;

/// What a sealed payload is made of.
#[derive(Debug)]
pub struct Sealed {
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

type Clear = Zeroizing<Vec<u8>>;

/// Purposes of derived keys: the third and fourth digit of the input.
const CBC_ENCRYPTION: u16 = 0;
const AUTHENTICATION: u16 = 1;
const CTR_ENCRYPTION: u16 = 2;

/// Versions A and C: the keys are variants, the MAC is over the ciphertext.
pub(crate) mod variant {
    use super::{CbcMac, Clear, Mode, Padding, Refused, Sealed, TdeaKey, Version};

    pub(super) const ENCRYPTION: [u8; tdea::BLOCK_LEN] = [0x45; tdea::BLOCK_LEN];
    pub(super) const AUTHENTICATION: [u8; tdea::BLOCK_LEN] = [0x4D; tdea::BLOCK_LEN];
    const MAC_LEN: usize = 4;

    pub(crate) fn seal(kbpk: &TdeaKey, _: Version, header: &[u8], mut payload: Clear) -> Sealed {
        let mode = mode(header);
        kbpk.variant(&ENCRYPTION).cipher().encrypt(mode, &mut payload).expect("a payload is whole blocks");
        let ciphertext = payload.to_vec();
        let mac = mac(kbpk, header, &ciphertext).truncated::<MAC_LEN>().to_vec();
        Sealed { ciphertext, mac }
    }

    pub(crate) fn open(
        kbpk: &TdeaKey,
        _: Version,
        header: &[u8],
        ciphertext: &[u8],
        received: &[u8],
    ) -> Result<Clear, Refused> {
        mac(kbpk, header, ciphertext).verify(received).map_err(|_| Refused)?;
        let mut payload = Clear::new(ciphertext.to_vec());
        kbpk.variant(&ENCRYPTION).cipher().decrypt(mode(header), &mut payload).map_err(|_| Refused)?;
        Ok(payload)
    }

    fn mode(header: &[u8]) -> Mode {
        Mode::Cbc { iv: *header.first_chunk().expect("a header has 16 characters") }
    }

    fn mac(kbpk: &TdeaKey, header: &[u8], ciphertext: &[u8]) -> tdea::Mac {
        let message = [header, ciphertext].concat();
        CbcMac::compute(&kbpk.variant(&AUTHENTICATION), Padding::None, &message)
            .expect("header and ciphertext are whole blocks")
    }
}

/// Version B: the keys are derived, the MAC is over the clear payload and the initial vector of its encryption.
pub(crate) mod tdea_derivation {
    use super::{AUTHENTICATION, CBC_ENCRYPTION, Clear, Mode, Refused, Sealed, TdeaKey, Version, input};
    use tdea::{BLOCK_LEN, Cmac, KeyLength, Mac};

    pub(crate) fn seal(kbpk: &TdeaKey, _: Version, header: &[u8], mut payload: Clear) -> Sealed {
        let mac = *mac(kbpk, header, &payload).as_bytes();
        let encryption = derive(kbpk, CBC_ENCRYPTION);
        encryption.cipher().encrypt(Mode::Cbc { iv: mac }, &mut payload).expect("a payload is whole blocks");
        Sealed { ciphertext: payload.to_vec(), mac: mac.to_vec() }
    }

    pub(crate) fn open(
        kbpk: &TdeaKey,
        _: Version,
        header: &[u8],
        ciphertext: &[u8],
        received: &[u8],
    ) -> Result<Clear, Refused> {
        let mut payload = Clear::new(ciphertext.to_vec());
        let iv: [u8; BLOCK_LEN] = received.try_into().map_err(|_| Refused)?;
        let encryption = derive(kbpk, CBC_ENCRYPTION);
        encryption.cipher().decrypt(Mode::Cbc { iv }, &mut payload).map_err(|_| Refused)?;
        mac(kbpk, header, &payload).verify(received).map_err(|_| Refused)?;
        Ok(payload)
    }

    pub(super) fn derive(kbpk: &TdeaKey, purpose: u16) -> TdeaKey {
        let (algorithm, bits) = match kbpk.length() {
            KeyLength::Double => (0, 128),
            KeyLength::Triple => (1, 192),
        };
        TdeaKey::from_fill(kbpk.length(), |key| {
            for (counter, part) in (1..).zip(key.chunks_mut(BLOCK_LEN)) {
                let code = Cmac::compute(kbpk, &input(counter, purpose, algorithm, bits));
                part.copy_from_slice(code.as_bytes());
            }
        })
    }

    fn mac(kbpk: &TdeaKey, header: &[u8], payload: &[u8]) -> Mac {
        let mut mac = Cmac::new(&derive(kbpk, AUTHENTICATION));
        mac.update(header);
        mac.update(payload);
        mac.finalize()
    }
}

/// Versions D and E: as B, with AES; CBC or counter mode.
pub(crate) mod aes_derivation {
    use super::{
        AUTHENTICATION, AesKey, CBC_ENCRYPTION, CTR_ENCRYPTION, Clear, Refused, Sealed, Version, input,
    };
    use aeskey::{AesKeyLength, BLOCK_LEN, Cmac, Mac};

    pub(crate) fn seal(kbpk: &AesKey, version: Version, header: &[u8], mut payload: Clear) -> Sealed {
        let mac = *mac(kbpk, header, &payload).as_bytes();
        match version {
            Version::E => ctr(&derive(kbpk, CTR_ENCRYPTION), mac, &mut payload),
            _ => derive(kbpk, CBC_ENCRYPTION)
                .encrypt_cbc(mac, &mut payload)
                .expect("a payload is whole blocks"),
        }
        Sealed { ciphertext: payload.to_vec(), mac: mac.to_vec() }
    }

    pub(crate) fn open(
        kbpk: &AesKey,
        version: Version,
        header: &[u8],
        ciphertext: &[u8],
        received: &[u8],
    ) -> Result<Clear, Refused> {
        let mut payload = Clear::new(ciphertext.to_vec());
        let iv: [u8; BLOCK_LEN] = received.try_into().map_err(|_| Refused)?;
        match version {
            Version::E => ctr(&derive(kbpk, CTR_ENCRYPTION), iv, &mut payload),
            _ => derive(kbpk, CBC_ENCRYPTION).decrypt_cbc(iv, &mut payload).map_err(|_| Refused)?,
        }
        mac(kbpk, header, &payload).verify(received).map_err(|_| Refused)?;
        Ok(payload)
    }

    pub(super) fn derive(kbpk: &AesKey, purpose: u16) -> AesKey {
        let length = kbpk.length();
        let algorithm = match length {
            AesKeyLength::Aes128 => 2,
            AesKeyLength::Aes192 => 3,
            AesKeyLength::Aes256 => 4,
        };
        AesKey::from_blocks(length, |counter, block| {
            Cmac::new(kbpk).chain(&input(counter, purpose, algorithm, length.bits())).finalize_into(block);
        })
    }

    fn mac(kbpk: &AesKey, header: &[u8], payload: &[u8]) -> Mac {
        Cmac::new(&derive(kbpk, AUTHENTICATION)).chain(header).chain(payload).finalize()
    }

    /// Counter mode, the same both ways: the whole block counts, big-endian.
    pub(super) fn ctr(key: &AesKey, start: [u8; BLOCK_LEN], data: &mut [u8]) {
        let mut counter = u128::from_be_bytes(start);
        for part in data.chunks_mut(BLOCK_LEN) {
            let mut stream = zeroize::Zeroizing::new(counter.to_be_bytes());
            key.encrypt_block(&mut stream);
            for (byte, stream) in part.iter_mut().zip(stream.iter()) {
                *byte ^= stream;
            }
            counter = counter.wrapping_add(1);
        }
    }
}

/// What a part of a derived key is the CMAC of: counter, purpose, a zero byte, algorithm and length of the protection key.
fn input(counter: u8, purpose: u16, algorithm: u16, bits: u16) -> [u8; 8] {
    let [[p0, p1], [a0, a1], [b0, b1]] = [purpose, algorithm, bits].map(u16::to_be_bytes);
    [counter, p0, p1, 0, a0, a1, b0, b1]
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::block::KeyBlock;

    #[derive(serde::Deserialize)]
    struct Row {
        kbpk: String,
        key_block: String,
        key: String,
        kbek: String,
        kbak: String,
        padding: String,
    }

    fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for file in [include_str!("../tests/data/tr31.csv"), include_str!("../tests/data/tr31_more.csv")] {
            let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(file.as_bytes());
            rows.extend(reader.deserialize().map(|row| row.expect("a row of the file")));
        }
        assert_eq!(rows.len(), 34);
        rows
    }

    fn hex(text: &str) -> Vec<u8> {
        base16ct::mixed::decode_vec(text).expect("hexadecimal")
    }

    fn tdea_key(text: &str) -> TdeaKey {
        TdeaKey::try_from(&*hex(text)).expect("a TDEA key")
    }

    fn aes_key(text: &str) -> AesKey {
        AesKey::try_from(&*hex(text)).expect("an AES key")
    }

    #[test]
    fn derived_keys_are_the_published_ones() {
        for row in rows() {
            let (encryption, authentication) = match row.key_block.as_bytes() {
                [b'A' | b'C', ..] => {
                    let kbpk = tdea_key(&row.kbpk);
                    let keys = [variant::ENCRYPTION, variant::AUTHENTICATION].map(|mask| kbpk.variant(&mask));
                    (keys[0].expose_bytes().to_vec(), keys[1].expose_bytes().to_vec())
                }
                [b'B', ..] => {
                    let [e, a] = [CBC_ENCRYPTION, AUTHENTICATION]
                        .map(|purpose| tdea_derivation::derive(&tdea_key(&row.kbpk), purpose));
                    (e.expose_bytes().to_vec(), a.expose_bytes().to_vec())
                }
                [version, ..] => {
                    let encryption = if *version == b'E' { CTR_ENCRYPTION } else { CBC_ENCRYPTION };
                    let [e, a] = [encryption, AUTHENTICATION]
                        .map(|purpose| aes_derivation::derive(&aes_key(&row.kbpk), purpose));
                    (e.expose_bytes().to_vec(), a.expose_bytes().to_vec())
                }
                [] => unreachable!("a block is not empty"),
            };
            assert_eq!((encryption, authentication), (hex(&row.kbek), hex(&row.kbak)), "{}", row.key_block);
        }
    }

    /// Every row, those too whose keys have no type, whose headers are padded otherwise, or that nobody may send on.
    #[test]
    fn every_published_block_is_sealed_again_to_the_byte() {
        for row in rows() {
            let block: KeyBlock = row.key_block.parse().expect("a key block");
            let key = hex(&row.key);
            let bits = u16::try_from(8 * key.len()).expect("a short key").to_be_bytes();
            let payload = Clear::new([&bits, &*key, &hex(&row.padding)].concat());
            let (version, header) = (block.header().version, block.header_text());
            let sealed = match version {
                Version::A | Version::C => variant::seal(&tdea_key(&row.kbpk), version, header, payload),
                Version::B => tdea_derivation::seal(&tdea_key(&row.kbpk), version, header, payload),
                Version::D | Version::E => {
                    aes_derivation::seal(&aes_key(&row.kbpk), version, header, payload)
                }
            };
            assert_eq!((&*sealed.ciphertext, &*sealed.mac), (block.ciphertext(), block.mac()), "{block}");
        }
    }

    #[test]
    fn a_counter_that_runs_over_goes_on_from_zero() {
        let key = AesKey::from_fill(aeskey::AesKeyLength::Aes128, |key| key.fill(7));
        let mut stream = [0; 2 * aeskey::BLOCK_LEN];
        aes_derivation::ctr(&key, [0xFF; aeskey::BLOCK_LEN], &mut stream);
        let mut blocks = [[0xFF; aeskey::BLOCK_LEN], [0; aeskey::BLOCK_LEN]];
        key.encrypt_blocks(&mut blocks);
        assert_eq!(stream, *blocks.as_flattened());
    }
}
