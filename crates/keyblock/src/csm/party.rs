//! One side of a relationship.

use alloc::string::String;

use smid::csm::{Class, Code, Count, Csm, Draft, ErrorCodes, Field, KeyId};
use tdea::hazmat::{DesKey, DesMac};
use tdea::{KeyLength, Mac, Padding};

use super::agreement::{Agreement, AgreementError};
use super::data_key::{AuthenticationKey, DataKey, EncryptionKey};
use super::event::{KeyError, SendError};
use super::state::{DataKeyEntry, KekEntry, KekOrigin, Purpose, State, StateStore};
use crate::tdea_keys::Kek;

/// One side of a relationship between two parties.
///
/// What it returns may leave: the state after it is durable. After an error of the store the party is as it was, and the call may be repeated.
#[derive(Debug)]
pub struct Party<S> {
    pub(super) agreement: Agreement,
    pub(super) state: State,
    store: S,
}

impl<S: StateStore> Party<S> {
    /// Continues from `state`, the last one that `store` was given; an empty one at the beginning.
    ///
    /// # Errors
    /// Returns [`AgreementError`] for an agreement that can't be.
    pub fn new(agreement: Agreement, state: State, store: S) -> Result<Self, AgreementError> {
        agreement.check()?;
        Ok(Self { agreement, state, store })
    }

    /// Keys and counts.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Ends the party and gives the store back.
    #[must_use]
    pub fn into_store(self) -> S {
        self.store
    }

    /// Takes a `*KK` into use that custodians brought, in the place of the one of its name. Its counts begin at 1. Returns its serial number.
    ///
    /// A `*KK` of its name on its way to the peer is given up.
    ///
    /// # Errors
    /// Returns [`SendError::Naming`] against the agreement, [`SendError::NotAPair`], [`SendError::Parity`] and [`SendError::Strength`] for keys that can't
    /// protect others, [`SendError::NotNew`] for a key that is or was here, and [`SendError::Store`].
    pub fn install_kek(&mut self, name: Option<KeyId>, kek: Kek) -> Result<u64, SendError<S::Error>> {
        self.check_name(name).ok_or(SendError::Naming)?;
        if kek.length() != KeyLength::Double {
            return Err(SendError::NotAPair);
        }
        kek.expose_key().check_strength()?;
        kek.expose_key().check_parity().map_err(|_| SendError::Parity)?;
        if self.state.has_kek(&kek) {
            return Err(SendError::NotNew);
        }
        let mut next = self.state.duplicate();
        // Acknowledged later, it would take the place of this one.
        next.sent_keys.take_if(|sent| sent.kek.as_ref().is_some_and(|sent| sent.name == name));
        let serial = next.take_serial();
        let count = Some(Count::FIRST);
        let origin = KekOrigin::Manual;
        next.put_kek(KekEntry {
            serial,
            name,
            kek,
            origin,
            replaces: None,
            send: count,
            expect: count,
            adjustments: 0,
        });
        self.commit(next).map_err(SendError::Store)?;
        Ok(serial)
    }

    /// A key for MACs. The first use of a key that came alone decides its purpose for all its life, and that is stored first.
    ///
    /// # Errors
    /// Returns [`KeyError::Unknown`], [`KeyError::Purpose`] if the key encrypts, and [`KeyError::Store`].
    pub fn authentication_key(
        &mut self,
        name: Option<KeyId>,
    ) -> Result<AuthenticationKey, KeyError<S::Error>> {
        self.key_for(name, Purpose::Authentication).map(AuthenticationKey)
    }

    /// A key for encryption. The first use of a key that came alone decides its purpose for all its life, and that is stored first.
    ///
    /// # Errors
    /// Returns [`KeyError::Unknown`], [`KeyError::Purpose`] if the key authenticates, and [`KeyError::Store`].
    pub fn encryption_key(&mut self, name: Option<KeyId>) -> Result<EncryptionKey, KeyError<S::Error>> {
        self.key_for(name, Purpose::Encryption).map(EncryptionKey)
    }

    fn key_for(&mut self, name: Option<KeyId>, purpose: Purpose) -> Result<DataKey, KeyError<S::Error>> {
        let fits =
            |entry: &DataKeyEntry| entry.name == name && entry.purpose.is_none_or(|found| found == purpose);
        let named = |entry: &DataKeyEntry| entry.name == name;
        let mut next = self.state.duplicate();
        let Some(entry) = next.data_keys.iter_mut().find(|entry| fits(entry)) else {
            let other =
                self.state.data_keys.iter().find(|entry| named(entry)).and_then(|entry| entry.purpose);
            return Err(other.map_or(KeyError::Unknown, KeyError::Purpose));
        };
        let key = entry.key.duplicate();
        if entry.purpose.replace(purpose).is_none() {
            self.commit(next).map_err(KeyError::Store)?;
        }
        Ok(key)
    }

