//! PostgreSQL servers that die, are replaced, or are set wrongly. `sh ci/postgres.sh` says where their programs are.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use cardroot_store::contract::{self, Effort};
use cardroot_store::dukpt::guard::{Policy, ReplayGuard, Verdict, Window, block_on};
use cardroot_store::{Error, PostgresGuard, PostgresOptions, Setting};
use common::cluster::{Cluster, wait_until};
use common::load::{self, Ledger, claim};
use postgres::{Client, NoTls};

fn create(cluster: &Cluster) -> PostgresGuard {
    PostgresGuard::create(&PostgresOptions::new(&cluster.address()).unwrap(), Policy::Strict).unwrap()
}

/// Has terminals at work while `meanwhile` happens, and writes down what is acknowledged.
fn under_load(guard: &PostgresGuard, round: u32, ledger: &Mutex<Ledger>, meanwhile: impl FnOnce()) {
    let (stop, start) = (AtomicBool::new(false), ledger.lock().unwrap().restart());
    let accepted = |terminal, counter| ledger.lock().unwrap().accept(terminal, counter);
    thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| load::run(guard, round, start, &stop, &accepted));
        meanwhile();
    });
}

/// Ends the load also when something fails meanwhile.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until so many more are acknowledged.
fn await_more(ledger: &Mutex<Ledger>, more: usize) {
    let target = ledger.lock().unwrap().len() + more;
    wait_until("more is acknowledged", || ledger.lock().unwrap().len() >= target);
}

fn kill_servers(rounds: u32) {
    let cluster = Cluster::start(&[]);
    let guard = create(&cluster);
    let ledger = Mutex::new(Ledger::default());
    for round in 0..rounds {
        under_load(&guard, round, &ledger, || {
            await_more(&ledger, 100 + usize::try_from(round * 37 % 101).unwrap());
            cluster.kill();
            thread::sleep(Duration::from_millis(u64::from(round * 13 % 50)));
            cluster.run();
            await_more(&ledger, 50);
        });
        ledger.lock().unwrap().verify(&guard);
    }
    println!(
        "{rounds} kills of the server, {} acknowledged, none lost, none twice",
        ledger.lock().unwrap().len()
    );
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_killed_server_loses_nothing_acknowledged_and_accepts_nothing_twice() {
    kill_servers(5);
}

#[test]
#[ignore = "needs PostgreSQL, minutes: sh ci/postgres.sh long"]
fn a_killed_server_loses_nothing_acknowledged_for_long() {
    kill_servers(60);
}

/// A primary that commits with one standby, the standby, and an address that finds whichever writes.
fn pair() -> (Cluster, Cluster, PostgresOptions) {
    let primary = Cluster::start(&["wal_level=replica"]);
    let standby = primary.standby("s1", &["synchronous_standby_names=", "wal_retrieve_retry_interval=100ms"]);
    let mut client = primary.client();
    // Not from the start: a server that makes its own databases has nobody to wait for.
    client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1)'").unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    wait_until("the standby is synchronous", || {
        let state =
            client.query_one("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'", &[]);
        state.unwrap().get::<_, i64>(0) == 1
    });
    let address = format!(
        "host=127.0.0.1,127.0.0.1 port={},{} user=postgres dbname=postgres connect_timeout=2 \
         target_session_attrs=read-write",
        primary.port, standby.port
    );
    let options = PostgresOptions::new(&address).unwrap();
    (primary, standby, options)
}

