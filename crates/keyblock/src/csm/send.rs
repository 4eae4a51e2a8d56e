//! Messages that a party makes of itself.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::CryptoRng;
use smid::csm::{Class, Count, Cryptogram, Field, KeyField, KeyId, ServiceRequest};
use tdea::{KeyLength, Mode, TdeaKey};

use super::data_key::{DataKey, Iv};
use super::event::SendError;
use super::offset::wrap;
use super::party::{Party, push, seal};
use super::state::{DataKeyEntry, KekEntry, KekOrigin, Purpose, SentDiscontinuation, SentKeys, StateStore};
use crate::tdea_keys::Kek;

/// Keys to send in one KSM. They are generated when they are sent.
#[derive(Clone, Debug)]
pub struct NewKeys<'a> {
    /// Name of the `*KK` on top; the only one if not named.
    pub under: Option<KeyId>,
    /// Name of a new `*KK`, if there is to be one: the data keys go under it, and it goes under one that was installed by hand.
    pub kek: Option<KeyId>,
    /// Names of the data keys.
    pub data_keys: DataKeyNames,
    /// An initialization vector, to be encrypted under the last data key.
    pub iv: Option<Iv>,
    /// When the keys come into effect, as the parties write dates.
    pub effective: Option<&'a str>,
}

impl NewKeys<'_> {
    /// Data keys alone, under the only `*KK`.
    #[must_use]
    pub const fn new(data_keys: DataKeyNames) -> Self {
        Self { under: None, kek: None, data_keys, iv: None, effective: None }
    }
}

/// Names of one or two data keys; nothing if the parties do not name keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DataKeyNames {
    /// One key; its first use decides what it is for, on each side by itself: no message tells the peer, so the parties agree on it.
    One(Option<KeyId>),
    /// A key for MACs and one for encryption.
    Two(Option<KeyId>, Option<KeyId>),
}

impl DataKeyNames {
    /// The names with the purposes.
    fn entries(self) -> Vec<(Option<KeyId>, Option<Purpose>)> {
        match self {
            Self::One(name) => [(name, None)].into(),
            Self::Two(first, second) => {
                [(first, Some(Purpose::Authentication)), (second, Some(Purpose::Encryption))].into()
            }
        }
    }
}

impl<S: StateStore> Party<S> {
    /// An RSI: asks the peer for keys. Nothing changes here.
    #[must_use]
    pub fn request_keys(&self, request: ServiceRequest) -> String {
        let mut draft = self.draft(Class::Rsi);
        push(&mut draft, Field::Svr(request));
        self.finish(draft)
    }

