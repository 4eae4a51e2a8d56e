//! The keys of many transactions at once: what a receiver derives for one message, for thousands of them.
//!
//! A [`Derivation`] takes key serial numbers and the keys they belong to, and derives what is asked of it: initial,
//! transaction or working keys, clear PIN blocks, MACs. It runs on [the bulk engine of `tdea`](tdea::bulk), where a register
//! holds one bit of many keys; from the key serial number to the last result nothing leaves that form. Numbers too small to
//! be worth it take the road of [`InitialKey::derive_transaction_key`], and the answers are always the same.
//!
//! ```
//! use cardroot_dukpt::bulk::{Derivation, StrongBdk};
//! use cardroot_dukpt::pin::{EncryptedPinBlock, Pan};
//! use cardroot_dukpt::{Bdk, Counter, CounterError, DeriveError, Ksn, PinKey, tdea::TdeaKey};
//!
//! let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
//! let initial = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
//! let ksns = [initial.with_counter(Counter::FIRST), initial, initial.with_counter(Counter::FIRST.next()?)];
//! let messages = Derivation::from_bdk(StrongBdk::new(&bdk)?, &ksns);
//!
//! // Results come in order, and one that is refused does not stop the others.
//! messages.derive::<PinKey>(|position, key| match key {
//!     Ok(key) => println!("message {position}: check value {}", key.kcv()),
//!     Err(error) => assert_eq!((position, error), (1, DeriveError::Counter(CounterError::Zero))),
//! });
//!
//! // Or straight to the clear PIN blocks.
//! let pan = Pan::from_ascii_digits(b"4012345678909")?;
//! let blocks = [0x1B9C1845EB993A7A, 0, 0x10A01C8D02C69107].map(|block: u64| EncryptedPinBlock::from(block.to_be_bytes()));
//! messages.decrypt_pin_blocks(&blocks, |position, block| match block {
//!     Ok(block) => assert!(block.decode_iso0(&pan).is_ok()),
//!     Err(error) => println!("message {position}: {error}"),
//! })?;
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Nothing is judged here but the counter: whether it has increased is a matter of the receiver's memory. Threads are the
//! caller's choice: split the slices. A call needs at most 192 KiB of stack in a release build, MACs 224, and no allocator but
//! for what the feature `alloc` adds.
//!
//! # Timing
//! The time shows how many items there are, the numbers of ones in their counters, which base keys are alike and which are of
//! triple length, and which items are refused: all of it public. It shows nothing of keys or blocks. All buffers are wiped.

mod derived;
mod items;
mod lanes;
mod window;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

use pin::{ClearPinBlock, EncryptedPinBlock};
use tdea::bulk::{Engine, UnequalLengths};
use tdea::{Backend, StrengthError, TdeaKey};
#[cfg(feature = "alloc")]
use tdea::{Mac, Padding, bulk::MacKeys};
use zeroize::Zeroizing;

pub use self::derived::DerivedKey;
#[cfg(feature = "alloc")]
pub use self::derived::MacKey;
pub(crate) use self::derived::Sealed;
pub(crate) use self::items::Goal;
use self::items::{Items, Parents};
use self::window::Window;
use crate::keys::{Bdk, DeriveError, InitialKey};
use crate::ksn::Ksn;

/// The halves of a key, or a block and nothing.
pub(crate) type Halves = [[u8; 8]; 2];

/// A base derivation key that was judged and found strong, to be named for many items.
#[derive(Clone, Copy, Debug)]
pub struct StrongBdk<'a>(&'a Bdk);

impl<'a> StrongBdk<'a> {
    /// Judges `bdk`.
    ///
    /// # Errors
    /// Returns [`StrengthError`] if two parts of `bdk` agree once parity is masked, or one is a weak DES key.
    pub fn new(bdk: &'a Bdk) -> Result<Self, StrengthError> {
        bdk.expose_key().check_strength()?;
        Ok(Self(bdk))
    }

    /// Takes a key that was judged before.
    #[cfg(feature = "alloc")]
    pub(crate) const fn judged(bdk: &'a Bdk) -> Self {
        Self(bdk)
    }

    const fn key(self) -> &'a TdeaKey {
        self.0.expose_key()
    }
}

