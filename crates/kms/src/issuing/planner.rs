//! From a plan, the keys and the data of one card to the steps that make it.

use apdu::commands::FileId;
use apdu::commands::pboc::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateWallet, EfKind, KeyLoading, KeyUse, LineKeyIds,
    PsamKeyUsage, ReadProtection, Wallet,
};
use apdu::secure::pboc::{CardKey, LineKey, MasterKey, Protection};
use diversify::known_test_key;
use diversify::tree::purpose::PurposeId;
use tdea::TdeaKey;

use super::check::{
    exchange_place, file_place, follow, key_place, key_use, sam_usage, tries, wallet_log, wallet_place,
};
use super::data::CardData;
use super::key_ring::{EXCHANGE, KeyRing, KeyScope, RingKey, Role};
use super::plan::{
    self, Application, ContentProtection, ExchangeKey, File, FileKind, Holder, Key, Loading, Master, Owner,
    Pin, Plan, SamKey, Use,
};
use super::plan_error::{At, PlanError, PlanFault, Result};
use super::script::{Action, Content, LoadedKey, LoadedMaster, LoadedPin, LoadedSamKey, Script, Step};
use super::template::Template;

/// Whether cards go out to people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// They do: keys that the whole world knows are refused, and so are weak ones and rules that let everybody write, create or
    /// erase.
    Production,
    /// They don't: any key and any rule goes.
    Test,
}

impl Plan {
    /// The steps for one card: its keys from `keys`, everything else from `data`, delivered under `transport`.
    ///
    /// # Errors
    /// Returns [`PlanError`] with the place in the plan if a key is missing or of another function; if, in
    /// [`Mode::Production`], it is weak or known to everybody, or a rule lets everybody write, create or erase; or if the card's data does not fit. Nothing has been sent to a card then.
    pub fn script(
        &self,
        keys: &KeyRing,
        data: &CardData,
        transport: &TdeaKey,
        mode: Mode,
    ) -> Result<Script, PlanError> {
        let mut planner = Planner { keys, data, mode, used: Vec::new(), steps: Vec::new() };
        planner.card(self, transport)?;
        for (index, application) in self.application.iter().enumerate() {
            // The first one follows on what was done in the master file.
            if index > 0 {
                planner.back_to_the_card();
            }
            planner.application(application)?;
        }
        Ok(Script { plan: format!("{}, version {}", self.name, self.version), steps: planner.steps })
    }
}

struct Planner<'a> {
    keys: &'a KeyRing,
    data: &'a CardData,
    mode: Mode,
    /// Keys of the ring that are on the card: function, scope, version.
    used: Vec<(&'static str, KeyScope, u8)>,
    steps: Vec<Step>,
}

/// The keys at work in one directory.
struct Desk {
    master: MasterKey,
    line: Option<LineKey>,
}

impl<'a> Planner<'a> {
    fn push(&mut self, place: &str, action: Action) {
        self.steps.push(Step { place: place.to_owned(), action });
    }

    fn card(&mut self, plan: &Plan, transport: &TdeaKey) -> Result<(), PlanError> {
        let place = "card";
        let transport = self.transport(transport).at("transport key")?;
        let master = self.master(&plan.card.master).at("card, master")?;
        let key = master.key.duplicate();
        self.push(place, Action::Select(FileId::MASTER));
        self.push(place, Action::TakeOver { transport, master });
        self.push(place, Action::Prove(key.duplicate()));
        let desk = Desk { master: key, line: None };
        self.directory(place, desk, &plan.card.key, (&[], &[]), &[], &plan.card.file)
    }

    fn application(&mut self, application: &Application) -> Result<(), PlanError> {
        let place = application.place();
        self.closed("create", application.create).at(&place)?;
        self.closed("erase", application.erase).at(&place)?;
        let above = self.card_master();
        let directory = CreateDf {
            id: FileId(application.id),
            size: application.size,
            create: Access::from_byte(application.create),
            erase: Access::from_byte(application.erase),
            short_id: application.short_id,
            name: application.name.0,
        };
        let keys = CreateKeyFile {
            id: FileId(application.keys.id),
            size: application.keys.size,
            short_id: application.keys.short_id,
            add: Access::from_byte(application.keys.add),
        };
        let master = self.master(&application.master).at(&format!("{place}, master"))?;
        let key = master.key.duplicate();
        self.push(&place, Action::CreateDirectory(directory));
        self.push(&place, Action::Select(FileId(application.id)));
        self.push(&place, Action::CreateKeyFile(keys));
        self.push(&place, Action::LoadMaster { master, under: above });
        self.push(&place, Action::Prove(key.duplicate()));
        let desk = Desk { master: key, line: None };
        self.directory(
            &place,
            desk,
            &application.key,
            (&application.sam_key, &application.exchange_key),
            &application.pin,
            &application.file,
        )?;
        application.wallet.iter().try_for_each(|wallet| self.wallet(&place, wallet, &application.file))
    }

