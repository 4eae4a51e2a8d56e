//! `cardroot keyblock`: published blocks through the program, and blocks of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Run, Scratch, rows, run, run_with};

const KBPK: &str = "DD7515F2BFC17F85CE48F3CA25CB21F6";
const KBPK_AES: &str = "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6";
const KEY: &str = "3F419E1CB7079442AA37474C2EFBF8B8";
/// TR-31:2018 A.7.2.2: [`KEY`] under [`KBPK`].
const BLOCK: &str = "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E";

fn keys(test: &str) -> Scratch {
    let scratch = Scratch::new(test);
    scratch.file("kbpk", KBPK);
    scratch.file("kbpk-aes", KBPK_AES);
    scratch.file("key", KEY);
    scratch.file("block", format!("{BLOCK}\r\n"));
    scratch
}

/// Runs with `@` before a name of the folder, and `%` for the folder itself.
fn run_in(scratch: &Scratch, arguments: &str) -> Run {
    run(&in_folder(scratch, arguments))
}

fn in_folder(scratch: &Scratch, arguments: &str) -> String {
    let folder = scratch.path().display().to_string();
    arguments.replace('@', "@%/").replace('%', &folder)
}

#[test]
fn every_published_block_is_inspected_and_opened() {
    let scratch = Scratch::new("keyblock-published");
    let mut all = rows("tr31", include_str!("data/tr31.csv"), 22);
    all.extend(rows("tr31_more", include_str!("data/tr31_more.csv"), 12));
    for row in &all {
        let (kbpk, block, key, source) = (&row[0], &row[1], &row[2], &row[6]);
        let inspected = run_with("keyblock inspect", block).done();
        let header = [
            inspected.value("version"),
            &format!("{:0>4}", inspected.value("block length")),
            inspected.value("usage"),
            inspected.value("algorithm"),
            inspected.value("mode"),
            inspected.value("key version"),
            inspected.value("exportability"),
        ]
        .concat();
        assert_eq!(header, block[..12], "{source}");

        let kbpk = scratch.file("kbpk", kbpk);
        let opened =
            run_with(&format!("--json keyblock unwrap --kbpk @{kbpk} --show-key"), block).done().json();
        assert_eq!(opened["key"], key.to_uppercase(), "{source}");
        let count: usize = block[12..14].parse().unwrap();
        assert_eq!(opened["optional_blocks"].as_array().unwrap().len(), count, "{source}");
    }
    assert_eq!(all.len(), 34);
}

#[test]
fn every_block_to_be_refused_is_refused() {
    let scratch = Scratch::new("keyblock-refused");
    let mut all = rows("tr31_negative", include_str!("data/tr31_negative.csv"), 22);
    all.extend(rows("tr31_negative_more", include_str!("data/tr31_negative_more.csv"), 12));
    for row in &all {
        let (kbpk, block, reason) = (&row[0], &row[1], &row[2]);
        let kbpk = scratch.file("kbpk", kbpk);
        let sentence = run_with(&format!("keyblock unwrap --kbpk @{kbpk} --show-key"), block).refused();
        assert!(
            ["standard input holds no key block: ", "standard input can't be unwrapped: ", "--kbpk: "]
                .iter()
                .any(|start| sentence.starts_with(start)),
            "{reason}: {sentence}"
        );
    }
    assert_eq!(all.len(), 34);
}

#[test]
fn opened_key_is_shown_by_its_check_value_alone() {
    let scratch = keys("keyblock-unwrap");
    let opened = run_in(&scratch, "keyblock unwrap --kbpk @kbpk %/block").done();
    assert_eq!((opened.value("check value"), opened.value("length")), ("57C409", "double"));
    assert_eq!(opened.value("protection key"), "good");
    assert!(!opened.stdout.contains(&KEY[..16]), "{}", opened.stdout);
    run_in(&scratch, "keyblock unwrap --kbpk @kbpk --out %/opened %/block").done();
    assert_eq!(scratch.read("opened"), format!("{KEY}\n"));
}

