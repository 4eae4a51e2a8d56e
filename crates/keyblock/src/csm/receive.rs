//! Messages of the peer.

use alloc::string::String;
use alloc::vec::Vec;

use smid::csm::{
    Class, Count, Csm, ErrorCodes, Field, KeyField, KeyId, Service, ServiceRequest, check, peek,
};
use tdea::{KeyLength, Mode, TdeaKey};

use super::agreement::{Dates, Naming};
use super::data_key::{DataKey, Iv};
use super::event::{Event, Outcome, ReceivedKeys, Refusal};
use super::offset::unwrap;
use super::party::{Party, push, seal};
use super::send::authenticator;
use super::state::{DataKeyEntry, KekEntry, KekOrigin, Purpose, StateStore};
use crate::tdea_keys::Kek;

/// A refusal, with what the ESM says of the counts: a KSM is answered with the count expected, empty if it is not known.
struct Refused {
    because: Refusal,
    expected: Option<Option<Count>>,
}

impl From<Refusal> for Refused {
    fn from(because: Refusal) -> Self {
        Self { because, expected: None }
    }
}

impl<S: StateStore> Party<S> {
    /// Takes a message of the peer. Whatever the bytes are, they are answered or refused.
    ///
    /// Nothing that is refused changes the state. An ESM answers an RSI, a KSM, a DSM and an RSM to a KSM; none answers an ESM, an RSM to a DSM,
    /// or a message that is for somebody else.
    ///
    /// # Errors
    /// Returns the store's error: nothing has happened, and no answer may leave.
    pub fn receive(&mut self, text: &[u8]) -> Result<Outcome, S::Error> {
        let strictness = self.agreement.strictness;
        let csm = match Csm::read(text, strictness) {
            Ok(csm) => csm,
            Err(error) => return Ok(self.unreadable(peek(text, strictness), error.into())),
        };
        if (csm.receiver(), csm.originator()) != (Some(self.agreement.own), Some(self.agreement.peer)) {
            return Ok(refused(Refusal::Misrouted, None));
        }
        match self.process(&csm)? {
            Ok(outcome) => Ok(outcome),
            Err(why) => Ok(self.refuse(&csm, &why)),
        }
    }

    /// A text whose sender may be known all the same. An RSM could answer a DSM: it stays without an answer.
    fn unreadable(
        &self,
        header: Option<(Class, smid::csm::PartyId, smid::csm::PartyId)>,
        because: Refusal,
    ) -> Outcome {
        let ours =
            |(_, receiver, originator)| (receiver, originator) == (self.agreement.own, self.agreement.peer);
        let reply = match header.filter(|header| ours(*header)) {
            Some((class @ (Class::Rsi | Class::Ksm | Class::Dsm), ..)) => {
                let expected = (class == Class::Ksm).then_some(None);
                Some(self.error_message(ErrorCodes::FORMAT, expected, None))
            }
            _ => None,
        };
        refused(because, reply)
    }

    fn refuse(&self, csm: &Csm<'_>, why: &Refused) -> Outcome {
        let to_discontinuation = csm.fields().any(|field| matches!(field, Field::Idd(_)));
        let answerable = match csm.class() {
            Class::Esm => false,
            Class::Rsm => !to_discontinuation && self.state.sent_keys.is_some(),
            _ => true,
        };
        let (codes, received) = match why.because {
            Refusal::Rule(_) => (ErrorCodes::FORMAT, None),
            Refusal::CentreClass(_) | Refusal::Option => (ErrorCodes::NOT_IMPLEMENTED, None),
            Refusal::UnknownKey => (ErrorCodes::KEY_MISMATCH, None),
            Refusal::CountTooLow { received, .. } => (ErrorCodes::CANNOT_PROCESS, Some(received)),
            _ => (ErrorCodes::CANNOT_PROCESS, None),
        };
        let expected = why.expected.or((csm.class() == Class::Ksm).then_some(None));
        refused(why.because, answerable.then(|| self.error_message(codes, expected, received)))
    }

