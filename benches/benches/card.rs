//! Cards a second: a user card from blank to issued, and what it does then.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::convert::Infallible;
use core::hint::black_box;

use benches::clock::ThreadTime;
use cardroot::apdu::commands::pboc::wallet::{Load, LoadKey, TransactionTime};
use cardroot::apdu::commands::pboc::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateWallet, EfKind, KeyAttributes, KeyLoading, KeyRecord,
    KeyType, KeyUse, LineKeyIds, PinRecord, ReadProtection, Tries, Wallet, WriteKey, WriteKeyAction,
};
use cardroot::apdu::commands::{
    BinaryAddress, ChallengeLength, DfName, FileId, Sfi, select_file, update_binary, verify,
};
use cardroot::apdu::secure::pboc::{CardKey, Challenged, LineKey, MasterKey, Protection};
use cardroot::apdu::{Channel, CommandApdu};
use cardroot::card::{Card, CardProfile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_core::{TryCryptoRng, TryRng};
use tdea::TdeaKey;

/// Counts up: challenges are to be cheap here, not good.
struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|next| u32::try_from(next >> 32).expect("the upper half"))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let next = self.try_next_u64()?.to_be_bytes();
            chunk.iter_mut().zip(next).for_each(|(byte, next)| *byte = next);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

fn key(number: u8) -> CardKey {
    TdeaKey::from([number | 0x10; 16]).try_into().expect("a double-length key")
}

/// The keys of an application: 12, its master and PIN besides.
fn keys() -> Vec<(u8, KeyUse)> {
    let attributes = KeyAttributes { version: 0x01, algorithm: 0x00 };
    let tries = Tries::new(3).expect("a count");
    vec![
        (0x00, KeyUse::Line(tries)),
        (0x00, KeyUse::PinUnblock(tries)),
        (0x00, KeyUse::PinReload(tries)),
        (0x01, KeyUse::ExternalAuthenticate { follow_state: 0x0B, tries }),
        (0x00, KeyUse::DesEncrypt(attributes)),
        (0x00, KeyUse::Tac(attributes)),
        (0x01, KeyUse::Load(attributes)),
        (0x02, KeyUse::Load(attributes)),
        (0x01, KeyUse::Purchase(attributes)),
        (0x02, KeyUse::Purchase(attributes)),
        (0x01, KeyUse::Unload(attributes)),
        (0x01, KeyUse::Overdraft(attributes)),
    ]
}

/// A desk that issues cards.
struct Desk(Channel<Card<Counting>>);

impl Desk {
    fn send(&mut self, command: &CommandApdu) -> Vec<u8> {
        let response = self.0.transmit(command).expect("the card is in the process");
        response.into_ok().expect("the card takes it").data().to_vec()
    }

    fn challenged(&mut self, length: ChallengeLength) -> Challenged<'_, Card<Counting>> {
        Challenged::request(&mut self.0, length).expect("the card gives challenges")
    }

    fn authenticate(&mut self, master: &MasterKey) {
        let response = self.challenged(ChallengeLength::Eight).external_authenticate(0x00, master);
        response.expect("the card is in the process").into_ok().expect("the right key");
    }

    fn write_key(
        &mut self,
        action: WriteKeyAction,
        id: u8,
        key_use: KeyUse,
        key: &CardKey,
        master: &MasterKey,
    ) {
        let (usage, change) = (Access::ALWAYS, Access::from_byte(0xAA));
        let record = KeyRecord { key_use, loading: KeyLoading::Protected, usage, change, key };
        let write = WriteKey { action, id, record };
        let response = self.challenged(ChallengeLength::Four).write_key(&write, master);
        response.expect("the card is in the process").into_ok().expect("the card takes it");
    }

    /// Creates a file and, if it is protected, fills it.
    fn create(&mut self, id: u16, kind: EfKind, protection: Option<Protection>) {
        let ef = CreateEf {
            id: FileId(id),
            kind,
            read: Access::ALWAYS,
            write: Access::ALWAYS,
            protection,
            read_protection: ReadProtection::Free,
            line_keys: LineKeyIds::ZERO,
        };
        self.send(&ef.command());
    }
}

