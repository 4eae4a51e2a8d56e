//! Transactions between card and terminal: purchase, cash, compound purchase.

use alloc::vec::Vec;

use diversify::pboc::{ProcessInput, Transaction};

use super::host::initialize;
use super::keys::{ProcessKey, PurchaseKey, TacKey, process_key};
use super::{
    AnswerLengthError, MAC_LEN, Tac, TerminalId, TransactionTime, TransactionType, Wallet, expect_mac, fixed,
};
use crate::command::{CommandApdu, DataTooLong};
use crate::commands::pboc::header;
use crate::le::Le;
use crate::secure::Rejected;

/// What the card pays for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PurchaseKind {
    /// Goods, from either wallet.
    Purchase(Wallet),
    /// Cash, from the deposit.
    Cash,
    /// Goods, from the purse, with records that are written along.
    Compound,
}

/// A purchase to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Purchase {
    /// What for.
    pub kind: PurchaseKind,
    /// Identifier of the purchase key.
    pub key_id: u8,
    /// Amount in the smallest unit.
    pub amount: u32,
    /// Number of the terminal; a SAM puts in its own.
    pub terminal: TerminalId,
}

impl Purchase {
    /// INITIALIZE FOR PURCHASE, CASH WITHDRAW, CAPP PURCHASE: `80 50 01|02|03 wallet 0B id amount terminal 0F`.
    #[must_use]
    pub fn initialize(&self) -> CommandApdu {
        let parameters = match self.kind {
            PurchaseKind::Purchase(wallet) => [0x01, wallet.p2()],
            PurchaseKind::Cash => [0x02, 0x01],
            PurchaseKind::Compound => [0x03, 0x02],
        };
        initialize(parameters, self.key_id, &self.amount.to_be_bytes(), &self.terminal, 15)
    }

    /// Type of the transaction.
    #[must_use]
    pub const fn transaction_type(&self) -> TransactionType {
        match self.kind {
            PurchaseKind::Purchase(Wallet::Deposit) => TransactionType::DepositPurchase,
            PurchaseKind::Purchase(Wallet::Purse) => TransactionType::PursePurchase,
            PurchaseKind::Cash => TransactionType::Cash,
            PurchaseKind::Compound => TransactionType::Compound,
        }
    }

    /// Reads the card's answer. It has no MAC: what the card says is proven by MAC2 at the end.
    ///
    /// # Errors
    /// Returns [`AnswerLengthError`] unless it is 15 bytes.
    pub fn answer(self, data: &[u8]) -> Result<PurchaseAnswer, AnswerLengthError> {
        let [b0, b1, b2, b3, s0, s1, l0, l1, l2, version, algorithm, r0, r1, r2, r3] = fixed(data)?;
        Ok(PurchaseAnswer {
            purchase: self,
            balance: u32::from_be_bytes([b0, b1, b2, b3]),
            sequence: u16::from_be_bytes([s0, s1]),
            limit: [l0, l1, l2],
            version,
            algorithm,
            random: [r0, r1, r2, r3],
        })
    }
}

/// A card's answer to INITIALIZE.
#[derive(Debug)]
pub struct PurchaseAnswer {
    purchase: Purchase,
    balance: u32,
    sequence: u16,
    limit: [u8; 3],
    version: u8,
    algorithm: u8,
    random: [u8; 4],
}

impl PurchaseAnswer {
    /// Balance as the card says.
    #[must_use]
    pub const fn claimed_balance(&self) -> u32 {
        self.balance
    }

    /// Overdraft limit as the card says.
    #[must_use]
    pub const fn claimed_limit(&self) -> [u8; 3] {
        self.limit
    }

    /// Version and algorithm of the card's key.
    #[must_use]
    pub const fn key_attributes(&self) -> (u8, u8) {
        (self.version, self.algorithm)
    }

