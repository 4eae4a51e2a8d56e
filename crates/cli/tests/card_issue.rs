//! `cardroot card issue` and `card inspect`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use std::fs;

use common::{Run, Scratch, run};
use serde_json::Value;

const USER_PLAN: &str = include_str!("data/card_issue/user-card.toml");
const SAM_PLAN: &str = include_str!("data/card_issue/sam-card.toml");
const DATA: &str = "[text]\nholder = \"Ada Lovelace\"\n[hex]\nserial = \"3701 0026 0000 0000 0001\"\n";
const TRANSPORT: &str = "9B2C64F810A73ED570E31A894DBC5F26";
const PIN: &str = "5793";

/// The functions of the plans' keys, each with a key that no other has.
const KEYS: [(&str, &str); 6] = [
    ("issuing", "4C1F0B7E25D39A68F2803D51C6EA9713"),
    ("application-control", "5D2E1A8F34C2A97901914C62D5FB8604"),
    ("line-protection", "6E3D29904B51B80A10A25F73E4CC7515"),
    ("internal-authentication", "7F4C38A15A60C71B23B36E84F7DD6426"),
    ("purchase", "805B47B2697FD62C32C47D95068E5337"),
    ("tac", "916A56C3780EE53D41D58CA6159F4248"),
];

/// A folder with plans, keys and data.
fn desk(test: &str) -> Scratch {
    let scratch = Scratch::new(test);
    scratch.file("user.toml", USER_PLAN);
    scratch.file("sam.toml", SAM_PLAN);
    scratch.file("ada.toml", DATA);
    scratch.file("pin.hex", PIN);
    scratch.file("transport.hex", TRANSPORT);
    fs::create_dir(scratch.path().join("keys")).unwrap();
    for (function, key) in KEYS {
        scratch.file(&format!("keys/{function}.hex"), key);
    }
    scratch
}

/// The command with files of the folder for `DIR`.
fn card(scratch: &Scratch, arguments: &str) -> Run {
    let folder = scratch.path().to_str().unwrap();
    run(&format!("card {arguments}").replace("DIR", folder))
}

const USER: &str = "--plan DIR/user.toml --city-keys DIR/keys --city 3701FFFFFFFFFFFF --card 3701002600000001 \
    --data DIR/ada.toml --secret pin=@DIR/pin.hex --transport-key @DIR/transport.hex --reader sim:user";
const SAM: &str = "--plan DIR/sam.toml --city-keys DIR/keys --city 3701FFFFFFFFFFFF --card 53414D0000000001 \
    --transport-key @DIR/transport.hex --reader sim:sam";

fn verdicts(report: &Value, verdict: &str) -> usize {
    report["comparison"].as_array().unwrap().iter().filter(|step| step["verdict"] == verdict).count()
}

#[test]
fn user_card_is_issued_and_is_what_the_plan_says() {
    let desk = desk("card-issue-user");
    let report = card(&desk, &format!("issue {USER} --check --json")).done().json();
    assert_eq!(report["plan"], "user card for tests, version 2");
    assert!(report["commands"].as_u64() > report["steps"].as_u64());
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0));
    // Masters twice, directory, internal key, two files and what they hold; a PIN, a line, a TAC and a purchase key show nothing.
    assert_eq!((verdicts(&report, "same"), verdicts(&report, "unproven")), (8, 4), "{report:#}");
}

#[test]
fn sam_is_issued_with_keys_of_its_city() {
    let desk = desk("card-issue-sam");
    let report = card(&desk, &format!("issue {SAM} --check --json")).done().json();
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0), "{report:#}");
    let of_city = |row: &&Value| row["of"] == "city" && row["key"] == "purchase";
    assert_eq!(report["keys"].as_array().unwrap().iter().filter(of_city).count(), 1);
}

#[test]
fn blank_card_is_finished_as_if_it_had_been_broken_off() {
    let desk = desk("card-issue-resume");
    let report = card(&desk, &format!("issue {USER} --resume --check --json")).done().json();
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0));
}

#[test]
fn blank_card_compared_with_a_plan_is_refused() {
    let desk = desk("card-inspect-blank");
    let blank = card(&desk, &format!("inspect {USER} --json"));
    assert_eq!(blank.status, 1);
    assert_eq!(blank.json()["comparison"][0]["verdict"], "missing");
    assert!(blank.stderr.contains("1 of 12 steps are missing on the card or differ"), "{}", blank.stderr);
}