fn fail_over() {
    let (primary, standby, options) = pair();
    drop(PostgresGuard::create(&options.clone().require_standbys(), Policy::Strict).unwrap());
    // The server that is promoted has no standby yet, so this guard can't ask for one.
    let guard = PostgresGuard::open(&options, Policy::Strict).unwrap();
    let ledger = Mutex::new(Ledger::default());
    let (mut before, mut outage) = (0, Duration::ZERO);
    under_load(&guard, 1, &ledger, || {
        await_more(&ledger, 1000);
        primary.kill();
        let killed = Instant::now();
        before = ledger.lock().unwrap().len();
        standby.promote();
        await_more(&ledger, 1);
        outage = killed.elapsed();
        await_more(&ledger, 500);
    });
    let ledger = ledger.into_inner().unwrap();
    ledger.verify(&guard);
    let all = ledger.len();
    println!(
        "failover: {before} acknowledged before, {all} in all, none lost, none twice, {outage:?} without answers"
    );
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_standby_that_takes_over_has_everything_acknowledged_and_accepts_nothing_twice() {
    fail_over();
}

#[test]
#[ignore = "needs PostgreSQL, minutes: sh ci/postgres.sh long"]
fn a_standby_that_takes_over_has_everything_acknowledged_for_long() {
    for _ in 0..10 {
        fail_over();
    }
}

/// Cancelling a commit that waits for its standby makes PostgreSQL commit without it and answer as if nothing were amiss, but
/// for a warning.
#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_commit_that_did_not_wait_for_its_standby_is_not_acknowledged() {
    let (primary, standby, options) = pair();
    let guard = PostgresGuard::create(&options.require_standbys(), Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    standby.stop();
    let mut client = primary.client();
    let mut cancelled = |answer: &thread::ScopedJoinHandle<'_, _>| {
        let waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        wait_until("the waits are cancelled", || {
            client.query(waiting, &[]).unwrap();
            answer.is_finished()
        });
    };
    let next = claim(1, 2, [1, 2]);
    thread::scope(|scope| {
        // The second time the row is there, on one disk. It is no repeat before the standby has it.
        for _ in 0..2 {
            let answer = scope.spawn(|| block_on(guard.advance(&[next])));
            cancelled(&answer);
            let answer = answer.join().unwrap();
            assert!(matches!(answer, Err(Error::OutcomeUnknown(_))), "{answer:?}");
        }
        let answer = scope.spawn(|| block_on(guard.advance(&[next])));
        thread::sleep(Duration::from_millis(100));
        assert!(!answer.is_finished());
        standby.run();
        assert_eq!(answer.join().unwrap().unwrap(), [Verdict::Repeated]);
    });
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_standby_takes_no_claims_until_it_is_promoted() {
    let (primary, standby, options) = pair();
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    let reader = PostgresOptions::new(&standby.address()).unwrap();
    wait_until("the standby has the tables", || PostgresGuard::open(&reader, Policy::Strict).is_ok());
    let guard = PostgresGuard::open(&reader, Policy::Strict).unwrap();
    assert!(matches!(block_on(guard.advance(&[claim(1, 1, [1, 1])])), Err(Error::Unavailable(_))));
    thread::scope(|scope| {
        let answer = scope.spawn(|| block_on(guard.advance(&[claim(1, 1, [1, 1])])));
        thread::sleep(Duration::from_millis(300));
        drop(primary);
        standby.promote();
        assert_eq!(answer.join().unwrap().unwrap(), [Verdict::Accepted { previous: None }]);
    });
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_server_that_is_set_to_forget_is_refused_also_while_a_guard_is_open() {
    let cluster = Cluster::start(&[]);
    // One connection, so that the next statement is of the session that was checked before.
    let options = PostgresOptions::new(&cluster.address()).unwrap().connections(NonZeroUsize::MIN);
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    let mut client = cluster.client();
    for (name, bad, setting) in [
        ("synchronous_commit", "off", Setting::SynchronousCommit),
        ("synchronous_commit", "local", Setting::SynchronousCommit),
        ("full_page_writes", "off", Setting::FullPageWrites),
        ("fsync", "off", Setting::Fsync),
    ] {
        client.batch_execute(&format!("ALTER SYSTEM SET {name} = '{bad}'")).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        let refused = || match PostgresGuard::open(&options, Policy::Strict) {
            Err(Error::NotDurable(found)) => found == setting,
            _ => false,
        };
        wait_until("the setting is refused", refused);
        if setting == Setting::SynchronousCommit {
            let claims = [claim(1, 2, [1, 2]), claim(1, 3, [1, 3]), claim(2, 2, [1, 2])];
            let refused = block_on(guard.advance(&claims));
            assert!(matches!(refused, Err(Error::NotDurable(found)) if found == setting), "{refused:?}");
        }
        client.batch_execute(&format!("ALTER SYSTEM RESET {name}")).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        wait_until("the setting is well again", || PostgresGuard::open(&options, Policy::Strict).is_ok());
    }
    let next = block_on(guard.advance(&[claim(1, 2, [1, 2])])).unwrap();
    assert_eq!(next, [Verdict::Accepted { previous: Some(1) }], "nothing was written meanwhile");
}

/// What an administrator does when a standby fails and the primary waits for it.
#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_server_that_stops_waiting_for_its_standbys_is_refused_also_while_a_guard_is_open() {
    let (primary, _standby, options) = pair();
    let options = options.connections(NonZeroUsize::MIN);
    let lenient = PostgresGuard::create(&options, Policy::Strict).unwrap();
    let guard = PostgresGuard::open(&options.clone().require_standbys(), Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    let mut client = primary.client();
    client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = ''").unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    wait_until("the setting is refused", || {
        PostgresGuard::open(&options.clone().require_standbys(), Policy::Strict).is_err()
    });
    // A new claim, one that was accepted, and a batch of several rounds.
    for claims in
        [&[claim(1, 2, [1, 2])][..], &[claim(1, 1, [1, 1])], &[claim(2, 1, [1, 1]), claim(2, 2, [1, 2])]]
    {
        let refused = block_on(guard.advance(claims));
        assert!(
            matches!(refused, Err(Error::NotDurable(Setting::SynchronousStandbyNames))),
            "{claims:?}: {refused:?}"
        );
    }
    let accepted = block_on(lenient.advance(&[claim(1, 2, [1, 2]), claim(2, 1, [1, 1])])).unwrap();
    assert_eq!(
        accepted,
        [Verdict::Accepted { previous: Some(1) }, Verdict::Accepted { previous: None }],
        "nothing was written meanwhile, and a guard that asks for no standby goes on"
    );
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_connection_that_went_while_nobody_used_it_costs_no_answer() {
    let cluster = Cluster::start(&[]);
    let options = PostgresOptions::new(&cluster.address()).unwrap().connections(NonZeroUsize::MIN);
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    cluster.stop();
    cluster.run();
    thread::sleep(Duration::from_millis(1100));
    let next = block_on(guard.advance(&[claim(1, 2, [1, 2])])).unwrap();
    assert_eq!(next, [Verdict::Accepted { previous: Some(1) }]);
    cluster.stop();
    thread::sleep(Duration::from_millis(1100));
    assert!(matches!(block_on(guard.advance(&[claim(1, 3, [1, 3])])), Err(Error::Unavailable(_))));
}

/// A pooler that gives each transaction any connection, and empties sessions of nothing.
#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn connections_through_a_pooler_of_transactions_keep_the_contract() {
    let cluster = Cluster::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "[databases]\npostgres = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\npool_mode = transaction\n\
         listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\ndefault_pool_size = 3\n\
         pidfile = {folder}/pgbouncer.pid\n",
        cluster.port,
        folder = folder.path().display(),
    );
    let file = folder.path().join("pgbouncer.ini");
    fs::write(&file, settings).unwrap();
    let mut pooler = Command::new("pgbouncer").arg("-q").arg(&file).stderr(Stdio::null()).spawn().unwrap();
    let address = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
    wait_until("the pooler answers", || Client::connect(&address, NoTls).is_ok());

    let options = PostgresOptions::new(&address).unwrap().connections(NonZeroUsize::new(6).unwrap());
    let policy = Policy::Window(Window::new(20).unwrap());
    let guard = PostgresGuard::create(&options, policy).unwrap();
    let claims = contract::check(&guard, policy, Effort::Quick);
    println!("through a pooler: {claims} claims");
    pooler.kill().unwrap();
    pooler.wait().unwrap();
}

