//! `cardroot card`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use cardroot::apdu::secure::scp02;
use cardroot::diversify::gp;
use cardroot::tdea::TdeaKey;
use common::{PROGRAM, Run, Scratch, run};

/// Runs `card serve` against a reader that plays `dialogue` with it.
fn served<T: Send + 'static>(
    options: &str,
    dialogue: impl FnOnce(&mut TcpStream) -> T + Send + 'static,
) -> (Run, T) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reader = thread::spawn(move || dialogue(&mut listener.accept().unwrap().0));
    let ended = run(&format!("card serve --port {port} {options}"));
    (ended, reader.join().unwrap())
}

fn exchange(reader: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    try_exchange(reader, bytes).unwrap()
}

/// The same with a card that may be gone.
fn try_exchange(reader: &mut TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    reader.write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes())?;
    reader.write_all(bytes)?;
    let mut len = [0; 2];
    reader.read_exact(&mut len)?;
    let mut answer = vec![0; u16::from_be_bytes(len).into()];
    reader.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn both_cards_are_served_under_both_protocols() {
    for (profile, protocol, atr, select) in
        [("user", "t1", "3BED000001", vec![0x90, 0x00]), ("sam", "t0", "3B6D000000", vec![0x61, 0x17])]
    {
        let options = format!("--profile {profile} --protocol {protocol} --known-transport-key");
        let (ended, answers) = served(&options, |reader| {
            let atr = exchange(reader, &[0x04]);
            (atr, exchange(reader, &[0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00]))
        });
        let ended = ended.done();
        let hex: String = answers.0.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(hex.starts_with(atr) && ended.value("atr") == hex, "{hex}");
        assert_eq!(ended.value("ended"), "the reader closed the connection");
        assert!(answers.1.ends_with(&select), "{:02X?}", answers.1);
    }
}

#[test]
fn a_transport_key_is_a_secret_of_8_or_16_bytes() {
    let scratch = Scratch::new("serve_key");
    for (name, digits) in [("single.hex", 16), ("double.hex", 32)] {
        let key = scratch.file(name, "5B".repeat(digits / 2));
        let (ended, answer) =
            served(&format!("--profile user --transport-key @{key}"), |reader| exchange(reader, &[0x04]));
        ended.done();
        assert_eq!(answer.len(), 19);
    }
    let short = scratch.file("short.hex", "5B".repeat(7));
    let sentence = run(&format!("card serve --profile user --transport-key @{short}")).refused();
    assert!(sentence.starts_with(&format!("--transport-key: @{short} is refused: ")), "{sentence}");
    let sentence = run("card serve --profile user --transport-key FFFFFFFFFFFFFFFF").usage();
    assert!(sentence.contains("a secret is not taken from the command line"), "{sentence}");
}

#[test]
fn a_security_domain_is_served_in_every_variant() {
    // Recognition data ends with the protocol's number and its variant.
    for (variant, length, protocol) in [
        ("15", 16, [0x02, 0x15]),
        ("55", 16, [0x02, 0x55]),
        ("00", 16, [0x03, 0x00]),
        ("10", 16, [0x03, 0x10]),
        ("30", 16, [0x03, 0x30]),
        ("60", 16, [0x03, 0x60]),
        ("70", 24, [0x03, 0x70]),
        ("70", 32, [0x03, 0x70]),
    ] {
        let options = format!("--profile gp --known-domain-key {length} --variant {variant}");
        let (ended, data) = served(&options, |reader| exchange(reader, &[0x80, 0xCA, 0x00, 0x66, 0x00]));
        assert_eq!(ended.done().value("atr"), "3B800181");
        assert!(data.ends_with(&[protocol[0], protocol[1], 0x90, 0x00]), "{data:02X?}");
    }
    let scratch = Scratch::new("serve_domain");
    let key = scratch.file("domain.hex", "5B".repeat(16));
    let (ended, _) = served(&format!("--profile gp --protocol t0 --domain-key @{key}"), |reader| {
        exchange(reader, &[0x04])
    });
    assert_eq!(ended.done().value("atr"), "3B00");
}

