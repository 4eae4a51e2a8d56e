//! The versions of one key, or of keys that come and go together: which may come, which serves, which went.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use tdea::Kcv;

use super::error::MethodError;
use super::loaded::Origin;
use super::name::{KeyName, KeyReference};
use super::state::Reader;
use crate::attributes::{Algorithm, Usage};
use crate::block_key::sealed::Sealed;
use crate::block_key::{BaseKey, BlockKey};
use crate::check_value::CheckMethod;

/// A code that two keys share only if they are the same key. It tells no more of the key than a check value does.
pub(crate) type Fingerprint = [u8; 16];

/// What the audit and the search for repeated keys see of a key.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) usage: Usage,
    pub(crate) check_value: Kcv,
    pub(crate) origin: Origin,
    pub(crate) fingerprint: Fingerprint,
}

impl Part {
    pub(crate) fn of<K: BlockKey>(key: &K, origin: Origin) -> Self {
        let base = key.base();
        let (method, len) = match K::Base::ALGORITHM {
            Algorithm::TDEA => (CheckMethod::Legacy, Kcv::USUAL_LEN),
            _ => (CheckMethod::Cmac, 5),
        };
        let check_value = base.check_value(method, len).expect("every method has 3 bytes, and CMAC 5");
        Self { usage: K::USAGE, check_value, origin, fingerprint: base.fingerprint() }
    }
}

/// Most bytes of a slot: three versions with a name and three of the longest keys each, and the numbers around them.
pub(crate) const SLOT_BYTES: usize =
    3 * (6 + KeyName::MAX_LEN + 3 * (3 + aeskey::AesKeyLength::Aes256.bytes())) + 16;

/// What a slot holds versions of.
pub(crate) trait SlotKeys: Sized {
    /// Usage and algorithm of all that may be in it, in the order in which they are written.
    const KINDS: &'static [(Usage, Algorithm)];

    fn parts(&self) -> Vec<Part>;

    fn encode(&self, out: &mut Vec<u8>);

    /// Nothing if the bytes are not such keys.
    fn decode(reader: &mut Reader<'_>) -> Option<Self>;
}

/// One version of a key, or of keys that come and go together.
pub struct Held<T> {
    number: u32,
    name: Option<KeyName>,
    keys: Arc<T>,
}

impl<T> Held<T> {
    pub(crate) fn new(number: u32, name: Option<KeyName>, keys: T) -> Self {
        Self { number, name, keys: Arc::new(keys) }
    }

    /// Its number, counted by this node alone.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(&self) -> Option<KeyName> {
        self.name
    }

    pub(crate) fn content(&self) -> &T {
        &self.keys
    }
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { number: self.number, name: self.name, keys: Arc::clone(&self.keys) }
    }
}

impl<T> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("number", &self.number).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Stage {
    /// The other party may have it; nothing is sent under it.
    Pending,
    /// What is sent is under it.
    Current,
    /// Messages in flight may be under it, for a time.
    Previous,
}

/// A version that is replaced, and until when it serves.
pub(crate) struct Leaving<T> {
    pub(crate) version: Held<T>,
    pub(crate) until: Duration,
}

impl<T> Clone for Leaving<T> {
    fn clone(&self) -> Self {
        Self { version: self.version.clone(), until: self.until }
    }
}

/// At most one version for each stage. Cloning copies pointers, no keys.
pub struct Slot<T> {
    last_number: u32,
    pending: Option<Held<T>>,
    current: Option<Held<T>>,
    previous: Option<Leaving<T>>,
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { last_number: 0, pending: None, current: None, previous: None }
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self {
            last_number: self.last_number,
            pending: self.pending.clone(),
            current: self.current.clone(),
            previous: self.previous.clone(),
        }
    }
}

impl<T> Slot<T> {
    pub(crate) const fn pending(&self) -> Option<&Held<T>> {
        self.pending.as_ref()
    }

    pub(crate) const fn current(&self) -> Option<&Held<T>> {
        self.current.as_ref()
    }

    /// All versions, in the order in which messages are likely to be under them; the one that is leaving only while it serves.
    pub(crate) fn serving(&self, now: Duration) -> impl Iterator<Item = (Stage, &Held<T>)> {
        let previous = self.previous.as_ref().filter(move |leaving| now < leaving.until);
        let current = self.current.iter().map(|version| (Stage::Current, version));
        let pending = self.pending.iter().map(|version| (Stage::Pending, version));
        current.chain(pending).chain(previous.into_iter().map(|leaving| (Stage::Previous, &leaving.version)))
    }

