//! The guard in PostgreSQL against a server that `CARDROOT_POSTGRES_URL` names: `sh ci/postgres.sh` starts one.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use core::hash::BuildHasher;
use core::num::{NonZeroU16, NonZeroUsize};
use std::env;
use std::hash::RandomState;
use std::thread;

use cardroot_store::contract::{self, Effort};
use cardroot_store::dukpt::guard::{Policy, Refusal, ReplayGuard, Verdict, Window, block_on};
use cardroot_store::{Error, PostgresGuard, PostgresOptions, Setting};
use common::child::{self, Task};
use common::load::{Ledger, claim};
use postgres::{Client, NoTls};

const URL: &str = "CARDROOT_POSTGRES_URL";

fn url() -> String {
    env::var(URL).unwrap_or_else(|_| panic!("{URL} names no server; use ci/postgres.sh"))
}

/// A store that no other test uses.
fn options() -> (PostgresOptions, String) {
    let schema = format!("Test \"{:016x}\"", RandomState::new().hash_one(0));
    (PostgresOptions::new(&url()).unwrap().schema(&schema), schema)
}

/// Changes a store behind the back of its guards.
fn edit(schema: &str, statement: &str) {
    let schema = schema.replace('"', "\"\"");
    let mut client = Client::connect(&url(), NoTls).unwrap();
    client.batch_execute(&format!("SET search_path = \"{schema}\"; {statement}")).unwrap();
}

fn window(width: u8) -> Policy {
    Policy::Window(Window::new(width).unwrap())
}