    fn process(&mut self, csm: &Csm<'_>) -> Result<Result<Outcome, Refused>, S::Error> {
        if let Some(finding) = check(csm).first() {
            return Ok(Err(Refusal::Rule(*finding).into()));
        }
        match csm.class() {
            Class::Rsi => Ok(self.requested(csm)),
            Class::Ksm => self.keys_sent(csm),
            Class::Rsm => self.acknowledged(csm),
            Class::Esm => self.error_reported(csm),
            Class::Dsm => self.discontinued(csm),
            class @ (Class::Rfs | Class::Rtr | Class::Ers) => Ok(Err(Refusal::CentreClass(class).into())),
        }
    }

    fn requested(&self, csm: &Csm<'_>) -> Result<Outcome, Refused> {
        if !self.edc_is_right(csm) {
            return Err(Refusal::NotAuthentic.into());
        }
        let mut asked = ServiceRequest::DATA_KEY;
        for field in csm.fields() {
            match field {
                Field::Svr(request) => asked = request,
                Field::Idu(_) | Field::Idc(_) | Field::Nos(_) => return Err(Refusal::Option.into()),
                _ => {}
            }
        }
        let pairs = self.agreement.naming == Naming::Named
            && self.state.keks.iter().any(|kek| kek.origin == KekOrigin::Manual);
        if asked.contains(Service::Kk) || (asked.contains(Service::KkPair) && !pairs) {
            return Err(Refusal::Request.into());
        }
        Ok(Outcome { event: Event::KeysRequested(asked), reply: None })
    }

    fn keys_sent(&mut self, csm: &Csm<'_>) -> Result<Result<Outcome, Refused>, S::Error> {
        let (keys, opened) =
            match KeyMessage::of(csm, self).and_then(|keys| Ok((self.open(csm, &keys)?, keys))) {
                Ok((opened, keys)) => (keys, opened),
                Err(why) => return Ok(Err(why)),
            };
        let Opened { top, kek, data_keys, iv, skipped } = opened;
        let Some(authenticator) = authenticator(&data_keys) else {
            return Ok(Err(Refusal::KeyLength.into()));
        };
        let event = Event::KeysReceived(ReceivedKeys {
            count: keys.count,
            skipped,
            kek: kek.as_ref().and_then(|kek| kek.name),
            data_keys: data_keys.iter().map(|key| key.name).collect(),
            iv,
            effective: keys.effective.map(String::from),
        });
        let mut next = self.state.duplicate();
        if let Some(top) = next.kek_mut(top) {
            top.expect = keys.count.next();
        }
        if let Some(kek) = kek {
            next.next_serial = kek.serial.wrapping_add(1);
            next.put_kek(kek);
        }
        next.put_data_keys(data_keys);
        self.commit(next)?;
        Ok(Ok(Outcome { event, reply: Some(seal(self.draft(Class::Rsm), &authenticator)) }))
    }