    /// Number of the transaction, for the proof after a tear.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.sequence
    }

    /// DEBIT, by who has the card's key: `80 54 01 00 0F terminal-sequence date time MAC1 08`.
    #[must_use]
    pub fn debit(
        self,
        key: &PurchaseKey,
        terminal_sequence: u32,
        time: TransactionTime,
    ) -> (CommandApdu, PurchaseSent) {
        let input = ProcessInput {
            random: self.random,
            counter: self.sequence,
            transaction: Transaction::Terminal { sequence: terminal_sequence },
        };
        let key = process_key(key, &input);
        let Purchase { amount, terminal, .. } = self.purchase;
        let transaction_type = self.purchase.transaction_type();
        let statement = PurchaseStatement { amount, transaction_type, terminal, terminal_sequence, time };
        let mac1 = key.mac(&[&amount.to_be_bytes(), &[transaction_type.byte()], &terminal, time.as_bytes()]);
        (debit(terminal_sequence.to_be_bytes(), time, mac1.truncated()), PurchaseSent { statement, key })
    }

    /// INIT_SAM_FOR_PURCHASE: `80 70 00 00 Lc random sequence amount type date time version algorithm factors 08`, with one
    /// factor of 8 bytes for each level of the SAM's key, in the order that the SAM expects.
    ///
    /// # Errors
    /// Returns [`DataTooLong`] if the factors do not fit.
    pub fn ask_sam(
        self,
        factors: &[[u8; 8]],
        time: TransactionTime,
    ) -> Result<(CommandApdu, SamAsked), DataTooLong> {
        let parts: [&[u8]; 7] = [
            &self.random,
            &self.sequence.to_be_bytes(),
            &self.purchase.amount.to_be_bytes(),
            &[self.purchase.transaction_type().byte()],
            time.as_bytes(),
            &[self.version, self.algorithm],
            factors.as_flattened(),
        ];
        let command = CommandApdu::new(header(0x70, 0x00, 0x00))
            .with_data(&parts.concat())?
            .with_le(Le::from_short_byte(8));
        Ok((command, SamAsked { purchase: self.purchase, time }))
    }
}

/// A purchase whose DEBIT is on its way.
#[derive(Debug)]
pub struct PurchaseSent {
    statement: PurchaseStatement,
    key: ProcessKey,
}

impl PurchaseSent {
    /// Verifies MAC2: the card has paid. Returns what goes to the clearing.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why. The card may have paid all the same: ask it for its proof.
    pub fn verify(&self, answer: &[u8]) -> Result<(PurchaseStatement, Tac), Rejected> {
        let (tac, mac2) = split(answer)?;
        self.accept(tac, mac2)
    }

    /// Verifies the proof `MAC2 || TAC` that the card gives of its last transaction
    /// ([`transaction_proof`](super::transaction_proof)), where the answer to DEBIT was lost: the card has paid.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why.
    pub fn verify_proof(&self, proof: &[u8]) -> Result<(PurchaseStatement, Tac), Rejected> {
        let (tac, mac2) = split_proof(proof)?;
        self.accept(tac, mac2)
    }

    fn accept(&self, tac: Tac, mac2: [u8; MAC_LEN]) -> Result<(PurchaseStatement, Tac), Rejected> {
        expect_mac(&self.key.mac(&[&self.statement.amount.to_be_bytes()]), &mac2)?;
        Ok((self.statement, tac))
    }
}

/// What the card signs by its TAC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PurchaseStatement {
    /// Amount in the smallest unit.
    pub amount: u32,
    /// What it was for.
    pub transaction_type: TransactionType,
    /// Number of the terminal.
    pub terminal: TerminalId,
    /// The terminal's number of the transaction.
    pub terminal_sequence: u32,
    /// When.
    pub time: TransactionTime,
}

impl PurchaseStatement {
    /// Verifies the TAC at the clearing: `amount || type || terminal || terminal-sequence || date || time`.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why.
    pub fn verify_tac(&self, tac: Tac, key: &TacKey) -> Result<(), Rejected> {
        let expected = key.mac(&[
            &self.amount.to_be_bytes(),
            &[self.transaction_type.byte()],
            &self.terminal,
            &self.terminal_sequence.to_be_bytes(),
            self.time.as_bytes(),
        ]);
        expect_mac(&expected, tac.as_bytes())
    }
}

