//! Consistency between the type of a message and bits 52, 53, 64, 96 and 128.

use alloc::vec::Vec;

use super::{Class, Function, Message, Version};

/// What the parties agreed on that a message does not show. The default demands everything.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct RuleOptions {
    /// How the receiver finds the PIN key.
    pub pin_key: KeyReference,
    /// How the receiver finds the MAC key.
    pub mac_key: KeyReference,
    /// Whether the message is known to exchange keys.
    pub key_exchange: KeyExchange,
}

/// How the receiver of a message finds a key.
///
/// # Source
/// ANS X9.24-1:2009 8.3 and 8.4.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum KeyReference {
    /// By its name in the SMID of the message.
    #[default]
    Named,
    /// By agreement, as from the terminal identifier; no SMID is needed.
    Implicit,
}

/// Whether a network management request exchanges keys.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum KeyExchange {
    /// It does if it has bit 96.
    #[default]
    IfCarried,
    /// The caller knows that it does.
    Declared,
}

/// A rule that a message breaks. Each one has one cause: none follows from another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// An 11xx or 12xx message has PIN data in bit 52, and no bit 53 names the key.
    #[error("PIN data in bit 52 without a SMID in bit 53")]
    PinWithoutSmid,
    /// A message has a MAC in bit 64 or 128, and no bit 53 names the key.
    #[error("a MAC without a SMID in bit 53")]
    MacWithoutSmid,
    /// A message has a MAC in bit 64 and in bit 128.
    #[error("MACs in both bit 64 and bit 128")]
    TwoMacs,
    /// The MAC is in bit 64 and a secondary bitmap is present, so fields follow that it does not cover.
    #[error("a MAC in bit 64 of a message with a secondary bitmap; it belongs in bit 128")]
    MacNotLast,
    /// Bit 96 is in a message of another class than 18xx.
    #[error("key management data in bit 96 outside network management (18xx)")]
    FutureKeysOutsideNetworkManagement,
    /// A key exchange has a MAC, and no bit 53 names the key of that MAC.
    #[error("a key exchange with a MAC names no current key in bit 53")]
    KeyExchangeWithoutCurrentSmid,
    /// A key exchange has a MAC, and no bit 96 carries the future keys.
    #[error("a key exchange with a MAC carries no future keys in bit 96")]
    KeyExchangeWithoutFutureKeys,
}

/// Returns all rules that `message` breaks.
///
/// Rules about bits 53 and 96 are for ISO 8583:1993 only, since those bits mean something else in 1987.
///
/// # Source
/// ANS X9.24-1:2009 8.4; [`Finding::TwoMacs`] and [`Finding::MacNotLast`] from the usage of bits 64 and 128 in ISO 8583.
///
/// # Examples
/// ```
/// use cardroot_smid::iso8583::{Dialect, Finding, Message, RuleOptions, validate};
///
/// let mut message = Message::new("1200".parse()?);
/// message.set_bytes(Dialect::ISO1993_BINARY, 52, &[0; 8])?;
/// assert_eq!(validate(&message, &RuleOptions::default()), [Finding::PinWithoutSmid]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn validate(message: &Message, options: &RuleOptions) -> Vec<Finding> {
    let mut findings = mac_place(message);
    if message.mti().version() == Version::Iso1993 {
        findings.extend(pin_key(message, options));
        findings.extend(future_keys(message));
        findings.extend(mac_key(message, options));
    }
    findings
}

fn mac_place(message: &Message) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (message.contains(64), message.contains(128)) {
        (true, true) => findings.push(Finding::TwoMacs),
        (true, false) if message.bitmap().has_secondary() => findings.push(Finding::MacNotLast),
        _ => {}
    }
    findings
}

fn pin_key(message: &Message, options: &RuleOptions) -> Option<Finding> {
    let class = matches!(message.mti().class(), Class::Authorization | Class::Financial);
    let unnamed = message.contains(52) && !message.contains(53);
    (class && unnamed && options.pin_key == KeyReference::Named).then_some(Finding::PinWithoutSmid)
}

fn future_keys(message: &Message) -> Option<Finding> {
    let outside = message.mti().class() != Class::NetworkManagement;
    (outside && message.contains(96)).then_some(Finding::FutureKeysOutsideNetworkManagement)
}

fn mac_key(message: &Message, options: &RuleOptions) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !message.contains(64) && !message.contains(128) {
        return findings;
    }
    let exchange = exchanges_keys(message, options);
    if !message.contains(53) && options.mac_key == KeyReference::Named {
        findings.push(if exchange {
            Finding::KeyExchangeWithoutCurrentSmid
        } else {
            Finding::MacWithoutSmid
        });
    }
    if exchange && !message.contains(96) {
        findings.push(Finding::KeyExchangeWithoutFutureKeys);
    }
    findings
}

fn exchanges_keys(message: &Message, options: &RuleOptions) -> bool {
    let request =
        (message.mti().class(), message.mti().function()) == (Class::NetworkManagement, Function::Request);
    request && (options.key_exchange == KeyExchange::Declared || message.contains(96))
}