    /// Verifies count and MAC of a KSM and decrypts its keys. Nothing changes.
    fn open(&self, csm: &Csm<'_>, keys: &KeyMessage<'_>) -> Result<Opened, Refused> {
        let top = self.select_kek(keys.under, keys.kek.is_some());
        let top = top.ok_or(Refused { because: Refusal::UnknownKek, expected: Some(None) })?;
        let refuse = |because| Refused { because, expected: Some(top.expect) };
        self.check_names(keys).map_err(refuse)?;
        let expected = top.expect.ok_or_else(|| refuse(Refusal::CountsUsedUp))?;
        if keys.count < expected {
            return Err(refuse(Refusal::CountTooLow { expected, received: keys.count }));
        }
        let placement = self.agreement.offset;
        let kek = keys.kek.map(|field| {
            let bytes = unwrap(&top.kek, placement, keys.count, &field.key);
            KekEntry {
                serial: self.state.next_serial,
                name: field.name,
                kek: Kek::from_key(TdeaKey::from_fill(KeyLength::Double, |key| key.copy_from_slice(&bytes))),
                origin: KekOrigin::Automatic { under: top.serial },
                replaces: None,
                send: Some(Count::FIRST),
                expect: Count::FIRST.next(),
                adjustments: 0,
            }
        });
        let (under, count, serial) = match &kek {
            Some(new) => (&new.kek, Count::FIRST, new.serial),
            None => (&top.kek, keys.count, top.serial),
        };
        let form = self.agreement.data_keys;
        if keys.data_keys.iter().any(|field| field.key.byte_len() != form.key_len()) {
            return Err(refuse(Refusal::KeyLength));
        }
        let purposes = match keys.data_keys.len() {
            1 => [None, None],
            _ => [Some(Purpose::Authentication), Some(Purpose::Encryption)],
        };
        let fields = keys.data_keys.iter().zip(purposes);
        let data_keys: Vec<DataKeyEntry> = fields
            .map(|(field, purpose)| {
                let bytes = unwrap(under, placement, count, &field.key);
                let key = DataKey::from_fill(form, |key| key.copy_from_slice(&bytes));
                DataKeyEntry { name: field.name, key, purpose, under: serial }
            })
            .collect();
        verify(csm, authenticator(&data_keys).as_ref()).map_err(refuse)?;
        let sound = kek.as_ref().is_none_or(|kek| {
            let key = kek.kek.expose_key();
            key.check_parity().is_ok() && key.check_strength().is_ok()
        });
        // Nothing is known of the XOR of two keys unless they are one, so that anybody could have made the code.
        let twice = matches!(&*data_keys, [first, second] if first.key.ct_eq(&second.key))
            || kek.as_ref().is_some_and(|kek| data_keys.iter().any(|key| key.key.is(&kek.kek)));
        if !sound || twice || !data_keys.iter().all(|key| key.key.is_sound()) {
            return Err(refuse(Refusal::UnsoundKey));
        }
        // Whoever knows an old key can authenticate its ciphertext, and other counts decrypt it alike: those of the other direction,
        // and those that differ by parity bits.
        if kek.as_ref().is_some_and(|kek| self.state.has_kek(&kek.kek))
            || data_keys.iter().any(|key| self.state.has_data_key(&key.key))
        {
            return Err(refuse(Refusal::KnownKey));
        }
        let iv = keys.iv.zip(data_keys.last()).map(|(encrypted, last)| {
            let mut iv = Iv(encrypted);
            last.key.decrypt(Mode::Ecb, &mut iv.0).expect("a vector is one block");
            iv
        });
        Ok(Opened { top: top.serial, kek, data_keys, iv, skipped: keys.count.value() - expected.value() })
    }

    fn check_names(&self, keys: &KeyMessage<'_>) -> Result<(), Refusal> {
        let names = keys.data_keys.iter().map(|field| field.name);
        let mut all = names.clone().chain(keys.kek.iter().map(|field| field.name));
        let kek_name = keys.kek.and_then(|field| field.name);
        let taken = kek_name.is_some()
            && self.state.keks.iter().any(|kek| kek.origin == KekOrigin::Manual && kek.name == kek_name);
        let unnamed_pair = keys.kek.is_some() && self.agreement.naming == Naming::Unnamed;
        let top = self.agreement.naming == Naming::Named && keys.under.is_none();
        let same = match &*keys.data_keys {
            [first, second] => first.name.is_some() && first.name == second.name,
            _ => false,
        };
        if taken || unnamed_pair || same || top || !all.all(|name| self.check_name(name).is_some()) {
            return Err(Refusal::Naming);
        }
        let on_their_way =
            |name| self.state.sent_keys.as_ref().is_some_and(|sent| sent.names().any(|sent| sent == name));
        if names.chain(keys.kek.iter().map(|field| field.name)).any(on_their_way) {
            return Err(Refusal::Crossing);
        }
        Ok(())
    }

