//! The receiving side of AES DUKPT: the steps of TDES DUKPT over the keys of AES.

use crate::aes::counter::CounterError;
use crate::aes::key_sets::KeySets;
use crate::aes::keys::TransactionKey;

/// The receiving side of AES DUKPT, an acquirer's host: the [receiver](crate::Receiver) of TDES DUKPT with the keys of AES.
///
/// Both may work over one guard, which tells their originators apart.
///
/// # Examples
/// ```
/// # #[cfg(feature = "std")]
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// use cardroot_dukpt::aes::{Accepted, Bdk, BdkId, KeySets, Ksn, Receiver};
/// use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
/// use cardroot_dukpt::guard::{MemoryGuard, Policy, RequestId, block_on};
///
/// let bdk = Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| {
///     key.copy_from_slice(&0xFEDCBA9876543210_F1F1F1F1F1F1F1F1_u128.to_be_bytes());
/// }));
/// let mut key_sets = KeySets::new();
/// key_sets.insert(BdkId::from([0x12, 0x34, 0x56, 0x78]), bdk)?;
/// let host = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
///
/// // A message: its text, its MAC and the name of its key.
/// let (text, mac) = (b"4012345678909D987", [0x4D, 0x10, 0x47, 0x04, 0xC5, 0x34, 0x91, 0xA6]);
/// let ksn = Ksn::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x00, 0x00, 0x00, 0x02]);
///
/// let (message, ()) = host.derive(&ksn)?.authenticate(|key| {
///     key.mac_request_key(AesKeyLength::Aes128)?.verify_mac(text, &mac).map_err(Box::<dyn core::error::Error>::from)
/// })?;
/// let Accepted::New { transaction, .. } = block_on(host.accept(message, RequestId([1; 16])))? else {
///     panic!("nothing came before");
/// };
/// let answer_mac = transaction.key().mac_response_key(AesKeyLength::Aes128)?.mac(b"approved");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "std"))]
/// # fn main() {}
/// ```
/// A message of TDES DUKPT is nothing to it:
/// ```
/// use cardroot_dukpt::{aes, guard::{ReplayGuard, RequestId}};
/// async fn accept<G: ReplayGuard>(host: aes::Receiver<G>, message: aes::Claimable, request: RequestId) -> bool {
///     host.accept(message, request).await.is_ok()
/// }
/// ```
/// ```compile_fail,E0308
/// use cardroot_dukpt::{Claimable, aes, guard::{ReplayGuard, RequestId}};
/// async fn accept<G: ReplayGuard>(host: aes::Receiver<G>, message: Claimable, request: RequestId) -> bool {
///     host.accept(message, request).await.is_ok()
/// }
/// ```
pub type Receiver<G> = crate::Receiver<G, KeySets>;

/// A message whose key is derived and of which nothing is known yet.
pub type Unauthenticated = crate::Unauthenticated<TransactionKey>;

/// A message that may claim its counter.
pub type Claimable = crate::Claimable<TransactionKey>;

/// A message that is accepted.
pub type Accepted = crate::Accepted<TransactionKey>;

/// The key of a transaction that was accepted before, for answering the same request again.
pub type Repeat = crate::Repeat<TransactionKey>;

/// A message whose key is not derived.
pub type ReceiveError = crate::ReceiveError<CounterError>;
