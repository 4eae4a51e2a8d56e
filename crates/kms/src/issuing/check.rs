//! What can be wrong with a plan whatever the card is.

use apdu::commands::pboc::{KeyAttributes, KeyUse, PsamKeyUsage, Tries};
use apdu::commands::{FileId, Sfi};

use super::key_ring::PARENT;
use super::plan::{
    Application, ExchangeKey, File, FileKind, Holder, Key, Master, Owner, Pin, Plan, SamKey, System, Use,
    Wallet,
};
use super::plan_error::{At, PlanError, PlanFault, Result};
use super::script::ALGORITHM;

impl Plan {
    pub(super) fn check(&self) -> Result<(), PlanError> {
        if self.system != System::Fmcos {
            return Err(PlanFault::System(self.system)).at("system");
        }
        check_master(&self.card.master).at("card, master")?;
        check_directory("card", &self.card.master, &self.card.key, &[], &self.card.file)?;
        for (index, application) in self.application.iter().enumerate() {
            let place = application.place();
            if self.application.iter().take(index).any(|other| other.id == application.id) {
                return Err(PlanFault::Twice).at(&place);
            }
            check_master(&application.master).at(&format!("{place}, master"))?;
            let Application { master, key, pin, file, .. } = application;
            check_directory(&place, master, key, pin, file)?;
            check_wallets(application)?;
            check_room(application).at(&place)?;
            for key in &application.sam_key {
                sam_usage(key).at(&format!("{place}, SAM key `{}`", key.key))?;
            }
            check_exchange_keys(&place, &application.exchange_key)?;
        }
        Ok(())
    }
}

impl Application {
    pub(super) fn place(&self) -> String {
        format!("application {:04X}", self.id)
    }
}

fn check_master(master: &Master) -> Result<()> {
    tries(master.tries)?;
    follow(master.follow)?;
    Ok(())
}