#[test]
fn dry_run_shows_every_step_and_no_secret() {
    let desk = desk("card-issue-dry-run");
    let text = card(&desk, &format!("issue {USER} --dry-run")).done();
    let json = card(&desk, &format!("issue {USER} --dry-run --json")).done();
    let steps = json.json()["steps"].as_array().unwrap().clone();
    assert_eq!(steps[0]["what"], "SELECT 3F00");
    assert!(steps.iter().any(|step| step["place"] == "application 3F01, file 0015"));
    assert!(json.json().get("commands").is_none());
    let holder: String = b"Ada Lovelace".iter().map(|byte| format!("{byte:02X}")).collect();
    let keys = KEYS.map(|(_, key)| key);
    for secret in keys.into_iter().chain([TRANSPORT, PIN, &holder, "Ada", "0000000001"]) {
        for shown in [&text.stdout, &json.stdout] {
            assert!(!shown.to_uppercase().contains(&secret.to_uppercase()), "{secret} in {shown}");
        }
    }
}

#[test]
fn keys_that_the_world_knows_go_onto_test_cards_alone() {
    let desk = desk("card-issue-test-keys");
    desk.file("keys/tac.hex", "404142434445464748494A4B4C4D4E4F");
    let refused = card(&desk, &format!("issue {USER}")).refused();
    assert!(refused.starts_with("the city's key `TAC`: ") && refused.contains("GlobalPlatform"), "{refused}");
    assert!(refused.contains("--test-keys"), "{refused}");
    card(&desk, &format!("issue {USER} --test-keys")).done();

    desk.file("keys/tac.hex", KEYS[5].1);
    desk.file("transport.hex", "FFFFFFFFFFFFFFFF");
    let refused = card(&desk, &format!("issue {USER}")).refused();
    assert!(refused.contains("user.toml: transport key: a test key that everybody knows"), "{refused}");
    card(&desk, &format!("issue {USER} --test-keys --check")).done();
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let desk = desk("card-issue-misfit");
    let refused = |arguments: &str| card(&desk, arguments).refused();

    desk.file("ada.toml", "[hex]\nserial = \"3701\"\n");
    let missing = refused(&format!("issue {USER}"));
    assert!(missing.ends_with("application 3F01, file 0016: the card's data has no `holder`"), "{missing}");
    desk.file("ada.toml", DATA.replace("Ada Lovelace", "A name of more than twenty letters"));
    let long = refused(&format!("issue {USER}"));
    assert!(long.ends_with("file 0016: `holder` has 34 bytes, there is room for 20"), "{long}");
    desk.file("ada.toml", "[hex]\nserial = 3701\n");
    let wrong = refused(&format!("issue {USER}"));
    assert!(wrong.contains("ada.toml: line 2: ") && !wrong.contains("3701"), "{wrong}");

    desk.file("ada.toml", DATA);
    desk.file("pin.hex", "12");
    let pin = refused(&format!("issue {USER}"));
    assert!(pin.ends_with("application 3F01, PIN 00: a PIN is 2 to 8 bytes, found 1"), "{pin}");
    desk.file("pin.hex", PIN);
    desk.file("user.toml", USER_PLAN.replace("use = \"tac\"", "use = \"tea\""));
    let plan = refused(&format!("issue {USER}"));
    assert!(plan.contains("user.toml: line 17: unknown variant `tea`"), "{plan}");
    desk.file("user.toml", USER_PLAN);

    fs::remove_file(desk.path().join("keys/purchase.hex")).unwrap();
    let key = refused(&format!("issue {USER}"));
    assert!(
        key.ends_with("application 3F01, key purchase 01: there is no key `purchase` for this card"),
        "{key}"
    );
    // It may come from elsewhere.
    desk.file("p.hex", KEYS[4].1);
    card(&desk, &format!("issue {USER} --city-key purchase=@DIR/p.hex")).done();
    // But not be another function's key.
    desk.file("p.hex", KEYS[0].1);
    let twice = refused(&format!("issue {USER} --city-key purchase=@DIR/p.hex"));
    assert!(twice.ends_with("the same key is on the ring for `issuing`: one key, one purpose"), "{twice}");
}

#[test]
fn two_versions_of_a_key_need_a_plan_that_names_one() {
    let desk = desk("card-issue-versions");
    desk.file("p.hex", "B18C76E5982005F763F7AEC837B1606A");
    let two = format!("issue {USER} --city-key purchase:2=@DIR/p.hex");
    let refused = card(&desk, &two).refused();
    assert!(refused.ends_with("several versions of key `purchase`: the plan must name one"), "{refused}");
    desk.file("user.toml", USER_PLAN.replace("key = \"purchase\"", "key = \"purchase\", version = 2"));
    card(&desk, &two).done();
    let again = card(&desk, &format!("issue {USER} --city-key purchase=@DIR/p.hex")).refused();
    assert!(again.ends_with("the ring has this version of the key already"), "{again}");
}