    fn acknowledged(&mut self, csm: &Csm<'_>) -> Result<Result<Outcome, Refused>, S::Error> {
        let named = discontinued_names(csm);
        let mut next = self.state.duplicate();
        if named.is_empty() {
            let Some(sent) = next.sent_keys.take() else { return Ok(Err(Refusal::Unexpected.into())) };
            if let Err(why) = verify(csm, authenticator(&sent.data_keys).as_ref()) {
                return Ok(Err(why.into()));
            }
            if let Some(top) = next.kek_mut(sent.top) {
                top.adjustments = 0;
            }
            if let Some(kek) = sent.kek {
                next.put_kek(kek);
            }
            next.put_data_keys(sent.data_keys);
            self.commit(next)?;
            return Ok(Ok(Outcome { event: Event::KeysAcknowledged { count: sent.count }, reply: None }));
        }
        let Some(sent) = next.sent_discontinuation.take() else { return Ok(Err(Refusal::Unexpected.into())) };
        if let Err(why) = verify(csm, Some(&sent.authentication)) {
            return Ok(Err(why.into()));
        }
        if named != sent.keys {
            return Ok(Err(Refusal::Mismatch.into()));
        }
        self.commit(next)?;
        Ok(Ok(Outcome { event: Event::DiscontinuationAcknowledged, reply: None }))
    }

    fn error_reported(&mut self, csm: &Csm<'_>) -> Result<Result<Outcome, Refused>, S::Error> {
        if !self.edc_is_right(csm) {
            return Ok(Err(Refusal::NotAuthentic.into()));
        }
        let (mut received, mut codes) = (None, ErrorCodes::CANNOT_PROCESS);
        for field in csm.fields() {
            match field {
                Field::Ctr(count) => received = count,
                Field::Erf(found) => codes = found,
                _ => {}
            }
        }
        let expected = csm.count_p();
        let mut event = Event::PeerReported { codes, expected };
        let top =
            self.state.sent_keys.as_ref().filter(|sent| Some(sent.count) == received).map(|sent| sent.top);
        let kek = top.and_then(|serial| self.state.kek(serial));
        if let (Some(kek), Some(expected), Some(from)) = (kek, expected, received)
            && kek.send.is_some_and(|send| send < expected)
        {
            let step = expected.value().saturating_sub(from.value());
            event = if kek.adjustments < self.agreement.adjustments
                && step <= self.agreement.greatest_adjustment
            {
                let (mut next, serial) = (self.state.duplicate(), kek.serial);
                if let Some(kek) = next.kek_mut(serial) {
                    (kek.send, kek.adjustments) = (Some(expected), kek.adjustments + 1);
                }
                self.commit(next)?;
                Event::CountAdjusted { from, to: expected }
            } else {
                Event::KekMustBeReplaced { name: kek.name, expected }
            };
        }
        Ok(Ok(Outcome { event, reply: None }))
    }

    fn discontinued(&mut self, csm: &Csm<'_>) -> Result<Result<Outcome, Refused>, S::Error> {
        let named = discontinued_names(csm);
        let authentication =
            csm.fields().find_map(|field| if let Field::Ida(name) = field { name } else { None });
        if self.check_name(authentication).is_none() {
            return Ok(Err(Refusal::Naming.into()));
        }
        let Some(key) = self.select_authentication(authentication).map(|entry| entry.key.duplicate()) else {
            return Ok(self.discontinued_before(csm, named, authentication));
        };
        if let Err(why) = verify(csm, Some(&key)) {
            return Ok(Err(why.into()));
        }
        // One that was discontinued is named again by a DSM whose answer was lost.
        if named.iter().flatten().any(|name| !self.state.knows(*name) && !self.state.discontinued(*name)) {
            return Ok(Err(Refusal::UnknownKey.into()));
        }
        let mut next = self.state.duplicate();
        let keys = next.discontinue(&named);
        self.commit(next)?;
        Ok(Ok(self.discontinuation(named, keys, &key)))
    }