    fn wallet(&mut self, place: &str, wallet: &plan::Wallet, files: &[File]) -> Result<(), PlanError> {
        let place = wallet_place(place, wallet);
        let account = CreateWallet {
            wallet: wallet.kind.wallet(),
            usage: Access::from_byte(wallet.usage),
            log: wallet_log(wallet, files).at(&place)?,
        };
        self.push(&place, Action::CreateWallet(account));
        Ok(())
    }

    /// Leaves an application. In the master file its master has to be proven again.
    fn back_to_the_card(&mut self) {
        let master = self.card_master();
        self.push("card", Action::Select(FileId::MASTER));
        self.push("card", Action::Prove(master));
    }

    /// The card master, which the first steps load.
    fn card_master(&self) -> MasterKey {
        let master = self.steps.iter().find_map(|step| match &step.action {
            Action::TakeOver { master, .. } => Some(master.key.duplicate()),
            _ => None,
        });
        master.expect("the card itself is planned first")
    }

    fn directory(
        &mut self,
        place: &str,
        mut desk: Desk,
        keys: &[Key],
        (sam_keys, exchange_keys): (&[SamKey], &[ExchangeKey]),
        pins: &[Pin],
        files: &[File],
    ) -> Result<(), PlanError> {
        for key in keys {
            let place = key_place(place, key);
            let key = self.key(key, &mut desk).at(&place)?;
            self.push(&place, Action::LoadKey { key, under: desk.master.duplicate() });
        }
        let mut names = Vec::new();
        for key in sam_keys {
            let place = format!("{place}, SAM key `{}`", key.key);
            let key = self.sam_key(key).at(&place)?;
            self.load_sam_key(&place, key, &desk, &mut names)?;
        }
        for key in exchange_keys {
            let place = exchange_place(place, key);
            let key = self.exchange_key(key).at(&place)?;
            self.load_sam_key(&place, key, &desk, &mut names)?;
        }
        for pin in pins {
            let place = format!("{place}, PIN {:02X}", pin.id);
            let pin = self.pin(pin).at(&place)?;
            self.push(&place, Action::LoadPin { pin, under: desk.master.duplicate() });
        }
        files.iter().try_for_each(|file| self.file(&file_place(place, file), file, &desk))
    }

    /// Loads a key under a name that none of `names` has yet: the card would put the second in the place of the first.
    fn load_sam_key(
        &mut self,
        place: &str,
        key: LoadedSamKey,
        desk: &Desk,
        names: &mut Vec<(PsamKeyUsage, u8)>,
    ) -> Result<(), PlanError> {
        let name = (key.usage, key.slot);
        if names.contains(&name) {
            return Err(PlanFault::Twice).at(place);
        }
        names.push(name);
        self.push(place, Action::LoadSamKey { key, under: desk.master.duplicate() });
        Ok(())
    }

    fn transport(&self, key: &TdeaKey) -> Result<MasterKey> {
        self.check(key)?;
        Ok(MasterKey::from_key(card_key(key)?))
    }

    fn master(&mut self, master: &Master) -> Result<LoadedMaster> {
        let used = Use::ExternalAuthentication;
        let key_use = KeyUse::ExternalAuthenticate {
            follow_state: follow(master.follow)?,
            tries: tries(master.tries)?,
        };
        let key = self.take(&master.key, KeyScope::Card, master.version, Some(used))?;
        let record = LoadedKey {
            id: 0x00,
            key_use,
            loading: KeyLoading::Protected,
            usage: Access::ALWAYS,
            change: Access::from_byte(master.change),
            key: card_key(&key.key)?,
            kcv: key.key.kcv(),
        };
        Ok(LoadedMaster { record, key: MasterKey::from_key(card_key(&key.key)?) })
    }

    fn key(&mut self, key: &Key, desk: &mut Desk) -> Result<LoadedKey> {
        let (scope, serves) = match key.of {
            Holder::Card => (KeyScope::Card, key.r#use),
            // What it proves here it opens there.
            Holder::OpenedCard => (KeyScope::OpenedCard, Use::ExternalAuthentication),
        };
        let taken = self.take(&key.key, scope, key.version, Some(serves))?;
        if key.r#use == Use::Line && key.id == 0 {
            desk.line = Some(LineKey::from_key(card_key(&taken.key)?));
        }
        Ok(LoadedKey {
            id: key.id,
            key_use: key_use(key, taken.version)?,
            loading: match key.loading {
                Loading::Protected => KeyLoading::Protected,
                Loading::Plain => KeyLoading::Plain,
            },
            usage: Access::from_byte(key.usage),
            change: Access::from_byte(key.change),
            key: card_key(&taken.key)?,
            kcv: taken.key.kcv(),
        })
    }