fn check(options: &PostgresOptions, policy: Policy, effort: Effort) {
    let guard = PostgresGuard::create(options, policy).unwrap();
    let claims = contract::check(&guard, policy, effort);
    drop(guard);
    let open = || PostgresGuard::open(options, policy).unwrap();
    let reopened = contract::check_reopened(open, policy, effort);
    println!("{policy:?}: {claims} claims, and {reopened} over one store opened again and again");
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn the_guard_in_postgres_keeps_the_contract() {
    for policy in [Policy::Strict, window(1), window(32), window(63)] {
        check(&options().0, policy, Effort::Quick);
    }
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn one_connection_many_partitions_and_prepared_statements_keep_the_contract() {
    check(&options().0.prepared(), window(32), Effort::Quick);
    check(&options().0.connections(NonZeroUsize::MIN), window(20), Effort::Quick);
    check(&options().0.hash_partitions(NonZeroU16::new(8).unwrap()), Policy::Strict, Effort::Quick);
}

#[test]
#[ignore = "needs PostgreSQL, minutes: sh ci/postgres.sh long"]
fn the_guard_in_postgres_keeps_the_contract_for_long() {
    for policy in [Policy::Strict, window(1), window(32), window(63)] {
        check(&options().0, policy, Effort::Thorough);
    }
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_store_is_made_once_also_by_programs_that_start_together() {
    let (options, _) = options();
    assert!(matches!(PostgresGuard::open(&options, Policy::Strict), Err(Error::Missing)));
    let made = thread::scope(|scope| {
        let create = || PostgresGuard::create(&options, Policy::Strict);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    let others = made.iter().filter_map(|made| made.as_ref().err());
    assert_eq!(others.filter(|error| matches!(error, Error::Exists)).count(), 7, "{made:?}");
    assert!(PostgresGuard::open(&options, Policy::Strict).is_ok());
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn stores_of_another_version_or_application_are_refused() {
    let (options, schema) = options();
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    edit(&schema, "UPDATE store SET version = 3");
    let error = PostgresGuard::open(&options, Policy::Strict).unwrap_err();
    assert!(matches!(error, Error::Version { found: 3, known: 2 }));
    edit(&schema, "ALTER TABLE store RENAME version TO revision");
    assert!(matches!(PostgresGuard::open(&options, Policy::Strict), Err(Error::Foreign)));
    assert!(matches!(PostgresOptions::new("no address"), Err(Error::Open(_))));
    let nobody = PostgresOptions::new("host=127.0.0.1 port=1 user=nobody").unwrap();
    assert!(matches!(PostgresGuard::open(&nobody, Policy::Strict), Err(Error::Open(_))));
}

/// What the first version was: no record of migrations.
const TO_VERSION_1: &str = "DROP TABLE migrations; UPDATE store SET version = 1";

fn migrations(schema: &str) -> Vec<i64> {
    let select =
        format!("SELECT version FROM \"{}\".migrations ORDER BY version", schema.replace('"', "\"\""));
    let rows = Client::connect(&url(), NoTls).unwrap().query(&select, &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn tables_of_an_older_version_are_migrated_once_with_all_they_hold() {
    for partitions in [None, NonZeroU16::new(3)] {
        let (mut options, schema) = options();
        if let Some(partitions) = partitions {
            options = options.hash_partitions(partitions);
        }
        let old = PostgresGuard::create(&options, window(8)).unwrap();
        assert_eq!(migrations(&schema), [1, 2]);
        assert!(block_on(old.advance(&[claim(1, 10, [1, 1]), claim(2, 7, [1, 2])])).is_ok());
        drop(old);
        edit(&schema, TO_VERSION_1);
        let error = PostgresGuard::open(&options, window(8)).unwrap_err();
        assert!(matches!(error, Error::Version { found: 1, known: 2 }), "{error:?}");

        let versions = thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| PostgresGuard::migrate(&options))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(versions.iter().filter(|version| **version == 1).count(), 1, "{versions:?}");
        assert_eq!(versions.iter().filter(|version| **version == 2).count(), 5, "{versions:?}");
        assert_eq!(migrations(&schema), [2]);
        let guard = PostgresGuard::open(&options, window(8)).unwrap();
        let verdicts = block_on(guard.advance(&[claim(1, 10, [2, 1]), claim(2, 8, [2, 2])])).unwrap();
        let replay = Verdict::Refused(Refusal::Replay { found: 10 });
        assert_eq!(verdicts, [replay, Verdict::Accepted { previous: Some(7) }]);
    }
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn tables_of_version_0_take_all_steps() {
    let (options, schema) = options();
    assert!(matches!(PostgresGuard::migrate(&options), Err(Error::Missing)));
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    edit(&schema, "DROP TABLE migrations, memories; UPDATE store SET version = 0");
    assert!(matches!(PostgresGuard::create(&options, Policy::Strict), Err(Error::Exists)));
    assert_eq!(PostgresGuard::migrate(&options).unwrap(), 0);
    assert_eq!(migrations(&schema), [1, 2]);
    let guard = PostgresGuard::open(&options, Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_migration_that_fails_leaves_the_tables_and_their_guards_as_they_were() {
    let (options, schema) = options();
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    // The last step finds its name taken: what the steps before it did is undone.
    edit(
        &schema,
        "DROP TABLE migrations, memories; UPDATE store SET version = 0; CREATE VIEW migrations AS SELECT 1",
    );
    assert!(matches!(PostgresGuard::migrate(&options), Err(Error::Open(_))));
    edit(
        &schema,
        "CREATE TABLE is_0 (yes bigint CHECK (yes = 0)); INSERT INTO is_0 SELECT version FROM store",
    );
    edit(&schema, "CREATE TABLE memories ()");
    // A version of the future is nobody's to change, and is left as it is.
    edit(&schema, "UPDATE store SET version = 9");
    let error = PostgresGuard::migrate(&options).unwrap_err();
    assert!(matches!(error, Error::Version { found: 9, known: 2 }), "{error:?}");
    edit(
        &schema,
        "CREATE TABLE is_9 (yes bigint CHECK (yes = 9)); INSERT INTO is_9 SELECT version FROM store",
    );
    edit(&schema, "UPDATE store SET version = -1");
    assert!(matches!(PostgresGuard::migrate(&options), Err(Error::Foreign)));
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_change_of_policy_is_explicit_and_stops_the_guards_of_the_old_one() {
    // One connection, so that the next statement is of the session that was checked before.
    let options = options().0.connections(NonZeroUsize::MIN);
    let strict = PostgresGuard::create(&options, Policy::Strict).unwrap();
    assert!(block_on(strict.advance(&[claim(1, 10, [1, 1]), claim(1, 20, [1, 2])])).is_ok());
    let error = PostgresGuard::open(&options, window(8)).unwrap_err();
    assert!(matches!(error, Error::Policy { stored: Policy::Strict, asked: Policy::Window(_) }));

    let late = PostgresGuard::change_policy(&options, Policy::Strict, window(15)).unwrap();
    // One that the new policy would take, a replay, a repeat, and a new counter. The first finds the session open.
    for claim in [claim(1, 15, [1, 4]), claim(1, 10, [1, 5]), claim(1, 20, [1, 2]), claim(1, 21, [1, 3])] {
        let old = block_on(strict.advance(&[claim]));
        assert!(
            matches!(old, Err(Error::Policy { stored: Policy::Window(_), asked: Policy::Strict })),
            "{claim:?}: {old:?}"
        );
    }
    let verdicts = block_on(late.advance(&[claim(1, 15, [1, 4]), claim(1, 10, [1, 5])])).unwrap();
    let replay = Verdict::Refused(Refusal::Replay { found: 10 });
    assert_eq!(verdicts, [Verdict::Accepted { previous: Some(20) }, replay]);
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_store_that_changes_its_version_stops_the_guards_that_are_open() {
    let (options, schema) = options();
    let options = options.connections(NonZeroUsize::MIN);
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 1, [1, 1])])).is_ok());
    edit(&schema, "UPDATE store SET version = 3");
    for _ in 0..2 {
        let refused = block_on(guard.advance(&[claim(1, 2, [1, 2]), claim(2, 1, [1, 2])]));
        assert!(matches!(refused, Err(Error::Version { found: 3, known: 2 })), "{refused:?}");
    }
    edit(&schema, "UPDATE store SET version = 2");
    let again = block_on(guard.advance(&[claim(1, 2, [1, 2])])).unwrap();
    assert_eq!(again, [Verdict::Accepted { previous: Some(1) }], "nothing was written, and it goes on");
    edit(&schema, "DROP TABLE memories, store, migrations");
    let gone = block_on(guard.advance(&[claim(1, 3, [1, 3])]));
    assert!(matches!(gone, Err(Error::Unavailable(_) | Error::Missing)), "{gone:?}");
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_memory_that_no_claims_lead_to_is_damage() {
    let (options, schema) = options();
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    assert!(block_on(guard.advance(&[claim(1, 9, [1, 1])])).is_ok());
    edit(&schema, "UPDATE memories SET accepted = 0");
    assert!(matches!(block_on(guard.advance(&[claim(1, 8, [1, 2])])), Err(Error::Damaged(_))));
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn a_session_that_answers_before_it_has_written_is_refused() {
    let (options, schema) = options();
    for level in ["off", "local", "remote_write"] {
        let address = format!("{} options='-c synchronous_commit={level}'", url());
        let weak = PostgresOptions::new(&address).unwrap().schema(&schema);
        let refused = PostgresGuard::create(&weak, Policy::Strict).unwrap_err();
        assert!(matches!(refused, Error::NotDurable(Setting::SynchronousCommit)), "{refused:?}");
        assert!(
            matches!(PostgresGuard::open(&options, Policy::Strict), Err(Error::Missing)),
            "nothing is made"
        );
    }
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    let alone = PostgresGuard::open(&options.require_standbys(), Policy::Strict).unwrap_err();
    assert!(matches!(alone, Error::NotDurable(Setting::SynchronousStandbyNames)), "{alone:?}");
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn an_account_that_may_not_make_tables_is_enough() {
    let (options, schema) = options();
    drop(PostgresGuard::create(&options, Policy::Strict).unwrap());
    let role = schema.replace([' ', '"'], "_").to_lowercase();
    let name = schema.replace('"', "\"\"");
    edit(&schema, &format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA \"{name}\" TO {role};"));
    edit(
        &schema,
        &format!("GRANT SELECT ON store TO {role}; GRANT SELECT, INSERT, UPDATE ON memories TO {role}"),
    );
    let address = format!("{} user={role}", url());
    let guard = PostgresGuard::open(&PostgresOptions::new(&address).unwrap().schema(&schema), Policy::Strict)
        .unwrap();
    let verdicts = block_on(guard.advance(&[claim(1, 9, [1, 1]), claim(1, 9, [1, 2])])).unwrap();
    assert_eq!(
        verdicts,
        [Verdict::Accepted { previous: None }, Verdict::Refused(Refusal::Replay { found: 9 })]
    );
}

/// Not a test: what the other tests start and kill.
#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    if let Some(task) = child::task() {
        let options = PostgresOptions::new(&url()).unwrap().schema(&task.store);
        child::work(&PostgresGuard::open(&options, Policy::Strict).unwrap(), &task);
    }
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn killed_processes_lose_nothing_acknowledged_and_accept_nothing_twice() {
    let (options, schema) = options();
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    let mut ledger = Ledger::default();
    let rounds = 20;
    for round in 0..rounds {
        let child = child::spawn(&Task { store: schema.clone(), round, start: ledger.restart() });
        child::kill_after(child, 20 + usize::try_from(round * 7 % 31).unwrap(), &mut ledger);
        ledger.verify(&guard);
    }
    println!("{rounds} kills, {} acknowledged, none lost, none twice", ledger.len());
    assert!(ledger.len() > 400);
}

#[test]
#[ignore = "needs PostgreSQL: sh ci/postgres.sh"]
fn of_several_processes_that_race_for_each_counter_one_wins() {
    let (options, schema) = options();
    let guard = PostgresGuard::create(&options, Policy::Strict).unwrap();
    // Each is a round of its own, so their requests differ and their counters are the same.
    let task = |round| Task { store: schema.clone(), round, start: 1 };
    let children: Vec<_> = (0..3).map(|round| child::spawn(&task(round))).collect();
    let mut ledgers = Vec::new();
    for child in children {
        let mut ledger = Ledger::default();
        child::kill_after(child, 100, &mut ledger);
        ledgers.push(ledger);
    }
    let mut all = Ledger::default();
    for ledger in &ledgers {
        ledger.entries().for_each(|(terminal, counter)| all.accept(terminal, counter));
    }
    all.verify(&guard);
    println!("3 processes, {} acknowledged, none twice", all.len());
}
