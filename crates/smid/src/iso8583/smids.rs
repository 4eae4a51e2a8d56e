//! SMIDs in bits 53 and 96.

use alloc::vec::Vec;

use super::{Dialect, FieldError, FieldValue, Message, Version};
use crate::{Carrier, SmidDecodeError, SmidEncodeError, SmidList, SmidProfile};

/// SMIDs cannot be read from, or put into, a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageSmidError {
    /// The message is not of version 1993; bits 53 and 96 mean something else there.
    #[error("bits 53 and 96 carry SMIDs in ISO 8583:1993, the message is of {found:?}")]
    Version {
        /// Version of the message.
        found: Version,
    },
    /// The field of this message holds text.
    #[error("{carrier} holds text, not a SMID")]
    Text {
        /// The field.
        carrier: Carrier,
    },
    /// The content of the field is not of the profile.
    #[error(transparent)]
    Decode(#[from] SmidDecodeError),
    /// The SMIDs do not fit the profile or the field.
    #[error(transparent)]
    Encode(#[from] SmidEncodeError),
    /// The field of the dialect does not hold them.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Message {
    /// Reads the SMIDs of the keys of this message from bit 53; nothing if it is absent.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.4. In ISO 8583:1987 bit 53 is n 16 and carries no SMID.
    ///
    /// # Errors
    /// Returns [`MessageSmidError`] if the message is not of version 1993 or the field does not follow `profile`.
    pub fn smids(&self, profile: &SmidProfile) -> Result<Option<SmidList>, MessageSmidError> {
        self.read_smids(profile, Carrier::Bit53)
    }

    /// Reads the SMIDs of keys of future messages from bit 96; nothing if it is absent.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.4.
    ///
    /// # Errors
    /// Returns [`MessageSmidError`] if the message is not of version 1993 or the field does not follow `profile`.
    pub fn future_smids(&self, profile: &SmidProfile) -> Result<Option<SmidList>, MessageSmidError> {
        self.read_smids(profile, Carrier::Bit96)
    }

    /// Puts the SMIDs of the keys of this message into bit 53.
    ///
    /// # Errors
    /// Returns [`MessageSmidError`] if the message is not of version 1993 or `smids` do not fit.
    pub fn set_smids(
        &mut self,
        dialect: &Dialect,
        profile: &SmidProfile,
        smids: &SmidList,
    ) -> Result<(), MessageSmidError> {
        let element = self.element(Carrier::Bit53, profile, smids)?;
        Ok(self.set_bytes(dialect, Carrier::Bit53.field(), &element)?)
    }

    /// Puts the SMIDs of keys of future messages into bit 96.
    ///
    /// # Errors
    /// Returns [`MessageSmidError`] if the message is not of version 1993 or `smids` do not fit.
    pub fn set_future_smids(
        &mut self,
        dialect: &Dialect,
        profile: &SmidProfile,
        smids: &SmidList,
    ) -> Result<(), MessageSmidError> {
        let element = self.element(Carrier::Bit96, profile, smids)?;
        Ok(self.set_bytes(dialect, Carrier::Bit96.field(), &element)?)
    }

    fn read_smids(
        &self,
        profile: &SmidProfile,
        carrier: Carrier,
    ) -> Result<Option<SmidList>, MessageSmidError> {
        self.check_version()?;
        match self.get(carrier.field()) {
            None => Ok(None),
            Some(FieldValue::Text(_)) => Err(MessageSmidError::Text { carrier }),
            Some(FieldValue::Bytes(element)) => Ok(Some(SmidList::decode(profile, carrier, element)?)),
        }
    }

    fn element(
        &self,
        carrier: Carrier,
        profile: &SmidProfile,
        smids: &SmidList,
    ) -> Result<Vec<u8>, MessageSmidError> {
        self.check_version()?;
        Ok(smids.encode(profile, carrier)?)
    }

    fn check_version(&self) -> Result<(), MessageSmidError> {
        match self.mti().version() {
            Version::Iso1993 => Ok(()),
            found => Err(MessageSmidError::Version { found }),
        }
    }
}
