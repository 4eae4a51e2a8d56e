//! How SMIDs stand in a message: everything the public sources leave open, as data.

use alloc::borrow::Cow;

use super::{KeyName, LayoutError, NameLayout, NameParts, ProfileError};

/// How SMIDs stand in bit 53 and bit 96, as agreed between two parties.
///
/// One SMID is `[control] || [length] || key name`; several follow each other without separator. ANS X9.24-1:2009
/// 8.7.1 gives the control values and the length of a key name and no more, so every setting here is an agreement.
/// No profile is a default.
///
/// Decoding is exact: each accepted byte string is the one encoding of what it decodes to.
///
/// # Examples
/// ```
/// use cardroot_smid::{Count, NameFraming, SmidProfile};
///
/// let ours = SmidProfile {
///     name: "pair of key names".into(),
///     count: Count::Several,
///     ..SmidProfile::KEY_NAME_10
/// };
/// assert_eq!(ours.name_framing, NameFraming::Fixed(10));
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SmidProfile {
    /// Name by which people and files refer to the profile.
    pub name: Cow<'static, str>,
    /// Whether a control byte precedes each key name.
    pub control: ControlByte,
    /// How the end of a key name is found.
    pub name_framing: NameFraming,
    /// Leading `FF` bytes that every key name has and that are not sent.
    pub omitted_fill: u8,
    /// Leading `FF` bytes that are sent before every key name and are no part of it.
    pub added_fill: u8,
    /// How many SMIDs one element holds.
    pub count: Count,
    /// Which comes first when an element names a PIN key and a MAC key.
    pub order: Order,
    /// How key names are cut into key set identifier, device identifier and counter, if their length is fixed.
    pub layout: Option<NameLayout>,
}

/// Whether a control byte precedes each key name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ControlByte {
    /// No control byte is sent.
    Absent,
    /// Every SMID starts with its control byte.
    Present,
}

/// How the end of a key name is found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NameFraming {
    /// Key names are this many bytes long, omitted fill included and added fill not.
    Fixed(u8),
    /// One byte before the name counts the bytes sent after it, fill included.
    LengthByte,
    /// The name takes all the rest of the element, so that only one SMID fits.
    Remainder,
}

/// How many SMIDs one element holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Count {
    /// Exactly one.
    One,
    /// One or more, up to the length of the carrier.
    Several,
}

/// Which comes first when an element names a PIN key and a MAC key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Order {
    /// The SMID of the PIN key, then that of the MAC key.
    PinThenMac,
    /// The SMID of the MAC key, then that of the PIN key.
    MacThenPin,
}

impl SmidProfile {
    /// The element is one key name of 5 to 16 bytes; the length of the ISO 8583 field ends it.
    ///
    /// The shortest reading of 8.7.1.
    pub const KEY_NAME: Self = Self {
        name: Cow::Borrowed("key-name"),
        control: ControlByte::Absent,
        name_framing: NameFraming::Remainder,
        omitted_fill: 0,
        added_fill: 0,
        count: Count::One,
        order: Order::PinThenMac,
        layout: None,
    };

    /// One key name of 10 bytes, the key serial number of Annex A (59 bits and a counter of 21), without control byte.
    pub const KEY_NAME_10: Self = Self {
        name: Cow::Borrowed("key-name-10"),
        name_framing: NameFraming::Fixed(10),
        layout: Some(NameLayout::ANNEX_A),
        ..Self::KEY_NAME
    };

    /// Key names of 10 bytes, each after its control byte; one or more.
    pub const CONTROL_KEY_NAME_10: Self = Self {
        name: Cow::Borrowed("control-key-name-10"),
        control: ControlByte::Present,
        count: Count::Several,
        ..Self::KEY_NAME_10
    };

    /// One key name of 10 bytes of which the two leading `FF` are not sent: 8 bytes on the wire.
    ///
    /// Supported by one public DUKPT library, by no standard we could read.
    pub const KEY_NAME_10_SENT_AS_8: Self =
        Self { name: Cow::Borrowed("key-name-10-sent-as-8"), omitted_fill: 2, ..Self::KEY_NAME_10 };

    /// One key name of 8 bytes behind two `FF` that are sent and are no part of it: 10 bytes on the wire.
    ///
    /// The same bytes as [`KEY_NAME_10`](Self::KEY_NAME_10), for hosts whose key names have no fill. Inferred, as
    /// [`NameLayout::ANNEX_A_WITHOUT_FILL`] is.
    pub const KEY_NAME_8_SENT_AS_10: Self = Self {
        name: Cow::Borrowed("key-name-8-sent-as-10"),
        name_framing: NameFraming::Fixed(8),
        added_fill: 2,
        layout: Some(NameLayout::ANNEX_A_WITHOUT_FILL),
        ..Self::KEY_NAME
    };

    /// Key names of 5 to 16 bytes, each after a length byte, without control byte; one or more.
    ///
    /// Our own framing for key names of mixed lengths; no public source supports it.
    pub const LENGTH_PREFIXED: Self = Self {
        name: Cow::Borrowed("length-prefixed"),
        name_framing: NameFraming::LengthByte,
        count: Count::Several,
        ..Self::KEY_NAME
    };

    /// All profiles above, for programs that offer a choice.
    pub const PRESETS: &'static [Self] = &[
        Self::KEY_NAME,
        Self::KEY_NAME_10,
        Self::CONTROL_KEY_NAME_10,
        Self::KEY_NAME_10_SENT_AS_8,
        Self::KEY_NAME_8_SENT_AS_10,
        Self::LENGTH_PREFIXED,
    ];

    /// Returns the preset called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Cuts a key name into its parts by the layout of the profile; nothing if it has none.
    ///
    /// # Errors
    /// Returns [`LayoutError`] if `name` is not as long as the layout.
    pub fn parts(&self, name: &KeyName) -> Result<Option<NameParts>, LayoutError> {
        self.layout.as_ref().map(|layout| layout.split(name)).transpose()
    }

    /// Checks that the settings fit together; encoding and decoding do so first.
    ///
    /// # Errors
    /// Returns [`ProfileError`] if no key name can fit the settings, or if the end of a SMID could not be found.
    pub fn check(&self) -> Result<(), ProfileError> {
        let fill = usize::from(self.omitted_fill);
        if fill > KeyName::MAX_LEN - KeyName::MIN_LEN {
            return Err(ProfileError::Fill { omitted: self.omitted_fill });
        }
        if self.added_fill > 0 && (fill > 0 || usize::from(self.added_fill) > KeyName::MAX_LEN) {
            return Err(ProfileError::AddedFill { added: self.added_fill });
        }
        match self.name_framing {
            NameFraming::Fixed(len)
                if !(KeyName::MIN_LEN + fill..=KeyName::MAX_LEN).contains(&usize::from(len)) =>
            {
                Err(ProfileError::NameLength { len })
            }
            NameFraming::Remainder if self.count == Count::Several => Err(ProfileError::Unframed),
            _ => self.check_layout(),
        }
    }

    fn check_layout(&self) -> Result<(), ProfileError> {
        let Some(len) = self.layout.as_ref().map(NameLayout::name_len) else { return Ok(()) };
        match self.name_framing {
            NameFraming::Fixed(fixed) if usize::from(fixed) == len => Ok(()),
            _ => Err(ProfileError::Layout { len }),
        }
    }
}
