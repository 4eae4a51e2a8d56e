//! The class byte (CLA) of a command.

/// Class byte (CLA): who defines the command, on which logical channel, with what secure messaging, and whether more
/// parts follow.
///
/// ```text
/// first interindustry    0 0 0 C S S N N    C more parts, SS secure messaging, NN channel 0-3
/// further interindustry  0 1 S C N N N N    S secure messaging, C more parts, NNNN channel 4-19
/// proprietary            1 x x x x x x x    except FF
/// ```
///
/// # Source
/// ISO/IEC 7816-4:2013 5.4.1, tables 2 and 3.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Class(u8);

/// A byte that is no class, or a request that a class can't meet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassError {
    /// `001x xxxx` is reserved.
    #[error("class {byte:02X} is reserved")]
    Reserved {
        /** The byte. */
        byte: u8,
    },
    /// `FF` starts a protocol selection, never a command.
    #[error("class FF belongs to protocol selection")]
    ProtocolSelection,
    /// A proprietary class has no interindustry channel or chaining bits.
    #[error("class {byte:02X} is proprietary: its bits have no agreed meaning")]
    Proprietary {
        /** The byte. */
        byte: u8,
    },
    /// Channels 4 to 19 have one secure messaging bit: only "header not authenticated" can be said there.
    #[error("the secure messaging of class {byte:02X} can't be expressed on this channel")]
    SecureMessaging {
        /** The byte. */
        byte: u8,
    },
}

/// Who defines the meaning of a class.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ClassKind {
    /// ISO 7816-4, channels 0 to 3.
    FirstInterindustry,
    /// ISO 7816-4, channels 4 to 19.
    FurtherInterindustry,
    /// The card's maker or a specification on top of ISO 7816-4.
    Proprietary,
}

/// Secure messaging as a class announces it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SecureMessaging {
    /// None, or not announced.
    None,
    /// A format of the card's maker. PBOC cards use this one.
    Proprietary,
    /// ISO 7816-4 clause 6, the header not authenticated.
    HeaderNotAuthenticated,
    /// ISO 7816-4 clause 6, the header authenticated.
    HeaderAuthenticated,
}

/// Whether a command is the last of its chain.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Chaining {
    /// The last or only part.
    LastOrOnly,
    /// More parts follow.
    MoreToCome,
}

/// Logical channel, 0 to 19.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LogicalChannel(u8);

impl LogicalChannel {
    /// Channel 0, always open.
    pub const BASIC: Self = Self(0);

    /// Channel `number`, or `None` over 19.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 19 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl Class {
    /// Interindustry on channel 0, no secure messaging, last part: `00`.
    pub const ISO: Self = Self(0x00);
    /// The usual proprietary class: `80`.
    pub const PROPRIETARY: Self = Self(0x80);

    const CHAIN_BIT: u8 = 0x10;
    /// Proprietary secure messaging, in first interindustry classes and by custom in `8X`.
    const SM_BIT: u8 = 0x04;

    /// Reads a class byte.
    ///
    /// # Errors
    /// Returns [`ClassError::Reserved`] for `20`-`3F`, [`ClassError::ProtocolSelection`] for `FF`.
    pub const fn from_byte(byte: u8) -> Result<Self, ClassError> {
        match byte {
            0x20..=0x3F => Err(ClassError::Reserved { byte }),
            0xFF => Err(ClassError::ProtocolSelection),
            _ => Ok(Self(byte)),
        }
    }

    /// The class byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// Who defines its meaning.
    #[must_use]
    pub const fn kind(self) -> ClassKind {
        match self.0 {
            0x00..=0x3F => ClassKind::FirstInterindustry,
            0x40..=0x7F => ClassKind::FurtherInterindustry,
            0x80.. => ClassKind::Proprietary,
        }
    }

    /// Its logical channel; `None` if proprietary.
    #[must_use]
    pub const fn channel(self) -> Option<LogicalChannel> {
        match self.kind() {
            ClassKind::FirstInterindustry => Some(LogicalChannel(self.0 & 0x03)),
            ClassKind::FurtherInterindustry => Some(LogicalChannel(4 + (self.0 & 0x0F))),
            ClassKind::Proprietary => None,
        }
    }

