//! PostgreSQL servers of our own, on loopback, for tests that kill them.

use std::env;
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use tempfile::TempDir;

/// The folder of PostgreSQL's programs.
pub const PROGRAMS: &str = "CARDROOT_POSTGRES_BIN";

/// One server and its folder; both go when it is dropped.
pub struct Cluster {
    folder: TempDir,
    pub port: u16,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
}

impl Cluster {
    /// Makes a server and starts it with these settings.
    pub fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        run(
            "initdb",
            &["-D", data.to_str().unwrap(), "-U", "postgres", "-A", "trust", "-k", "--no-instructions"],
        );
        let cluster = Self::in_folder(folder, settings);
        cluster.run();
        cluster
    }

    /// Makes a server that follows this one, under a name for `synchronous_standby_names`.
    pub fn standby(&self, name: &str, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        run("pg_basebackup", &["-D", data.to_str().unwrap(), "-R", "-c", "fast", "-d", &source]);
        let cluster = Self::in_folder(folder, settings);
        cluster.run();
        cluster
    }

    fn in_folder(folder: TempDir, settings: &[&str]) -> Self {
        // The port is free now; that it stays free is the luck of tests.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self { folder, port, settings, server: Mutex::default() }
    }

    /// Starts the server, and waits until it answers.
    pub fn run(&self) {
        let (port, socket) = (self.port, self.folder.path().display());
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".into(),
            format!("unix_socket_directories={socket}"),
            "shared_buffers=32MB".into(),
            "max_connections=60".into(),
        ];
        let mut server = program("postgres");
        server.args(["-D", &self.data()]).stdin(Stdio::null());
        for setting in settings.iter().chain(&self.settings) {
            server.args(["-c", setting]);
        }
        let log = OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        *self.server.lock().unwrap() = Some(server.stderr(log).spawn().unwrap());
        wait_until("the server answers", || Client::connect(&self.address(), NoTls).is_ok());
    }

    /// Kills every process of the server.
    pub fn kill(&self) {
        let mut server = self.server.lock().unwrap().take().unwrap();
        let postmaster = server.id().to_string();
        // Stopped first, so that it makes no more of them.
        signal("-STOP", &[&postmaster]);
        let children = children(&postmaster);
        signal("-KILL", &children.iter().chain([&postmaster]).collect::<Vec<_>>());
        server.wait().unwrap();
        // Their memory is free for a restart when all are gone.
        wait_until("the processes are gone", || !children.iter().any(|pid| is_alive(pid)));
    }

    /// Ends the server at once, as a crash would, but in order.
    pub fn stop(&self) {
        let Some(mut server) = self.server.lock().unwrap().take() else { return };
        signal("-QUIT", &[&server.id().to_string()]);
        server.wait().unwrap();
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        run("pg_ctl", &["promote", "-s", "-w", "-D", &self.data()]);
    }

    pub fn data(&self) -> String {
        self.folder.path().join("data").to_str().unwrap().to_owned()
    }

    pub fn address(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname=postgres connect_timeout=2", self.port)
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.address(), NoTls).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(signal: &str, pids: &[&String]) {
    assert!(Command::new("kill").arg(signal).args(pids).stderr(Stdio::null()).status().is_ok());
}

fn program(name: &str) -> Command {
    let folder =
        env::var(PROGRAMS).unwrap_or_else(|_| panic!("{PROGRAMS} names no folder; use ci/postgres.sh"));
    Command::new(PathBuf::from(folder).join(name))
}

fn run(name: &str, arguments: &[&str]) {
    let status = program(name).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{name} {arguments:?}: {status}");
}

fn children(parent: &str) -> Vec<String> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    processes.filter(|pid| parent_of(pid).as_deref() == Some(parent)).collect()
}

/// The fields of `/proc/PID/stat` after the name in parentheses: state, parent.
fn status(pid: &str) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
}

fn parent_of(pid: &str) -> Option<String> {
    status(pid).map(|(_, parent)| parent)
}

fn is_alive(pid: &str) -> bool {
    status(pid).is_some_and(|(state, _)| state != "Z")
}

/// Waits for a fact, half a minute at most.
pub fn wait_until(fact: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {fact}");
        thread::sleep(Duration::from_millis(10));
    }
}