    fn sam_key(&mut self, key: &SamKey) -> Result<LoadedSamKey> {
        let scope = match key.of {
            Owner::City => KeyScope::City,
            Owner::Province => KeyScope::Province,
        };
        let taken = self.take(&key.key, scope, key.version, None)?;
        if !goes_under(taken.role, key.kind) {
            return Err(PlanFault::NotForThisKind { function: taken.name(), kind: key.kind });
        }
        Ok(LoadedSamKey {
            usage: sam_usage(key)?,
            slot: key.slot.unwrap_or(taken.version),
            key: card_key(&taken.key)?,
            kcv: taken.key.kcv(),
        })
    }

    fn exchange_key(&mut self, key: &ExchangeKey) -> Result<LoadedSamKey> {
        let taken = self.take(EXCHANGE, KeyScope::Family, key.version, None)?;
        Ok(LoadedSamKey {
            usage: PsamKeyUsage::new(0, EXCHANGE_KIND).ok_or(PlanFault::SamUsage)?,
            slot: taken.version,
            key: card_key(&taken.key)?,
            kcv: taken.key.kcv(),
        })
    }

    fn pin(&self, pin: &Pin) -> Result<LoadedPin> {
        let value = pin.value.fill(self.data)?;
        if !(2..=8).contains(&value.len()) {
            return Err(PlanFault::PinLength(value.len()));
        }
        let usage = Access::from_byte(pin.usage);
        Ok(LoadedPin { id: pin.id, usage, follow: follow(pin.follow)?, tries: tries(pin.tries)?, pin: value })
    }

    fn file(&mut self, place: &str, file: &File, desk: &Desk) -> Result<(), PlanError> {
        // A file under line protection is written by who has its key, whatever the rule.
        if file.protection.is_none() {
            self.closed("write", file.write.unwrap_or_default()).at(place)?;
        }
        let protection = file.protection.map(|protection| match protection {
            ContentProtection::Mac => Protection::Mac,
            ContentProtection::CipherAndMac => Protection::CipherAndMac,
        });
        let create = CreateEf {
            id: FileId(file.id),
            kind: ef_kind(file.kind),
            read: Access::from_byte(file.read),
            write: file.write.map_or(Access::ALWAYS, Access::from_byte),
            protection,
            read_protection: if file.protect_reading {
                ReadProtection::Protected
            } else {
                ReadProtection::Free
            },
            line_keys: LineKeyIds::ZERO,
        };
        self.push(place, Action::CreateFile(create));
        let content = |planner: &Self, template: &Template| -> Result<Content> {
            let line = desk.line.as_ref();
            let protection = match protection {
                Some(protection) => Some((protection, line.ok_or(PlanFault::NoLineKey)?.duplicate())),
                None => None,
            };
            let bytes = template.fill(planner.data)?;
            Ok(Content { file: FileId(file.id), bytes, protection, readable: !file.protect_reading })
        };
        if let Some(template) = &file.content {
            let content = content(self, template).at(place)?;
            fits(content.bytes.len(), file.kind).at(place)?;
            self.push(place, Action::WriteBinary(content));
        }
        for (number, template) in (1..=u8::MAX).zip(&file.record) {
            let content = content(self, template).at(place)?;
            record_fits(&content.bytes, file.record.len(), file.kind).at(place)?;
            self.push(place, Action::AppendRecord { number, content });
        }
        Ok(())
    }

    /// A key of the ring, once.
    fn take(
        &mut self,
        name: &str,
        scope: KeyScope,
        version: Option<u8>,
        used: Option<Use>,
    ) -> Result<&'a RingKey> {
        let keys = self.keys;
        let mut found = keys.find_all(name, scope, version);
        let key = found.next().ok_or_else(|| PlanFault::NoKey(name.to_owned()))?;
        if found.next().is_some() {
            return Err(PlanFault::SeveralVersions(name.to_owned()));
        }
        let function = key.name();
        if let Some(used) = used.filter(|used| !key.role.card_types().contains(&used.type_byte())) {
            return Err(PlanFault::NotForThisFunction { function, used });
        }
        self.check(&key.key)?;
        let entry = (function, scope, key.version);
        // A SAM may keep one key of its city under several types.
        if matches!(scope, KeyScope::Card | KeyScope::OpenedCard) && self.used.contains(&entry) {
            return Err(PlanFault::SecondPurpose(name.to_owned()));
        }
        self.used.push(entry);
        Ok(key)
    }

    /// Refuses a rule that a session meets which has proven nothing: `0Y` and `XY` with Y = 0.
    fn closed(&self, what: &'static str, rule: u8) -> Result<()> {
        match (self.mode, rule & 0x0F) {
            (Mode::Production, 0x0) => Err(PlanFault::OpenRule(what)),
            _ => Ok(()),
        }
    }

    fn check(&self, key: &TdeaKey) -> Result<()> {
        match (self.mode, known_test_key(key)) {
            (Mode::Test, _) => Ok(()),
            (Mode::Production, Some(name)) => Err(PlanFault::TestKey(name)),
            (Mode::Production, None) => Ok(key.check_strength()?),
        }
    }
}