/// The plan and the keys of a key card of the province, as the example `province` has it.
fn key_card(scratch: &Scratch, plan: &str, kind: &str) -> String {
    scratch.file("key-card.toml", plan);
    scratch.file("keys/external-authentication.hex", "A27B67D4891FF64E52E69DB726AF5359");
    scratch.file("exchange.hex", "B38C78E59A20075F63F7AEC837B0646A");
    scratch.file("exchange-2.hex", "C49D89F6AB31186074E8BFD948C1757B");
    scratch.file("parent.hex", "D5AE9A07BC422A7185F9C0EA59D2868C");
    format!(
        "issue --plan DIR/key-card.toml --city-keys DIR/keys --city 3701FFFFFFFFFFFF --card 4B45590000000001 \
        --secret pin=@DIR/pin.hex --transport-key @DIR/transport.hex --reader sim:{kind} --check --json"
    )
}

fn has_key(report: &Value, name: &str, of: &str, version: u64) -> bool {
    let is_it = |row: &Value| row["key"] == name && row["of"] == of && row["version"] == version;
    report["keys"].as_array().unwrap().iter().any(is_it)
}

#[test]
fn mother_card_is_issued_with_the_parent_key() {
    let desk = desk("card-issue-mother");
    let plan = include_str!("../../../examples/province/mother-card.toml");
    let issue = key_card(&desk, plan, "mother");
    let with = format!("{issue} --exchange-key @DIR/exchange.hex --parent-key @DIR/parent.hex");
    let report = card(&desk, &with).done().json();
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0), "{report:#}");
    assert!(has_key(&report, "parent", "province", 1));

    let missing = card(&desk, &format!("{issue} --exchange-key @DIR/exchange.hex")).refused();
    assert!(missing.ends_with("SAM key `parent`: there is no key `parent` for this card"), "{missing}");
    let twice = card(&desk, &format!("{issue} --exchange-key @DIR/parent.hex --parent-key @DIR/parent.hex"));
    let text = "--parent-key: the same key is on the ring for `exchange`: one key, one purpose";
    assert_eq!(twice.refused(), text);
    desk.file("parent.hex", "0123456789ABCDEF0123456789ABCDEF");
    assert!(card(&desk, &with).refused().starts_with("--parent-key"));
}

#[test]
fn transport_card_is_issued_with_two_exchange_keys() {
    let desk = desk("card-issue-transport");
    let plan = include_str!("../../../examples/province/transport-card.toml");
    let issue = format!("{} --exchange-key @DIR/exchange.hex", key_card(&desk, plan, "transport"));
    let report = card(&desk, &format!("{issue} --exchange-key 2=@DIR/exchange-2.hex")).done().json();
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0), "{report:#}");
    assert!(has_key(&report, "exchange", "family", 1) && has_key(&report, "exchange", "family", 2));

    let missing = card(&desk, &issue).refused();
    assert!(missing.ends_with("exchange key 02: there is no key `exchange` for this card"), "{missing}");
    let again = card(&desk, &format!("{issue} --exchange-key 1=@DIR/exchange-2.hex")).refused();
    assert_eq!(again, "--exchange-key: the ring has this version of the key already");
    let usage = card(&desk, &format!("{issue} --exchange-key 2={TRANSPORT}")).usage();
    assert!(usage.contains("not taken from the command line"), "{usage}");
}

#[test]
fn authentication_card_is_issued_with_the_key_of_the_card_that_it_opens() {
    let desk = desk("card-issue-authentication");
    let plan = include_str!("../../../examples/province/authentication-card.toml");
    let issue = key_card(&desk, plan, "authentication");
    let report = card(&desk, &format!("{issue} --opens 4D4F544845520000")).done().json();
    assert_eq!((verdicts(&report, "missing"), verdicts(&report, "differs")), (0, 0), "{report:#}");
    assert!(has_key(&report, "external authentication", "opened card", 1));

    let missing = card(&desk, &issue).refused();
    let text = "key encrypt 01: there is no key `external authentication` for this card";
    assert!(missing.ends_with(text), "{missing}");
    let itself = card(&desk, &format!("{issue} --opens 4B45590000000001")).refused();
    assert!(itself.ends_with("the key is of the card itself, which opens another one"), "{itself}");
}

#[test]
fn wrong_usage_is_told_before_anything_is_read() {
    let desk = desk("card-issue-usage");
    let usage = |arguments: &str| card(&desk, &format!("issue {USER} {arguments}")).usage();
    assert!(usage("--city-key purse=@p.hex").contains("there is no such function; there are issuing, loss"));
    assert!(usage("--city-key purchase:x=@p.hex").contains("a version is a number from 0 to 255"));
    assert!(usage("--city-key purchase").contains("FUNCTION=K is needed"));
    assert!(usage(&format!("--city-key purchase={TRANSPORT}")).contains("not taken from the command line"));
    assert!(usage("--secret pin=1234").contains("not taken from the command line"));
    assert!(usage("--secret holder=@DIR/pin.hex").contains("there is something of this name already"));
    assert!(usage("--dry-run --check").contains("cannot be used with"));
}