    /// A DSM whose own key is out of use, as after a DSM whose answer was lost: answered once more, and nothing changes.
    ///
    /// A key that is not known and a MAC that is wrong look the same to somebody who guesses names.
    fn discontinued_before(
        &self,
        csm: &Csm<'_>,
        named: Vec<Option<KeyId>>,
        authentication: Option<KeyId>,
    ) -> Result<Outcome, Refused> {
        let mut keys = self.state.discontinued_data_keys().filter(|entry| entry.name == authentication);
        let key = keys.find(|entry| verify(csm, Some(&entry.key)).is_ok()).ok_or(Refusal::NotAuthentic)?;
        if named.iter().flatten().any(|name| !self.state.discontinued(*name)) {
            return Err(Refusal::UnknownKey.into());
        }
        Ok(self.discontinuation(named, 0, &key.key))
    }

    fn discontinuation(&self, named: Vec<Option<KeyId>>, keys: usize, key: &DataKey) -> Outcome {
        let mut draft = self.draft(Class::Rsm);
        named.iter().for_each(|name| push(&mut draft, Field::Idd(*name)));
        Outcome { event: Event::KeysDiscontinued { named, keys }, reply: Some(seal(draft, key)) }
    }
}

/// The fields of a KSM between two parties.
struct KeyMessage<'a> {
    count: Count,
    /// Name of the `*KK` on top.
    under: Option<KeyId>,
    kek: Option<KeyField<'a>>,
    data_keys: Vec<KeyField<'a>>,
    iv: Option<[u8; 8]>,
    effective: Option<&'a str>,
}

impl<'a> KeyMessage<'a> {
    fn of<S>(csm: &Csm<'a>, party: &Party<S>) -> Result<Self, Refused> {
        let (mut kek, mut data_keys, mut iv, mut effective) = (None, Vec::new(), None, None);
        for field in csm.fields() {
            match field {
                Field::KkPair(key) => kek = Some(key),
                Field::Kd(key) => data_keys.push(key),
                Field::Iv(vector) => iv = vector.to_array(),
                Field::Edk(date) if party.agreement.dates == Dates::Reported => effective = Some(date),
                Field::Mcl(_)
                | Field::Rcv(_)
                | Field::Org(_)
                | Field::Ctp(_)
                | Field::Mac(_)
                | Field::Tid(_) => {}
                // Single key encrypting keys, dates, notarization and centres.
                _ => return Err(Refusal::Option.into()),
            }
        }
        let count = csm.count_p().ok_or(Refusal::Option)?;
        let above = |field: &KeyField<'_>| field.under;
        let under = kek.as_ref().or(data_keys.first()).and_then(above);
        // Data keys go under the `*KK` of the message if there is one (FIPS PUB 171, A.13), else all under the same.
        let consistent = data_keys.iter().map(above).all(|name| match &kek {
            Some(kek) => name.is_none() || name == kek.name,
            None => name == under,
        });
        if data_keys.is_empty() || !consistent {
            return Err(Refusal::UnknownKek.into());
        }
        Ok(Self { count, under, kek, data_keys, iv, effective })
    }
}

/// Keys of a KSM that is authentic.
struct Opened {
    top: u64,
    kek: Option<KekEntry>,
    data_keys: Vec<DataKeyEntry>,
    iv: Option<Iv>,
    skipped: u64,
}

fn verify(csm: &Csm<'_>, key: Option<&DataKey>) -> Result<(), Refusal> {
    let (covered, code) = csm.mac().ok_or(Refusal::NotAuthentic)?;
    key.ok_or(Refusal::NotAuthentic)?.mac(covered).verify(code.as_bytes()).map_err(|_| Refusal::NotAuthentic)
}

fn discontinued_names(csm: &Csm<'_>) -> Vec<Option<KeyId>> {
    csm.fields().filter_map(|field| if let Field::Idd(name) = field { Some(name) } else { None }).collect()
}

const fn refused(because: Refusal, reply: Option<String>) -> Outcome {
    Outcome { event: Event::Refused(because), reply }
}
