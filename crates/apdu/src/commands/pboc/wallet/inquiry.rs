//! GET BALANCE, GET TRANSACTION PROVE, UPDATE CAPP DATA CACHE.

use super::{TransactionType, Wallet};
use crate::command::{CommandApdu, DataTooLong, Repetition};
use crate::commands::pboc::header;
use crate::commands::{RecordAddress, update_record};
use crate::le::Le;

/// GET BALANCE: `80 5C 00 wallet 04`. That of the deposit asks for the PIN.
#[must_use]
pub fn get_balance(wallet: Wallet) -> CommandApdu {
    CommandApdu::new(header(0x5C, 0x00, wallet.p2()))
        .with_le(Le::from_short_byte(4))
        .with_repetition(Repetition::Allowed)
}

/// GET TRANSACTION PROVE: `80 5A 00 type 02 sequence 08`. The card answers `MAC || TAC` of its last transaction, if it is this
/// one, and `9406` otherwise: so a terminal finds out after a tear whether the money has moved. The order is not that of the
/// answer to DEBIT: [`PurchaseSent::verify_proof`](super::PurchaseSent::verify_proof) and its like read it.
#[must_use]
pub fn transaction_proof(transaction_type: TransactionType, sequence: u16) -> CommandApdu {
    CommandApdu::new(header(0x5A, 0x00, transaction_type.byte()))
        .with_data(&sequence.to_be_bytes())
        .expect("2 bytes")
        .with_le(Le::from_short_byte(8))
        .with_repetition(Repetition::Allowed)
}

/// UPDATE CAPP DATA CACHE: `80 DC record address Lc data`, between the two commands of a compound purchase. The card writes
/// the record when it pays.
///
/// # Errors
/// Returns [`DataTooLong`] if the data does not fit a command.
pub fn update_compound_cache(address: RecordAddress, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
    let [_, instruction, p1, p2] = update_record(address, data)?.header().bytes();
    CommandApdu::new(header(instruction, p1, p2)).with_data(data)
}