    /// Its secure messaging; `None` if proprietary.
    #[must_use]
    pub const fn secure_messaging(self) -> Option<SecureMessaging> {
        match (self.kind(), self.0 & 0x0C, self.0 & 0x20) {
            (ClassKind::Proprietary, ..) => None,
            (ClassKind::FirstInterindustry, 0x00, _) | (ClassKind::FurtherInterindustry, _, 0x00) => {
                Some(SecureMessaging::None)
            }
            (ClassKind::FirstInterindustry, 0x04, _) => Some(SecureMessaging::Proprietary),
            (ClassKind::FirstInterindustry, 0x0C, _) => Some(SecureMessaging::HeaderAuthenticated),
            (ClassKind::FirstInterindustry | ClassKind::FurtherInterindustry, ..) => {
                Some(SecureMessaging::HeaderNotAuthenticated)
            }
        }
    }

    /// Whether more parts follow; `None` if proprietary.
    #[must_use]
    pub const fn chaining(self) -> Option<Chaining> {
        match (self.kind(), self.0 & Self::CHAIN_BIT) {
            (ClassKind::Proprietary, _) => None,
            (_, 0) => Some(Chaining::LastOrOnly),
            _ => Some(Chaining::MoreToCome),
        }
    }

    /// The same class, saying whether more parts follow.
    ///
    /// # Errors
    /// Returns [`ClassError::Proprietary`] for a proprietary class.
    pub const fn with_chaining(self, chaining: Chaining) -> Result<Self, ClassError> {
        match (self.kind(), chaining) {
            (ClassKind::Proprietary, _) => Err(ClassError::Proprietary { byte: self.0 }),
            (_, Chaining::LastOrOnly) => Ok(Self(self.0 & !Self::CHAIN_BIT)),
            (_, Chaining::MoreToCome) => Ok(Self(self.0 | Self::CHAIN_BIT)),
        }
    }

    /// The same class on another logical channel.
    ///
    /// # Errors
    /// Returns [`ClassError::Proprietary`] for a proprietary class, [`ClassError::SecureMessaging`] if the class has
    /// secure messaging that channels 4 to 19 can't express.
    pub const fn on_channel(self, channel: LogicalChannel) -> Result<Self, ClassError> {
        let chain = self.0 & Self::CHAIN_BIT;
        let (first, further) = match self.secure_messaging() {
            None => return Err(ClassError::Proprietary { byte: self.0 }),
            Some(SecureMessaging::None) => (0x00, Some(0x40)),
            Some(SecureMessaging::Proprietary) => (0x04, None),
            Some(SecureMessaging::HeaderNotAuthenticated) => (0x08, Some(0x60)),
            Some(SecureMessaging::HeaderAuthenticated) => (0x0C, None),
        };
        match (channel.number(), further) {
            (number @ 0..=3, _) => Ok(Self(first | chain | number)),
            (number, Some(further)) => Ok(Self(further | chain | (number - 4))),
            (_, None) => Err(ClassError::SecureMessaging { byte: self.0 }),
        }
    }

    /// The same class on another logical channel, `8X` read as GlobalPlatform codes it: channels 0 to 3 there, 4 to 19 in
    /// `CX` and, with secure messaging, `EX`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification 2.3, 11.1.4.
    ///
    /// # Errors
    /// Returns [`ClassError::Proprietary`] for other proprietary classes, and otherwise as
    /// [`on_channel`](Self::on_channel).
    pub const fn on_global_platform_channel(self, channel: LogicalChannel) -> Result<Self, ClassError> {
        if self.0 & 0xF0 != 0x80 {
            return self.on_channel(channel);
        }
        let secure_messaging = self.0 & 0x0C;
        match channel.number() {
            number @ 0..=3 => Ok(Self(0x80 | secure_messaging | number)),
            number if secure_messaging == 0 => Ok(Self(0xC0 | (number - 4))),
            number => Ok(Self(0xE0 | (number - 4))),
        }
    }

    /// The class with secure messaging of the card maker's format: bit 3 set. `None` if the class has secure
    /// messaging already, or no place for this bit (only `0X`, `1X` and `8X` have one).
    #[must_use]
    pub const fn with_proprietary_sm(self) -> Option<Self> {
        match self.0 {
            0x00..=0x1F | 0x80..=0x8F if self.0 & 0x0C == 0 => Some(Self(self.0 | Self::SM_BIT)),
            _ => None,
        }
    }

    /// The class that [`with_proprietary_sm`](Self::with_proprietary_sm) started from, `None` if it gives no such class.
    #[must_use]
    pub const fn without_proprietary_sm(self) -> Option<Self> {
        match self.0 {
            0x00..=0x1F | 0x80..=0x8F if self.0 & 0x0C == Self::SM_BIT => Some(Self(self.0 & !Self::SM_BIT)),
            _ => None,
        }
    }

