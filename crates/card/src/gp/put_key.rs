//! PUT KEY.

use aeskey::AesKey;
use apdu::StatusWord;
use apdu::commands::gp::KeyVersion;
use apdu::secure::gp::{DataKey, PlainKey};
use rand_core::CryptoRng;
use tdea::{BLOCK_LEN, Kcv, TdeaKey};
use zeroize::Zeroizing;

use super::domain::{Answer, SecurityDomain};
use super::keys::{DomainKeys, KEY_TYPE_AES, KEY_TYPE_TDEA, KeySet};
use crate::status::require;

/// P2: several keys, the first under identifier 01.
const THREE_KEYS: u8 = 0x81;

/// A key that was decrypted and that its check value fits.
enum NewKey {
    Tdea(TdeaKey),
    Aes(AesKey),
}

impl<R: CryptoRng> SecurityDomain<R> {
    /// PUT KEY `80 D8 replaced 81 Lc version keys`: a whole set. Its sequence counter starts at zero, unless
    /// the card has had its keys in a set that is still there or that it replaces: no session is to come twice.
    ///
    /// ```text
    /// 80 10 E(key)                   03 KCV
    /// 88 length  key length  E(key)  03 KCV
    /// ```
    /// The answer is the version and the check values. When it leaves, the keys that were replaced are in no state of the store.
    pub(super) fn put_key(&mut self, replaced: u8, p2: u8, data: &[u8], data_key: &DataKey) -> Answer {
        require(replaced < 0x80 && p2 == THREE_KEYS, StatusWord::WRONG_P1_P2)?;
        let (version, rest) = data.split_first().ok_or(StatusWord::WRONG_DATA)?;
        let version = KeyVersion::new(*version).ok_or(StatusWord::WRONG_DATA)?;
        let (enc, enc_kcv, rest) = read_key(rest, data_key)?;
        let (mac, mac_kcv, rest) = read_key(rest, data_key)?;
        let (dek, dek_kcv, rest) = read_key(rest, data_key)?;
        require(rest.is_empty(), StatusWord::WRONG_DATA)?;
        let keys = match (enc, mac, dek) {
            (NewKey::Tdea(enc), NewKey::Tdea(mac), NewKey::Tdea(dek)) => DomainKeys::from([enc, mac, dek]),
            (NewKey::Aes(enc), NewKey::Aes(mac), NewKey::Aes(dek)) => DomainKeys::from([enc, mac, dek]),
            _ => return Err(StatusWord::WRONG_DATA),
        };
        let set = KeySet::new(version, keys).map_err(|_| StatusWord::WRONG_DATA)?;
        self.memory.try_commit(|memory| memory.keys.put(replaced, set))?;
        if replaced != 0 {
            self.memory.erase_past()?;
        }
        let check_values = [enc_kcv, mac_kcv, dek_kcv];
        let shown = check_values.iter().flat_map(Kcv::as_bytes);
        Ok(Zeroizing::new([version.number()].iter().chain(shown).copied().collect()))
    }
}

/// Reads one key, decrypts it and compares its check value in constant time. A key without a check value is refused.
fn read_key<'d>(data: &'d [u8], data_key: &DataKey) -> Result<(NewKey, Kcv, &'d [u8]), StatusWord> {
    let [kind, len, rest @ ..] = data else { return Err(StatusWord::WRONG_DATA) };
    let (block, rest) = rest.split_at_checked(usize::from(*len)).ok_or(StatusWord::WRONG_DATA)?;
    let Some(([3], rest)) = rest.split_first_chunk() else { return Err(StatusWord::WRONG_DATA) };
    let (sent, rest) = rest.split_first_chunk::<3>().ok_or(StatusWord::WRONG_DATA)?;
    let key = match (*kind, data_key.block_len()) {
        (KEY_TYPE_TDEA, BLOCK_LEN) => tdea_key(block, data_key),
        (KEY_TYPE_AES, aeskey::BLOCK_LEN) => aes_key(block, data_key),
        _ => None,
    }
    .ok_or(StatusWord::WRONG_DATA)?;
    let kcv = match &key {
        NewKey::Tdea(key) => PlainKey::Tdea(key).kcv(),
        NewKey::Aes(key) => PlainKey::Aes(key).kcv(),
    };
    let sent = Kcv::new(kcv.method(), sent).expect("3 bytes of any method");
    kcv.verify(&sent).map_err(|_| StatusWord::WRONG_DATA)?;
    Ok((key, kcv, rest))
}

/// A key of 16 bytes.
fn tdea_key(block: &[u8], data_key: &DataKey) -> Option<NewKey> {
    let key = data_key.decrypt(block).ok()?;
    let key = TdeaKey::try_from(key.expose_bytes()).ok()?;
    (key.length() == tdea::KeyLength::Double).then_some(NewKey::Tdea(key))
}

/// A key after its length, filled up to whole blocks.
fn aes_key(block: &[u8], data_key: &DataKey) -> Option<NewKey> {
    let (len, ciphertext) = block.split_first()?;
    let len = usize::from(*len);
    let is_whole = ciphertext.len() == len.next_multiple_of(aeskey::BLOCK_LEN);
    let key = data_key.decrypt(ciphertext).ok().filter(|_| is_whole)?;
    AesKey::try_from(key.expose_bytes().get(..len)?).ok().map(NewKey::Aes)
}
