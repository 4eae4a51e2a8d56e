//! `cardroot diversify`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, Scratch, rows, run, run_with};

#[test]
fn pboc_keys_are_the_known_ones() {
    let rows = rows("diversify_pboc.csv", include_str!("data/diversify_pboc.csv"), 11);
    for (alg, cipher, expected) in [("3DES", "tdea", 6), ("SM4", "sm4", 2)] {
        let rows: Vec<_> = rows.iter().filter(|row| row[1] == alg).collect();
        assert_eq!(rows.len(), expected);
        for row in rows {
            let [id, _, root, factors, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
            let factors: Vec<&str> = factors.split('/').collect();
            let arguments = format!("--cipher {cipher} --show-key --factor {}", factors.join(" --factor "));
            let json = run_with(&format!("--json diversify pboc --key - {arguments}"), root).done().json();
            assert_eq!(json["cipher"], cipher, "{id}");
            assert_eq!(json["key"], *derived, "{id}");
            assert_eq!(json["check_value"], *kcv, "{id}");
            let levels = json["levels"].as_array().unwrap();
            assert!(levels.iter().map(|level| level["factor"].as_str().unwrap()).eq(factors), "{id}");
            assert_eq!(levels.last().unwrap()["check_value"], *kcv, "{id}");
        }
    }
}

#[test]
fn triple_length_parent_is_refused() {
    let parent = format!("{BDK}0123456776543210");
    let sentence = run_with("diversify pboc --key - --factor 1122334455667788", &parent).refused();
    assert!(sentence.starts_with("--key: ") && sentence.contains("double-length key"), "{sentence}");
}

#[test]
fn factor_of_other_length_and_unknown_cipher_are_wrong_usage() {
    let factor = run_with("diversify pboc --key - --factor 11223344556677", BDK).usage();
    assert_eq!(factor, "--factor <H>: a dispersion factor is 8 bytes, found 7");
    let cipher = run_with("diversify pboc --key - --factor 1122334455667788 --cipher des", BDK).usage();
    assert!(cipher.contains("'des'") && cipher.contains("[possible values: tdea, sm4]"), "{cipher}");
    assert!(run_with("diversify pboc --key -", BDK).usage().contains("--factor <H>"));
}

#[test]
fn emv_keys_of_all_options_are_the_published_ones() {
    let rows = rows("diversify_emv_mk.csv", include_str!("data/diversify_emv_mk.csv"), 17);
    let mut checked = [0; 3];
    let scratch = Scratch::new("emv");
    for row in &rows {
        let [id, option, _, master, pan, psn, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let option = option.to_lowercase();
        // AES keys are as long as the row has them.
        let length =
            if option == "c" { format!("--length aes-{}", 4 * derived.len()) } else { String::new() };
        let master = scratch.file(&format!("{id}.hex"), master);
        let arguments =
            format!("diversify emv --option {option} {length} --key @{master} --psn {psn} --show-key --pan");
        let done = run_with(&format!("{arguments} -"), pan).done();
        assert_eq!((done.value("key"), done.value("check value")), (derived.as_str(), kcv.as_str()), "{id}");
        assert!(!done.stdout.contains(pan.as_str()), "{done:?}");
        assert_eq!(run(&format!("{arguments} {pan}")).done().stdout, done.stdout);
        checked[["a", "b", "c"].iter().position(|known| *known == option).unwrap()] += 1;
    }
    println!("{checked:?} rows of options A, B and C");
    assert_eq!(checked, [8, 6, 3]);
}

#[test]
fn aes_key_is_as_long_as_the_issuers_unless_said_otherwise() {
    let emv = |more: &str, key: &str| {
        run_with(&format!("diversify emv --option c --key - --pan 1234567890123456 {more}"), key)
    };
    assert_eq!(emv("", BDK).done().value("length"), "aes-128");
    assert_eq!(emv("", &format!("{BDK}{BDK}")).done().value("length"), "aes-256");
    assert_eq!(emv("--length aes-192", BDK).done().value("length"), "aes-192");
    let short = emv("", "0123456789ABCDEF").refused();
    assert_eq!(short, "--key: standard input is refused: an AES key is 16, 24 or 32 bytes, found 8");
    let tdea = run_with("diversify emv --option a --length aes-128 --key - --pan 1234567890123456", BDK);
    assert!(tdea.usage().starts_with("--length is for option c"));
}

#[test]
fn sequence_number_is_00_unless_given_and_two_digits() {
    let emv =
        |psn: &str| run_with(&format!("diversify emv --option a --key - --pan 1234567890123456 {psn}"), BDK);
    assert_eq!(emv("").done().stdout, emv("--psn 00").done().stdout);
    assert_eq!(emv("--psn 1").usage(), "--pan and --psn: a PAN sequence number is 2 digits, found 1");
}

#[test]
fn personalisation_keys_are_the_known_ones() {
    let rows = rows("diversify_gp.csv", include_str!("data/diversify_gp.csv"), 19);
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
        let arguments = format!("--json diversify gp --template {template} --key - --kdd {data}");
        let json = run_with(&format!("{arguments} --show-key"), master).done().json();
        let index = ["ENC", "MAC", "DEK"].iter().position(|name| name == purpose).unwrap();
        assert_eq!(json["template"], template, "{id}");
        assert_eq!(json["keys"][index]["name"], format!("k{}", purpose.to_lowercase()), "{id}");
        assert_eq!(json["keys"][index]["key"], *derived, "{id}");
        assert_eq!(json["keys"][index]["check_value"], *kcv, "{id}");
        assert!(!run_with(&arguments, master).done().stdout.contains(derived.as_str()));
        checked += 1;
    }
    println!("{checked} rows of templates");
    assert_eq!(checked, 6 + 6);
}

#[test]
fn template_emv_is_another_name_of_cps() {
    let gp = |template| {
        run_with(&format!("diversify gp --template {template} --key - --kdd 00010203040506070809"), BDK)
    };
    assert_eq!(gp("emv").done().stdout, gp("cps").done().stdout);
}

#[test]
fn check_value_methods_of_other_ciphers_are_wrong_usage() {
    let pboc = "diversify pboc --key - --factor 1122334455667788 --kcv-method";
    assert_eq!(
        run_with(&format!("{pboc} ones"), BDK).usage(),
        "--kcv-method ones is not for keys of this cipher"
    );
    assert_eq!(
        run_with(&format!("{pboc} cmac --cipher sm4"), BDK).usage(),
        "--kcv-method cmac is not for keys of this cipher"
    );
    assert_eq!(run_with(&format!("{pboc} cmac --kcv-len 8"), BDK).done().value("check value").len(), 16);
}

#[test]
fn diversification_data_of_other_length_is_wrong_usage() {
    let sentence = run_with("diversify gp --template cps --key - --kdd 0001", BDK).usage();
    assert_eq!(sentence, "--kdd <H>: key diversification data is 10 bytes, found 2");
}

#[test]
fn keys_that_are_made_together_are_stored_together() {
    let scratch = Scratch::new("gp-out");
    let folder = scratch.path().join("card");
    let gp = |more: &str| {
        let gp = "--json diversify gp --template cps --key - --kdd 00010203040506070809";
        run_with(&format!("{gp} --out-dir {} {more}", folder.display()), BDK)
    };
    let shown = gp("--show-key").done().json();
    for (index, name) in ["kenc", "kmac", "kdek"].iter().enumerate() {
        let path = folder.join(format!("{name}.hex"));
        let (row, stored) = (&shown["keys"][index], std::fs::read_to_string(&path).unwrap());
        assert_eq!(row["file"], path.display().to_string());
        assert_eq!(format!("{}\n", row["key"].as_str().unwrap()), stored);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    let session =
        "kenc kmac kdek".split(' ').map(|name| format!("--{name} @{}/{name}.hex", folder.display()));
    let session = session.collect::<Vec<_>>().join(" ");
    run(&format!("diversify session cps --sequence 0001 {session}")).done();

    // All or none: the last file is in the way of the first.
    std::fs::remove_file(folder.join("kenc.hex")).unwrap();
    std::fs::remove_file(folder.join("kmac.hex")).unwrap();
    let sentence = gp("").refused();
    assert!(sentence.ends_with("kdek.hex exists and is not overwritten: name another file"), "{sentence}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}
