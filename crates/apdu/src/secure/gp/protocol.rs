//! What a protocol has to bring.

use core::fmt;

/// Length of a MAC on the line, in bytes.
pub(in crate::secure) const MAC_LEN: usize = 8;

/// A secure channel protocol with the keys and chaining values of one session: [`Scp02`](crate::secure::scp02::Scp02) or
/// [`Scp03`](crate::secure::scp03::Scp03).
pub trait Protocol: sealed::Line + fmt::Debug {
    /// What a session protects.
    type Level: SecurityLevel;
}

/// Which protections a session has, as EXTERNAL AUTHENTICATE asks for them.
pub trait SecurityLevel: Copy + Eq + fmt::Debug + 'static {
    /// P1 of EXTERNAL AUTHENTICATE.
    #[must_use]
    fn byte(self) -> u8;

    /// Reads P1; `None` if the protocol has no such level.
    #[must_use]
    fn from_byte(byte: u8) -> Option<Self>;
}

/// Declares the levels of a protocol.
macro_rules! security_levels {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $byte:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name { $($(#[$variant_meta])* $variant = $byte,)+ }

        impl $name {
            /// All levels.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }

        impl $crate::secure::gp::SecurityLevel for $name {
            fn byte(self) -> u8 {
                match self { $(Self::$variant => $byte,)+ }
            }

            fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($byte => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use security_levels;

pub(in crate::secure) mod sealed {
    use crate::bytes::SecretBytes;
    use crate::header::Header;
    use crate::secure::Rejected;
    use crate::status::StatusWord;

    /// What is protected, by the bits of a security level.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub struct Protections(pub u8);

    impl Protections {
        /// MACs on commands only: EXTERNAL AUTHENTICATE has one at any level.
        pub const COMMAND_MAC: Self = Self(0x01);

        /// Commands have a MAC.
        pub const fn command_mac(self) -> bool {
            self.0 & 0x01 != 0
        }

        /// The data of commands is enciphered.
        pub const fn command_cipher(self) -> bool {
            self.0 & 0x02 != 0
        }

        /// Responses have a MAC.
        pub const fn response_mac(self) -> bool {
            self.0 & 0x10 != 0
        }

        /// The data of responses is enciphered.
        pub const fn response_cipher(self) -> bool {
            self.0 & 0x20 != 0
        }
    }

    /// The cryptography of a session. Only this crate can reach it.
    pub trait Line: Sized {
        /// Protects the data of a command, which is at most as long as the caller says fits: data or ciphertext, then
        /// the MAC. `header` is on channel 0 and announces secure messaging.
        fn protect(&mut self, header: Header, data: &[u8], with: Protections) -> SecretBytes;

        /// The other way, in the card. After an error the session is of no use.
        fn unprotect(
            &mut self,
            header: Header,
            data: &[u8],
            with: Protections,
        ) -> Result<SecretBytes, Rejected>;

        /// EXTERNAL AUTHENTICATE went through.
        fn open(&mut self);

        /// Protects the data of a response, in the card.
        fn seal(&mut self, data: SecretBytes, status: StatusWord, with: Protections) -> SecretBytes;

        /// The other way. After an error the session is of no use.
        fn unseal(
            &mut self,
            data: SecretBytes,
            status: StatusWord,
            with: Protections,
        ) -> Result<SecretBytes, Rejected>;
    }
}
