//! Classes of messages and tags of fields.

use core::fmt;

/// Declares an enum of words of the standard, with their text.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word as messages have it.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one that messages call `text`.
            #[must_use]
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.text() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}

words! {
    /// Class of a message. Party A sends keys, party B receives them.
    Class {
        /// Request Service Initiation: B asks A for keys, or A asks a centre.
        Rsi = "RSI",
        /// Key Service Message: A sends keys to B.
        Ksm = "KSM",
        /// Response Service Message: acknowledges a KSM or a DSM.
        Rsm = "RSM",
        /// Error Service Message: says what was wrong with a message.
        Esm = "ESM",
        /// Disconnect Service Message: ends the use of keys.
        Dsm = "DSM",
        /// Request For Service: A asks a centre to translate keys.
        Rfs = "RFS",
        /// Response To Request: a centre's answer to A.
        Rtr = "RTR",
        /// Error Recovery Service: A tells a centre of an error that B reported.
        Ers = "ERS",
    }
}

words! {
    /// Tag of a field.
    Tag {
        /// Class of the message.
        Mcl = "MCL",
        /// Who is to receive it.
        Rcv = "RCV",
        /// Who made it.
        Org = "ORG",
        /// What is asked for.
        Svr = "SVR",
        /// Data key.
        Kd = "KD",
        /// Data key notarized for the ultimate recipient.
        Kdu = "KDU",
        /// Key encrypting key of single length.
        Kk = "KK",
        /// Key encrypting key pair.
        KkPair = "*KK",
        /// Key encrypting key notarized for the ultimate recipient.
        Kku = "KKU",
        /// Key encrypting key pair notarized for the ultimate recipient.
        KkuPair = "*KKU",
        /// Initialization vector.
        Iv = "IV",
        /// Effective date of the keys.
        Edk = "EDK",
        /// Count between two parties.
        Ctp = "CTP",
        /// Count between party A and a centre.
        Cta = "CTA",
        /// Count between party B and a centre.
        Ctb = "CTB",
        /// Count that was received in the message in error.
        Ctr = "CTR",
        /// Ultimate recipient.
        Idu = "IDU",
        /// Centre.
        Idc = "IDC",
        /// Key to discontinue.
        Idd = "IDD",
        /// Key that authenticates a DSM.
        Ida = "IDA",
        /// What was wrong.
        Erf = "ERF",
        /// Error detection code: a MAC under a public key.
        Edc = "EDC",
        /// Message authentication code.
        Mac = "MAC",
        /// Notarization flag.
        Nos = "NOS",
        /// Transaction identifier.
        Tid = "TID",
    }
}