/// Key serial numbers and the keys that they belong to: what many keys are derived from. Copy it freely.
///
/// # Source
/// ANS X9.24-1:2009 A.3 and A.6 (X9.24-3:2017 C.4 and C.7), as [`Bdk::derive_initial_key`] and
/// [`InitialKey::derive_transaction_key`] have them. For the receiving TRSM or a key-loading facility.
#[derive(Clone, Copy)]
pub struct Derivation<'a> {
    engine: Engine,
    always_sliced: bool,
    items: Items<'a>,
}

impl<'a> Derivation<'a> {
    /// Derives under one base derivation key, that of the key set of all `ksns`.
    #[must_use]
    pub fn from_bdk(bdk: StrongBdk<'a>, ksns: &'a [Ksn]) -> Self {
        Self::new(Parents::Bdk(bdk), ksns)
    }

    /// Derives under several base derivation keys: `bdks` has that of each key serial number, in their order. Double and triple
    /// lengths may be mixed.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`].
    pub fn from_bdks(bdks: &'a [StrongBdk<'a>], ksns: &'a [Ksn]) -> Result<Self, UnequalLengths> {
        check_lengths(bdks, ksns)?;
        Ok(Self::new(Parents::Bdks(bdks), ksns))
    }

    /// Derives under one initial key, that of the originator of all `ksns`.
    #[must_use]
    pub fn from_initial_key(key: &'a InitialKey, ksns: &'a [Ksn]) -> Self {
        Self::new(Parents::InitialKey(key), ksns)
    }

    /// Derives under several initial keys: `keys` has that of the originator of each key serial number, in their order.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`].
    pub fn from_initial_keys(keys: &'a [&'a InitialKey], ksns: &'a [Ksn]) -> Result<Self, UnequalLengths> {
        check_lengths(keys, ksns)?;
        Ok(Self::new(Parents::InitialKeys(keys), ksns))
    }

    fn new(parents: Parents<'a>, ksns: &'a [Ksn]) -> Self {
        Self { engine: Engine::new(), always_sliced: false, items: Items { parents, ksns } }
    }

    /// The same on another engine than the one for the widest instructions: for tests and benches.
    #[must_use]
    pub const fn on(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// The same, but never one by one: for tests, and to measure what numbers are worth a batch.
    #[doc(hidden)]
    #[must_use]
    pub const fn always_sliced(self) -> Self {
        Self { always_sliced: true, ..self }
    }

    /// Derives a key of kind `K` for each key serial number. `take` gets its position and the key, in order; the keys take
    /// each other's place, and the last one is wiped at the end. To keep them see `derive_vec` (feature `alloc`).
    ///
    /// `K` is [`InitialKey`], [`TransactionKey`](crate::TransactionKey) or any working key; the counter plays no part in an
    /// initial key.
    ///
    /// An item is refused with [`DeriveError::Counter`] if its counter is zero or has more than ten ones, with
    /// [`DeriveError::OtherOriginator`] if it does not belong to its initial key.
    pub fn derive<K: DerivedKey>(self, mut take: impl FnMut(usize, Result<&K, DeriveError>)) {
        let mut place = None;
        self.run(K::GOAL, |position, result| {
            take(
                position,
                result.map(|halves| derived::replace(&mut place, halves, self.items.ksn(position))),
            );
        });
    }

    /// Derives keys as [`derive`](Self::derive) does and keeps them, in order.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn derive_vec<K: DerivedKey>(self) -> Vec<Result<K, DeriveError>> {
        let mut keys = Vec::with_capacity(self.items.ksns.len());
        self.run(K::GOAL, |position, result| {
            keys.push(result.map(|halves| derived::key(halves, self.items.ksn(position))));
        });
        keys
    }

    /// Decrypts a PIN block under the PIN key of each transaction. `take` gets the position and the clear block, in order; items
    /// are refused as in [`derive`](Self::derive).
    ///
    /// # Errors
    /// Returns [`UnequalLengths`] if there are not as many blocks as key serial numbers; nothing is taken then.
    pub fn decrypt_pin_blocks(
        self,
        blocks: &[EncryptedPinBlock],
        mut take: impl FnMut(usize, Result<ClearPinBlock, DeriveError>),
    ) -> Result<(), UnequalLengths> {
        check_lengths(self.items.ksns, blocks)?;
        self.run(Goal::PinBlocks(blocks), |position, result| {
            take(position, result.map(|[clear, _]| ClearPinBlock::from_fill(|block| *block = *clear)));
        });
        Ok(())
    }

    /// Computes the code of a message under the MAC key `K` of each transaction: ISO 9797-1 MAC algorithm 3 with zero padding, as
    /// [`MacRequestKey::mac`](crate::MacRequestKey::mac). `take` gets the position and the code, in order, to be sent or
    /// [verified](tdea::Mac::verify); items are refused as in [`derive`](Self::derive).
    ///
    /// Messages of like length, not too far apart, are worked on together, so the keys do leave their batch between derivation
    /// and use; they are wiped.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`] if there are not as many messages as key serial numbers; nothing is taken then.
    #[cfg(feature = "alloc")]
    pub fn macs<K: MacKey>(
        self,
        messages: &[&[u8]],
        mut take: impl FnMut(usize, Result<Mac, DeriveError>),
    ) -> Result<(), UnequalLengths> {
        check_lengths(self.items.ksns, messages)?;
        let mut keys: Vec<TdeaKey> = Vec::new();
        keys.resize_with(messages.len().min(window::LEN), || TdeaKey::from([0; 16]));
        for (index, messages) in messages.chunks(window::LEN).enumerate() {
            let first = index * window::LEN;
            let part = Self { items: self.items.window(first, messages.len()), ..self };
            let keys = keys.get_mut(..messages.len()).expect("no more than a window");
            let mut places = keys.iter_mut();
            part.run(K::GOAL, |_, result| {
                if let (Some(key), Ok(halves)) = (places.next(), result) {
                    *key.overwrite_double() = *halves;
                }
            });
            // Items that were refused get a code under some key, which goes nowhere.
            part.engine
                .retail_macs(MacKeys::Each(keys), Padding::Zeros, messages, |position, mac| {
                    take(first + position, part.items.steps(K::GOAL, position).map(|_| mac));
                })
                .expect("the keys are of double length and any message can be padded");
        }
        Ok(())
    }

    /// Gives the result of every item to `take`, in order.
    fn run(self, goal: Goal<'_>, take: impl FnMut(usize, Result<&Halves, DeriveError>)) {
        if self.items.ksns.len() < self.worth() {
            self.one_by_one(goal, take);
        } else {
            self.in_windows(goal, take);
        }
    }

    fn one_by_one(self, goal: Goal<'_>, mut take: impl FnMut(usize, Result<&Halves, DeriveError>)) {
        let mut out = Zeroizing::new(Halves::default());
        for position in 0..self.items.ksns.len() {
            let result = self.items.steps(goal, position).map(|_| {
                self.items.derive_one(goal, position, &mut out);
                &*out
            });
            take(position, result);
        }
    }

    // A function of its own: small numbers do without its stack.
    #[inline(never)]
    fn in_windows(self, goal: Goal<'_>, mut take: impl FnMut(usize, Result<&Halves, DeriveError>)) {
        let (mut lanes, mut window) = (None, Window::new());
        for (index, ksns) in self.items.ksns.chunks(window::LEN).enumerate() {
            let first = index * window::LEN;
            let (items, goal) = (self.items.window(first, ksns.len()), goal.window(first, ksns.len()));
            let results = window.derive(self.engine, self.worth(), &mut lanes, items, goal);
            for (position, result) in (first..).zip(results) {
                take(position, result);
            }
        }
    }

    /// The smallest number of items that a batch takes in less time than the one-block road, as measured on Zen 5. A batch takes
    /// the same time however many lanes are used.
    fn worth(self) -> usize {
        match self.engine.backend() {
            _ if self.always_sliced => 0,
            Backend::Avx512 => 11,
            Backend::Avx2 => 10,
            _ => 5,
        }
    }
}

fn check_lengths<T, U>(left: &[T], right: &[U]) -> Result<(), UnequalLengths> {
    let (left, right) = (left.len(), right.len());
    if left == right { Ok(()) } else { Err(UnequalLengths { left, right }) }
}

impl fmt::Debug for Derivation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derivation")
            .field("engine", &self.engine)
            .field("ksns", &self.items.ksns.len())
            .finish_non_exhaustive()
    }
}
