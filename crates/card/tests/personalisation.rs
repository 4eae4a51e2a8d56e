//! A card from blank to locked down, driven by the typed commands of `apdu` over its channel.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::commands::pboc::{
    Access, CreateDf, CreateEf, CreateKeyFile, EfKind, KeyAttributes, KeyLoading, KeyRecord, KeyType, KeyUse,
    LineKeyIds, PinRecord, ReadProtection, Tries, WriteKey, WriteKeyAction,
};
use apdu::commands::{
    BinaryAddress, ChallengeLength, DfName, FileId, InternalOperation, Sfi, internal_authenticate,
    read_binary, select_file, update_binary, verify,
};
use apdu::secure::pboc::{Challenged, InternalAuthKey, LineKey, MasterKey, Protection};
use apdu::{CardTransport, Channel, CommandApdu, Le, ResponseApdu, StatusWord};
use cardroot_card::{Card, CardProfile, LifeCycle, ShortBuffer, TransportKey};
use common::{APP_MASTER, CARD_MASTER, SERIAL, TRANSPORT, TestRng, card_key};
use tdea::TdeaKey;

const LINE: [u8; 16] = *b"line protection.";
const INTERNAL: [u8; 16] = *b"internal auth. k";
const PURCHASE: [u8; 16] = *b"purchase key no1";

/// Level that the masters lead to, and that everything is left under.
const MASTER_LEVEL: Access = Access::from_byte(0xAA);

/// The reader: keeps what crosses it in both directions.
struct Reader {
    card: Card<TestRng>,
    crossed: Vec<Vec<u8>>,
}

impl CardTransport for Reader {
    type Error = ShortBuffer;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ShortBuffer> {
        let len = self.card.transmit(command, response)?;
        self.crossed.extend([command.to_vec(), response[..len].to_vec()]);
        Ok(len)
    }
}

/// The personalisation station.
struct Station(Channel<Reader>);

impl Station {
    fn with_blank_card(seed: u64) -> Self {
        let transport = TransportKey::try_from(TdeaKey::from(TRANSPORT)).unwrap();
        let card = Card::blank(CardProfile::user(SERIAL), transport, TestRng::new(seed));
        Self(Channel::new(Reader { card, crossed: Vec::new() }))
    }

    fn send(&mut self, command: &CommandApdu) -> ResponseApdu {
        self.0.transmit(command).unwrap().into_ok().unwrap()
    }

    fn challenged(&mut self, length: ChallengeLength) -> Challenged<'_, Reader> {
        Challenged::request(&mut self.0, length).unwrap()
    }

    fn prove(&mut self, master: &[u8]) {
        let key = MasterKey::from_key(card_key(master));
        self.challenged(ChallengeLength::Eight).external_authenticate(0x00, &key).unwrap().into_ok().unwrap();
    }

    fn load(&mut self, action: WriteKeyAction, id: u8, key_use: KeyUse, key: &[u8], master: &[u8]) {
        let (key, master) = (card_key(key), MasterKey::from_key(card_key(master)));
        let (usage, change) = (Access::ALWAYS, MASTER_LEVEL);
        let record = KeyRecord { key_use, loading: KeyLoading::Protected, usage, change, key: &key };
        let write = WriteKey { action, id, record };
        self.challenged(ChallengeLength::Four).write_key(&write, &master).unwrap().into_ok().unwrap();
    }

    fn personalise(&mut self) {
        self.take_over();
        self.make_application();
        self.load_application_keys();
        self.make_files();
    }

    /// Authenticates the blank card and replaces its transport key.
    fn take_over(&mut self) {
        self.prove(&TRANSPORT);
        let update = WriteKeyAction::Update { current: KeyType::EXTERNAL_AUTHENTICATE.protected() };
        self.load(update, 0x00, master_use(), &CARD_MASTER, &TRANSPORT);
        self.prove(&CARD_MASTER);
    }

    fn make_application(&mut self) {
        let name = DfName::try_from(&[0xA0, 0, 0, 0, 3, 0x86, 0x98, 0x07, 0x01][..]).unwrap();
        let (id, short_id) = (FileId(0x3F01), 0x95);
        let create =
            CreateDf { id, size: 0x0400, create: MASTER_LEVEL, erase: Access::NEVER, short_id, name };
        self.send(&create.command());
        self.send(&select_file(id));
        let keys = CreateKeyFile { id: FileId(0x0000), size: 0x0180, short_id, add: MASTER_LEVEL };
        self.send(&keys.command());
        self.load(WriteKeyAction::Add, 0x00, master_use(), &APP_MASTER, &CARD_MASTER);
        self.prove(&APP_MASTER);
    }

    fn load_application_keys(&mut self) {
        let attributes = KeyAttributes { version: 0x01, algorithm: 0x00 };
        for (id, key_use, key) in [
            (0x00, KeyUse::Line(tries()), LINE),
            (0x01, KeyUse::DesEncrypt(attributes), INTERNAL),
            (0x01, KeyUse::Purchase(attributes), PURCHASE),
        ] {
            self.load(WriteKeyAction::Add, id, key_use, &key, &APP_MASTER);
        }
        let pin =
            PinRecord { usage: Access::ALWAYS, follow_state: 0x01, tries: tries(), pin: &[0x12, 0x34, 0x56] };
        let key = MasterKey::from_key(card_key(&APP_MASTER));
        let challenge = self.send(&apdu::commands::get_challenge(ChallengeLength::Eight));
        let challenge = challenge.data().try_into().unwrap();
        self.send(&pin.protected(WriteKeyAction::Add, 0x00, &key, challenge).unwrap());
    }

    /// A public file 0015 under MAC, a file 0016 under cipher and MAC that is the holder's to read.
    fn make_files(&mut self) {
        let at_level_1 = Access::from_byte(0xF1);
        for (id, protection, read, read_protection) in [
            (0x0015, Protection::Mac, Access::ALWAYS, ReadProtection::Free),
            (0x0016, Protection::CipherAndMac, at_level_1, ReadProtection::Protected),
        ] {
            let file = CreateEf {
                id: FileId(id),
                kind: EfKind::Binary { size: 30 },
                read,
                write: Access::ALWAYS,
                protection: Some(protection),
                read_protection,
                line_keys: LineKeyIds::ZERO,
            };
            self.send(&file.command());
            let sfi = Sfi::new(u8::try_from(id).unwrap()).unwrap();
            let update =
                update_binary(BinaryAddress::in_file(sfi, 0), b"what the file has to say......").unwrap();
            let key = LineKey::from_key(card_key(&LINE));
            let challenged = self.challenged(ChallengeLength::Four);
            challenged.write(&update, protection, &key).unwrap().into_ok().unwrap();
        }
    }

    fn reader(self) -> Reader {
        self.0.into_transport()
    }
}