#[test]
fn each_profile_takes_the_key_that_is_its_own() {
    let scratch = Scratch::new("serve_which_key");
    let key = scratch.file("key.hex", "5B".repeat(16));
    let sentence = run(&format!("card serve --profile gp --transport-key @{key}")).usage();
    assert!(sentence.contains("--profile gp takes --domain-key"), "{sentence}");
    let sentence = run(&format!("card serve --profile user --domain-key @{key}")).usage();
    assert!(sentence.contains("this card takes --transport-key"), "{sentence}");
    for (profile, own, other) in [
        ("gp", "--known-domain-key 16", "--known-transport-key"),
        ("user", "--known-transport-key", "--known-domain-key 16"),
        ("user", "--known-transport-key", "--variant 70"),
    ] {
        let sentence = run(&format!("card serve --profile {profile} {own} {other}")).usage();
        assert!(sentence.contains("takes --"), "{sentence}");
    }
    let sentence = run("card serve --profile gp --known-domain-key 24 --variant 15").refused();
    assert!(sentence.starts_with("the key of the domain is refused: "), "{sentence}");
    for variant in ["20", "+0", "070", "7"] {
        let sentence =
            run(&format!("card serve --profile gp --known-domain-key 16 --variant {variant}")).usage();
        assert!(sentence.contains("the variants are 15 and 55"), "{sentence}");
    }
}

#[test]
fn known_keys_are_refused_in_the_place_of_secret_ones() {
    let scratch = Scratch::new("serve_known");
    for digits in ["FFFFFFFFFFFFFFFF", "FEFFFEFFFEFFFEFF", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE"] {
        let key = scratch.file("transport.hex", digits);
        let sentence = run(&format!("card serve --profile user --transport-key @{key}")).refused();
        assert!(sentence.contains("say --known-transport-key"), "{sentence}");
    }
    for digits in ["404142434445464748494A4B4C4D4E4F", "404142434445464748494A4B4C4D4E4F5051525354555657"] {
        let key = scratch.file("domain.hex", digits);
        let sentence = run(&format!("card serve --profile gp --domain-key @{key}")).refused();
        assert!(sentence.contains("say --known-domain-key"), "{sentence}");
    }
}

#[test]
fn the_known_transport_key_has_to_be_asked_for() {
    let sentence = run("card serve --profile user").usage();
    assert!(sentence.contains("--transport-key <K>"), "{sentence}");
    let sentence = run("card serve --profile user --known-transport-key --transport-key -").usage();
    assert!(sentence.contains("cannot be used with"), "{sentence}");
}

#[test]
fn a_reader_that_does_not_listen_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let sentence =
        run(&format!("card serve --profile user --known-transport-key --patience 0 --port {port}")).refused();
    assert!(sentence.starts_with(&format!("the reader at 127.0.0.1:{port}: ")), "{sentence}");
}

/// A card that a reader has taken in.
struct Plugged {
    program: Child,
    reader: TcpStream,
}

impl Plugged {
    fn start(options: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let mut command = Command::new(PROGRAM);
        command.args(["card", "serve", "--port", &port]).args(options.split_whitespace());
        let program = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { program, reader: listener.accept().unwrap().0 }
    }

    /// EXTERNAL AUTHENTICATE under a wrong key.
    fn guess(&mut self) -> Vec<u8> {
        exchange(&mut self.reader, &[0x00, 0x84, 0x00, 0x00, 0x08]);
        exchange(&mut self.reader, &[0x00, 0x82, 0x00, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8])
    }

