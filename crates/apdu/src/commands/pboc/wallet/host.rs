//! Transactions between card and host: load, unload, overdraft limit.

use diversify::pboc::{ProcessInput, Transaction};

use super::keys::{LoadKey, OverdraftKey, ProcessKey, TacKey, TransactionKey, UnloadKey, process_key};
use super::purchase::split_proof;
use super::{
    AnswerLengthError, MAC_LEN, Tac, TerminalId, TransactionTime, TransactionType, Wallet, expect_mac, fixed,
};
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::commands::pboc::header;
use crate::le::Le;
use crate::secure::Rejected;

/// Load of a wallet with money from the account behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Load {
    /// Which wallet.
    pub wallet: Wallet,
    /// Identifier of the load key.
    pub key_id: u8,
    /// Amount in the smallest unit.
    pub amount: u32,
    /// Terminal at which it happens.
    pub terminal: TerminalId,
}

/// Unload of the deposit back to the account behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unload {
    /// Identifier of the unload key.
    pub key_id: u8,
    /// Amount in the smallest unit.
    pub amount: u32,
    /// Terminal at which it happens.
    pub terminal: TerminalId,
}

/// A new overdraft limit for the deposit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overdraft {
    /// Identifier of the overdraft key.
    pub key_id: u8,
    /// The new limit.
    pub limit: [u8; 3],
    /// Terminal at which it happens.
    pub terminal: TerminalId,
}

/// A transaction with the host: [`Load`], [`Unload`], [`Overdraft`].
pub trait HostTransaction: sealed::Sealed {
    /// The key that its process keys are derived from.
    type Key: TransactionKey;
}

mod sealed {
    use super::{Answer, TerminalId, TransactionType};

    pub trait Sealed {
        fn transaction_type(&self) -> TransactionType;
        fn terminal(&self) -> &TerminalId;
        /// What stands in MAC1 between balance and type.
        fn in_mac1(&self, _: &Answer) -> Field {
            self.in_mac2()
        }
        /// What stands at the beginning of MAC2, and in TAC or MAC3 between sequence and type.
        fn in_mac2(&self) -> Field;
        /// Balance once it is done, as far as the card will have done it.
        fn balance_after(&self, answer: &Answer) -> u32;
    }

    /// 3 or 4 bytes of a message.
    #[derive(Debug)]
    pub enum Field {
        Three([u8; 3]),
        Four([u8; 4]),
    }

    impl Field {
        pub fn as_slice(&self) -> &[u8] {
            match self {
                Self::Three(bytes) => bytes,
                Self::Four(bytes) => bytes,
            }
        }
    }
}

use sealed::{Field, Sealed};

impl HostTransaction for Load {
    type Key = LoadKey;
}

impl HostTransaction for Unload {
    type Key = UnloadKey;
}

impl HostTransaction for Overdraft {
    type Key = OverdraftKey;
}

impl Sealed for Load {
    fn transaction_type(&self) -> TransactionType {
        match self.wallet {
            Wallet::Deposit => TransactionType::DepositLoad,
            Wallet::Purse => TransactionType::PurseLoad,
        }
    }
    fn terminal(&self) -> &TerminalId {
        &self.terminal
    }
    fn in_mac2(&self) -> Field {
        Field::Four(self.amount.to_be_bytes())
    }
    fn balance_after(&self, answer: &Answer) -> u32 {
        answer.balance.wrapping_add(self.amount)
    }
}

impl Sealed for Unload {
    fn transaction_type(&self) -> TransactionType {
        TransactionType::Unload
    }
    fn terminal(&self) -> &TerminalId {
        &self.terminal
    }
    fn in_mac2(&self) -> Field {
        Field::Four(self.amount.to_be_bytes())
    }
    fn balance_after(&self, answer: &Answer) -> u32 {
        answer.balance.wrapping_sub(self.amount)
    }
}