    /// Drops the keys of the archive for good. They are no longer known if they come again.
    ///
    /// # Errors
    /// Returns the store's error.
    pub fn forget_archive(&mut self) -> Result<(), S::Error> {
        let mut next = self.state.duplicate();
        next.archive.clear();
        self.commit(next)
    }

    /// Gives up keys that were sent and not acknowledged: an RSM that comes late is refused.
    ///
    /// # Errors
    /// Returns the store's error.
    pub fn abandon_sent_keys(&mut self) -> Result<(), S::Error> {
        let mut next = self.state.duplicate();
        next.sent_keys = None;
        self.commit(next)
    }

    /// Makes `next` durable, and then the state of this party.
    pub(super) fn commit(&mut self, next: State) -> Result<(), S::Error> {
        self.store.replace(&next)?;
        self.state = next;
        Ok(())
    }

    /// Whether a key may have, or lack, this name.
    pub(super) fn check_name(&self, name: Option<KeyId>) -> Option<()> {
        let named = self.agreement.naming == super::Naming::Named;
        (name.is_some() == named).then_some(())
    }

    /// The key encrypting key `name`, or the only one if none is named.
    pub(super) fn select_kek(&self, name: Option<KeyId>, manual_only: bool) -> Option<&KekEntry> {
        let mut fitting = self.state.keks.iter().filter(|kek| {
            (name.is_none() || kek.name == name) && (!manual_only || kek.origin == KekOrigin::Manual)
        });
        let kek = fitting.next()?;
        fitting.next().is_none().then_some(kek)
    }

    /// The data key that authenticates a DSM: the only one of the name, or the one of the name that is for MACs.
    pub(super) fn select_authentication(&self, name: Option<KeyId>) -> Option<&DataKeyEntry> {
        let fitting = || self.state.data_keys.iter().filter(move |key| key.name == name);
        let one = fitting().next().filter(|_| fitting().count() == 1);
        one.or_else(|| fitting().find(|key| key.purpose == Some(Purpose::Authentication)))
    }

    /// Begins a message to the peer.
    pub(super) fn draft(&self, class: Class) -> Draft {
        let mut draft = Draft::new(class);
        push(&mut draft, Field::Rcv(self.agreement.peer));
        push(&mut draft, Field::Org(self.agreement.own));
        draft
    }

    /// Ends a message without a MAC, with an error detection code if the parties use them.
    pub(super) fn finish(&self, mut draft: Draft) -> String {
        if let Some(edc) = self.edc(draft.covered()) {
            push(&mut draft, Field::Edc(code(&edc)));
        }
        draft.finish()
    }

    fn edc(&self, covered: &[u8]) -> Option<Mac> {
        let key = self.agreement.edc_key?;
        let key = DesKey::from_fill(|out| *out = key);
        DesMac::compute(&key, Padding::Zeros, covered).ok()
    }

    /// Whether the error detection code of a message is right, if there is one and the parties use them.
    pub(super) fn edc_is_right(&self, csm: &Csm<'_>) -> bool {
        match csm.edc().map(|(covered, code)| (self.edc(covered), code)) {
            Some((Some(edc), code)) => edc.verify(code.as_bytes()).is_ok(),
            _ => true,
        }
    }

    /// An ESM. The peer learns the count that was expected, where that is asked for and known, and the one received.
    pub(super) fn error_message(
        &self,
        codes: ErrorCodes,
        expected: Option<Option<Count>>,
        received: Option<Count>,
    ) -> String {
        let mut draft = self.draft(Class::Esm);
        push(&mut draft, Field::Erf(codes));
        if let Some(expected) = expected {
            push(&mut draft, Field::Ctp(expected));
        }
        if let Some(received) = received {
            push(&mut draft, Field::Ctr(Some(received)));
        }
        self.finish(draft)
    }
}

/// Ends a message with its MAC.
pub(super) fn seal(draft: Draft, key: &DataKey) -> String {
    draft.seal_with(|covered| code(&key.mac(covered))).expect("the draft has no code yet")
}

/// The 4 bytes that ANS X9.9 shows of a code.
fn code(mac: &Mac) -> Code {
    Code::new(&mac.truncated::<4>()).expect("4 bytes are a code")
}

/// Adds a field whose content is ours.
pub(super) fn push(draft: &mut Draft, field: Field<'_>) {
    draft.push(field).expect("names, counts and keys of our own fit their fields");
}
