//! `cardroot diversify cohort`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use core::fmt::Write as _;
use core::time::Duration;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use cardroot::diversify::emv::{MdkAc, PanPsn};
use cardroot::diversify::transport::{TransportKey, WrappedKey};
use cardroot::diversify::tree::purpose::Recharge;
use cardroot::diversify::tree::{CardKey, Origin};
use cardroot::diversify::{Factor, pboc};
use cardroot::tdea::TdeaKey;
use common::{BDK, PROGRAM, Run, Scratch, rows, run, run_with};

const TRANSPORT: &str = "9B2C64F810A73ED570E31A894DBC5F26";

/// Runs a cohort over a table on standard input, under a key in a file.
fn cohort(scratch: &Scratch, arguments: &str, key: &str, table: &str) -> Run {
    let key = scratch.file("cohort.hex", key);
    run_with(&format!("diversify cohort {arguments} --key @{key}"), table)
}

/// The lines of a result, the line of names first.
fn lines(run: &Run) -> Vec<Vec<&str>> {
    run.stdout.lines().map(|line| line.split(',').collect()).collect()
}

fn tdea(text: &str) -> TdeaKey {
    u128::from_str_radix(text, 16).unwrap().to_be_bytes().into()
}

fn factor(text: &str) -> Factor {
    u64::from_str_radix(text, 16).unwrap().to_be_bytes().into()
}

#[test]
fn emv_keys_are_the_published_ones() {
    let rows = rows("diversify_emv_mk.csv", include_str!("data/diversify_emv_mk.csv"), 17);
    let scratch = Scratch::new("cohort-emv");
    let mut tables: Vec<(String, &str, String, Vec<&[String]>)> = Vec::new();
    for row in &rows {
        // AES keys are as long as the row has them.
        let length = if row[1] == "C" { format!("--length aes-{}", 4 * row[6].len()) } else { String::new() };
        let arguments = format!("emv --option {} {length} --show-key", row[1].to_lowercase());
        let same = tables.iter_mut().find(|(known, key, ..)| *known == arguments && *key == row[3]);
        match same {
            Some((.., table, rows)) => {
                writeln!(table, "{},{}", row[4], row[5]).unwrap();
                rows.push(row);
            }
            None => {
                tables.push((arguments, &row[3], format!("pan,psn\n{},{}\n", row[4], row[5]), vec![row]));
            }
        }
    }
    let mut checked = 0;
    for (arguments, key, table, rows) in &tables {
        let done = cohort(&scratch, arguments, key, table).done();
        let lines = lines(&done);
        assert_eq!(lines[0], ["row", "pan", "psn", "check_value", "key"]);
        assert_eq!(lines.len(), 1 + rows.len());
        for ((number, line), row) in (1..).zip(&lines[1..]).zip(rows) {
            let number: i32 = number;
            let expected = [&number.to_string(), &row[4], &row[5], &row[7], &row[6]];
            assert!(line.iter().eq(expected), "{}", row[0]);
            checked += 1;
        }
    }
    println!("{checked} rows in {} tables", tables.len());
    assert_eq!((checked, tables.len()), (17, 7));
}