impl Sealed for Overdraft {
    fn transaction_type(&self) -> TransactionType {
        TransactionType::Overdraft
    }
    fn terminal(&self) -> &TerminalId {
        &self.terminal
    }
    fn in_mac1(&self, answer: &Answer) -> Field {
        Field::Three(answer.limit)
    }
    fn in_mac2(&self) -> Field {
        Field::Three(self.limit)
    }
    fn balance_after(&self, answer: &Answer) -> u32 {
        let value = |[l0, l1, l2]: [u8; 3]| u32::from_be_bytes([0, l0, l1, l2]);
        answer.balance.wrapping_sub(value(answer.limit)).wrapping_add(value(self.limit))
    }
}

/// What INITIALIZE says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    balance: u32,
    sequence: u16,
    limit: [u8; 3],
    version: u8,
    algorithm: u8,
    random: [u8; 4],
    mac1: [u8; MAC_LEN],
}

/// A card's answer to INITIALIZE, not checked yet.
#[derive(Debug)]
pub struct HostAnswer<T> {
    transaction: T,
    answer: Answer,
}

/// A transaction whose MAC1 was right: the card is the issuer's.
#[derive(Debug)]
pub struct HostInitiated<T> {
    transaction: T,
    answer: Answer,
    key: ProcessKey,
}

/// A transaction whose second command is on its way.
#[derive(Debug)]
pub struct HostSent<T> {
    transaction: T,
    answer: Answer,
    key: ProcessKey,
    time: TransactionTime,
}

/// A card's answer to INITIALIZE FOR LOAD.
pub type LoadAnswer = HostAnswer<Load>;
/// A load whose MAC1 was right.
pub type LoadInitiated = HostInitiated<Load>;
/// A load whose CREDIT is on its way.
pub type LoadSent = HostSent<Load>;
/// A card's answer to INITIALIZE FOR UNLOAD.
pub type UnloadAnswer = HostAnswer<Unload>;
/// An unload whose MAC1 was right.
pub type UnloadInitiated = HostInitiated<Unload>;
/// An unload whose DEBIT is on its way.
pub type UnloadSent = HostSent<Unload>;
/// A card's answer to INITIALIZE FOR UPDATE.
pub type OverdraftAnswer = HostAnswer<Overdraft>;
/// A change of the limit whose MAC1 was right.
pub type OverdraftInitiated = HostInitiated<Overdraft>;
/// A change of the limit whose UPDATE is on its way.
pub type OverdraftSent = HostSent<Overdraft>;

impl Load {
    /// INITIALIZE FOR LOAD: `80 50 00 wallet 0B id amount terminal 10`.
    #[must_use]
    pub fn initialize(&self) -> CommandApdu {
        initialize([0x00, self.wallet.p2()], self.key_id, &self.amount.to_be_bytes(), &self.terminal, 16)
    }

    /// Reads the card's answer.
    ///
    /// # Errors
    /// Returns [`AnswerLengthError`] unless it is 16 bytes.
    pub fn answer(self, data: &[u8]) -> Result<LoadAnswer, AnswerLengthError> {
        Ok(HostAnswer { transaction: self, answer: short_answer(data)? })
    }
}

impl Unload {
    /// INITIALIZE FOR UNLOAD: `80 50 05 01 0B id amount terminal 10`.
    #[must_use]
    pub fn initialize(&self) -> CommandApdu {
        initialize([0x05, 0x01], self.key_id, &self.amount.to_be_bytes(), &self.terminal, 16)
    }

    /// Reads the card's answer.
    ///
    /// # Errors
    /// Returns [`AnswerLengthError`] unless it is 16 bytes.
    pub fn answer(self, data: &[u8]) -> Result<UnloadAnswer, AnswerLengthError> {
        Ok(HostAnswer { transaction: self, answer: short_answer(data)? })
    }
}

impl Overdraft {
    /// INITIALIZE FOR UPDATE: `80 50 04 01 07 id terminal 13`.
    #[must_use]
    pub fn initialize(&self) -> CommandApdu {
        initialize([0x04, 0x01], self.key_id, &[], &self.terminal, 19)
    }