    /// Those of [`serving`](Self::serving) that a message may mean.
    pub(crate) fn meant_by(
        &self,
        reference: KeyReference,
        now: Duration,
    ) -> impl Iterator<Item = (Stage, &Held<T>)> {
        self.serving(now).filter(move |(_, version)| match reference {
            KeyReference::Implicit => true,
            KeyReference::Named(name) => version.name == Some(name),
        })
    }

    /// The names of all versions, serving or not.
    pub(crate) fn names(&self) -> impl Iterator<Item = KeyName> {
        let previous = self.previous.iter().map(|leaving| &leaving.version);
        self.pending.iter().chain(&self.current).chain(previous).filter_map(|version| version.name)
    }

    /// Takes a new version.
    pub(crate) fn propose(&mut self, name: Option<KeyName>, keys: T) -> Result<&Held<T>, MethodError> {
        if let Some(pending) = &self.pending {
            return Err(MethodError::Pending { number: pending.number });
        }
        let number = self.last_number.checked_add(1).ok_or(MethodError::NumbersExhausted)?;
        self.last_number = number;
        Ok(self.pending.insert(Held::new(number, name, keys)))
    }

    /// The pending version begins to serve; the one before it stays until `until`. Gives the version that was leaving until now.
    pub(crate) fn confirm(&mut self, number: u32, until: Duration) -> Result<Option<Held<T>>, MethodError> {
        let version = self.take_pending(number)?;
        let leaving = self.current.replace(version).map(|version| Leaving { version, until });
        Ok(core::mem::replace(&mut self.previous, leaving).map(|leaving| leaving.version))
    }

    pub(crate) fn take_pending(&mut self, number: u32) -> Result<Held<T>, MethodError> {
        self.pending.take_if(|pending| pending.number == number).ok_or(MethodError::NotPending { number })
    }

    /// Takes out the versions that are to be destroyed.
    pub(crate) fn take(&mut self, which: Doomed) -> impl Iterator<Item = Held<T>> {
        let previous = self.previous.take_if(|leaving| match which {
            Doomed::All => true,
            Doomed::Expired { now } => leaving.until <= now,
        });
        let others = match which {
            Doomed::All => [self.pending.take(), self.current.take()],
            Doomed::Expired { .. } => [None, None],
        };
        others.into_iter().flatten().chain(previous.map(|leaving| leaving.version))
    }
}

/// Which versions are to be destroyed.
#[derive(Clone, Copy)]
pub(crate) enum Doomed {
    /// All of them.
    All,
    /// Those whose time is over.
    Expired {
        /** The time. */
        now: Duration,
    },
}

#[allow(private_bounds, reason = "the slot itself is known to this crate alone")]
impl<T: SlotKeys> Slot<T> {
    /// `last number 4 || pending || current || previous`, each as [`encode_version`] writes it, the last with its time.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last_number.to_be_bytes());
        encode_version(self.pending.as_ref(), out);
        encode_version(self.current.as_ref(), out);
        encode_version(self.previous.as_ref().map(|leaving| &leaving.version), out);
        if let Some(leaving) = &self.previous {
            out.extend_from_slice(&leaving.until.as_secs().to_be_bytes());
            out.extend_from_slice(&leaving.until.subsec_nanos().to_be_bytes());
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let last_number = u32::from_be_bytes(reader.array()?);
        let (pending, current) = (decode_version(reader)?, decode_version(reader)?);
        let previous = match decode_version(reader)? {
            None => None,
            Some(version) => {
                let seconds = u64::from_be_bytes(reader.array()?);
                let nanos = u32::from_be_bytes(reader.array()?);
                (nanos < 1_000_000_000).then_some(())?;
                Some(Leaving { version, until: Duration::new(seconds, nanos) })
            }
        };
        Some(Self { last_number, pending, current, previous })
    }
}

/// `present 1`, then `number 4 || length of the name 1 || name || keys`.
fn encode_version<T: SlotKeys>(version: Option<&Held<T>>, out: &mut Vec<u8>) {
    out.push(version.is_some().into());
    if let Some(Held { number, name, keys }) = version {
        out.extend_from_slice(&number.to_be_bytes());
        let name = name.as_ref().map_or(&[][..], KeyName::as_bytes);
        out.push(name.len().try_into().expect("a name has at most 16 bytes"));
        out.extend_from_slice(name);
        keys.encode(out);
    }
}

fn decode_version<T: SlotKeys>(reader: &mut Reader<'_>) -> Option<Option<Held<T>>> {
    match reader.byte()? {
        0 => return Some(None),
        1 => {}
        _ => return None,
    }
    let number = u32::from_be_bytes(reader.array()?);
    let name = match reader.counted()? {
        [] => None,
        name => Some(KeyName::try_from(name).ok()?),
    };
    Some(Some(Held::new(number, name, T::decode(reader)?)))
}
