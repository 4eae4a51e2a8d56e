//! A key in, components out.

use core::array;

use rand_core::CryptoRng;

use crate::assembly::{KeyFault, check_key};
use crate::combine::assemble;
use crate::component::KeyComponent;
use crate::key::{ComponentKey, xor};
use crate::parts::Parts;

/// Splits a key into `N` components, 2 to 9: all but one are random, the last is the XOR of them and the key.
///
/// No component is zero, equal to another or to the key. The key comes back by [`combine`](crate::combine)
/// with its parity as it was.
///
/// # Source
/// ANS X9.24-1:2009 7.4 and 7.5.1.
///
/// # Errors
/// Returns [`KeyFault::Zero`] or [`KeyFault::Weak`] for a key that would be refused when it is combined
/// again.
///
/// # Examples
/// ```
/// # use cardroot_components::split;
/// # use getrandom::{SysRng, rand_core::UnwrapErr};
/// let mut rng = UnwrapErr(SysRng);
/// let key = tdea::TdeaKey::generate(tdea::KeyLength::Double, &mut rng);
/// let [first, second, third] = split(&key, &mut rng)?;
/// # let _ = (first, second, third);
/// # Ok::<(), cardroot_components::KeyFault>(())
/// ```
/// One component would be the key:
/// ```compile_fail
/// # use cardroot_components::split;
/// # use getrandom::{SysRng, rand_core::UnwrapErr};
/// # let mut rng = UnwrapErr(SysRng);
/// # let key = tdea::TdeaKey::generate(tdea::KeyLength::Double, &mut rng);
/// let [only] = split(&key, &mut rng)?;
/// # let _ = only;
/// # Ok::<(), cardroot_components::KeyFault>(())
/// ```
pub fn split<K: ComponentKey, const N: usize>(
    key: &K,
    rng: &mut impl CryptoRng,
) -> Result<[KeyComponent<K>; N], KeyFault> {
    const { assert!(Parts::MIN <= N && N <= Parts::MAX, "a key has 2 to 9 components") };
    let mut components = array::from_fn(|_| zero(key.length()));
    draw(key, &mut components, rng)?;
    Ok(components)
}

/// Splits a key into as many components as `parts` says, like [`split`], when the number is known only at
/// run time. They come one by one, so that each can be printed and wiped before the next.
///
/// # Errors
/// Returns [`KeyFault::Zero`] or [`KeyFault::Weak`] for a key that would be refused when it is combined
/// again.
pub fn split_parts<K: ComponentKey, R: CryptoRng>(
    key: &K,
    parts: Parts,
    rng: &mut R,
) -> Result<impl ExactSizeIterator<Item = KeyComponent<K>> + use<K, R>, KeyFault> {
    let mut components: [_; Parts::MAX] = array::from_fn(|_| zero(key.length()));
    draw(key, components.get_mut(..parts.get()).expect("Parts is at most Parts::MAX"), rng)?;
    Ok(components.into_iter().take(parts.get()))
}

/// What a component is before it is drawn.
fn zero<K: ComponentKey>(length: K::Length) -> KeyComponent<K> {
    KeyComponent::from_fill(length, |_| ())
}

/// Fills `components`, and draws again in the practically impossible case that they break a rule of
/// combining.
fn draw<K: ComponentKey>(
    key: &K,
    components: &mut [KeyComponent<K>],
    rng: &mut impl CryptoRng,
) -> Result<(), KeyFault> {
    check_key(key)?;
    loop {
        let (last, others) = components.split_last_mut().expect("a key has at least two components");
        *last = KeyComponent::from_fill(key.length(), |bytes| bytes.copy_from_slice(key.expose_bytes()));
        for other in others {
            *other = KeyComponent::generate(key.length(), rng);
            last.0 = xor(&last.0, &other.0);
        }
        if assemble(key.length(), &*components).is_ok_and(|assembly| assembly.check_key().is_ok()) {
            return Ok(());
        }
    }
}