    /// Reads the card's answer.
    ///
    /// # Errors
    /// Returns [`AnswerLengthError`] unless it is 19 bytes.
    pub fn answer(self, data: &[u8]) -> Result<OverdraftAnswer, AnswerLengthError> {
        let [b0, b1, b2, b3, s0, s1, l0, l1, l2, version, algorithm, r0, r1, r2, r3, m0, m1, m2, m3] =
            fixed(data)?;
        let answer = Answer {
            balance: u32::from_be_bytes([b0, b1, b2, b3]),
            sequence: u16::from_be_bytes([s0, s1]),
            limit: [l0, l1, l2],
            version,
            algorithm,
            random: [r0, r1, r2, r3],
            mac1: [m0, m1, m2, m3],
        };
        Ok(HostAnswer { transaction: self, answer })
    }
}

impl<T: HostTransaction> HostAnswer<T> {
    /// Balance as the card says; nothing is proven yet.
    #[must_use]
    pub const fn claimed_balance(&self) -> u32 {
        self.answer.balance
    }

    /// Version and algorithm of the key that the card will use: which key to verify with.
    #[must_use]
    pub const fn key_attributes(&self) -> (u8, u8) {
        (self.answer.version, self.answer.algorithm)
    }

    /// Number of the transaction, for the proof after a tear.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.answer.sequence
    }

    /// Verifies MAC1: `balance || amount or limit || type || terminal`.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why.
    pub fn verify(self, key: &T::Key) -> Result<HostInitiated<T>, Rejected> {
        let Self { transaction, answer } = self;
        let input =
            ProcessInput { random: answer.random, counter: answer.sequence, transaction: Transaction::Host };
        let key = process_key(key, &input);
        let expected = key.mac(&[
            &answer.balance.to_be_bytes(),
            transaction.in_mac1(&answer).as_slice(),
            &[transaction.transaction_type().byte()],
            transaction.terminal(),
        ]);
        expect_mac(&expected, &answer.mac1)?;
        Ok(HostInitiated { transaction, answer, key })
    }
}

impl<T: HostTransaction> HostInitiated<T> {
    /// Balance before the transaction.
    #[must_use]
    pub const fn balance(&self) -> u32 {
        self.answer.balance
    }

    /// The second command: `header || prefix || time || MAC2`.
    fn send(self, header: [u8; 3], prefix: &[u8], time: TransactionTime) -> (CommandApdu, HostSent<T>) {
        let Self { transaction, answer, key } = self;
        let mac2 = key.mac(&[
            transaction.in_mac2().as_slice(),
            &[transaction.transaction_type().byte()],
            transaction.terminal(),
            time.as_bytes(),
        ]);
        let [instruction, p1, p2] = header;
        let mut data = SecretBytes::with_capacity(14);
        data.extend(prefix);
        data.extend(time.as_bytes());
        data.extend(&mac2.truncated::<MAC_LEN>());
        let command = super::super::header(instruction, p1, p2);
        let command = CommandApdu::new(command)
            .with_secret_data(data)
            .expect("14 bytes at most")
            .with_le(Le::from_short_byte(4));
        (command, HostSent { transaction, answer, key, time })
    }
}

impl LoadInitiated {
    /// CREDIT FOR LOAD: `80 52 00 00 0B date time MAC2 04`.
    #[must_use]
    pub fn credit(self, time: TransactionTime) -> (CommandApdu, LoadSent) {
        self.send([0x52, 0x00, 0x00], &[], time)
    }
}

impl UnloadInitiated {
    /// DEBIT FOR UNLOAD: `80 54 03 00 0B date time MAC2 04`.
    #[must_use]
    pub fn debit(self, time: TransactionTime) -> (CommandApdu, UnloadSent) {
        self.send([0x54, 0x03, 0x00], &[], time)
    }
}

