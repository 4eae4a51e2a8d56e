//! GET BALANCE and GET TRANSACTION PROVE.

use apdu::StatusWord;

use super::{Account, Kind};
use crate::command::Command;
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::status::{NO_PROOF, Outcome, require};

impl Os {
    /// GET BALANCE `80 5C 00 01|02 04`. That of the deposit asks for the PIN.
    pub(crate) fn get_balance(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        command.expect_no_data()?;
        let account = Account::from_byte(command.header.p2).ok_or(StatusWord::WRONG_P1_P2)?;
        let book = self.book(account)?;
        self.expect_access(book.usage)?;
        let is_allowed = account == Account::Purse || self.session.rights().pin;
        require(is_allowed, StatusWord::SECURITY_STATUS)?;
        let balance = book.balance.to_be_bytes();
        command.expect_room(balance.len())?;
        out.extend(balance);
        Ok(StatusWord::OK)
    }

    /// GET TRANSACTION PROVE `80 5A 00 type 02 sequence(2) 08`: `MAC(4) TAC(4)` of the last transaction of its account, for
    /// a host whom the answer has not reached; `9406` for any other. Type and sequence are those of INITIALIZE. A MAC
    /// that the transaction does not have is zeros: a load has a TAC alone, an unload MAC3.
    pub(crate) fn prove_transaction(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        let code = command.header.p2;
        let account = Kind::account_of(code).ok_or(StatusWord::WRONG_P1_P2)?;
        let sequence = <[u8; 2]>::try_from(command.data).map_err(|_| StatusWord::WRONG_LENGTH)?;
        let sequence = u16::from_be_bytes(sequence);
        command.expect_room(2 * MAC_LEN)?;
        let receipt = self.book(account)?.receipt.ok_or(NO_PROOF)?;
        require((receipt.code, receipt.sequence) == (code, sequence), NO_PROOF)?;
        out.extend(receipt.mac);
        out.extend(receipt.tac);
        Ok(StatusWord::OK)
    }
}