/// A purchase that waits for the SAM's MAC1.
#[derive(Debug)]
pub struct SamAsked {
    purchase: Purchase,
    time: TransactionTime,
}

impl SamAsked {
    /// DEBIT with the SAM's answer `terminal-sequence || MAC1`.
    ///
    /// # Errors
    /// Returns [`AnswerLengthError`] unless the answer is 8 bytes.
    pub fn debit(self, answer: &[u8]) -> Result<(CommandApdu, SamDebit), AnswerLengthError> {
        let [q0, q1, q2, q3, m0, m1, m2, m3] = fixed(answer)?;
        let sequence = [q0, q1, q2, q3];
        let Purchase { amount, terminal, .. } = self.purchase;
        let statement = PurchaseStatement {
            amount,
            transaction_type: self.purchase.transaction_type(),
            terminal,
            terminal_sequence: u32::from_be_bytes(sequence),
            time: self.time,
        };
        Ok((debit(sequence, self.time, [m0, m1, m2, m3]), SamDebit { statement }))
    }
}

/// A purchase whose DEBIT is on its way and whose MAC2 only the SAM can check.
#[derive(Debug)]
pub struct SamDebit {
    statement: PurchaseStatement,
}

impl SamDebit {
    /// CREDIT_SAM_FOR_PURCHASE: `80 72 00 00 04 MAC2`, with the card's answer `TAC || MAC2`. Only once the SAM has taken it
    /// has the card paid.
    ///
    /// # Errors
    /// Returns [`Rejected`] unless the answer is 8 bytes.
    pub fn credit_sam(&self, answer: &[u8]) -> Result<(CommandApdu, PurchaseStatement, Tac), Rejected> {
        split(answer).map(|(tac, mac2)| self.credit(tac, mac2))
    }

    /// The same with the proof `MAC2 || TAC` that the card gives of its last transaction
    /// ([`transaction_proof`](super::transaction_proof)), where the answer to DEBIT was lost. The SAM still waits for it, as
    /// long as it got no other command.
    ///
    /// # Errors
    /// Returns [`Rejected`] unless the proof is 8 bytes.
    pub fn credit_sam_by_proof(
        &self,
        proof: &[u8],
    ) -> Result<(CommandApdu, PurchaseStatement, Tac), Rejected> {
        split_proof(proof).map(|(tac, mac2)| self.credit(tac, mac2))
    }

    fn credit(&self, tac: Tac, mac2: [u8; MAC_LEN]) -> (CommandApdu, PurchaseStatement, Tac) {
        let command = CommandApdu::new(header(0x72, 0x00, 0x00)).with_data(&mac2).expect("4 bytes");
        (command, self.statement, tac)
    }
}

/// `TAC || MAC2`
fn split(answer: &[u8]) -> Result<(Tac, [u8; MAC_LEN]), Rejected> {
    let [t0, t1, t2, t3, m0, m1, m2, m3] = fixed(answer).map_err(|_| Rejected)?;
    Ok((Tac([t0, t1, t2, t3]), [m0, m1, m2, m3]))
}

/// The other way round: `MAC || TAC`.
pub(super) fn split_proof(proof: &[u8]) -> Result<(Tac, [u8; MAC_LEN]), Rejected> {
    let [m0, m1, m2, m3, t0, t1, t2, t3] = fixed(proof).map_err(|_| Rejected)?;
    Ok((Tac([t0, t1, t2, t3]), [m0, m1, m2, m3]))
}

fn debit(sequence: [u8; 4], time: TransactionTime, mac1: [u8; MAC_LEN]) -> CommandApdu {
    let data: Vec<u8> = [&sequence[..], time.as_bytes(), &mac1].concat();
    CommandApdu::new(header(0x54, 0x01, 0x00))
        .with_data(&data)
        .expect("15 bytes")
        .with_le(Le::from_short_byte(8))
}