fn check_directory(
    place: &str,
    master: &Master,
    keys: &[Key],
    pins: &[Pin],
    files: &[File],
) -> Result<(), PlanError> {
    let below_master = |state: u8| match state == master.follow {
        true => Err(PlanFault::MastersState(state)),
        false => Ok(()),
    };
    for (index, key) in keys.iter().enumerate() {
        let place = key_place(place, key);
        key_use(key, 0).at(&place)?;
        if key.of == Holder::OpenedCard && key.r#use != Use::Encrypt {
            return Err(PlanFault::OpensOnly(key.r#use)).at(&place);
        }
        if key.r#use == Use::ExternalAuthentication && key.id == 0 {
            return Err(PlanFault::MastersPlace).at(&place);
        }
        key.follow.map_or(Ok(()), below_master).at(&place)?;
        if keys.iter().take(index).any(|other| (other.r#use, other.id) == (key.r#use, key.id)) {
            return Err(PlanFault::Twice).at(&place);
        }
    }
    for (index, pin) in pins.iter().enumerate() {
        let place = format!("{place}, PIN {:02X}", pin.id);
        tries(pin.tries).and(follow(pin.follow)).at(&place)?;
        below_master(pin.follow).at(&place)?;
        if pins.iter().take(index).any(|other| other.id == pin.id) {
            return Err(PlanFault::Twice).at(&place);
        }
    }
    let has_line_key = keys.iter().any(|key| key.r#use == Use::Line && key.id == 0);
    for (index, file) in files.iter().enumerate() {
        let place = file_place(place, file);
        if files.iter().take(index).any(|other| other.id == file.id) {
            return Err(PlanFault::Twice).at(&place);
        }
        check_file(file, has_line_key).at(&place)?;
    }
    Ok(())
}

fn check_wallets(application: &Application) -> Result<(), PlanError> {
    let Application { key, file, wallet: wallets, .. } = application;
    for (index, wallet) in wallets.iter().enumerate() {
        let place = wallet_place(&application.place(), wallet);
        let is_twice = wallets.iter().take(index).any(|other| other.kind == wallet.kind)
            || file.iter().any(|file| FileId(file.id) == wallet.kind.wallet().file());
        if is_twice {
            return Err(PlanFault::Twice).at(&place);
        }
        wallet_log(wallet, file).at(&place)?;
        if !key.iter().any(|key| key.r#use == Use::Tac) {
            return Err(PlanFault::NoTac).at(&place);
        }
    }
    Ok(())
}

fn check_exchange_keys(place: &str, keys: &[ExchangeKey]) -> Result<(), PlanError> {
    for (index, key) in keys.iter().enumerate() {
        if keys.iter().take(index).any(|other| other.version == key.version) {
            return Err(PlanFault::Twice).at(&exchange_place(place, key));
        }
    }
    Ok(())
}

/// Whether the card has room for all of it. Cards differ by a few bytes for each file of records; what is refused here no card has
/// room for.
fn check_room(application: &Application) -> Result<()> {
    let Application { key, sam_key, exchange_key, pin, file, wallet, keys, .. } = application;
    let number = 1 + key.len() + sam_key.len() + exchange_key.len();
    let for_keys = number * (KEY_LEN + KEY_OVERHEAD) + pin.len() * (MIN_PIN_LEN + KEY_OVERHEAD);
    fits("the key file", for_keys, keys.size)?;
    let bodies = file.iter().map(|file| body_len(file.kind)).sum::<usize>() + wallet.len() * WALLET_LEN;
    let overhead = (1 + file.len() + wallet.len()) * FILE_OVERHEAD;
    fits("the directory", usize::from(keys.size) + bodies + overhead, application.size)
}

fn fits(what: &'static str, needed: usize, room: u16) -> Result<()> {
    if needed <= usize::from(room) { Ok(()) } else { Err(PlanFault::NoRoom { what, needed, room }) }
}

fn body_len(kind: FileKind) -> usize {
    match kind {
        FileKind::Binary(size) | FileKind::VariableRecords(size) => size.into(),
        FileKind::FixedRecords(count, len) | FileKind::Cyclic(count, len) => {
            usize::from(count) * (usize::from(len) + 1)
        }
    }
}

/// The log of a wallet by its short identifier. Without it the card would refuse every transaction.
pub(super) fn wallet_log(wallet: &Wallet, files: &[File]) -> Result<Sfi> {
    let is_log = |file: &File| file.id == wallet.log && matches!(file.kind, FileKind::Cyclic(_, LOG_RECORD));
    let short = u8::try_from(wallet.log).ok().and_then(Sfi::new);
    short.filter(|_| files.iter().any(is_log)).ok_or(PlanFault::NoLog)
}

fn check_file(file: &File, has_line_key: bool) -> Result<()> {
    if file.protection.is_some() && !has_line_key {
        return Err(PlanFault::NoLineKey);
    }
    if file.protection.is_none() && file.write.is_none() {
        return Err(PlanFault::NoWriteRule);
    }
    if file.protect_reading && file.protection.is_none() {
        return Err(PlanFault::NoProtection);
    }
    let found = file.record.len();
    if found > MAX_RECORDS {
        return Err(PlanFault::TooManyRecords { found, room: MAX_RECORDS });
    }
    let fits = match file.kind {
        FileKind::Binary(_) => file.record.is_empty(),
        // A cyclic file begins empty: what it is for is written by the card.
        FileKind::Cyclic(..) => file.content.is_none() && file.record.is_empty(),
        _ => file.content.is_none(),
    };
    if fits { Ok(()) } else { Err(PlanFault::ContentKind) }
}

pub(super) fn key_place(place: &str, key: &Key) -> String {
    format!("{place}, key {} {:02X}", key.r#use, key.id)
}

pub(super) fn exchange_place(place: &str, key: &ExchangeKey) -> String {
    match key.version {
        None => format!("{place}, exchange key"),
        Some(version) => format!("{place}, exchange key {version:02X}"),
    }
}

pub(super) fn file_place(place: &str, file: &File) -> String {
    format!("{place}, file {:04X}", file.id)
}

pub(super) fn wallet_place(place: &str, wallet: &Wallet) -> String {
    format!("{place}, wallet `{}`", wallet.kind)
}

pub(super) fn tries(number: u8) -> Result<Tries> {
    Tries::new(number).ok_or(PlanFault::Tries(number))
}

pub(super) fn follow(state: u8) -> Result<u8> {
    if state <= 0x0F { Ok(state) } else { Err(PlanFault::Follow(state)) }
}

pub(super) fn sam_usage(key: &SamKey) -> Result<PsamKeyUsage> {
    let distance = match key.of {
        Owner::City => 1,
        // Secondary master, function, city, card.
        Owner::Province if key.key == PARENT => 4,
        Owner::Province => 2,
    };
    let levels = key.levels.unwrap_or(distance);
    // Kinds 0 and 1 are the master and the line protection key of the SAM's own directory.
    let is_parent = levels >= distance && key.kind > 1;
    PsamKeyUsage::new(levels, key.kind).filter(|_| is_parent).ok_or(PlanFault::SamUsage)
}

/// What the card has to know of a key of this `version`.
pub(super) fn key_use(key: &Key, version: u8) -> Result<KeyUse> {
    let used = key.r#use;
    let counts = matches!(used, Use::Line | Use::PinUnblock | Use::PinReload | Use::ExternalAuthentication);
    if !counts && key.tries.is_some() {
        return Err(PlanFault::NotForThisUse(used, "tries"));
    }
    if used != Use::ExternalAuthentication && key.follow.is_some() {
        return Err(PlanFault::NotForThisUse(used, "follow"));
    }
    let attributes = KeyAttributes { version, algorithm: ALGORITHM };
    let counted = || tries(key.tries.ok_or(PlanFault::NoTries(used))?);
    Ok(match used {
        Use::Encrypt => KeyUse::DesEncrypt(attributes),
        Use::Decrypt => KeyUse::DesDecrypt(attributes),
        Use::Mac => KeyUse::DesMac(attributes),
        Use::Tac => KeyUse::Tac(attributes),
        Use::Overdraft => KeyUse::Overdraft(attributes),
        Use::Unload => KeyUse::Unload(attributes),
        Use::Purchase => KeyUse::Purchase(attributes),
        Use::Load => KeyUse::Load(attributes),
        Use::Line => KeyUse::Line(counted()?),
        Use::PinUnblock => KeyUse::PinUnblock(counted()?),
        Use::PinReload => KeyUse::PinReload(counted()?),
        Use::ExternalAuthentication => KeyUse::ExternalAuthenticate {
            follow_state: follow(key.follow.ok_or(PlanFault::NoFollow)?)?,
            tries: counted()?,
        },
    })
}

/// Bytes of a record in the log of a wallet.
const LOG_RECORD: u8 = 23;

/// Most records that have a number: `00` and `FF` are none.
const MAX_RECORDS: usize = 0xFE;

/// Bytes of every file besides its body, and of every key besides its value (FMCOS 2.0 user manual, chapter 4).
const FILE_OVERHEAD: usize = 11;
const KEY_OVERHEAD: usize = 8;

/// Body of a wallet in bytes.
const WALLET_LEN: usize = 22;

/// Keys of a plan are of double length.
const KEY_LEN: usize = 16;
const MIN_PIN_LEN: usize = 2;
