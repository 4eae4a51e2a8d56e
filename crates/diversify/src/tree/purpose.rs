//! What the keys of the tree are for: three masters and their functions.
//!
//! The base document names the masters and six functions of the issuance master (issuing, loss, re-issue,
//! deregistration, recharge, inquiry). No standard has exactly these: which real card key does each job, and which
//! master the other card keys belong to, is this project's own reading. The README has it as one table.

use core::fmt;

use crate::factor::Factor;

/// What a key of the tree is for. No other crate can implement it.
pub trait Purpose: sealed::Sealed {
    /// Name for people.
    const NAME: &'static str;
}

/// A purpose whose keys are derived under a label: every one but the parent key's.
pub trait Derived: Purpose {
    /// The purpose at run time.
    const ID: PurposeId;
}

/// A secondary master: makes the province's keys of its functions, nothing else.
pub trait Master: Derived {}

/// A function of province, city and card keys.
pub trait Function: Derived {
    /// The master that makes the keys of this function.
    type Master: Master;
}

/// What is done with keys of a function that is known at run time only: see [`PurposeId::visit_function`].
pub trait FunctionVisitor {
    /// What comes of it.
    type Output;

    /// Does it for the keys of `F`.
    fn visit<F: Function>(self) -> Self::Output;
}

/// The purpose of the parent key: it makes the secondary masters, nothing else.
#[derive(Clone, Copy, Debug)]
pub enum Secondaries {}

impl Purpose for Secondaries {
    const NAME: &'static str = "secondary keys";
}

/// The types of the card key that does a function's job, as card operating systems number them.
///
/// Different functions may name one type: on FMCOS, blocking an application runs under the application's line
/// protection key, so a card that has no key of its own for it gets none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CardKeyTypes {
    /// Key types of FMCOS and its relatives, the usual one first.
    pub fmcos: &'static [u8],
    /// Key types of SmartCOS and Tianyu cards, the usual one first.
    pub smartcos: &'static [u8],
}

/// Declares masters with their functions: markers, the enum of all, and its tables.
macro_rules! purposes {
    ($(
        $(#[$master_doc:meta])*
        master $master:ident = $master_code:literal, $master_name:literal, $master_label:literal {$(
            $(#[$doc:meta])*
            $function:ident = $code:literal, $name:literal, $label:literal, $fmcos:expr, $smartcos:expr;
        )*}
    )*) => {
        /// A purpose at run time: a master or a function.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum PurposeId {$(
            #[doc = concat!("Purpose of [`", stringify!($master), "`](enum@", stringify!($master), ").")]
            $master,
            $(
                #[doc = concat!("Purpose of [`", stringify!($function), "`](enum@", stringify!($function), ").")]
                $function,
            )*
        )*}

        impl PurposeId {
            /// Every master, followed by its functions.
            pub const ALL: &[Self] = &[$(Self::$master, $(Self::$function),*),*];

            /// The code in records: the master in the high nibble, the function in the low one.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self {$(
                    Self::$master => $master_code,
                    $(Self::$function => $code,)*
                )*}
            }

            /// The purpose of a code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $(
                        $master_code => Some(Self::$master),
                        $($code => Some(Self::$function),)*
                    )*
                    _ => None,
                }
            }

            /// Name for people.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {$(
                    Self::$master => $master_name,
                    $(Self::$function => $name,)*
                )*}
            }

            /// The master of a function; none for a master.
            #[must_use]
            pub const fn master(self) -> Option<Self> {
                match self {$(
                    Self::$master => None,
                    $(Self::$function => Some(Self::$master),)*
                )*}
            }

            /// Goes from a function at run time to its type; none for a master.
            ///
            /// ```
            /// use cardroot_diversify::tree::purpose::{Function, FunctionVisitor, Purpose, PurposeId};
            ///
            /// /// The master of a function, by its type.
            /// struct MasterName;
            /// impl FunctionVisitor for MasterName {
            ///     type Output = &'static str;
            ///     fn visit<F: Function>(self) -> &'static str {
            ///         F::Master::NAME
            ///     }
            /// }
            /// assert_eq!(PurposeId::Tac.visit_function(MasterName), Some("provincial application master"));
            /// assert_eq!(PurposeId::Municipal.visit_function(MasterName), None);
            /// ```
            pub fn visit_function<V: FunctionVisitor>(self, visitor: V) -> Option<V::Output> {
                match self {$(
                    Self::$master => None,
                    $(Self::$function => Some(visitor.visit::<$function>()),)*
                )*}
            }

            /// The types of the card key that does a function's job; none for a master.
            #[must_use]
            pub const fn card_key_types(self) -> CardKeyTypes {
                match self {$(
                    Self::$master => CardKeyTypes { fmcos: &[], smartcos: &[] },
                    $(Self::$function => CardKeyTypes { fmcos: &$fmcos, smartcos: &$smartcos },)*
                )*}
            }
        }

        /// Version 1 of the labels, in the order of [`PurposeId::ALL`].
        pub(crate) const LABELS_V1: [Factor; PurposeId::ALL.len()] =
            [$(Factor::from_label($master_label), $(Factor::from_label($label)),*),*];

        $(
            $(#[$master_doc])*
            #[derive(Clone, Copy, Debug)]
            pub enum $master {}
            derived!($master);
            impl Master for $master {}

            $(
                $(#[$doc])*
                #[derive(Clone, Copy, Debug)]
                pub enum $function {}
                derived!($function);
                impl Function for $function {
                    type Master = $master;
                }
            )*
        )*
    };
}

