//! SAM cards: what a terminal of the city has, so that it and a user card can prove themselves to one another.

use cardroot::apdu::Le;
use cardroot::apdu::commands::pboc::wallet::{
    Purchase, PurchaseKind, PurchaseStatement, Tac, TransactionTime,
};
use cardroot::apdu::commands::pboc::{DesCrypt, ReceiverKind, Wallet, des_crypt, init_for_descrypt};
use cardroot::apdu::commands::{BinaryAddress, ChallengeLength, InternalOperation, Sfi, get_challenge};
use cardroot::apdu::commands::{external_authenticate, internal_authenticate, read_binary, select_file};
use cardroot::card::CardProfile;
use cardroot::diversify::Factor;
use cardroot::kms::issuing::{CardData, KeyRing, Plan};
use cardroot::kms::key_card::Receiver;
use cardroot::tdea::TdeaKey;
use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};

use crate::Failure;
use crate::key_card::{ENCRYPT, EXTERNAL, INTERNAL, receiver, usage};
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, SoftCard, deliver, personalise, send, transport_key};

/// Identifiers of the user card's keys that a SAM works with.
pub const INTERNAL_KEY: u8 = 0x01;
pub const EXTERNAL_KEY: u8 = 0x01;
const PURCHASE_KEY: u8 = 0x01;

/// Short identifier of the public application file 0015, and where the serial number is in it.
pub const PUBLIC_FILE: u8 = 0x15;
pub const SERIAL_OFFSET: u8 = 10;
const SERIAL_LEN: u32 = 10;

/// A SAM of one city in its slot.
#[derive(Debug)]
pub struct Sam {
    reader: Reader,
    chip: [u8; 8],
    /// The number of its terminal.
    terminal: [u8; 6],
}

impl Sam {
    /// The city makes a SAM. The keys from which those of user cards come are not on it yet.
    pub fn issue(
        plan: &Plan,
        chip: [u8; 8],
        transport_master: &TdeaKey,
        keys: &KeyRing,
    ) -> Result<Self, Failure> {
        let [_, _, terminal @ ..] = chip;
        let transport = transport_key(transport_master, chip)?;
        let mut reader = deliver(CardProfile::sam(chip), transport.duplicate().try_into()?);
        personalise(&mut reader, plan, keys, &CardData::new().with("terminal", &terminal), &transport)?;
        Ok(Self { reader, chip, terminal })
    }

    /// The SAM, open to its centre, so that it takes keys.
    pub fn receive(&mut self, centre: &Centre) -> Result<Receiver<'_, SoftCard>, Failure> {
        receiver(&mut self.reader, ReceiverKind::Sam, self.chip, centre)
    }

    /// What a terminal does with every card: it reads who the card says it is, has it prove that, and proves itself.
    /// Returns the serial number.
    ///
    /// The keys of the card are in the SAM alone; the terminal sees challenges and cryptograms.
    pub fn authenticate(&mut self, card: &mut Reader) -> Result<[u8; 10], Failure> {
        send(card, &select_file(APPLICATION))?;
        let sfi = Sfi::new(PUBLIC_FILE).ok_or_else(|| Failure("no such file".to_owned()))?;
        let le = Le::new(SERIAL_LEN).ok_or_else(|| Failure("no such length".to_owned()))?;
        let serial = send(card, &read_binary(BinaryAddress::in_file(sfi, SERIAL_OFFSET), le))?;
        let serial: [u8; 10] = serial.as_slice().try_into()?;
        let factor = Factor::try_from(&serial[2..])?;

        let mut random = [0; 8];
        UnwrapErr(SysRng).fill_bytes(&mut random);
        let expected = self.encrypt(INTERNAL, factor, random)?;
        let proof = send(card, &internal_authenticate(InternalOperation::Encrypt, INTERNAL_KEY, &random)?)?;
        if proof != expected {
            return Err(Failure("the card does not have the key of its serial number".to_owned()));
        }

        let challenge = send(card, &get_challenge(ChallengeLength::Eight))?;
        let cryptogram = self.encrypt(EXTERNAL, factor, challenge.as_slice().try_into()?)?;
        send(card, &external_authenticate(EXTERNAL_KEY, &cryptogram)?)?;
        Ok(serial)
    }

    /// Takes money from the purse of a card with these keys. MAC1 comes from the SAM and MAC2 goes there: the terminal has no key.
    pub fn take(
        &mut self,
        card: &mut Reader,
        factor: Factor,
        amount: u32,
        time: TransactionTime,
    ) -> Result<(PurchaseStatement, Tac), Failure> {
        let kind = PurchaseKind::Purchase(Wallet::Purse);
        let purchase = Purchase { kind, key_id: PURCHASE_KEY, amount, terminal: self.terminal };
        let answer = purchase.answer(&send(card, &purchase.initialize())?)?;
        let (ask, asked) = answer.ask_sam(&[*factor.as_bytes()], time)?;
        let (debit, waiting) = asked.debit(&send(&mut self.reader, &ask)?)?;
        let (credit, statement, tac) = waiting.credit_sam(&send(card, &debit)?)?;
        send(&mut self.reader, &credit)?;
        Ok((statement, tac))
    }

    fn encrypt(&mut self, version: u8, factor: Factor, block: [u8; 8]) -> Result<Vec<u8>, Failure> {
        send(&mut self.reader, &init_for_descrypt(usage(1, ENCRYPT)?, version, &[*factor.as_bytes()])?)?;
        send(&mut self.reader, &des_crypt(DesCrypt::Encrypt, &block)?)
    }
}
