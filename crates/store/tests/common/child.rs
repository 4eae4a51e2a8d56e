//! A process of its own to be killed: this test program once more, told by its environment what to do.

use std::env;
use std::io::{BufRead, BufReader, Read, Write, stdout};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;

use cardroot_store::Error;
use cardroot_store::dukpt::guard::ReplayGuard;

use super::load::{self, Ledger};

const TASK: &str = "CARDROOT_STORE_TEST_CHILD";

/// What a child is told: where the store is, which round it is, and the first counter.
pub struct Task {
    pub store: String,
    pub round: u32,
    pub start: u32,
}

/// The task of this process, if it is a child.
pub fn task() -> Option<Task> {
    let told = env::var(TASK).ok()?;
    let mut told = told.splitn(3, ' ');
    let mut number = || told.next().unwrap().parse().unwrap();
    let (round, start) = (number(), number());
    Some(Task { store: told.next().unwrap().to_owned(), round, start })
}

/// Works until it is killed, and says line by line what was accepted.
pub fn work<G: ReplayGuard<Error = Error> + Sync>(guard: &G, task: &Task) {
    println!("\nopen");
    load::run(guard, task.round, task.start, &AtomicBool::new(false), &say);
}

/// Says that a counter was accepted.
pub fn say(terminal: u32, counter: u32) {
    let mut out = stdout().lock();
    writeln!(out, "accepted {terminal} {counter}").unwrap();
    out.flush().unwrap();
}

/// Starts a child: the test `child` of the program that runs, by itself or through a shell's script.
pub fn spawn(task: &Task) -> Child {
    spawn_by("child", task, None)
}

/// Starts a child: the test `name` of the program that runs, through a shell's script that gets the program as arguments.
pub fn spawn_by(name: &str, task: &Task, script: Option<&str>) -> Child {
    let program = env::current_exe().unwrap();
    let mut command = match script {
        Some(script) => {
            let mut command = Command::new("sh");
            command.args(["-c", script, "sh"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(["--exact", name, "--nocapture", "--test-threads=1", "--include-ignored"]);
    command.env(TASK, format!("{} {} {}", task.round, task.start, task.store));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets a child work until it has said `lines` times that something was accepted, then kills it. All that it ever said goes into the
/// ledger.
pub fn kill_after(mut child: Child, lines: usize, ledger: &mut Ledger) {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let target = ledger.len() + lines;
    while ledger.len() < target {
        read_line(&mut out, ledger).expect("the child works until it is killed");
    }
    // SIGKILL: no destructor runs.
    child.kill().unwrap();
    while read_line(&mut out, ledger).is_some() {}
    assert!(!child.wait().unwrap().success());
}

/// Lets a child work until it ends by itself, and returns what it said besides.
pub fn wait(mut child: Child, ledger: &mut Ledger) -> String {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut rest = String::new();
    while let Some(line) = read_line(&mut out, ledger) {
        rest += &line;
    }
    child.wait().unwrap();
    rest
}

/// Waits until a child has opened the store.
pub fn wait_until_open(child: &mut Child) {
    let out = child.stdout.as_mut().unwrap();
    let (mut said, mut byte) = (String::new(), [0]);
    while !said.ends_with("\nopen\n") {
        out.read_exact(&mut byte).unwrap();
        said.push(byte[0].into());
    }
}

/// Reads one line, and returns it if it is none of the ledger. A line without its end was never said.
fn read_line(out: &mut impl BufRead, ledger: &mut Ledger) -> Option<String> {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let said = line.strip_suffix('\n')?;
    let Some(("accepted", numbers)) = said.split_once(' ') else { return Some(line) };
    let (terminal, counter) = numbers.split_once(' ').unwrap();
    ledger.accept(terminal.parse().unwrap(), counter.parse().unwrap());
    Some(String::new())
}
