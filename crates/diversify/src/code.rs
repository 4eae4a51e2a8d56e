//! Public authentication codes: cryptograms that travel in clear and are compared in constant time.

/// Declares a public code of fixed length. `Debug` shows it in hexadecimal.
macro_rules! public_code {
    ($(#[$meta:meta])* pub struct $name:ident([u8; $len:literal]);) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes as they travel.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Compares with a code received, in constant time.
            ///
            /// # Errors
            /// Returns [`CodeMismatch`](crate::CodeMismatch) if anything differs.
            pub fn verify(&self, received: &Self) -> Result<(), $crate::CodeMismatch> {
                use subtle::ConstantTimeEq as _;
                if bool::from(self.0.ct_eq(&received.0)) { Ok(()) } else { Err($crate::CodeMismatch) }
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::CodeLengthError;

            fn try_from(bytes: &[u8]) -> Result<Self, $crate::CodeLengthError> {
                let length = $crate::CodeLengthError { expected: $len, found: bytes.len() };
                bytes.try_into().map(Self).map_err(|_| length)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str(")")
            }
        }
    };
}

pub(crate) use public_code;

/// The code received is not the code computed. Opaque: nothing says where they differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("authentication code mismatch")]
pub struct CodeMismatch;

/// A byte string that is not as long as the code it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected an authentication code of {expected} bytes, found {found}")]
pub struct CodeLengthError {
    /// Length of the code.
    pub expected: usize,
    /// Bytes supplied.
    pub found: usize,
}
