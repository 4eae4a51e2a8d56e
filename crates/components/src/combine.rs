//! Components in, a key out.

use crate::assembly::{Assembly, ComponentFault, KeyFault};
use crate::component::KeyComponent;
use crate::key::ComponentKey;
use crate::parts::{Parts, PartsError};

/// Components that make no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CombineError {
    /// There are too few components, or too many.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A component can't be one of this key.
    #[error("component {number}: {fault}")]
    Component {
        /** Its number, from 1. */
        number: u8,
        /** What is wrong with it. */
        #[source]
        fault: ComponentFault,
    },
    /// The key that comes of them must not be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// Combines all components of a key by XOR. Their order does not matter.
///
/// `key = component 1 ^ component 2 ^ … ^ component n`
///
/// This is for components that are at hand together. Where custodians bring them one by one, run a
/// [`Ceremony`](crate::Ceremony), which also verifies check values.
///
/// Zero, equality and weakness are judged with parity bits masked: two components that differ in parity
/// bits alone cancel out as equal ones do.
///
/// # Source
/// ANS X9.24-1:2009 7.5.1. For the receiving TRSM: the key exists only there.
///
/// # Errors
/// Returns [`CombineError::Parts`] unless there are 2 to 9 components, [`CombineError::Component`] for the
/// first one that has another length, is zero or equals an earlier one, [`CombineError::Key`] if the key is
/// zero, weak, has equal parts, is itself one of the components, or breaks
/// [`Parity::RequireOdd`](crate::Parity::RequireOdd).
///
/// # Examples
/// ```
/// # use cardroot_components::{Parity, TdeaComponent, combine};
/// let first = TdeaComponent::try_from(&b"one component of"[..])?;
/// let second = TdeaComponent::try_from(&b"a key is no key!"[..])?;
/// let key = combine(&[&first, &second], Parity::AdjustToOdd)?;
/// assert!(key.ct_eq(&combine(&[&second, &first], Parity::AdjustToOdd)?));
/// assert!(combine(&[&first, &first], Parity::AdjustToOdd).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn combine<K: ComponentKey>(
    components: &[&KeyComponent<K>],
    parity: K::Parity,
) -> Result<K, CombineError> {
    Parts::try_from(components.len())?;
    let first = components.first().expect("there are two at least");
    Ok(assemble(first.length(), components.iter().copied())?.into_key(parity)?)
}

/// Adds up at most [`Parts::MAX`] components.
pub(crate) fn assemble<'a, K: ComponentKey + 'a>(
    length: K::Length,
    components: impl IntoIterator<Item = &'a KeyComponent<K>>,
) -> Result<Assembly<K>, CombineError> {
    let mut assembly = Assembly::new(length);
    for (number, component) in (1..).zip(components) {
        assembly.check(component).map_err(|fault| CombineError::Component { number, fault })?;
        assembly.add(component);
    }
    Ok(assembly)
}