#[test]
fn personalisation_keys_are_the_known_ones() {
    let rows = rows("diversify_gp.csv", include_str!("data/diversify_gp.csv"), 19);
    let scratch = Scratch::new("cohort-gp");
    let mut checked = 0;
    for row in &rows {
        let [id, method, master, data, purpose, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let template = match method.split(' ').next() {
            Some("EMV-CPS") => "cps",
            Some("VISA") => "visa",
            Some("VISA2") => "visa2",
            Some("KDF3") => "kdf3",
            _ => continue,
        };
        let arguments = format!("gp --template {template} --show-key");
        let done = cohort(&scratch, &arguments, master, &format!("kdd\n{data}\n")).done();
        let lines = lines(&done);
        let names = [
            "row",
            "kdd",
            "kenc_check_value",
            "kmac_check_value",
            "kdek_check_value",
            "kenc",
            "kmac",
            "kdek",
        ];
        assert_eq!(lines[0], names);
        let index = ["ENC", "MAC", "DEK"].iter().position(|name| name == purpose).unwrap();
        assert_eq!((lines[1][1], lines[1][2 + index]), (data.as_str(), kcv.as_str()), "{id}");
        assert_eq!(lines[1][5 + index], derived, "{id}");
        checked += 1;
    }
    println!("{checked} rows of templates");
    assert_eq!(checked, 12);
}

#[test]
fn pboc_keys_are_the_known_ones() {
    let rows = rows("diversify_pboc.csv", include_str!("data/diversify_pboc.csv"), 11);
    let scratch = Scratch::new("cohort-pboc");
    let mut checked = [0; 3];
    for row in rows.iter().filter(|row| !row[1].ends_with("-SESSION")) {
        let [id, alg, root, factors, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let cipher = if alg == "SM4" { "sm4" } else { "tdea" };
        let levels = factors.split('/').count();
        let columns = ["factor", "factor1,factor2", "factor1,factor2,factor3"][levels - 1];
        let table = format!("{columns}\n{}\n", factors.replace('/', ","));
        let arguments = format!("pboc --cipher {cipher} --levels {levels} --show-key");
        let done = cohort(&scratch, &arguments, root, &table).done();
        let lines = lines(&done);
        assert_eq!(lines[1][1 + levels..], [kcv.as_str(), derived.as_str()], "{id}");
        checked[levels - 1] += 1;
    }
    println!("{checked:?} rows of one, two and three levels");
    assert_eq!(checked, [4, 3, 1]);
}

#[test]
fn tables_of_profiles_make_the_keys_of_their_factors() {
    let scratch = Scratch::new("cohort-profile");
    let table = "app_serial,city_code\n00000000199808150001,3701\n00000000199808150002,3702\n";
    let done = cohort(&scratch, "pboc --profile city-ff --show-key", BDK, table).done();
    let lines = lines(&done);
    assert_eq!(lines[0], ["row", "city_code", "app_serial", "factors", "check_value", "key"]);
    for (line, city) in lines[1..].iter().zip(["3701FFFFFFFFFFFF", "3702FFFFFFFFFFFF"]) {
        let (of_city, card) = line[3].split_once('/').unwrap();
        assert_eq!(of_city, city);
        let single = format!("diversify pboc --key - --show-key --factor {city} --factor {card}");
        let single = run_with(&single, BDK).done();
        assert_eq!((line[4], line[5]), (single.value("check value"), single.value("key")));
    }
    // Bytes are hexadecimal digits.
    let done = cohort(&scratch, "pboc --profile uid-80", BDK, "uid\na1b2c3d4\n").done();
    assert_eq!(
        done.stdout.lines().last().unwrap().split(',').collect::<Vec<_>>()[1..3],
        ["a1b2c3d4", "A1B2C3D480000000"]
    );
}

#[test]
fn the_key_of_a_city_derives_its_cards_and_no_others() {
    let scratch = Scratch::new("cohort-city");
    let table = "city_code,app_serial\n3701,00000000199808150001\n3702,00000000199808150002\n";
    let run = cohort(&scratch, "pboc --profile city-ff --city 3701FFFFFFFFFFFF --show-key", BDK, table);
    assert!(
        run.stderr.starts_with("row 2 (line 3): the card belongs to another city than the key\n"),
        "{run:?}"
    );
    let lines = lines(&run);
    assert_eq!((run.status, lines.len()), (1, 2));
    let card = pboc::derive(&tdea(BDK), factor(lines[1][3])).unwrap();
    assert_eq!((lines[1][3], lines[1][4]), ("0000199808150001", card.kcv().to_string().as_str()));
    // A province level plays no part below a city.
    let toll = "version-and-number\n0100199808150001\n";
    let done = cohort(&scratch, "pboc --profile toll --city 3701FFFFFFFFFFFF", BDK, toll).done();
    assert_eq!(done.stdout.lines().nth(1).unwrap().split(',').nth(2), Some("0100199808150001"));
}

#[test]
fn wrapped_keys_open_as_the_keys_of_their_cards() {
    let scratch = Scratch::new("cohort-wrap");
    let transport = scratch.file("transport.hex", TRANSPORT);
    let wrap = format!("--wrap-under @{transport} --function recharge --root-version 7 --show-key");
    let (city, card) = ("3701FFFFFFFFFFFF", "0000199808150001");
    let tables = [
        (format!("--levels 2 {wrap}"), format!("factor1,factor2\n{city},{card}\n"), [city, card]),
        (
            format!("--profile city-ff {wrap}"),
            "city_code,app_serial\n3701,00000000199808150001\n".into(),
            [city, card],
        ),
        (format!("--city {city} {wrap}"), format!("factor\n{card}\n"), [city, card]),
    ];
    for (arguments, table, [city, card]) in tables {
        let done = cohort(&scratch, &format!("pboc {arguments}"), BDK, &table).done();
        let lines = lines(&done);
        let [.., wrapped, _, key] = lines[1].as_slice() else { panic!("{done:?}") };
        assert_eq!(lines[0][lines[0].len() - 3], "wrapped");
        let bytes = base16ct::upper::decode_vec(wrapped).unwrap();
        let wrapped = WrappedKey::decode(&bytes).unwrap();
        let origin = Origin::card(7, factor(city), factor(card));
        let opened: CardKey<Recharge> =
            TransportKey::from_key(tdea(TRANSPORT)).unwrap(&wrapped, origin).unwrap();
        assert!(opened.expose_key().ct_eq(&tdea(key)));
    }
}

#[test]
fn what_does_not_go_together_is_wrong_usage() {
    let scratch = Scratch::new("cohort-usage");
    let transport = scratch.file("transport.hex", TRANSPORT);
    let usage = |arguments: &str| cohort(&scratch, arguments, BDK, "factor\n").usage();
    let wrap = format!("--wrap-under @{transport} --function tac --root-version 1");
    let unknown = "--wrap-under: a wrapped key names its city and its card";
    assert!(usage(&format!("pboc {wrap}")).starts_with(unknown));
    assert!(usage(&format!("pboc --levels 3 {wrap}")).starts_with(unknown));
    assert!(usage(&format!("pboc --profile toll {wrap}")).starts_with(unknown));
    assert!(usage(&format!("pboc --levels 2 --cipher sm4 {wrap}")).starts_with("--wrap-under: keys of TDEA"));
    assert!(usage(&format!("pboc --wrap-under @{transport}")).contains("--function <NAME>"));
    assert!(usage("pboc --function tac --root-version 1").contains("--wrap-under <K>"));
    assert!(usage("pboc --levels 5").starts_with("--levels <N>: "));
    assert!(usage("pboc --levels 2 --city 3701FFFFFFFFFFFF").starts_with("--levels is not used"));
    assert!(usage("pboc --levels 2 --profile city-ff").contains("--levels"));
    for table in ["", "--profile pboc-card"] {
        let city = usage(&format!("pboc {table} --city 3701FFFFFFFFFFFF"));
        assert!(city.starts_with("--city is not used: "), "{city}");
    }
    assert!(usage("emv --option a --psn 1").starts_with("--psn: a PAN sequence number is 2 digits"));
    assert!(usage("emv --option b --length aes-128").starts_with("--length is for option c"));
    assert!(usage("pboc --profile city").contains("no built-in dispersion profile has this name"));
    let version = usage("pboc --profile city-ff --profile-version 2");
    assert!(version.contains("the built-in profile has version 1, not 2"), "{version}");
    let stdin = run_with("diversify cohort pboc --key -", BDK).usage();
    assert!(stdin.starts_with("--key: standard input is read for something else already"), "{stdin}");
    let kcv = cohort(&scratch, "pboc --kcv-method ones", BDK, "factor\n1122334455667788\n").usage();
    assert_eq!(kcv, "--kcv-method ones is not for keys of this cipher");
}

#[test]
fn keys_that_do_not_suit_are_refused() {
    let scratch = Scratch::new("cohort-keys");
    let long = format!("{BDK}0123456776543210");
    let tables = [("pboc", "factor\n1122334455667788\n"), ("emv --option a", "pan\n1234567890123456\n")];
    for (arguments, table) in tables {
        let sentence = cohort(&scratch, arguments, &long, table).refused();
        assert_eq!(sentence, "--key: the derivation takes a double-length key");
    }
    let transport = scratch.file("transport.hex", "0123456789ABCDEF0123456789ABCDEF");
    let wrap = format!("pboc --levels 2 --wrap-under @{transport} --function tac --root-version 1");
    let sentence = cohort(&scratch, &wrap, BDK, "factor1,factor2\n").refused();
    assert_eq!(sentence, "--wrap-under: the transport key is too weak: key parts 1 and 2 are equal");
}

#[test]
fn refused_rows_are_named_and_cost_nobody_else() {
    let scratch = Scratch::new("cohort-refused");
    let table = "pan,psn\n12345678901234567,45\n12345678901234X67,00\n1234567890123456\n\n# a comment\n\
                 \"1234567890123456\",\"00\"\n,01\n1234567890123456,\"0\n1234567890123456,01\n";
    let run = cohort(&scratch, "emv --option a", BDK, table);
    assert_eq!(run.status, 1);
    let expected = "row,pan,psn,check_value\n1,12345678901234567,45,FF089D\n4,1234567890123456,00,BAB02F\n7,1234567890123456,01,";
    assert!(run.stdout.starts_with(expected), "{run:?}");
    let expected = "\
row 2 (line 3): digit 14 of PAN and sequence number is not decimal
row 3 (line 4): the row has fewer or more fields (1) than the line of names (2)
row 5 (line 8): pan: expected 8 to 19 digits, found 0
row 6 (line 9): digit 16 of PAN and sequence number is not decimal
error: 4 of 7 rows have no key, for the reasons named above
";
    assert_eq!(run.stderr, expected);

    let rejects = scratch.path().join("rejects.csv");
    let arguments = format!("emv --option a --rejects {}", rejects.display());
    let sentence = cohort(&scratch, &arguments, BDK, table);
    assert_eq!(sentence.stdout, run.stdout);
    let sentence = sentence.refused();
    assert!(sentence.starts_with("4 of 7 rows have no key, for the reasons named in "), "{sentence}");
    let expected = "row,line,reason\n2,3,digit 14 of PAN and sequence number is not decimal\n\
                    3,4,the row has fewer or more fields (1) than the line of names (2)\n5,8,\"pan: expected 8 to 19 digits, found 0\"\n\
                    6,9,digit 16 of PAN and sequence number is not decimal\n";
    assert_eq!(scratch.read("rejects.csv"), expected);
}

#[test]
fn faults_of_hexadecimal_columns_name_the_column() {
    let scratch = Scratch::new("cohort-hex");
    let reason = |arguments: &str, table: &str| {
        let run = cohort(&scratch, arguments, BDK, table);
        assert_eq!(run.status, 1);
        run.stderr.lines().next().unwrap().strip_prefix("row 1 (line 2): ").unwrap().to_owned()
    };
    assert_eq!(reason("pboc", "factor\n11223344556677\n"), "factor: a dispersion factor is 8 bytes, found 7");
    assert_eq!(
        reason("pboc --levels 2", "factor1,factor2\n1122334455667788,112233445566778G\n"),
        "factor2: the character at offset 15 is no hexadecimal digit"
    );
    assert_eq!(
        reason("gp --template cps", "kdd\n0001020304\n"),
        "kdd: key diversification data is 10 bytes, found 5"
    );
    assert_eq!(
        reason("pboc --profile city-ff", "city_code,app_serial\n3701,0000000019980815000X\n"),
        "card factor from application serial number: digit 19 is not decimal"
    );
}

#[test]
fn columns_that_are_missing_doubled_or_not_used_are_refused() {
    let scratch = Scratch::new("cohort-columns");
    let emv = |more: &str, table: &str| cohort(&scratch, &format!("emv --option a {more}"), BDK, table);
    let missing = emv("", "number,psn\n1234567890123456,00\n").refused();
    let expected = "standard input: column pan is missing: the first line has to name pan, in lower case and with commas \
                    between columns";
    assert_eq!(missing, expected);
    assert_eq!(
        emv("", "pan,pan\n1234567890123456,1234567890123456\n").refused(),
        "standard input: column pan is there twice"
    );
    let typing_error = "pan,PSN\n1234567890123456,01\n";
    let sentence = emv("", typing_error).refused();
    assert!(sentence.starts_with("standard input: column 2 is not used"), "{sentence}");
    let ignored = emv("--ignore-other-columns", typing_error).done();
    assert_eq!(ignored.stdout, "row,pan,psn,check_value\n1,1234567890123456,00,BAB02F\n");
    let sentence = emv("--psn 01", "pan,psn\n1234567890123456,00\n").refused();
    assert!(sentence.contains("column 2 is not used"), "{sentence}");
    for table in ["", "\n\n"] {
        assert!(emv("", table).refused().contains("column pan is missing"));
    }
    assert_eq!(emv("", "pan\n").refused(), "standard input: the table has no rows");
}

#[test]
fn sequence_number_comes_from_the_table_an_option_or_is_00() {
    let scratch = Scratch::new("cohort-psn");
    let emv = |more: &str, table: &str| {
        cohort(&scratch, &format!("emv --option a {more}"), BDK, table).done().stdout
    };
    let one = "pan\n12345678901234567\n";
    assert_eq!(emv("--psn 45", one), "row,pan,psn,check_value\n1,12345678901234567,45,FF089D\n");
    assert_eq!(emv("", one), emv("--psn 00", one));
    assert_eq!(emv("--psn 45", one), emv("", "psn,pan\n45,12345678901234567\n"));
}

/// What is no PAN for one card is none in a table.
#[test]
fn pans_have_8_to_19_digits_in_a_table_too() {
    let scratch = Scratch::new("cohort-short-pan");
    for pan in ["1234567", "12345678901234567890"] {
        let reason = format!("pan: expected 8 to 19 digits, found {}", pan.len());
        let run = cohort(&scratch, "emv --option a --mask-pan", BDK, &format!("pan\n{pan}\n"));
        assert_eq!((run.status, run.stdout.lines().count()), (1, 1));
        assert_eq!(run.stderr.lines().next(), Some(format!("row 1 (line 2): {reason}").as_str()));
        let alone = run_with(&format!("diversify emv --option a --key - --pan {pan}"), BDK).usage();
        assert_eq!(alone, format!("--{reason}"));
    }
    for pan in ["12345678", "1234567890123456789"] {
        let done = cohort(&scratch, "emv --option a", BDK, &format!("pan\n{pan}\n")).done();
        let alone = run_with(&format!("diversify emv --option a --key - --pan {pan}"), BDK).done();
        assert_eq!(lines(&done)[1][3], alone.value("check value"));
    }
}

#[test]
fn pans_are_masked_where_that_is_asked_for() {
    let scratch = Scratch::new("cohort-mask");
    let table = "pan\n1234567890123456\n12345678\n";
    let done = cohort(&scratch, "emv --option a --mask-pan", BDK, table).done();
    let pans: Vec<_> = lines(&done)[1..].iter().map(|line| line[1].to_owned()).collect();
    assert_eq!(pans, ["123456******3456", "******78"]);
}

#[test]
fn line_ends_marks_and_quotation_of_other_programs_are_taken() {
    let scratch = Scratch::new("cohort-programs");
    let expected = "row,pan,psn,check_value\n1,1234567890123456,00,BAB02F\n";
    let tables = [
        "\u{feff}pan,psn\r\n1234567890123456,00\r\n",
        "\"pan\",\"psn\"\n\"1234567890123456\",\"00\"",
        " pan , psn \n 1234567890123456 ,\t00\n",
    ];
    for table in tables {
        assert_eq!(cohort(&scratch, "emv --option a", BDK, table).done().stdout, expected, "{table:?}");
    }
}

#[test]
fn json_has_the_same_rows() {
    let scratch = Scratch::new("cohort-json");
    let table = "pan,psn\n12345678901234567,45\n1,X\n1234567890123456,00\n";
    let run = cohort(&scratch, "emv --option a --show-key --json", BDK, table);
    let json = run.json();
    let cards = json["cards"].as_array().unwrap();
    assert_eq!((run.status, cards.len()), (1, 2));
    assert_eq!(cards[0]["row"], 1);
    assert_eq!(cards[1]["row"], 3);
    assert_eq!(cards[1]["pan"], "1234567890123456");
    assert_eq!(cards[1]["check_value"], "BAB02F");
    assert_eq!(cards[1]["key"], "154F349D8585CB7F6B0798E9839B10C1");
    let nobody = cohort(&scratch, "emv --option a --json", BDK, "pan\nX\n");
    assert_eq!(nobody.json(), serde_json::json!({ "cards": [] }));
    // A field with a quotation mark or a comma in it comes through in both forms.
    let table = "city_code,atr_tail\na\"b,8660081600000100\n";
    let profile = "pboc --profile social-security";
    let json = cohort(&scratch, &format!("{profile} --json"), BDK, table).done().json();
    assert_eq!(json["cards"][0]["city_code"], "a\"b");
    assert!(cohort(&scratch, profile, BDK, table).done().stdout.contains("\n1,\"a\"\"b\",8660081600000100,"));
}

#[test]
fn result_goes_to_a_new_file_that_its_owner_alone_can_read() {
    let scratch = Scratch::new("cohort-out");
    let out = scratch.path().join("keys.csv");
    let arguments = format!("emv --option a --json --out {}", out.display());
    let done = cohort(&scratch, &arguments, BDK, "pan\n1234567890123456\n").done();
    assert_eq!((&done.json()["derived"], &done.json()["refused"]), (&1.into(), &0.into()));
    assert_eq!(scratch.read("keys.csv"), "row,pan,psn,check_value\n1,1234567890123456,00,BAB02F\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = cohort(&scratch, &arguments, BDK, "pan\n1\n").refused();
    assert!(again.ends_with("keys.csv exists and is not overwritten: name another file"), "{again}");
    // What fails leaves no file behind.
    let other = scratch.path().join("other.csv");
    let arguments = format!("emv --option a --out {}", other.display());
    assert!(cohort(&scratch, &arguments, BDK, "pan\n").refused().contains("no rows"));
    let endless = format!("pan\n1234567890123456\n{}", "1".repeat(70_000));
    let sentence = cohort(&scratch, &arguments, BDK, &endless).refused();
    assert!(sentence.contains("a line has more than 65536 bytes"), "{sentence}");
    assert!(!other.exists() && !scratch.path().join("other.csv.unfinished").exists());
    let missing = run(&format!("diversify cohort pboc --key @{} nothing.csv", scratch.file("k", BDK)));
    assert!(missing.refused().starts_with("nothing.csv can't be read: "));
}

#[test]
fn a_result_that_was_cut_short_has_no_lines() {
    let scratch = Scratch::new("cohort-cut");
    let (key, out) = (scratch.file("key.hex", BDK), scratch.path().join("keys.csv"));
    let unfinished = scratch.path().join("keys.csv.unfinished");
    let size = |path| fs::metadata(path).map_or(0, |file| file.len());
    let mut child = Command::new(PROGRAM)
        .args(["diversify", "cohort", "emv", "--option", "a", "--key", &format!("@{key}"), "--out"])
        .arg(&out)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // More than a chunk, and no end: the program has written lines and waits for more.
    let table: String = (0..20_000).fold("pan\n".into(), |table, row| table + &format!("622202{row:010}\n"));
    child.stdin.as_mut().unwrap().write_all(table.as_bytes()).unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while size(&unfinished) == 0 {
        assert!(Instant::now() < end, "no line was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::metadata(&out).unwrap().len(), 0);

    // What ends as it should leaves nothing beside the result.
    fs::remove_file(&out).unwrap();
    fs::remove_file(&unfinished).unwrap();
    let arguments = format!("emv --option a --out {}", out.display());
    cohort(&scratch, &arguments, BDK, "pan\n1234567890123456\n").done();
    assert!(size(&out) > 0 && !unfinished.exists());
}

#[test]
fn many_rows_come_out_in_their_order_with_the_keys_of_the_library() {
    // Two chunks and some, none of a length that divides well.
    const ROWS: usize = 2 * 16_384 + 777;
    let scratch = Scratch::new("cohort-many");
    let mut table = String::from("pan,psn\n");
    for row in 0..ROWS {
        // One row in a thousand is none.
        let psn = if row % 1000 == 999 { "x" } else { "01" };
        writeln!(table, "622202{row:010},{psn}").unwrap();
    }
    let run = cohort(&scratch, "emv --option a --show-key", BDK, &table);
    assert_eq!((run.status, run.stderr.lines().count()), (1, ROWS / 1000 + 1));
    let master = MdkAc::from_key(tdea(BDK));
    let mut shown = run.stdout.lines().skip(1);
    for row in (0..ROWS).filter(|row| row % 1000 != 999) {
        let pan = format!("622202{row:010}");
        let key = master.diversify_a(&PanPsn::new(&pan, Some("01")).unwrap()).unwrap();
        let bytes = base16ct::upper::encode_string(key.expose_key().expose_bytes());
        assert_eq!(shown.next(), Some(format!("{},{pan},01,{},{bytes}", row + 1, key.kcv()).as_str()));
    }
    assert_eq!(shown.next(), None);
}

#[test]
fn a_reader_that_goes_away_ends_the_cohort_quietly() {
    let scratch = Scratch::new("cohort-pipe");
    let key = scratch.file("key.hex", BDK);
    let table: String = (0..100_000).fold("pan\n".into(), |table, row| table + &format!("622202{row:010}\n"));
    let table = scratch.file("table.csv", table);
    let mut child = Command::new(PROGRAM)
        .args(["diversify", "cohort", "emv", "--option", "a", "--key", &format!("@{key}"), &table])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_has_a_progress_bar_and_a_pipe_has_none() {
    let scratch = Scratch::new("cohort-progress");
    let key = scratch.file("key.hex", BDK);
    let table: String = (0..50_000).fold("pan\n".into(), |table, row| table + &format!("622202{row:010}\n"));
    let table = scratch.file("table.csv", table);
    let command = |out: &str| {
        format!(
            "diversify cohort emv --option a --key @{key} --out {}/{out} {table}",
            scratch.path().display()
        )
    };
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{PROGRAM} {}", command("terminal.csv")))
        .arg("/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux is there");
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && screen.contains("rows") && screen.contains('%'), "{screen}");
    assert_eq!(run(&command("pipe.csv")).done().value("derived"), "50000");
    assert_eq!(scratch.read("terminal.csv"), scratch.read("pipe.csv"));
}

#[test]
fn profiles_are_listed_with_their_columns() {
    let json = run("diversify profiles --json").done().json();
    let rows = json["profiles"].as_array().unwrap();
    assert_eq!(rows.len(), 15);
    let row = rows.iter().find(|row| row["profile"] == "toll" && row["level"] == "card").unwrap();
    assert_eq!((&row["column"], &row["value"]), (&"version-and-number".into(), &"hexadecimal".into()));
}