/// From blank to issued: 2 masters, 12 keys, PIN, 7 files, two of them filled under a MAC.
fn issue(seed: u64) -> Card<Counting> {
    let transport = TdeaKey::from([0x01; 16]);
    let profile = CardProfile::user(seed.to_be_bytes());
    let card = Card::blank(profile, transport.duplicate().try_into().expect("double length"), Counting(seed));
    let transport = MasterKey::from_key(transport.try_into().expect("double length"));
    let (card_master, app_master) = (MasterKey::from_key(key(2)), MasterKey::from_key(key(3)));
    let tries = Tries::new(3).expect("a count");
    let master_use = KeyUse::ExternalAuthenticate { follow_state: 0x0A, tries };
    let mut desk = Desk(Channel::new(card));
    desk.authenticate(&transport);
    let update = WriteKeyAction::Update { current: KeyType::EXTERNAL_AUTHENTICATE };
    desk.write_key(update, 0x00, master_use, &key(2), &transport);
    desk.authenticate(&card_master);
    let name = DfName::try_from(&b"\xA0\0\0\0\x03\x86\x98\x07\x01"[..]).expect("nine bytes");
    let application = CreateDf {
        id: FileId(0x3F01),
        size: 0x0800,
        create: Access::ALWAYS,
        erase: Access::NEVER,
        short_id: 0x95,
        name,
    };
    desk.send(&application.command());
    desk.send(&select_file(FileId(0x3F01)));
    let key_file = CreateKeyFile { id: FileId(0), size: 0x0200, short_id: 0x95, add: Access::ALWAYS };
    desk.send(&key_file.command());
    desk.write_key(WriteKeyAction::Add, 0x00, master_use, &key(3), &card_master);
    for (number, (id, key_use)) in (4..).zip(keys()) {
        desk.write_key(WriteKeyAction::Add, id, key_use, &key(number), &app_master);
    }
    let pin = PinRecord { usage: Access::ALWAYS, follow_state: 1, tries, pin: &[0x12, 0x34, 0x56] };
    let challenge = desk.0.transmit(&cardroot::apdu::commands::get_challenge(ChallengeLength::Four));
    let challenge = challenge.expect("the card is in the process");
    let challenge = challenge.data().try_into().expect("four bytes");
    let command = pin.protected(WriteKeyAction::Add, 0x00, &app_master, challenge).expect("a PIN");
    desk.send(&command);
    desk.create(0x0015, EfKind::Binary { size: 30 }, Some(Protection::Mac));
    desk.create(0x0016, EfKind::Binary { size: 39 }, Some(Protection::Mac));
    desk.create(0x0017, EfKind::VariableRecords { size: 64 }, None);
    desk.create(0x0018, EfKind::Cyclic { count: 10, len: 23 }, None);
    desk.create(0x0019, EfKind::FixedRecords { count: 2, len: 43 }, None);
    let log = Sfi::new(0x18).expect("a short identifier");
    for wallet in [Wallet::Deposit, Wallet::Purse] {
        desk.send(&CreateWallet { wallet, usage: Access::ALWAYS, log }.command());
    }
    let line = LineKey::from_key(key(4));
    for (file, content) in [(0x15, [0x22; 39].split_at(30).0), (0x16, &[0x22; 39])] {
        let address = BinaryAddress::in_file(Sfi::new(file).expect("a short identifier"), 0);
        let command = update_binary(address, content).expect("39 bytes");
        let response = desk.challenged(ChallengeLength::Four).write(&command, Protection::Mac, &line);
        response.expect("the card is in the process").into_ok().expect("the card takes it");
    }
    let mut card = desk.0.into_transport();
    card.reset();
    card
}

fn issuing(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("card");
    group.throughput(Throughput::Elements(1));
    let mut seed = 0;
    group.bench_function("issue/user-12-keys", |b| {
        b.iter(|| {
            seed += 1;
            black_box(issue(seed))
        });
    });
    let mut desk = Desk(Channel::new(issue(0)));
    desk.send(&select_file(FileId(0x3F01)));
    desk.send(&verify(0x00, &[0x12, 0x34, 0x56]).expect("a PIN"));
    let load_key = LoadKey::try_from(TdeaKey::from([10 | 0x10; 16])).expect("double length");
    let load = Load { wallet: Wallet::Purse, key_id: 0x01, amount: 0, terminal: [0; 6] };
    let time = TransactionTime::from([0x20, 0x26, 0x11, 0x22, 0x12, 0x00, 0x00]);
    let mut count = 0_u32;
    group.bench_function("load", |b| {
        b.iter(|| {
            // The counter of a card ends after 65,535 loads.
            count += 1;
            if count.is_multiple_of(60_000) {
                desk = Desk(Channel::new(issue(0)));
                desk.send(&select_file(FileId(0x3F01)));
                desk.send(&verify(0x00, &[0x12, 0x34, 0x56]).expect("a PIN"));
            }
            let answer = load.answer(&desk.send(&load.initialize())).expect("16 bytes");
            let (credit, sent) = answer.verify(&load_key).expect("the key of the card").credit(time);
            black_box((desk.send(&credit), sent))
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = issuing
}
criterion_main!(benches);
