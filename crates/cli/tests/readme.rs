//! The README says what the program does.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic here is the test's report")]

mod common;

use std::env;
use std::path::Path;

use common::{PROGRAM, Scratch};

/// A command of a console block, with what follows it on the screen.
struct Example {
    command: String,
    output: String,
}

#[test]
fn examples_print_what_the_readme_shows() {
    let scratch = Scratch::new("readme");
    let examples = examples(include_str!("../README.md"));
    for Example { command, output } in &examples {
        let shown = shell(scratch.path(), command);
        assert!(matches(&shown, output), "$ {command}\nprints\n{shown}\nand not\n{output}");
    }
    println!("{} examples", examples.len());
    assert_eq!(examples.len(), 106);
}

/// The commands of all console blocks; a line after `> ` goes on with the command before.
fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command: command.into(), output: String::new() });
        } else if let Some(more) = line.strip_prefix("> ") {
            examples.last_mut().unwrap().command += &format!("\n{more}");
        } else {
            examples.last_mut().unwrap().output += &format!("{line}\n");
        }
    }
    examples
}

/// What a command prints on the screen, standard output and error together.
fn shell(folder: &Path, command: &str) -> String {
    let bin = Path::new(PROGRAM).parent().unwrap();
    let path =
        env::join_paths([bin.into()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())))
            .unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Compares, `…` standing for anything within a line.
fn matches(shown: &str, expected: &str) -> bool {
    shown.lines().count() == expected.lines().count()
        && shown.lines().zip(expected.lines()).all(|(shown, expected)| match expected.split_once('…') {
            Some((start, end)) => shown.starts_with(start) && shown.ends_with(end),
            None => shown == expected,
        })
}