macro_rules! derived {
    ($purpose:ident) => {
        impl Purpose for $purpose {
            const NAME: &'static str = PurposeId::$purpose.name();
        }
        impl Derived for $purpose {
            const ID: PurposeId = PurposeId::$purpose;
        }
        impl sealed::Sealed for $purpose {}
    };
}

purposes! {
    /// The issuance master: makes the keys of everything that happens to a card from issue to end.
    master Issuance = 0x10, "issuance master", "M-ISSUE" {
        /// Issuing: the card's control key, under which a blank card is set up.
        #[doc(alias = "CCK")]
        #[doc(alias = "CMK")]
        Issuing = 0x11, "issuing", "ISSUE", [0x39], [0x08];
        /// Loss: blocks the application of a card on the hot list. Social security cards have a key of its own for it,
        /// FMCOS blocks under the application's [`LineProtection`] key.
        #[doc(alias = "BK")]
        Loss = 0x12, "loss", "LOSS", [0x36], [0x05];
        /// Re-issue: authorises the old card's balance to leave it, which is the wallet's unload key.
        #[doc(alias = "DULK")]
        #[doc(alias = "unload")]
        Reissue = 0x13, "re-issue", "REISSUE", [0x3D], [];
        /// Deregistration: blocks a card for good. Social security cards have a key of its own for it, FMCOS blocks
        /// under the card's [`CardMaintenance`] key.
        #[doc(alias = "LK")]
        Deregistration = 0x14, "deregistration", "DEREG", [0x36], [0x05];
        /// Recharge: the wallet's load key.
        #[doc(alias = "DLK")]
        #[doc(alias = "load")]
        Recharge = 0x15, "recharge", "RECHG", [0x3F], [0x01];
        /// Inquiry: opens what an inquiry terminal may read.
        Inquiry = 0x16, "inquiry", "INQUIRY", [0x39], [0x08];
        /// Application control: loads and replaces the keys of one application.
        #[doc(alias = "DACK")]
        ApplicationControl = 0x17, "application control", "APPCTRL", [0x39], [0x08];
        /// Line protection: MACs what is written to an application's files.
        #[doc(alias = "DAMK")]
        LineProtection = 0x18, "line protection", "LINE", [0x36], [0x05];
        /// Card maintenance: MACs what is written to the card's own files.
        #[doc(alias = "DAMK_MF")]
        CardMaintenance = 0x19, "card maintenance", "CARDMNT", [0x36], [0x05];
    }

    /// The municipal master: makes the keys of a city's own application.
    master Municipal = 0x20, "municipal master", "M-MUNIC" {
        /// Reading the city's own files.
        #[doc(alias = "RK")]
        LocalFileRead = 0x21, "local file read", "LOCALRD", [0x39], [0x08];
        /// Writing the city's own files.
        #[doc(alias = "UK")]
        LocalFileUpdate = 0x22, "local file update", "LOCALUP", [0x39], [0x08];
        /// The card proves to a terminal of its city that it is genuine.
        #[doc(alias = "IK")]
        CityInternalAuthentication = 0x23, "city internal authentication", "CITYINT", [0x30, 0x31, 0x32], [0x09];
        /// Unblocking a PIN, at a service point of the city.
        #[doc(alias = "DPUK")]
        PinUnblock = 0x24, "PIN unblock", "PINUNBL", [0x37], [0x06];
        /// Setting a new PIN, at a service point of the city.
        #[doc(alias = "DRPK")]
        PinReload = 0x25, "PIN reload", "PINRELD", [0x38], [0x07];
    }

    /// The provincial application master: makes the keys of applications that work in every city.
    master ProvincialApplication = 0x30, "provincial application master", "M-PROV" {
        /// Purchase with the wallet.
        #[doc(alias = "DPK")]
        Purchase = 0x31, "purchase", "PURCH", [0x3E], [0x00];
        /// Transaction authentication code (TAC): proves load and purchase to the issuer afterwards.
        #[doc(alias = "DTK")]
        Tac = 0x32, "TAC", "TAC", [0x34], [0x02];
        /// Reading the files that every city may read.
        CommonFileRead = 0x33, "common file read", "COMMRD", [0x39], [0x08];
        /// A terminal of any city proves itself to the card.
        ExternalAuthentication = 0x34, "external authentication", "EXTAUTH", [0x39], [0x08];
        /// The card proves to a terminal of any city that it is genuine.
        InternalAuthentication = 0x35, "internal authentication", "INTAUTH", [0x30, 0x31, 0x32], [0x09];
    }
}

impl fmt::Display for PurposeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Secondaries {}
}
