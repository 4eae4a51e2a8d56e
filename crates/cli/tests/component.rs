//! `cardroot component`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, Run, Scratch, rows, run, run_with};

#[test]
fn published_components_make_their_keys() {
    let rows = rows("components.csv", include_str!("data/components.csv"), 10);
    let tdea: Vec<_> = rows.iter().filter(|row| row[1] == "tdea").collect();
    assert_eq!(tdea.len(), 7);
    let scratch = Scratch::new("published-components");
    for row in tdea {
        let [id, _, parity, components, key, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let parity = match parity.as_str() {
            "keep" => "keep",
            "adjust-to-odd" => "adjust",
            "require-odd" => "require",
            other => panic!("{other}"),
        };
        let mut arguments = format!("component combine --parity {parity} --expect-kcv {kcv} --show-key");
        for (number, component) in components.split('/').enumerate() {
            arguments += &format!(" --component @{}", scratch.file(&format!("{id}-{number}.hex"), component));
        }
        let combined = run(&arguments).done();
        assert_eq!(combined.value("key"), key, "{id}");
        assert_eq!(combined.value("check value"), kcv, "{id}");
    }
}

#[test]
fn split_key_comes_back_by_combine_in_any_order() {
    let scratch = Scratch::new("split");
    let key = scratch.file("key.hex", BDK);
    let folder = scratch.path().display();
    let split =
        run(&format!("component split --json --key @{key} --parts 3 --out-dir {folder}")).done().json();
    assert_eq!(split["check_value"], "08D7B4");
    assert_eq!(scratch.names(), ["component-1.hex", "component-2.hex", "component-3.hex", "key.hex"]);
    for (number, row) in (1..).zip(split["components"].as_array().unwrap()) {
        let file = format!("component-{number}.hex");
        assert_eq!(row["component"], number);
        assert_eq!(row["file"], scratch.path().join(&file).to_str().unwrap());
        assert!(!split.to_string().contains(scratch.read(&file).trim_end()));
        let checked = run(&format!("key check --key @{folder}/{file}"));
        assert!(checked.stdout.contains(row["check_value"].as_str().unwrap()), "{checked:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(scratch.path().join(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let combined = run(&format!(
        "component combine --component @{folder}/component-3.hex --component @{folder}/component-1.hex \
         --component @{folder}/component-2.hex --expect-kcv 08D7B4FB --show-key"
    ));
    assert_eq!(combined.done().value("key"), BDK);
}

#[test]
fn split_writes_all_files_or_none() {
    let scratch = Scratch::new("split-or-none");
    scratch.file("component-2.hex", "precious");
    let folder = scratch.path().display();
    let split = run_with(&format!("component split --key - --parts 3 --out-dir {folder}"), BDK);
    assert_eq!(split.stdout, "");
    assert!(split.refused().contains("component-2.hex exists"));
    assert_eq!(scratch.names(), ["component-2.hex"]);
    assert_eq!(scratch.read("component-2.hex"), "precious");
}

#[test]
fn split_makes_a_folder_for_its_owner_alone() {
    let scratch = Scratch::new("split-folder");
    let folder = scratch.path().join("custody");
    let command = format!("component split --key - --parts 2 --out-dir {}", folder.display());
    run_with(&command, BDK).done();
    assert!(folder.join("component-2.hex").is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let missing = scratch.path().join("no/custody");
    let refused =
        run_with(&format!("component split --key - --parts 2 --out-dir {}", missing.display()), BDK);
    assert!(refused.refused().contains("can't be made"));
}

#[test]
fn weak_key_and_impossible_number_of_parts_are_refused() {
    let weak = run_with("component split --key - --parts 2 --out-dir .", &"13".repeat(16)).refused();
    assert_eq!(weak, "--key must not be used: key parts 1 and 2 are equal");
    for parts in ["1", "10"] {
        let sentence = run(&format!("component split --key - --parts {parts} --out-dir .")).usage();
        assert_eq!(sentence, format!("--parts <N>: a key has 2 to 9 components, found {parts}"));
    }
}

const FIRST: &str = "E09B073B4007541FAB76B04370451031";
const SECOND: &str = "4CBF5D51EA8525EF045EFED6E386D9D9";

/// Combines two components, the first from standard input.
fn combine(test: &str, first: &str, second: &str, options: &str) -> Run {
    let scratch = Scratch::new(test);
    let second = scratch.file("second.hex", second);
    run_with(&format!("component combine --component - --component @{second} {options}"), first)
}

#[test]
fn check_value_is_expected_of_the_key_and_of_each_component() {
    let options = "--component-kcv 30062C --component-kcv 01A4D8 --expect-kcv 40D522";
    combine("expected-all", FIRST, SECOND, options).done();

    let key = combine("expected-key", FIRST, SECOND, "--expect-kcv 40D523").refused();
    assert_eq!(key, "the key has check value 40D522, not 40D523: it is another one or mistyped");
    let options = "--component-kcv 30062C --component-kcv 01A4D9";
    let component = combine("expected-component", FIRST, SECOND, options).refused();
    assert_eq!(component, "component 2 has check value 01A4D8, not 01A4D9: it is another one or mistyped");
}

#[test]
fn check_values_of_some_components_only_are_wrong_usage() {
    let sentence = combine("some-kcvs", FIRST, SECOND, "--component-kcv 30062C").usage();
    let wanted = "give one for each, in their order, or none";
    assert_eq!(sentence, format!("--component-kcv is given 1 times for 2 components: {wanted}"));
}

#[test]
fn check_values_by_a_method_of_aes_are_wrong_usage_and_nothing_is_stored() {
    let scratch = Scratch::new("method-of-aes");
    let parts = scratch.path().join("parts");
    let command =
        format!("component split --key - --parts 2 --kcv-method ones --out-dir {}", parts.display());
    assert_eq!(run_with(&command, BDK).usage(), "--kcv-method ones is not for keys of this cipher");
    assert!(!parts.exists());
    combine("combined-method-of-aes", FIRST, SECOND, "--kcv-method ones").usage();
    run_with("key check --kcv-method ones --key -", BDK).usage();
    let out = scratch.path().join("key");
    run(&format!("key generate --length double --kcv-method ones --out {}", out.display())).usage();
    assert!(!out.exists());
}

#[test]
fn refused_key_is_not_stored() {
    let scratch = Scratch::new("refused-key-out");
    let out = scratch.path().join("out.hex");
    let options = format!("--expect-kcv 40D523 --out {}", out.display());
    combine("refused-key", FIRST, SECOND, &options).refused();
    assert!(!out.exists());
}

#[test]
fn components_that_make_no_key_are_refused_by_number() {
    for (test, first, second, fault) in [
        ("equal", FIRST, FIRST, "component 2: the component is equal to component 1"),
        ("zero", FIRST, &"00".repeat(16), "component 2: the component is zero"),
        ("longer", FIRST, &"12".repeat(24), "component 2: the component is 24 bytes long, the key 16"),
        ("short", FIRST, "1234", "component 2: @SECOND is refused: no key of this cipher is 2 bytes long"),
    ] {
        let second_file = Scratch::new(test).path().join("second.hex").display().to_string();
        let sentence = combine(test, first, second, "").refused();
        assert_eq!(sentence.replace(&second_file, "SECOND"), fault);
    }
}

#[test]
fn parity_of_the_key_is_kept_adjusted_or_required() {
    let kept = combine("parity-keep", FIRST, SECOND, "--show-key").done();
    assert_eq!((kept.value("parity"), kept.value("key")), ("even", "AC245A6AAA8271F0AF284E9593C3C9E8"));
    let adjusted = combine("parity-adjust", FIRST, SECOND, "--show-key --parity adjust").done();
    assert_eq!(
        (adjusted.value("parity"), adjusted.value("key")),
        ("odd", "AD255B6BAB8370F1AE294F9492C2C8E9")
    );
    let required = combine("parity-require", FIRST, SECOND, "--parity require").refused();
    assert_eq!(required, "key byte 0 has even parity");
}