impl Use {
    /// The type byte of FMCOS.
    const fn type_byte(self) -> u8 {
        match self {
            Self::Encrypt => 0x30,
            Self::Decrypt => 0x31,
            Self::Mac => 0x32,
            Self::Tac => 0x34,
            Self::Line => 0x36,
            Self::PinUnblock => 0x37,
            Self::PinReload => 0x38,
            Self::ExternalAuthentication => 0x39,
            Self::Overdraft => 0x3C,
            Self::Unload => 0x3D,
            Self::Purchase => 0x3E,
            Self::Load => 0x3F,
        }
    }
}

impl plan::WalletKind {
    pub(super) const fn wallet(self) -> Wallet {
        match self {
            Self::Deposit => Wallet::Deposit,
            Self::Purse => Wallet::Purse,
        }
    }
}

/// Whether a SAM or key card may keep a key under `kind`. The parent key goes under every kind that a function of cards calls for.
fn goes_under(role: Role, kind: u8) -> bool {
    let serves = |role: Role| role.card_types().iter().any(|key_type| sam_kinds(*key_type).contains(&kind));
    match role {
        Role::Parent => PurposeId::ALL.iter().any(|purpose| serves(Role::Function(*purpose))),
        _ => serves(role),
    }
}

/// Kinds that a SAM may keep a parent key under whose children are keys of this type on user cards. A purchase key that also
/// encrypts would give away the process keys of purchases; so each serves what its children are for.
const fn sam_kinds(key_type: u8) -> &'static [u8] {
    match key_type {
        0x30 => &[0x07, 0x0F],
        0x31 => &[0x0F],
        0x32 => &[0x06, 0x0F],
        0x34 => &[0x0C],
        0x36 => &[0x05, 0x06, 0x08],
        0x37 => &[0x03],
        0x38 => &[0x04],
        0x39 => &[0x07, 0x0E],
        0x3E => &[0x02],
        0x3F => &[0x09],
        _ => &[],
    }
}

fn card_key(key: &TdeaKey) -> Result<CardKey> {
    CardKey::try_from(key.duplicate()).map_err(|_| PlanFault::TripleLength)
}

const fn ef_kind(kind: FileKind) -> EfKind {
    match kind {
        FileKind::Binary(size) => EfKind::Binary { size },
        FileKind::FixedRecords(count, len) => EfKind::FixedRecords { count, len },
        FileKind::VariableRecords(size) => EfKind::VariableRecords { size },
        FileKind::Cyclic(count, len) => EfKind::Cyclic { count, len },
    }
}

fn fits(found: usize, kind: FileKind) -> Result<()> {
    let room = match kind {
        FileKind::Binary(size) => usize::from(size).min(MAX_CONTENT),
        _ => return Ok(()),
    };
    if found > room { Err(PlanFault::TooLong { found, room }) } else { Ok(()) }
}

fn record_fits(record: &[u8], records: usize, kind: FileKind) -> Result<()> {
    let found = record.len();
    if found > MAX_RECORD {
        return Err(PlanFault::TooLong { found, room: MAX_RECORD });
    }
    match kind {
        FileKind::FixedRecords(_, len) if found != usize::from(len) => {
            Err(PlanFault::RecordLength { found, expected: usize::from(len) })
        }
        FileKind::FixedRecords(count, _) if records > usize::from(count) => {
            Err(PlanFault::TooManyRecords { found: records, room: usize::from(count) })
        }
        FileKind::VariableRecords(_) => match record {
            [_, len, value @ ..] if value.len() == usize::from(*len) => Ok(()),
            _ => Err(PlanFault::NoTlv),
        },
        _ => Ok(()),
    }
}

/// Kind of a key under which key cards and SAMs give keys to each other.
const EXCHANGE_KIND: u8 = 0x1E;

/// Most bytes of a file that UPDATE BINARY reaches: offsets have 15 bits.
const MAX_CONTENT: usize = 0x8000;

/// Longest record in bytes, protected and sent in one command.
const MAX_RECORD: usize = 200;
