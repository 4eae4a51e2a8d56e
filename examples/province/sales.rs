//! Sales: terminals take cards, make DUKPT transactions and check the answers.

use std::collections::HashMap;
use std::time::Instant;

use cardroot::dukpt::audit::Observation;
use cardroot::dukpt::{Bdk, KeySetId, Ksn, Transaction, VolatileOriginator};
use cardroot::pin::{ClearPinBlock, EncryptPinBlock, Pan, Pin};
use cardroot::smid::iso8583::{Dialect, Message};
use cardroot::smid::{KeyName, NameLayout, Smid, SmidList, SmidProfile};
use cardroot::tdea::{MacMismatch, TdeaKey};

use crate::Failure;
use crate::acquirer::{APPROVED, Acquirer};
use crate::issue::{Issued, IssuedCity};
use crate::plan::{CardRow, Inputs, Mischief, TerminalRow};
use crate::report::{Report, progress};

const STAGE: &str = "sales";
/// Length of the key set identifier that the parties agreed on, as [`NameLayout::ANNEX_A`] has it.
const KEY_SET_BITS: u8 = 40;

/// What came of the sales.
#[derive(Debug, Default)]
struct Ledger {
    approved: usize,
    cents: u64,
    refused: usize,
    rows: Vec<[String; 6]>,
}