    /// A KSM: generates keys of odd parity and sends them. They come into use when the peer acknowledges them.
    ///
    /// Keys that were sent before and not acknowledged are given up: an RSM for them that comes late is refused.
    ///
    /// # Errors
    /// Returns [`SendError::Naming`], [`SendError::UnknownKek`], [`SendError::CountsUsedUp`], [`SendError::Encode`] for a date that can't be
    /// written, and [`SendError::Store`].
    pub fn send_keys(
        &mut self,
        keys: &NewKeys<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<String, SendError<S::Error>> {
        let sent = self.generate(keys, rng)?;
        let text = self.key_message(keys, &sent)?;
        let mut next = self.state.duplicate();
        next.kek_mut(sent.top).ok_or(SendError::UnknownKek)?.send = sent.count.next();
        if let Some(kek) = &sent.kek {
            next.next_serial = kek.serial.wrapping_add(1);
        }
        next.sent_keys = Some(sent);
        self.commit(next).map_err(SendError::Store)?;
        Ok(text)
    }

    fn generate(
        &self,
        keys: &NewKeys<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<SentKeys, SendError<S::Error>> {
        let names = keys.data_keys.entries();
        let same = matches!(keys.data_keys, DataKeyNames::Two(Some(a), Some(b)) if a == b);
        let named = names.iter().all(|(name, _)| self.check_name(*name).is_some());
        let taken = self.state.keks.iter().any(|kek| kek.origin == KekOrigin::Manual && kek.name == keys.kek);
        if same || !named || keys.kek.is_some() && (taken || self.check_name(keys.kek).is_none()) {
            return Err(SendError::Naming);
        }
        let top = self.select_kek(keys.under, keys.kek.is_some()).ok_or(SendError::UnknownKek)?;
        let count = top.send.ok_or(SendError::CountsUsedUp)?;
        let kek = keys.kek.map(|name| KekEntry {
            serial: self.state.next_serial,
            name: Some(name),
            kek: Kek::from_key(TdeaKey::generate(KeyLength::Double, rng)),
            origin: KekOrigin::Automatic { under: top.serial },
            replaces: None,
            // Offset 1 encrypts the data keys of this message.
            send: Count::FIRST.next(),
            expect: Some(Count::FIRST),
            adjustments: 0,
        });
        let under = kek.as_ref().map_or(top.serial, |kek| kek.serial);
        let mut data_keys: Vec<DataKeyEntry> = Vec::new();
        for (name, purpose) in names {
            let key = loop {
                let key = DataKey::generate(self.agreement.data_keys, rng);
                if !data_keys.iter().any(|other| other.key.ct_eq(&key)) {
                    break key;
                }
            };
            data_keys.push(DataKeyEntry { name, key, purpose, under });
        }
        Ok(SentKeys { top: top.serial, count, kek, data_keys })
    }

    fn key_message(&self, keys: &NewKeys<'_>, sent: &SentKeys) -> Result<String, SendError<S::Error>> {
        let top = self.state.kek(sent.top).ok_or(SendError::UnknownKek)?;
        let placement = self.agreement.offset;
        let mut draft = self.draft(Class::Ksm);
        if let Some(new) = &sent.kek {
            let digits = wrap(&top.kek, placement, sent.count, new.kek.expose_key().expose_bytes());
            push(&mut draft, Field::KkPair(key_field(&digits, new.name, top.name)));
        }
        let (kek, count, under) = match &sent.kek {
            Some(new) => (&new.kek, Count::FIRST, new.name),
            None => (&top.kek, sent.count, top.name),
        };
        for entry in &sent.data_keys {
            let digits = wrap(kek, placement, count, entry.key.expose_bytes());
            push(&mut draft, Field::Kd(key_field(&digits, entry.name, under)));
        }
        if let (Some(iv), Some(last)) = (&keys.iv, sent.data_keys.last()) {
            let mut iv = *iv.expose_bytes();
            last.key.encrypt(Mode::Ecb, &mut iv).expect("a vector is one block");
            push(&mut draft, Field::Iv(cryptogram(&base16ct::upper::encode_string(&iv))));
        }
        if let Some(date) = keys.effective {
            draft.push(Field::Edk(date))?;
        }
        push(&mut draft, Field::Ctp(Some(sent.count)));
        Ok(seal(draft, &authenticator(&sent.data_keys).ok_or(SendError::UnknownKey)?))
    }

    /// A DSM: puts keys out of use here, at once, and asks the peer to do the same; no name stands for all keys, those installed by hand too.
    /// All keys that came under one of them go with it.
    ///
    /// `authentication` names the data key that authenticates the message: one for MACs, where there is one.
    ///
    /// # Errors
    /// Returns [`SendError::UnknownKey`] if nothing is named or a name is not known, [`SendError::Naming`] if the key for the MAC is not named as
    /// agreed, and [`SendError::Store`].
    pub fn discontinue(
        &mut self,
        keys: &[Option<KeyId>],
        authentication: Option<KeyId>,
    ) -> Result<String, SendError<S::Error>> {
        self.check_name(authentication).ok_or(SendError::Naming)?;
        let entry = self.select_authentication(authentication).ok_or(SendError::UnknownKey)?;
        if keys.is_empty() || keys.iter().flatten().any(|name| !self.state.knows(*name)) {
            return Err(SendError::UnknownKey);
        }
        let sent = SentDiscontinuation {
            keys: keys.to_vec(),
            authentication_name: authentication,
            authentication: entry.key.duplicate(),
        };
        let text = self.discontinuation_message(&sent);
        let mut next = self.state.duplicate();
        next.discontinue(keys);
        next.sent_discontinuation = Some(sent);
        self.commit(next).map_err(SendError::Store)?;
        Ok(text)
    }

    /// The last DSM again, if it has not been acknowledged.
    #[must_use]
    pub fn repeat_discontinuation(&self) -> Option<String> {
        self.state.sent_discontinuation.as_ref().map(|sent| self.discontinuation_message(sent))
    }

    fn discontinuation_message(&self, sent: &SentDiscontinuation) -> String {
        let mut draft = self.draft(Class::Dsm);
        sent.keys.iter().for_each(|name| push(&mut draft, Field::Idd(*name)));
        if sent.authentication_name.is_some() {
            push(&mut draft, Field::Ida(sent.authentication_name));
        }
        seal(draft, &sent.authentication)
    }
}

/// The key that authenticates a KSM and its RSM: its data key, or the XOR of both.
pub(super) fn authenticator(keys: &[DataKeyEntry]) -> Option<DataKey> {
    match keys {
        [one] => Some(one.key.duplicate()),
        [first, second] => Some(first.key.combined(&second.key)),
        _ => None,
    }
}

fn key_field(digits: &str, name: Option<KeyId>, under: Option<KeyId>) -> KeyField<'_> {
    KeyField { key: cryptogram(digits), name, under }
}

fn cryptogram(digits: &str) -> Cryptogram<'_> {
    Cryptogram::new(digits).expect("whole bytes in hexadecimal")
}