#[test]
fn wrong_protection_key_and_altered_block_are_one_sentence() {
    let scratch = keys("keyblock-wrong");
    scratch.file("altered", BLOCK.replace("P0TE", "P0TB"));
    let sentence = "can't be unwrapped: it was altered, or --kbpk is not its protection key";
    let wrong = run_in(&scratch, "keyblock unwrap --kbpk @key %/block").refused();
    assert!(wrong.ends_with(sentence), "{wrong}");
    let altered = run_in(&scratch, "keyblock unwrap --kbpk @kbpk %/altered").refused();
    assert!(altered.ends_with(sentence), "{altered}");
}

#[test]
fn block_and_protection_key_do_not_both_come_from_standard_input() {
    let sentence = run_with("keyblock unwrap --kbpk -", BLOCK).usage();
    assert_eq!(
        sentence,
        "--kbpk: standard input is read for something else already; give @FILE, env:NAME or ask"
    );
    let scratch = keys("keyblock-stdin");
    let unwrap = in_folder(&scratch, "keyblock unwrap --kbpk - %/block");
    assert_eq!(run_with(&unwrap, KBPK).done().value("check value"), "57C409");
}

#[test]
fn wrapped_key_comes_back_in_every_version() {
    let scratch = keys("keyblock-wrap");
    for (version, kbpk) in [("A", "kbpk"), ("B", "kbpk"), ("c", "kbpk"), ("D", "kbpk-aes"), ("E", "kbpk-aes")]
    {
        let wrap = format!(
            "keyblock wrap --kbpk @{kbpk} --key @key --usage P0 --algorithm T --mode E --exportability n \
             --version {version} --key-version 07 --optional LB=zone --check-values both --out %/{version}.tr31"
        );
        let wrapped = run_in(&scratch, &wrap).done();
        assert_eq!(wrapped.value("check value"), "57C409");
        assert_eq!(wrapped.value("version"), version.to_uppercase());
        let unwrap = format!("--json keyblock unwrap --kbpk @{kbpk} --show-key %/{version}.tr31");
        let opened = run_in(&scratch, &unwrap).done().json();
        assert_eq!((&opened["key"], &opened["key_version"]), (&KEY.into(), &"07".into()));
        let ids: Vec<&str> = opened["optional_blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap())
            .collect();
        assert!(ids.starts_with(&["LB", "KC", "KP"]), "{ids:?}");
    }
}

#[test]
fn every_usage_that_is_wrapped_is_opened_as_it_was_wrapped() {
    let scratch = keys("keyblock-usages");
    let tdea = "P0 D0 M0 M1 M3 M6 K0 K1 B0 B1 B3 E0 E1 E2 E3 E4 E5 E6 C0 V0 V1 V2";
    let aes = "P0 D0 M6 K0 K1 K4 B0 B1 B3 E0 E1 E2 E3 E4 E5 E6";
    let usages = tdea.split(' ').map(|usage| (usage, "T")).chain(aes.split(' ').map(|usage| (usage, "A")));
    let mut wrapped = 0;
    for (usage, algorithm) in usages {
        let wrap = format!(
            "--json keyblock wrap --kbpk @kbpk-aes --key @key --usage {usage} --algorithm {algorithm} --mode N \
             --exportability E --version D"
        );
        let block = run_in(&scratch, &wrap).done().json()["key_block"].as_str().unwrap().to_owned();
        let opened =
            run_with(&in_folder(&scratch, "keyblock unwrap --kbpk @kbpk-aes --show-key"), &block).done();
        assert_eq!((opened.value("usage"), opened.value("algorithm")), (usage, algorithm));
        assert_eq!(opened.value("key"), KEY);
        wrapped += 1;
    }
    assert_eq!(wrapped, 22 + 16);
}

#[test]
fn length_of_a_key_shows_only_if_asked_for() {
    let scratch = keys("keyblock-masking");
    let block_length = |options: &str| {
        let wrap = format!(
            "keyblock wrap --kbpk @kbpk --key @key --usage P0 --algorithm T --mode E --exportability N --version B {options}"
        );
        run_in(&scratch, &wrap).done().value("block length").to_owned()
    };
    assert_eq!((block_length("").as_str(), block_length("--show-length").as_str()), ("96", "80"));
}

#[test]
fn what_may_not_be_wrapped_is_refused() {
    let scratch = keys("keyblock-no-wrap");
    scratch.file("triple", "0123456789ABCDEFFEDCBA98765432101032547698BADCFE");
    scratch.file("weak", "0123456789ABCDEF0123456789ABCDEF");
    let wrap = |kbpk: &str, key: &str, usage: &str, mode: &str, version: &str| {
        let rest = "--algorithm T --exportability E --version";
        run_in(
            &scratch,
            &format!(
                "keyblock wrap --kbpk @{kbpk} --key @{key} --usage {usage} --mode {mode} {rest} {version}"
            ),
        )
    };
    assert_eq!(
        wrap("kbpk", "key", "P0", "C", "B").refused(),
        "no key block is made: mode of use C allows more than keys of this type do; modes of usage P0 are B, E, D, N"
    );
    assert_eq!(
        wrap("kbpk", "triple", "P0", "E", "B").refused(),
        "no key block is made: a key of triple-length TDEA strength can't be under a protection key of double-length TDEA"
    );
    assert_eq!(
        wrap("weak", "key", "P0", "E", "B").refused(),
        "no key block is made: protection key refused: key parts 1 and 2 are equal"
    );
    let weak = wrap("kbpk", "weak", "P0", "E", "B").refused();
    assert!(weak.starts_with("no key block is made: key refused: key parts 1 and 2 are equal"), "{weak}");
    assert!(
        wrap("kbpk", "key", "S0", "S", "B")
            .usage()
            .starts_with("--usage: no TDEA keys of usage S0 are wrapped here")
    );
    assert_eq!(
        wrap("kbpk", "key", "P0X", "E", "B").usage(),
        "--usage <CODE>: a code of 2 letters and digits is needed"
    );
    let reserved = "keyblock wrap --kbpk @kbpk --key @key --usage P0 --mode E --algorithm T --exportability E --version B";
    let reserved = run_in(&scratch, &format!("{reserved} --optional KC=0057C409")).usage();
    assert_eq!(reserved, "--optional <ID=DATA>: optional blocks KC are written with the key block");
}

#[test]
fn key_is_sent_on_as_its_block_allows() {
    let scratch = keys("keyblock-rewrap");
    let rewrap = "keyblock rewrap --kbpk @kbpk --to-kbpk @kbpk-aes --version D";
    run_in(&scratch, &format!("{rewrap} --exportability N --out %/sent %/block")).done();
    let opened = run_in(&scratch, "keyblock unwrap --kbpk @kbpk-aes --show-key %/sent").done();
    assert_eq!((opened.value("key"), opened.value("mode"), opened.value("exportability")), (KEY, "E", "N"));

    // What stands in the header counts if nothing is said.
    let same = run_in(&scratch, &format!("{rewrap} %/block")).done();
    assert_eq!(same.value("exportability"), "E");
    let wider = run_in(&scratch, &format!("{rewrap} --exportability S %/block")).refused();
    assert_eq!(
        wider,
        "no key block is made: the block would allow more export than the one that the key came in"
    );
    let again = "keyblock rewrap --kbpk @kbpk-aes --to-kbpk @kbpk-aes --version D %/sent";
    assert_eq!(run_in(&scratch, again).refused(), "no key block is made: the key is not exportable");
}

#[test]
fn key_of_an_algorithm_without_check_values_has_none() {
    let scratch = Scratch::new("keyblock-rsa");
    let all = rows("tr31", include_str!("data/tr31.csv"), 22);
    let row = all.iter().find(|row| row[1].starts_with("D3776S0RS")).unwrap();
    let kbpk = scratch.file("kbpk", &row[0]);
    let opened = run_with(&format!("keyblock unwrap --kbpk @{kbpk}"), &row[1]).done();
    assert_eq!(opened.value("check value"), "-");
    assert_eq!(opened.value("length"), format!("{} bytes", row[2].len() / 2));
}

#[test]
fn text_that_is_no_block_is_refused_with_its_place() {
    for (text, reason) in [
        ("", "a key block has at least 16 characters, found 0"),
        ("B0080P0TE00E0000", "the key block announces 80 characters, found 16"),
        (&BLOCK.replace('B', "X"), "unknown version 'X'"),
        (&format!("{BLOCK}\n{BLOCK}"), "character 80 is not printable ASCII"),
    ] {
        let sentence = run_with("keyblock inspect", text).refused();
        assert_eq!(sentence, format!("standard input holds no key block: {reason}"));
    }
}