/// Lets every terminal make its sales.
pub fn trade(inputs: &Inputs, bdk: TdeaKey, mut issued: Issued, report: &mut Report) -> Result<(), Failure> {
    let started = Instant::now();
    let province = &inputs.plan.province;
    let (dialect, profile) = (province.dialect()?, province.smid_profile()?);
    let bdk = Bdk::from_key(bdk);
    let mut terminals = Vec::new();
    for row in &inputs.terminals {
        terminals.push(Terminal::load(row, &bdk, dialect, profile, &province.currency)?);
    }
    let first = terminals.first().ok_or_else(|| Failure("there is no terminal".to_owned()))?;
    let key_set_id = KeySetId::of(first.originator.initial_ksn(), KEY_SET_BITS)?;
    let mut acquirer = Acquirer::new(bdk, key_set_id, dialect, profile, accounts(&issued)?)?;

    let mut ledger = Ledger::default();
    let total = inputs.terminals.iter().map(|row| row.sales).sum();
    let bar = progress("sales", total);
    for terminal in &mut terminals {
        for sale in 1..=terminal.row.sales {
            let mischief = inputs
                .mischief
                .iter()
                .find(|row| row.terminal == terminal.row.terminal && row.sale == sale)
                .map(|row| row.mischief);
            if let Err(failure) = terminal.sell(sale, mischief, &mut issued, &mut acquirer, &mut ledger) {
                ledger.refused += 1;
                report.refuse(STAGE, format!("{}, sale {sale}", terminal.row.terminal), failure);
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    summarise(&ledger, terminals.len(), total, started, report)?;
    audit(&acquirer, report)
}

/// X9.24-1:2009 8.7.3: are there two terminals under one name?
fn audit(acquirer: &Acquirer, report: &mut Report) -> Result<(), Failure> {
    let found = acquirer.audit();
    for finding in &found.findings {
        let source = |observation: Option<Observation<'_>>| {
            observation
                .map_or_else(|| "nowhere".to_owned(), |observation| format!("{:?}", observation.source))
        };
        let (before, after) = (source(finding.first.before), source(Some(finding.first.message)));
        let reason = format!("{}, at {before}, then {after}", finding.sign.summary());
        report.refuse("audit", finding.originator, reason);
    }
    report.text("audit.txt", &found)
}

fn accounts(issued: &Issued) -> Result<HashMap<String, Pin>, Failure> {
    let cards = issued.values().flat_map(|city| &city.cards);
    cards.map(|card| Ok((card.row.pan.clone(), Pin::from_ascii_digits(card.row.pin.as_bytes())?))).collect()
}

/// A terminal: its originating side of DUKPT, and a counter of its own for receipts.
struct Terminal<'a> {
    row: &'a TerminalRow,
    originator: VolatileOriginator,
    /// What a thief would have who got the initial key: the same name again, with its counter at the start.
    twin: VolatileOriginator,
    dialect: &'static Dialect,
    profile: &'static SmidProfile,
    currency: &'a str,
    /// The last request as it went over the line, for the one who listens there.
    sent: Vec<u8>,
}

impl<'a> Terminal<'a> {
    /// The key loading facility puts the initial key in; the base derivation key stays behind.
    fn load(
        row: &'a TerminalRow,
        bdk: &Bdk,
        dialect: &'static Dialect,
        profile: &'static SmidProfile,
        currency: &'a str,
    ) -> Result<Self, Failure> {
        let ksn = Ksn::from_wire(
            &base16ct::mixed::decode_vec(&row.initial_ksn).map_err(|error| Failure(error.to_string()))?,
        )?;
        let originator = VolatileOriginator::load(bdk.derive_initial_key(&ksn)?);
        let twin = VolatileOriginator::load(bdk.derive_initial_key(&ksn)?);
        Ok(Self { row, originator, twin, dialect, profile, currency, sent: vec![] })
    }

    /// One sale: card, PIN, request, answer.
    fn sell(
        &mut self,
        sale: usize,
        mischief: Option<Mischief>,
        issued: &mut Issued,
        acquirer: &mut Acquirer,
        ledger: &mut Ledger,
    ) -> Result<(), Failure> {
        let customer = self.take_card(sale, mischief, issued)?;
        let cents = 100 + 37 * sale as u64;
        let typed = if mischief == Some(Mischief::WrongPin) { "0000000" } else { &customer.pin };

        // Only now, with the PIN there, is a key used up.
        let (line, originator) = match mischief {
            Some(Mischief::LoadedTwice) => ("elsewhere", &mut self.twin),
            _ => (self.row.city.as_str(), &mut self.originator),
        };
        let transaction = originator.next_transaction()?;
        let message = self.request(&customer, typed, sale, cents, &transaction, mischief)?;
        let request = match mischief {
            Some(Mischief::Replay) => std::mem::take(&mut self.sent),
            Some(Mischief::AlteredAmount) => altered_amount(self.dialect, &message)?,
            Some(Mischief::CutShort) => {
                message.split_last_chunk::<3>().map_or_else(Vec::new, |(start, _)| start.to_vec())
            }
            _ => message,
        };
        let answer = acquirer.answer(line, &request).map_err(|refusal| Failure(refusal.to_string()))?;
        self.sent = request;

        let response = Message::verify_with(self.dialect, &answer.response, |covered, mac| {
            transaction.key().mac_response_key().verify_mac(covered, mac)
        })
        .map_err(|error: cardroot::smid::iso8583::VerifyError<MacMismatch>| Failure(error.to_string()))?;
        let code = response.text(39).unwrap_or_default().to_owned();
        ledger.rows.push([
            self.row.terminal.clone(),
            sale.to_string(),
            transaction.ksn().to_string(),
            cents.to_string(),
            code.clone(),
            answer.skipped_counters.to_string(),
        ]);
        if code != APPROVED {
            return Err(Failure(format!("declined with action code {code}")));
        }
        ledger.approved += 1;
        ledger.cents += cents;
        Ok(())
    }

    /// Has the SAM look at the card in the slot.
    fn take_card(
        &self,
        sale: usize,
        mischief: Option<Mischief>,
        issued: &mut Issued,
    ) -> Result<CardRow, Failure> {
        if mischief == Some(Mischief::ForeignCard) {
            let other = issued.keys().find(|code| **code != self.row.city).cloned().unwrap_or_default();
            let mut card = issued.get_mut(&other).and_then(|city| city.cards.pop()).ok_or_else(no_card)?;
            let seen = home(issued, &self.row.city)?.sam.authenticate(&mut card.reader);
            issued.entry(other).and_modify(|city| city.cards.push(card));
            return Err(seen.err().unwrap_or_else(|| Failure("a foreign card was taken".to_owned())));
        }
        let IssuedCity { sam, cards, forged } = home(issued, &self.row.city)?;
        if mischief == Some(Mischief::ForgedCard) {
            sam.authenticate(forged)?;
        }
        let count = cards.len().max(1);
        let card = cards.get_mut((sale * 7) % count).ok_or_else(no_card)?;
        let serial = sam.authenticate(&mut card.reader)?;
        if serial == card.serial { Ok(card.row.clone()) } else { Err(no_card()) }
    }

    /// The request: account, amount, time, terminal, PIN block, the name of the key, and the MAC over all of it.
    fn request(
        &self,
        customer: &CardRow,
        typed: &str,
        sale: usize,
        cents: u64,
        transaction: &Transaction,
        mischief: Option<Mischief>,
    ) -> Result<Vec<u8>, Failure> {
        let pan = Pan::from_ascii_digits(customer.pan.as_bytes())?;
        let pin = Pin::from_ascii_digits(typed.as_bytes())?;
        let Ok(block) =
            transaction.key().pin_key().encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
        let mut message = Message::new("1200".parse()?);
        let fields = [
            (2, customer.pan.clone()),
            (3, "000000".to_owned()),
            (4, format!("{cents:012}")),
            (11, format!("{sale:06}")),
            (12, "261121093000".to_owned()),
            (41, self.row.terminal.clone()),
            (49, self.currency.to_owned()),
        ];
        for (field, text) in &fields {
            message.set_text(self.dialect, *field, text)?;
        }
        message.set_bytes(self.dialect, 52, &block.to_bytes())?;
        if let Some(name) = claimed_name(transaction.ksn(), mischief)? {
            message.set_smids(self.dialect, self.profile, &SmidList::from(Smid::new(name)))?;
        }
        Ok(message.seal_with(self.dialect, |covered| {
            *transaction.key().mac_request_key().mac(covered).as_bytes()
        })?)
    }
}

/// The key name that goes into bit 53.
fn claimed_name(ksn: &Ksn, mischief: Option<Mischief>) -> Result<Option<KeyName>, Failure> {
    let name = match mischief {
        Some(Mischief::NoSmid) => return Ok(None),
        Some(Mischief::CounterZero) => key_name(&ksn.initial())?,
        Some(Mischief::ForeignKeySet) => {
            let mut parts = NameLayout::ANNEX_A.split(&key_name(ksn)?)?;
            parts.key_set_id ^= 1;
            NameLayout::ANNEX_A.join(&parts)?
        }
        _ => key_name(ksn)?,
    };
    Ok(Some(name))
}

fn key_name(ksn: &Ksn) -> Result<KeyName, Failure> {
    Ok(KeyName::new(ksn.as_bytes())?)
}

/// The message with another amount, its MAC as it was.
fn altered_amount(dialect: &Dialect, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut message = Message::decode(dialect, message)?;
    message.set_text(dialect, 4, "000000000001")?;
    Ok(message.encode(dialect)?)
}

fn home<'i>(issued: &'i mut Issued, city: &str) -> Result<&'i mut IssuedCity, Failure> {
    issued.get_mut(city).ok_or_else(|| Failure(format!("city {city} is not of this province")))
}

fn no_card() -> Failure {
    Failure("there is no such card".to_owned())
}

fn summarise(
    ledger: &Ledger,
    terminals: usize,
    total: usize,
    started: Instant,
    report: &mut Report,
) -> Result<(), Failure> {
    let (units, cents) = (ledger.cents / 100, ledger.cents % 100);
    let row = |what: &str, value: String| [what.to_owned(), value, String::new(), String::new()];
    let rows = vec![
        row("terminals", terminals.to_string()),
        row("approved", format!("{} sales, {units}.{cents:02} in all", ledger.approved)),
        row("refused", ledger.refused.to_string()),
    ];
    report.section("Sales", rows);
    let columns = ["terminal", "sale", "key serial number", "cents", "action code", "skipped counters"];
    report.record("sales.csv", &columns, ledger.rows.iter().cloned())?;
    report.timing("sales", started, |seconds| {
        format!(
            "{total} sales, {:.0} a second: SAM, card, PIN block, MAC, derivation, answer",
            total as f64 / seconds
        )
    });
    Ok(())
}