impl OverdraftInitiated {
    /// UPDATE OVERDRAFT LIMIT: `80 58 00 00 0E limit date time MAC2 04`.
    #[must_use]
    pub fn update(self, time: TransactionTime) -> (CommandApdu, OverdraftSent) {
        let limit = self.transaction.limit;
        self.send([0x58, 0x00, 0x00], &limit, time)
    }
}

impl<T: HostTransaction> HostSent<T> {
    /// `balance after || sequence || amount or limit || type || terminal || date || time`
    fn parts<R>(&self, mac: impl FnOnce(&[&[u8]]) -> R) -> R {
        mac(&[
            &self.transaction.balance_after(&self.answer).to_be_bytes(),
            &self.answer.sequence.to_be_bytes(),
            self.transaction.in_mac2().as_slice(),
            &[self.transaction.transaction_type().byte()],
            self.transaction.terminal(),
            self.time.as_bytes(),
        ])
    }

    fn expect_tac(&self, received: &[u8], key: &TacKey) -> Result<Tac, Rejected> {
        expect_mac(&self.parts(|parts| key.mac(parts)), received)?;
        Ok(Tac(received.try_into().map_err(|_| Rejected)?))
    }
}

macro_rules! with_tac {
    ($($sent:ty),*) => {
        $(impl $sent {
            /// Verifies the card's receipt: the balance has changed.
            ///
            /// # Errors
            /// Returns [`Rejected`], and nothing about why. The card may have done it all the same: ask it for its proof.
            pub fn verify_tac(&self, received: &[u8], key: &TacKey) -> Result<Tac, Rejected> {
                self.expect_tac(received, key)
            }

            /// Verifies the TAC in the proof that the card gives of its last transaction
            /// ([`transaction_proof`](super::transaction_proof)), where the receipt was lost: the balance has changed.
            ///
            /// # Errors
            /// Returns [`Rejected`], and nothing about why.
            pub fn verify_proof(&self, proof: &[u8], key: &TacKey) -> Result<Tac, Rejected> {
                let (tac, _) = split_proof(proof)?;
                self.expect_tac(tac.as_bytes(), key)
            }
        })*
    };
}

with_tac!(LoadSent, OverdraftSent);

impl UnloadSent {
    /// Verifies MAC3, the card's receipt: the balance has changed.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why. The card may have done it all the same: ask it for its proof.
    pub fn verify_mac3(&self, received: &[u8]) -> Result<(), Rejected> {
        expect_mac(&self.parts(|parts| self.key.mac(parts)), received)
    }

    /// Verifies MAC3 in the proof that the card gives of its last transaction
    /// ([`transaction_proof`](super::transaction_proof)), where the receipt was lost: the balance has changed.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why.
    pub fn verify_proof(&self, proof: &[u8]) -> Result<(), Rejected> {
        let (_, mac3) = split_proof(proof)?;
        self.verify_mac3(&mac3)
    }
}

fn short_answer(data: &[u8]) -> Result<Answer, AnswerLengthError> {
    let [b0, b1, b2, b3, s0, s1, version, algorithm, r0, r1, r2, r3, m0, m1, m2, m3] = fixed(data)?;
    Ok(Answer {
        balance: u32::from_be_bytes([b0, b1, b2, b3]),
        sequence: u16::from_be_bytes([s0, s1]),
        limit: [0; 3],
        version,
        algorithm,
        random: [r0, r1, r2, r3],
        mac1: [m0, m1, m2, m3],
    })
}

/// `80 50 P1 P2 Lc id [amount] terminal Le`
pub(super) fn initialize(
    [p1, p2]: [u8; 2],
    key_id: u8,
    amount: &[u8],
    terminal: &TerminalId,
    le: u8,
) -> CommandApdu {
    let mut data = SecretBytes::with_capacity(11);
    data.extend(&[key_id]);
    data.extend(amount);
    data.extend(terminal);
    CommandApdu::new(header(0x50, p1, p2))
        .with_secret_data(data)
        .expect("11 bytes at most")
        .with_le(Le::from_short_byte(le))
}