#[cfg(feature = "postgres-tls")]
#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn tls_is_with_the_named_authority_or_not_at_all() {
    let cluster = Cluster::start(&[]);
    let folder = PathBuf::from(cluster.data());
    let config = folder.join("openssl.cnf");
    fs::write(&config, "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    let certificate = |name: &str| {
        let (key, file) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.crt")));
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        openssl
            .args(["-subj", "/CN=a server", "-addext", "subjectAltName=DNS:localhost"])
            .arg("-config")
            .arg(&config);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&file).stderr(Stdio::null());
        assert!(openssl.status().unwrap().success());
        fs::read(file).unwrap()
    };
    let (own, other) = (certificate("server"), certificate("other"));
    cluster.client().batch_execute("ALTER SYSTEM SET ssl = 'on'").unwrap();
    let restart = || {
        cluster.stop();
        cluster.run();
    };
    let address = |host: &str| {
        let port = cluster.port;
        PostgresOptions::new(&format!(
            "host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres"
        ))
    };
    let with = |host: &str, authority: &[u8]| address(host).unwrap().tls(authority).unwrap();

    let plain = PostgresGuard::create(&with("localhost", &own), Policy::Strict);
    assert!(matches!(plain, Err(Error::Open(_))), "the server has no TLS yet");
    restart();
    let guard = PostgresGuard::create(&with("localhost", &own), Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    let encrypted = "SELECT count(*) FROM pg_stat_ssl WHERE ssl";
    assert!(cluster.client().query_one(encrypted, &[]).unwrap().get::<_, i64>(0) >= 1);
    for options in [with("localhost", &other), with("elsewhere", &own)] {
        assert!(matches!(PostgresGuard::open(&options, Policy::Strict), Err(Error::Open(_))));
    }
    for nothing in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(address("localhost").unwrap().tls(nothing), Err(Error::Open(_))));
    }
}
