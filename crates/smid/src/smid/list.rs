//! Several SMIDs in one element, to and from bytes.

use alloc::vec::Vec;
use core::fmt;

use super::{Control, ControlByte, Count, KeyName, NameFraming, Order};
use super::{Smid, SmidDecodeError, SmidEncodeError, SmidProfile};

/// Field of an ISO 8583:1993 message that carries SMIDs.
///
/// # Source
/// ANS X9.24-1:2009 8.4.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Carrier {
    /// Bit 53, LLVAR b..48: the keys of the message itself.
    Bit53,
    /// Bit 96, LLLVAR b..999: keys of future messages.
    Bit96,
}

impl Carrier {
    /// Returns the most bytes that the field holds.
    pub const fn max_len(self) -> usize {
        match self {
            Self::Bit53 => 48,
            Self::Bit96 => 999,
        }
    }

    /// Returns the number of the field.
    pub const fn field(self) -> u8 {
        match self {
            Self::Bit53 => 53,
            Self::Bit96 => 96,
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bit {}", self.field())
    }
}

/// The SMIDs of one element, in the order sent.
///
/// # Examples
/// ```
/// use cardroot_smid::{Carrier, Control, KeyName, Smid, SmidList, SmidProfile};
///
/// let profile = SmidProfile::CONTROL_KEY_NAME_10;
/// let name = KeyName::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]);
/// let smids = SmidList::from(Smid::with_control(Control::A5, name));
///
/// let bytes = smids.encode(&profile, Carrier::Bit53)?;
/// assert_eq!(bytes, b"\xA5\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01");
/// assert_eq!(SmidList::decode(&profile, Carrier::Bit53, &bytes)?, smids);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SmidList(Vec<Smid>);

impl SmidList {
    /// Lists the SMIDs of a PIN key and of a MAC key in the order of `profile`.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.4: a 1200 with PIN and MAC names both keys in bit 53. Their order is the profile's.
    pub fn pin_and_mac(profile: &SmidProfile, pin: Smid, mac: Smid) -> Self {
        match profile.order {
            Order::PinThenMac => Self([pin, mac].into()),
            Order::MacThenPin => Self([mac, pin].into()),
        }
    }

    /// Returns the SMID of the PIN key: the only one, or the one in its place by the order of `profile`.
    pub fn pin(&self, profile: &SmidProfile) -> Option<&Smid> {
        self.placed(profile.order == Order::PinThenMac)
    }

    /// Returns the SMID of the MAC key: the only one, or the one in its place by the order of `profile`.
    pub fn mac(&self, profile: &SmidProfile) -> Option<&Smid> {
        self.placed(profile.order == Order::MacThenPin)
    }

    fn placed(&self, first: bool) -> Option<&Smid> {
        if first || self.0.len() == 1 { self.0.first() } else { self.0.get(1) }
    }

    /// Returns all SMIDs.
    pub fn as_slice(&self) -> &[Smid] {
        &self.0
    }

    /// Encodes the SMIDs as the content of `carrier`.
    ///
    /// # Errors
    /// Returns [`SmidEncodeError`] if there is none, if one does not fit `profile`, or if they exceed `carrier`.
    pub fn encode(&self, profile: &SmidProfile, carrier: Carrier) -> Result<Vec<u8>, SmidEncodeError> {
        profile.check()?;
        match self.0.as_slice() {
            [] => return Err(SmidEncodeError::Empty),
            [_] => {}
            many if profile.count == Count::One => {
                return Err(SmidEncodeError::SecondSmid { found: many.len() });
            }
            _ => {}
        }
        let mut out = Vec::with_capacity(self.0.len() * (2 + 2 * KeyName::MAX_LEN));
        for (entry, smid) in self.0.iter().enumerate() {
            encode_one(profile, entry, smid, &mut out)?;
        }
        if out.len() > carrier.max_len() {
            return Err(SmidEncodeError::OverCarrier { carrier, found: out.len() });
        }
        Ok(out)
    }

