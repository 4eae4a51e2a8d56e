//! What a key block says of its key: usage, algorithm, mode of use, key version, exportability, context.

/// A code is made of ASCII letters and digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a code is made of ASCII letters and digits")]
pub struct NotACode;

/// Declares a code of the header with the values that the standard names. Any other value of letters and digits can be held too:
/// proprietary ones, and those of later editions.
macro_rules! codes {
    ($(#[$meta:meta])* pub struct $name:ident([u8; $len:literal]); $($const:ident = $code:literal $text:literal;)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, PartialEq)]
        pub struct $name([u8; $len]);

        impl $name {
            $(
                #[doc = concat!("`", stringify!($code), "`: ", $text, ".")]
                pub const $const: Self = Self(*$code);
            )*

            /// The code as it stands in the header.
            #[must_use]
            pub const fn code(self) -> [u8; $len] {
                self.0
            }

            /// What the standard calls it; nothing for a code that it does not name.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match &self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }

        impl TryFrom<[u8; $len]> for $name {
            type Error = $crate::NotACode;

            fn try_from(code: [u8; $len]) -> Result<Self, $crate::NotACode> {
                if code.iter().all(u8::is_ascii_alphanumeric) { Ok(Self(code)) } else { Err($crate::NotACode) }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.iter().try_for_each(|code| write!(f, "{}", char::from(*code)))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// What the key is for.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.1, table 2.
    pub struct Usage([u8; 2]);
    BASE_DERIVATION = b"B0" "base derivation key (BDK)";
    INITIAL = b"B1" "initial DUKPT key";
    BASE_KEY_VARIANT = b"B2" "base key variant key (deprecated)";
    DERIVATION = b"B3" "key derivation key, not of ANS X9.24";
    CARD_VERIFICATION = b"C0" "card verification key";
    DATA_ENCRYPTION = b"D0" "symmetric key for data encryption";
    ASYMMETRIC_DATA_ENCRYPTION = b"D1" "asymmetric key for data encryption";
    DECIMALISATION_TABLE = b"D2" "data encryption key for decimalisation tables";
    SENSITIVE_DATA = b"D3" "data encryption key for sensitive data";
    EMV_CRYPTOGRAM = b"E0" "EMV issuer master key: application cryptograms";
    EMV_CONFIDENTIALITY = b"E1" "EMV issuer master key: secure messaging, confidentiality";
    EMV_INTEGRITY = b"E2" "EMV issuer master key: secure messaging, integrity";
    EMV_DATA_AUTHENTICATION_CODE = b"E3" "EMV issuer master key: data authentication code";
    EMV_DYNAMIC_NUMBERS = b"E4" "EMV issuer master key: dynamic numbers";
    EMV_PERSONALISATION = b"E5" "EMV issuer master key: card personalisation";
    EMV_OTHER = b"E6" "EMV issuer master key: other";
    EMV_PIN_KEY_PAIR = b"E7" "EMV asymmetric key pair for PIN encryption";
    INITIAL_VECTOR = b"I0" "initial vector";
    KEY_ENCRYPTION = b"K0" "key encryption or wrapping key (KEK)";
    KEY_BLOCK_PROTECTION = b"K1" "key block protection key (KBPK)";
    TR34_KEY_PAIR = b"K2" "asymmetric key pair of a TR-34 key receiving device";
    KEY_AGREEMENT_KEY_PAIR = b"K3" "asymmetric key pair for key wrapping or agreement";
    ISO_20038_PROTECTION = b"K4" "ISO 20038 key block protection key";
    ISO_16609_MAC_1 = b"M0" "ISO 16609 MAC algorithm 1 with TDEA";
    MAC_1 = b"M1" "ISO 9797-1 MAC algorithm 1";
    MAC_2 = b"M2" "ISO 9797-1 MAC algorithm 2";
    MAC_3 = b"M3" "ISO 9797-1 MAC algorithm 3, retail MAC";
    MAC_4 = b"M4" "ISO 9797-1 MAC algorithm 4";
    MAC_5_1999 = b"M5" "ISO 9797-1:1999 MAC algorithm 5";
    CMAC = b"M6" "ISO 9797-1:2011 MAC algorithm 5, CMAC";
    HMAC = b"M7" "HMAC key";
    MAC_6 = b"M8" "ISO 9797-1 MAC algorithm 6";
    PIN_ENCRYPTION = b"P0" "PIN encryption key";
    PIN_GENERATION = b"P1" "PIN generation key";
    SIGNATURE_KEY_PAIR = b"S0" "asymmetric key pair for signatures";
    CA_KEY_PAIR = b"S1" "asymmetric key pair of a certification authority";
    OTHER_KEY_PAIR = b"S2" "asymmetric key pair for uses outside ANS X9.24";
    PIN_VERIFICATION = b"V0" "PIN verification key, other";
    PIN_VERIFICATION_IBM_3624 = b"V1" "PIN verification key, IBM 3624";
    PIN_VERIFICATION_VISA = b"V2" "PIN verification key, Visa PVV";
    PIN_VERIFICATION_X9_132_1 = b"V3" "PIN verification key, ANS X9.132 algorithm 1";
    PIN_VERIFICATION_X9_132_2 = b"V4" "PIN verification key, ANS X9.132 algorithm 2";
    PIN_VERIFICATION_X9_132_3 = b"V5" "PIN verification key, ANS X9.132 algorithm 3";
}

codes! {
    /// The algorithm that the key belongs to.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.2, table 3.
    pub struct Algorithm([u8; 1]);
    AES = b"A" "AES";
    DES = b"D" "DES";
    EC = b"E" "elliptic curve";
    HMAC = b"H" "HMAC";
    RSA = b"R" "RSA";
    DSA = b"S" "DSA";
    TDEA = b"T" "TDEA";
}

codes! {
    /// What may be done with the key, within its usage.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.3, table 4.
    pub struct ModeOfUse([u8; 1]);
    ENCRYPT_AND_DECRYPT = b"B" "encrypt and decrypt, wrap and unwrap";
    GENERATE_AND_VERIFY = b"C" "generate and verify";
    DECRYPT = b"D" "decrypt or unwrap only";
    ENCRYPT = b"E" "encrypt or wrap only";
    GENERATE = b"G" "generate only";
    ANY = b"N" "no restriction beyond the usage";
    SIGN = b"S" "sign only";
    SIGN_AND_DECRYPT = b"T" "sign and decrypt";
    VERIFY = b"V" "verify only";
    DERIVE = b"X" "derive other keys";
    VARIANT = b"Y" "create key variants";
}

codes! {
    /// Key version number: which of several keys of one name this is.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.4, table 5.
    pub struct KeyVersion([u8; 2]);
    UNUSED = b"00" "not used";
}

impl KeyVersion {
    /// The number of a component, if the block holds a component of a key and no key: the character behind `c`.
    #[must_use]
    pub const fn component(self) -> Option<char> {
        match self.0 {
            [b'c', number] => Some(number as char),
            _ => None,
        }
    }
}

/// Whether who opens the block may send the key on. Ordered: [`None`](Self::None) allows least.
///
/// # Source
/// ANS X9.143:2021 6.3.5, table 6.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Exportability {
    /// `N`: not at all.
    None,
    /// `E`: in key blocks, under a key that meets ANS X9.24.
    Trusted,
    /// `S`: in other forms too, as those of ANS X9.17.
    Sensitive,
}

impl Exportability {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::None => b'N',
            Self::Trusted => b'E',
            Self::Sensitive => b'S',
        }
    }

    pub(crate) const fn decode(code: u8) -> Option<Self> {
        match code {
            b'N' => Some(Self::None),
            b'E' => Some(Self::Trusted),
            b'S' => Some(Self::Sensitive),
            _ => None,
        }
    }
}

/// Where the key may be protected by the block: in a store, or on its way. It came with ANS X9.143:2021; before, the character
/// was reserved and `0`.
///
/// # Source
/// ANS X9.143:2021 6.2, table 1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyContext {
    /// `0`: the protection key decides.
    ByProtectionKey,
    /// `1`: storage only.
    Storage,
    /// `2`: exchange only.
    Exchange,
}

impl KeyContext {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::ByProtectionKey => b'0',
            Self::Storage => b'1',
            Self::Exchange => b'2',
        }
    }

    pub(crate) const fn decode(code: u8) -> Option<Self> {
        match code {
            b'0' => Some(Self::ByProtectionKey),
            b'1' => Some(Self::Storage),
            b'2' => Some(Self::Exchange),
            _ => None,
        }
    }
}

/// The fields of the header that speak of the key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Attributes {
    /// What the key is for.
    pub usage: Usage,
    /// The algorithm that the key belongs to.
    pub algorithm: Algorithm,
    /// What may be done with it.
    pub mode: ModeOfUse,
    /// Which of several keys of one name it is, or a component.
    pub key_version: KeyVersion,
    /// Whether it may be sent on.
    pub exportability: Exportability,
    /// Where the block may be used.
    pub context: KeyContext,
}
