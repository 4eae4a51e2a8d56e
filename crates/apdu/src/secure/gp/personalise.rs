//! What a personalisation station does in a session: loading keys, storing data groupings.

use tdea::Kcv;

use super::channel::{SecureChannel, SecureChannelError};
use super::data_key::{DataKeyError, PlainKey, WrappedKey};
use super::host::WrapError;
use super::protocol::{Protocol, SecurityLevel, sealed::Protections};
use super::text::max_data;
use crate::bytes::SecretBytes;
use crate::commands::gp::{
    Confidentiality, Dgi, DgiFormat, EncodeError, KeyReceipt, KeyReceiptError, KeyVersion, Last, StoreData,
};
use crate::dgi::{DgiWriter, GroupingTooLong};
use crate::transport::CardTransport;

/// Three keys of a security domain, to be loaded: identifiers 01, 02 and 03.
#[derive(Debug)]
pub struct KeySet<'k> {
    /// Version they get.
    pub version: KeyVersion,
    /// Version that they replace; none if they are added.
    pub replaces: Option<KeyVersion>,
    /// For encryption.
    pub enc: PlainKey<'k>,
    /// For MACs.
    pub mac: PlainKey<'k>,
    /// For data.
    pub dek: PlainKey<'k>,
}

/// Personalisation that broke off.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonaliseError<E> {
    /// A command was not carried out.
    #[error(transparent)]
    Channel(#[from] SecureChannelError<E>),
    /// A key or content is not encrypted by the session's data key.
    #[error(transparent)]
    DataKey(#[from] DataKeyError),
    /// A data grouping is too long.
    #[error(transparent)]
    Dgi(#[from] GroupingTooLong),
    /// More blocks than STORE DATA counts.
    #[error("{found} blocks of STORE DATA, at most 256 can be numbered")]
    TooManyBlocks {
        /** Blocks needed. */
        found: usize,
    },
    /// There is nothing to store.
    #[error("no data grouping to store")]
    Nothing,
    /// The card has taken the command but confirms other keys.
    #[error(transparent)]
    Receipt(#[from] KeyReceiptError),
}

impl<E> From<EncodeError> for PersonaliseError<E> {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::TooLong(error) => error.into(),
            EncodeError::Key(error) => error.into(),
        }
    }
}

impl<E> From<WrapError> for PersonaliseError<E> {
    fn from(error: WrapError) -> Self {
        SecureChannelError::from(error).into()
    }
}

/// Loads three keys by one PUT KEY under the session's data key, and compares the check values that the card answers with those
/// of the keys.
///
/// # Errors
/// Returns [`PersonaliseError`]; [`PersonaliseError::Receipt`] means that the card holds other keys than meant.
pub fn put_key<T: CardTransport, P: Protocol>(
    card: &mut SecureChannel<'_, T, P>,
    keys: &KeySet<'_>,
) -> Result<(), PersonaliseError<T::Error>> {
    let data_key = card.data_key()?;
    let method = data_key.kcv_method();
    let wrapped = [data_key.wrap(&keys.enc)?, data_key.wrap(&keys.mac)?, data_key.wrap(&keys.dek)?];
    let sent: [Kcv; 3] = wrapped.each_ref().map(WrappedKey::kcv);
    let command = crate::commands::gp::put_key(keys.replaces, keys.version, 0x01, &wrapped)
        .expect("three keys from identifier 01 on");
    let answer = card.transmit(&command)?.into_ok().map_err(SecureChannelError::from)?;
    Ok(KeyReceipt::decode(answer.data())?.verify(keys.version, method, &sent)?)
}

/// Stores data groupings in their order, in as few blocks of STORE DATA as their order allows, numbered from 00. Encrypted
/// groupings never share a block with plain ones; one that is longer than a block goes on in the next. The last block ends
/// personalisation.
///
/// # Errors
/// Returns [`PersonaliseError`]. The card keeps the blocks that it took before.
pub fn store_data<T: CardTransport, P: Protocol>(
    card: &mut SecureChannel<'_, T, P>,
    groupings: &[Dgi<'_>],
    format: DgiFormat,
) -> Result<(), PersonaliseError<T::Error>> {
    let max = max_data(Protections(card.session().level().byte()).command_cipher());
    let mut blocks = alloc::vec::Vec::<(Confidentiality, SecretBytes)>::new();
    for grouping in groupings {
        let mut encoded = DgiWriter::new();
        grouping.write(card.data_key()?, &mut encoded)?;
        let encoded = encoded.into_bytes();
        let kind = grouping.confidentiality;
        match blocks.last_mut() {
            Some((last, block)) if *last == kind && block.len() + encoded.len() <= max => {
                block.extend(encoded.expose_bytes());
            }
            _ => blocks.extend(encoded.expose_bytes().chunks(max).map(|part| (kind, part.into()))),
        }
    }
    let found = blocks.len();
    let last_block = found.checked_sub(1).ok_or(PersonaliseError::Nothing)?;
    let last_block = u8::try_from(last_block).map_err(|_| PersonaliseError::TooManyBlocks { found })?;
    for (block, (confidentiality, data)) in (0..=last_block).zip(&blocks) {
        let last = if block == last_block { Last::Last } else { Last::MoreToCome };
        let store = StoreData { last, confidentiality: *confidentiality, format, block };
        let command = store.command(data.expose_bytes()).expect("less than a short command");
        card.transmit(&command)?.into_ok().map_err(SecureChannelError::from)?;
    }
    Ok(())
}
