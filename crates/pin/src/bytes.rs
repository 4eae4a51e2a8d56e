//! What all secret blocks, and all enciphered blocks, have in common.

/// Defines a secret block of fixed length: wiped on drop, silent in `Debug`, compared in constant time.
/// The visibility before `from_fill` is that of the constructor.
macro_rules! secret_block {
    ($(#[$doc:meta])* pub struct $name:ident([u8; $len:expr]); $from_fill:vis fn from_fill;) => {
        $(#[$doc])*
        #[derive(zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Builds the block in place, so no copy of it stays in the caller's frame. Nothing is checked
            /// until it is decoded.
            $from_fill fn from_fill(fill: impl FnOnce(&mut [u8; $len])) -> Self {
                let mut block = Self([0; $len]);
                fill(&mut block.0);
                block
            }

            /// Shows the clear bytes.
            pub fn expose_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Compares in constant time.
            pub fn ct_eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), other.0.as_slice()).into()
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// Defines an enciphered block of fixed length: a public value.
macro_rules! enciphered_block {
    ($(#[$doc:meta])* pub struct $name:ident([u8; $len:expr]);) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, PartialEq)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes as they travel.
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = crate::BlockLengthError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                let found = bytes.len();
                bytes.try_into().map(Self).map_err(|_| crate::BlockLengthError { expected: $len, found })
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str(")")
            }
        }
    };
}

pub(crate) use {enciphered_block, secret_block};
