//! One field, typed.

use core::fmt;

use super::{Class, Code, Count, Cryptogram, ErrorCodes, KeyField, KeyId, PartyId, ServiceRequest, Tag};

/// A field and its content. `None` is a field that is there and empty, which means that the value is not known or not named.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// Class of the message, always the first field.
    Mcl(Class),
    /// Who is to receive the message.
    Rcv(PartyId),
    /// Who made it.
    Org(PartyId),
    /// What is asked for.
    Svr(ServiceRequest),
    /// Data key.
    Kd(KeyField<'a>),
    /// Data key notarized for the ultimate recipient.
    Kdu(KeyField<'a>),
    /// Key encrypting key.
    Kk(KeyField<'a>),
    /// Key encrypting key pair.
    KkPair(KeyField<'a>),
    /// Key encrypting key notarized for the ultimate recipient.
    Kku(KeyField<'a>),
    /// Key encrypting key pair notarized for the ultimate recipient.
    KkuPair(KeyField<'a>),
    /// Initialization vector.
    Iv(Cryptogram<'a>),
    /// Effective date of the keys, as the parties write dates.
    Edk(&'a str),
    /// Count between two parties.
    Ctp(Option<Count>),
    /// Count between party A and a centre.
    Cta(Option<Count>),
    /// Count between party B and a centre.
    Ctb(Option<Count>),
    /// Count that was received.
    Ctr(Option<Count>),
    /// Ultimate recipient.
    Idu(PartyId),
    /// Centre.
    Idc(PartyId),
    /// Key to discontinue; all of them if not named.
    Idd(Option<KeyId>),
    /// Key that authenticates a DSM.
    Ida(Option<KeyId>),
    /// What was wrong.
    Erf(ErrorCodes),
    /// Error detection code.
    Edc(Code),
    /// Message authentication code.
    Mac(Code),
    /// Notarization flag.
    Nos(&'a str),
    /// Transaction identifier.
    Tid(&'a str),
}

impl<'a> Field<'a> {
    /// The tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        match self {
            Self::Mcl(_) => Tag::Mcl,
            Self::Rcv(_) => Tag::Rcv,
            Self::Org(_) => Tag::Org,
            Self::Svr(_) => Tag::Svr,
            Self::Kd(_) => Tag::Kd,
            Self::Kdu(_) => Tag::Kdu,
            Self::Kk(_) => Tag::Kk,
            Self::KkPair(_) => Tag::KkPair,
            Self::Kku(_) => Tag::Kku,
            Self::KkuPair(_) => Tag::KkuPair,
            Self::Iv(_) => Tag::Iv,
            Self::Edk(_) => Tag::Edk,
            Self::Ctp(_) => Tag::Ctp,
            Self::Cta(_) => Tag::Cta,
            Self::Ctb(_) => Tag::Ctb,
            Self::Ctr(_) => Tag::Ctr,
            Self::Idu(_) => Tag::Idu,
            Self::Idc(_) => Tag::Idc,
            Self::Idd(_) => Tag::Idd,
            Self::Ida(_) => Tag::Ida,
            Self::Erf(_) => Tag::Erf,
            Self::Edc(_) => Tag::Edc,
            Self::Mac(_) => Tag::Mac,
            Self::Nos(_) => Tag::Nos,
            Self::Tid(_) => Tag::Tid,
        }
    }

    /// The encrypted key of a key field, with its names.
    #[must_use]
    pub const fn key(&self) -> Option<&KeyField<'a>> {
        match self {
            Self::Kd(key)
            | Self::Kdu(key)
            | Self::Kk(key)
            | Self::KkPair(key)
            | Self::Kku(key)
            | Self::KkuPair(key) => Some(key),
            _ => None,
        }
    }
}

/// Lengths that the ciphertext of a field may have, in bytes: keys of one, two or three parts, pairs, and blocks.
pub(super) const fn cryptogram_lengths(tag: Tag) -> &'static [usize] {
    match tag {
        Tag::Kd | Tag::Kdu => &[8, 16, 24],
        Tag::KkPair | Tag::KkuPair => &[16],
        _ => &[8],
    }
}

/// The content as messages have it.
impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mcl(class) => class.fmt(f),
            Self::Rcv(party) | Self::Org(party) | Self::Idu(party) | Self::Idc(party) => party.fmt(f),
            Self::Svr(request) => request.fmt(f),
            Self::Kd(key)
            | Self::Kdu(key)
            | Self::Kk(key)
            | Self::KkPair(key)
            | Self::Kku(key)
            | Self::KkuPair(key) => key.fmt(f),
            Self::Iv(iv) => iv.fmt(f),
            Self::Edk(text) | Self::Nos(text) | Self::Tid(text) => f.write_str(text),
            Self::Ctp(count) | Self::Cta(count) | Self::Ctb(count) | Self::Ctr(count) => {
                count.map_or(Ok(()), |count| count.fmt(f))
            }
            Self::Idd(name) | Self::Ida(name) => name.map_or(Ok(()), |name| name.fmt(f)),
            Self::Erf(codes) => codes.fmt(f),
            Self::Edc(code) | Self::Mac(code) => code.fmt(f),
        }
    }
}