    /// The class of a GET RESPONSE after a command of this class: interindustry on the same channel, no secure
    /// messaging, no chaining.
    ///
    /// `8X` and `C0`-`FE` are read as GlobalPlatform codes them. Of other proprietary classes (`A0` of a SIM) only
    /// their owner knows what they mean: they are repeated as they are.
    ///
    /// # Source
    /// ISO/IEC 7816-4:2013 5.3.4 and 11.7.1; GlobalPlatform Card Specification 2.3, 11.1.4.
    #[must_use]
    pub const fn get_response(self) -> Self {
        match self.0 {
            0x00..=0x3F | 0x80..=0x8F => Self(self.0 & 0x03),
            0x40..=0x7F | 0xC0.. => Self(0x40 | (self.0 & 0x0F)),
            0x90..=0xBF => self,
        }
    }
}

impl TryFrom<u8> for Class {
    type Error = ClassError;

    fn try_from(byte: u8) -> Result<Self, ClassError> {
        Self::from_byte(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(byte: u8) -> Class {
        Class::from_byte(byte).unwrap()
    }

    #[test]
    fn a_channel_set_is_the_channel_read() {
        for number in 0..=19 {
            let channel = LogicalChannel::new(number).unwrap();
            for byte in [0x00, 0x13, 0x08, 0x1B, 0x45, 0x7F] {
                let moved = class(byte).on_channel(channel).unwrap();
                assert_eq!(moved.channel(), Some(channel));
                assert_eq!(moved.chaining(), class(byte).chaining());
                assert_eq!(moved.secure_messaging(), class(byte).secure_messaging());
            }
        }
        assert_eq!(LogicalChannel::new(20), None);
    }

    #[test]
    fn high_channels_have_no_room_for_every_secure_messaging() {
        let channel = LogicalChannel::new(4).unwrap();
        assert_eq!(class(0x04).on_channel(channel), Err(ClassError::SecureMessaging { byte: 0x04 }));
        assert_eq!(class(0x0C).on_channel(channel), Err(ClassError::SecureMessaging { byte: 0x0C }));
        assert_eq!(class(0x80).on_channel(channel), Err(ClassError::Proprietary { byte: 0x80 }));
    }

    #[test]
    fn a_proprietary_class_can_not_chain() {
        let refused = class(0x80).with_chaining(Chaining::MoreToCome);
        assert_eq!(refused, Err(ClassError::Proprietary { byte: 0x80 }));
    }

    #[test]
    fn proprietary_classes_move_as_global_platform_codes_them() {
        for (byte, number, moved) in [
            (0x80, 0, 0x80),
            (0x84, 2, 0x86),
            (0x83, 1, 0x81),
            (0x80, 4, 0xC0),
            (0x84, 19, 0xEF),
            (0x00, 3, 0x03),
            (0x0C, 1, 0x0D),
        ] {
            let channel = LogicalChannel::new(number).unwrap();
            assert_eq!(class(byte).on_global_platform_channel(channel), Ok(class(moved)), "{byte:02X}");
        }
        let channel = LogicalChannel::new(1).unwrap();
        let refused = Err(ClassError::Proprietary { byte: 0xA0 });
        assert_eq!(class(0xA0).on_global_platform_channel(channel), refused);
    }

    #[test]
    fn proprietary_secure_messaging_is_bit_3_and_is_taken_off_again() {
        for (plain, protected) in [(0x00, 0x04), (0x80, 0x84), (0x13, 0x17)] {
            assert_eq!(class(plain).with_proprietary_sm(), Some(class(protected)));
            assert_eq!(class(protected).without_proprietary_sm(), Some(class(plain)));
        }
        for byte in [0x04, 0x08, 0x0C, 0x84, 0x40, 0xA0, 0xE0] {
            assert_eq!(class(byte).with_proprietary_sm(), None, "{byte:02X}");
        }
        for byte in [0x00, 0x08, 0x0C, 0x80, 0x44, 0xA4] {
            assert_eq!(class(byte).without_proprietary_sm(), None, "{byte:02X}");
        }
    }

    #[test]
    fn get_response_stays_on_the_channel_and_drops_the_rest() {
        for (command, get_response) in [
            (0x00, 0x00),
            (0x1F, 0x03),
            (0x7F, 0x4F),
            (0x80, 0x00),
            (0x87, 0x03),
            (0xE1, 0x41),
            (0xA0, 0xA0),
            (0x90, 0x90),
        ] {
            assert_eq!(class(command).get_response(), class(get_response), "{command:02X}");
        }
    }
}