fn tries() -> Tries {
    Tries::new(3).unwrap()
}

fn master_use() -> KeyUse {
    KeyUse::ExternalAuthenticate { follow_state: 0x0A, tries: tries() }
}

#[test]
fn a_blank_card_becomes_a_personalised_one() {
    let mut station = Station::with_blank_card(1);
    station.personalise();
    let reader = station.reader();
    assert_eq!(reader.card.life_cycle(), LifeCycle::Personalised);
    // No key went over the line in the clear, in neither direction.
    for key in [TRANSPORT, CARD_MASTER, APP_MASTER, LINE, INTERNAL, PURCHASE] {
        for half in key.chunks(8) {
            assert!(!reader.crossed.iter().any(|bytes| bytes.windows(8).any(|window| window == half)));
        }
    }
    println!("{} commands", reader.crossed.len() / 2);
}

#[test]
fn a_personalised_card_serves_its_holder() {
    let mut station = Station::with_blank_card(2);
    station.personalise();
    let mut reader = station.reader();
    reader.card.reset();
    let mut station = Station(Channel::new(reader));
    station.send(&select_file(FileId(0x3F01)));
    let public =
        station.send(&read_binary(BinaryAddress::in_file(Sfi::new(0x15).unwrap(), 0), Le::MAX_SHORT));
    assert_eq!(public.data(), b"what the file has to say......");
    // The holder's file asks for the PIN first.
    let read = read_binary(BinaryAddress::in_file(Sfi::new(0x16).unwrap(), 0), Le::MAX_SHORT);
    let key = LineKey::from_key(card_key(&LINE));
    let read_it = |station: &mut Station| {
        station.challenged(ChallengeLength::Eight).read(&read, Protection::CipherAndMac, &key).unwrap()
    };
    assert_eq!(read_it(&mut station).status(), StatusWord::SECURITY_STATUS);
    station.send(&verify(0x00, &[0x12, 0x34, 0x56]).unwrap());
    assert_eq!(read_it(&mut station).data(), b"what the file has to say......");
    // It proves that it is no copy.
    let random = [0x3C; 8];
    let answer = station.send(&internal_authenticate(InternalOperation::Encrypt, 0x01, &random).unwrap());
    let internal = InternalAuthKey::from_key(card_key(&INTERNAL));
    assert_eq!(internal.verify_answer(InternalOperation::Encrypt, &random, answer.data()), Ok(()));
}

#[test]
fn a_personalised_card_is_locked_down() {
    let mut station = Station::with_blank_card(3);
    station.personalise();
    let mut reader = station.reader();
    reader.card.reset();
    let mut refused = |status: u16, command: &str| {
        let response = reader.card.process(&common::hex(command)).to_vec();
        assert_eq!(response, status.to_be_bytes(), "{command}");
    };
    // In the master file: no directory, no key.
    refused(0x6982, "80E03F020D 38 0200 F0 AA 95 FFFF 1122334455");
    refused(0x6982, "80D4010115 30F0AA0000 00112233445566778899AABBCCDDEEFF");
    reader.card.process(&common::hex("00A40000023F01"));
    let mut refused = |status: u16, command: &str| {
        let response = reader.card.process(&common::hex(command)).to_vec();
        assert_eq!(response, status.to_be_bytes(), "{command}");
    };
    // In the application: no file, no key, nothing erased, nothing written in the clear.
    refused(0x6982, "80E0001707 28 0010 F0 F0 FF FF");
    refused(0x6982, "80D4010215 30F0AA0000 00112233445566778899AABBCCDDEEFF");
    refused(0x6987, "80D4F90015 F9F0AA0A33 00112233445566778899AABBCCDDEEFF");
    refused(0x6982, "800E000000");
    refused(0x6987, "00D6950001 AA");
    refused(0x6982, "00B0960000");
}

// cargo test -p cardroot-card --release --test personalisation -- --ignored --nocapture
#[test]
#[ignore = "measures; takes a second in release"]
fn cards_per_second() {
    let cards: u32 = 1000;
    let measure = |what: &str, run: &dyn Fn()| {
        let start = std::time::Instant::now();
        (0..cards).for_each(|_| run());
        println!("{:.0} cards/s, {what}", f64::from(cards) / start.elapsed().as_secs_f64());
    };
    measure("host and card", &|| Station::with_blank_card(1).personalise());
    // The same seed draws the same challenges, so what the host sent once can be sent again.
    let mut station = Station::with_blank_card(1);
    station.personalise();
    let crossed = station.reader().crossed;
    measure("card alone", &|| {
        let mut reader = Station::with_blank_card(1).reader();
        for [command, response] in crossed.as_chunks().0 {
            assert_eq!(reader.card.process(command), response);
        }
    });
}