    /// Ends it as a loss of power does.
    fn kill(mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

#[test]
fn a_card_in_a_file_remembers_its_tries_when_the_program_is_killed() {
    let scratch = Scratch::new("serve_state");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let state = scratch.path().join("user.card").display().to_string();
    let options = format!("--profile user --known-transport-key --state {state} --state-key @{key}");
    for expected in [[0x63, 0xC2], [0x63, 0xC1], [0x63, 0xC0], [0x69, 0x83], [0x69, 0x83]] {
        let mut plugged = Plugged::start(&options);
        assert_eq!(plugged.guess(), expected);
        plugged.kill();
    }
}

/// INITIALIZE UPDATE, whose challenge is `hostchal`.
const BEGIN: &[u8] = b"\x80\x50\x00\x00\x08hostchal\x00";

#[test]
fn a_domain_in_a_file_counts_its_sessions_and_tries_on_when_the_program_is_killed() {
    let scratch = Scratch::new("serve_domain_state");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let state = scratch.path().join("domain.card").display().to_string();
    let file = format!("--profile gp --state {state} --state-key @{key}");
    // Once it is in its file it needs no key.
    for (sequence, options) in (0..10).zip(["--known-domain-key 16"].into_iter().chain([""; 9])) {
        let mut plugged = Plugged::start(&format!("{file} {options}"));
        let answer = exchange(&mut plugged.reader, BEGIN);
        assert!(answer.ends_with(&[0, 0, sequence, 0x90, 0x00]), "{answer:02X?}");
        if sequence % 2 == 0 {
            let wrong = [&[0x84, 0x82, 0x01, 0x00, 0x10][..], &[0; 16]].concat();
            assert_eq!(exchange(&mut plugged.reader, &wrong), [0x63, 0x00]);
        }
        plugged.kill();
    }
    // Five tries of ten are spent.
    for _ in 0..5 {
        let mut plugged = Plugged::start(&file);
        exchange(&mut plugged.reader, BEGIN);
        exchange(&mut plugged.reader, &[&[0x84, 0x82, 0x01, 0x00, 0x10][..], &[0; 16]].concat());
        plugged.kill();
    }
    let mut plugged = Plugged::start(&file);
    assert_eq!(exchange(&mut plugged.reader, BEGIN), [0x69, 0x83]);
    plugged.kill();
}

#[test]
fn no_number_of_a_session_comes_twice_wherever_the_program_is_killed() {
    let scratch = Scratch::new("serve_domain_killed");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let state = scratch.path().join("domain.card").display().to_string();
    let options = format!("--profile gp --known-domain-key 16 --state {state} --state-key @{key}");
    let (mut next, mut lost) = (0, 0);
    for round in 0..40 {
        let Plugged { mut program, mut reader } = Plugged::start(&options);
        let killer = thread::spawn(move || {
            thread::sleep(Duration::from_micros(700 * round));
            program.kill().unwrap();
            program.wait().unwrap();
        });
        while let Ok(answer) = try_exchange(&mut reader, BEGIN) {
            let [.., a, b, c, 0x90, 0x00] = answer[..] else { panic!("{answer:02X?}") };
            let number = u32::from_be_bytes([0, a, b, c]);
            // What was under way each time that the program was killed may be counted, or not.
            assert!((next..=next + lost).contains(&number), "{number} after {next}");
            (next, lost) = (number + 1, 0);
        }
        killer.join().unwrap();
        lost += 1;
    }
    println!("{next} sessions");
}

#[test]
fn a_session_of_protocol_02_is_never_opened_twice_although_the_program_is_killed() {
    let scratch = Scratch::new("serve_domain_scp02");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let state = scratch.path().join("domain.card").display().to_string();
    let options =
        format!("--profile gp --known-domain-key 16 --variant 55 --state {state} --state-key @{key}");
    let key = || TdeaKey::from(*b"@ABCDEFGHIJKLMNO");
    let keys = gp::CardKeys {
        enc: gp::Kenc::from_key(key()),
        mac: gp::Kmac::from_key(key()),
        dek: gp::Kdek::from_key(key()),
    };
    let mut recorded = Vec::<Vec<u8>>::new();
    for sequence in 0..3 {
        let mut plugged = Plugged::start(&options);
        for proof in &recorded {
            exchange(&mut plugged.reader, BEGIN);
            assert_eq!(exchange(&mut plugged.reader, proof), [0x63, 0x00], "a proof of another session");
        }
        let answer = exchange(&mut plugged.reader, BEGIN);
        let answer = scp02::Answer::decode(&answer[..28]).unwrap();
        assert_eq!(answer.sequence, sequence);
        let host = scp02::initialise((*b"hostchal").into(), &answer, &keys).unwrap();
        let proof = host.verify_card().unwrap().external_authenticate(scp02::SecurityLevel::Mac);
        let proof = proof.command().encode().expose_bytes().to_vec();
        assert_eq!(exchange(&mut plugged.reader, &proof), [0x90, 0x00]);
        recorded.push(proof);
        plugged.kill();
    }
}

#[test]
fn a_state_file_of_another_domain_or_of_another_kind_of_card_is_refused() {
    let scratch = Scratch::new("serve_domain_refused");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let (user, domain) = (path("user.card"), path("domain.card"));
    let serve = |options: &str, state: &str| {
        run(&format!("card serve --port 1 --patience 0 {options} --state {state} --state-key @{key}"))
    };
    // Without a key nothing is made, not even a file.
    let sentence = serve("--profile gp", &domain).usage();
    assert!(sentence.contains("--profile gp takes --domain-key"), "{sentence}");
    let sentence = serve("--profile user", &user).usage();
    assert!(sentence.contains("this card takes --transport-key"), "{sentence}");
    assert!(!scratch.path().join("domain.card").exists() && !scratch.path().join("user.card").exists());

    let no_reader = "the reader at 127.0.0.1:1: ";
    assert!(serve("--profile gp --known-domain-key 16", &domain).refused().starts_with(no_reader));
    assert!(serve("--profile user --known-transport-key", &user).refused().starts_with(no_reader));
    assert!(serve("--profile gp", &domain).refused().starts_with(no_reader));
    assert!(serve("--profile user", &user).refused().starts_with(no_reader));
    for other in ["--variant 60", "--variant 55", "--serial 8660000000000002"] {
        assert_eq!(
            serve(&format!("--profile gp {other}"), &domain).refused(),
            format!(
                "{domain}: the security domain in the store is another one: name, key data, life cycle data, variants or tries differ"
            )
        );
    }
    for (profile, state) in [("user", &domain), ("gp", &user)] {
        let sentence = serve(&format!("--profile {profile}"), state).refused();
        assert!(
            sentence.starts_with(&format!("{state}: the card in the store is of another kind: ")),
            "{sentence}"
        );
    }
}

#[test]
fn a_state_file_that_is_none_or_another_cards_is_refused() {
    let scratch = Scratch::new("serve_refused");
    let key = scratch.file("key.hex", "6D".repeat(64));
    let other = scratch.file("other.hex", "6E".repeat(64));
    let state = scratch.path().join("user.card").display().to_string();
    let serve = |profile: &str, state: &str, key: &str| {
        run(&format!(
            "card serve --port 1 --patience 0 --known-transport-key --profile {profile} --state {state} --state-key @{key}"
        ))
    };
    // It is made before the reader is looked for.
    assert!(serve("user", &state, &key).refused().starts_with("the reader at 127.0.0.1:1: "));
    assert!(serve("user", &state, &key).refused().starts_with("the reader at 127.0.0.1:1: "));
    assert_eq!(
        serve("sam", &state, &key).refused(),
        format!(
            "{state}: the card in the store is another one: kind, serial number or operating system differ"
        )
    );
    assert_eq!(
        serve("user", &state, &other).refused(),
        format!("{state}: the state file is damaged, or sealed under another key")
    );
    assert_eq!(
        serve("user", &key, &key).refused(),
        format!("{key}: the file is not a state file of this program")
    );
    let short = scratch.file("short.hex", "6D".repeat(63));
    let sentence = serve("user", &state, &short).refused();
    assert!(sentence.ends_with("a storage key is 64 bytes, found 63"), "{sentence}");
    let sentence = run(&format!("card serve --profile user --known-transport-key --state {state}")).usage();
    assert!(sentence.contains("--state-key"), "{sentence}");
}