    /// Decodes the content of `carrier`, all of it.
    ///
    /// # Errors
    /// Returns [`SmidDecodeError`] with the offset at which `bytes` depart from `profile`.
    pub fn decode(profile: &SmidProfile, carrier: Carrier, bytes: &[u8]) -> Result<Self, SmidDecodeError> {
        profile.check()?;
        if bytes.is_empty() {
            return Err(SmidDecodeError::Empty);
        }
        if bytes.len() > carrier.max_len() {
            return Err(SmidDecodeError::OverCarrier { carrier, found: bytes.len() });
        }
        let mut element = Element { bytes, at: 0 };
        let mut smids = Vec::new();
        while !element.rest().is_empty() {
            let at = element.at;
            let next = element.smid(profile);
            if profile.count == Count::One && !smids.is_empty() {
                return Err(match next {
                    Ok(_) => SmidDecodeError::SecondSmid { at },
                    Err(_) => SmidDecodeError::Leftover { at, count: bytes.len() - at },
                });
            }
            smids.push(next?);
        }
        Ok(Self(smids))
    }
}

impl From<Smid> for SmidList {
    /// Lists one SMID, which names the key of every use.
    fn from(smid: Smid) -> Self {
        Self([smid].into())
    }
}

impl FromIterator<Smid> for SmidList {
    fn from_iter<I: IntoIterator<Item = Smid>>(smids: I) -> Self {
        Self(smids.into_iter().collect())
    }
}

const FILL: [u8; KeyName::MAX_LEN] = [0xFF; KeyName::MAX_LEN];

/// So many bytes of fill: 16 at most, by [`SmidProfile::check`].
fn fill(len: u8) -> &'static [u8] {
    FILL.get(..len.into()).unwrap_or(&FILL)
}

fn encode_one(
    profile: &SmidProfile,
    entry: usize,
    smid: &Smid,
    out: &mut Vec<u8>,
) -> Result<(), SmidEncodeError> {
    match (profile.control, smid.control) {
        (ControlByte::Absent, None) => {}
        (ControlByte::Present, Some(control)) => out.push(control.byte()),
        (ControlByte::Absent, Some(_)) => return Err(SmidEncodeError::UnexpectedControl { entry }),
        (ControlByte::Present, None) => return Err(SmidEncodeError::MissingControl { entry }),
    }
    let name = smid.key_name.as_bytes();
    let wrong_length = SmidEncodeError::NameLength { entry, found: name.len() };
    if matches!(profile.name_framing, NameFraming::Fixed(len) if usize::from(len) != name.len()) {
        return Err(wrong_length);
    }
    let sent = name.strip_prefix(fill(profile.omitted_fill)).ok_or(SmidEncodeError::NotFilled { entry })?;
    if sent.len() < KeyName::MIN_LEN {
        return Err(wrong_length);
    }
    let added = fill(profile.added_fill);
    if profile.name_framing == NameFraming::LengthByte {
        out.push(u8::try_from(added.len() + sent.len()).map_err(|_| wrong_length)?);
    }
    out.extend_from_slice(added);
    out.extend_from_slice(sent);
    Ok(())
}

/// Cursor over an element.
struct Element<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Element<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], SmidDecodeError> {
        let rest = self.rest();
        let taken = rest.get(..count).ok_or(SmidDecodeError::Truncated {
            at: self.bytes.len(),
            missing: count.saturating_sub(rest.len()),
        })?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, SmidDecodeError> {
        let byte = *self.rest().first().ok_or(SmidDecodeError::Truncated { at: self.at, missing: 1 })?;
        self.at += 1;
        Ok(byte)
    }

    fn smid(&mut self, profile: &SmidProfile) -> Result<Smid, SmidDecodeError> {
        let control = match profile.control {
            ControlByte::Absent => None,
            ControlByte::Present => Some(self.control()?),
        };
        let (omitted, added) = (fill(profile.omitted_fill), fill(profile.added_fill));
        let sent_len = match profile.name_framing {
            NameFraming::Fixed(len) => usize::from(len).saturating_sub(omitted.len()) + added.len(),
            NameFraming::LengthByte => self.byte()?.into(),
            NameFraming::Remainder => self.rest().len(),
        };
        let allowed = KeyName::MIN_LEN + added.len()..=KeyName::MAX_LEN - omitted.len() + added.len();
        if !allowed.contains(&sent_len) {
            return Err(SmidDecodeError::NameLength { at: self.at, found: sent_len });
        }
        let at = self.at;
        let sent = self.take(sent_len)?;
        let Some(name) = sent.strip_prefix(added) else {
            let wrong = sent.iter().enumerate().find(|(_, byte)| **byte != 0xFF);
            return Err(wrong.map_or(SmidDecodeError::Empty, |(index, &found)| SmidDecodeError::Fill {
                at: at + index,
                found,
            }));
        };
        let key_name = KeyName::joined(omitted, name).expect("the length was checked");
        Ok(Smid { control, key_name })
    }

    fn control(&mut self) -> Result<Control, SmidDecodeError> {
        let at = self.at;
        let found = self.byte()?;
        Control::from_byte(found).ok_or(SmidDecodeError::UnknownControl { at, found })
    }
}
