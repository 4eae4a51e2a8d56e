//! Purses: the city loads one of its cards, and its SAM takes money from it.

use cardroot::apdu::commands::pboc::Wallet;
use cardroot::apdu::commands::pboc::wallet::{Load, LoadKey, TacKey, TransactionTime, get_balance};
use cardroot::apdu::commands::{select_file, verify};
use cardroot::diversify::Factor;
use cardroot::pin::Pin;

use crate::Failure;
use crate::issue::{FORGED_PIN, Issued, bcd_pin};
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, send};
use crate::report::Report;

const STAGE: &str = "purses";
/// Identifiers of PIN and load key on user cards, as the plan says.
const PIN_ID: u8 = 0x00;
const LOAD_KEY: u8 = 0x01;
/// The machine at which holders load their cards.
const MACHINE: [u8; 6] = [0xA0, 0, 0, 0, 0, 0x01];
const LOADED: u32 = 5000;
const PRICE: u32 = 1250;

/// The first card of every city is loaded and pays, and a forged one is not loaded.
pub fn try_out(issued: &mut Issued, centres: &[Centre], report: &mut Report) -> Result<(), Failure> {
    let time = TransactionTime::from([0x20, 0x26, 0x11, 0x22, 0x12, 0x00, 0x00]);
    let mut rows = Vec::new();
    for centre in centres {
        let Some(city) = issued.get_mut(&centre.code) else { continue };
        let Some(card) = city.cards.first_mut() else { continue };
        let [_, _, factor @ ..] = card.serial;
        let factor = Factor::from(factor);
        let pin = bcd_pin(&Pin::from_ascii_digits(card.row.pin.as_bytes())?);
        load(&mut card.reader, &pin, centre, factor, time)?;
        let (statement, tac) = city.sam.take(&mut card.reader, factor, PRICE, time)?;
        // What the terminal hands in at the end of the day.
        let key = centre.keys.tac.card_key(factor).expose_key().duplicate();
        statement.verify_tac(tac, &TacKey::try_from(key)?)?;
        let balance = send(&mut card.reader, &get_balance(Wallet::Purse))?;
        let balance = u32::from_be_bytes(balance.as_slice().try_into()?);
        if balance != LOADED - PRICE {
            return Err(Failure(format!("the purse of a card of {} has {balance}", centre.code)));
        }
        let paid = format!("{PRICE} to the SAM, its number {}", statement.terminal_sequence);
        rows.push([centre.code.clone(), format!("{LOADED} loaded"), paid, format!("{balance} left")]);
        // Once a card comes to the machine that only looks like one of the city.
        if rows.len() == 1
            && let Err(failure) = load(&mut city.forged, &FORGED_PIN, centre, factor, time)
        {
            report.refuse(STAGE, format!("forged card of {}", centre.code), failure);
        }
    }
    report.section("Purses: the first card of every city, in cents", rows);
    Ok(())
}

/// The holder types the PIN; the centre checks the card before the money moves, and its receipt after it.
fn load(
    card: &mut Reader,
    pin: &[u8],
    centre: &Centre,
    factor: Factor,
    time: TransactionTime,
) -> Result<(), Failure> {
    let load_key = LoadKey::try_from(centre.keys.recharge.card_key(factor).expose_key().duplicate())?;
    let tac_key = TacKey::try_from(centre.keys.tac.card_key(factor).expose_key().duplicate())?;
    send(card, &select_file(APPLICATION))?;
    send(card, &verify(PIN_ID, pin)?)?;
    let load = Load { wallet: Wallet::Purse, key_id: LOAD_KEY, amount: LOADED, terminal: MACHINE };
    let answer = load.answer(&send(card, &load.initialize())?)?;
    let (credit, sent) = answer.verify(&load_key)?.credit(time);
    sent.verify_tac(&send(card, &credit)?, &tac_key)?;
    Ok(())
}
