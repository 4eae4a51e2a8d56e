//! Each guard of this crate against the one contract.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use cardroot_store::contract::{self, Effort};
use cardroot_store::dukpt::guard::{MemoryGuard, Policy, Window};

fn policies() -> [Policy; 4] {
    [Policy::Strict, window(1), window(32), window(63)]
}

fn window(width: u8) -> Policy {
    Policy::Window(Window::new(width).unwrap())
}

#[test]
fn the_guard_in_memory_keeps_the_contract() {
    for policy in policies() {
        let claims = contract::check(&MemoryGuard::new(policy), policy, Effort::Thorough);
        println!("{policy:?}: {claims} claims");
    }
}

#[cfg(feature = "redb")]
mod in_a_file {
    use cardroot_store::RedbGuard;

    use super::*;

    fn check(effort: Effort) {
        for policy in policies() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("counters");
            let guard = RedbGuard::create(&path, policy).unwrap();
            let claims = contract::check(&guard, policy, effort);
            drop(guard);
            let reopened =
                contract::check_reopened(|| RedbGuard::open(&path, policy).unwrap(), policy, effort);
            println!("{policy:?}: {claims} claims, and {reopened} over one file opened again and again");
        }
    }

    #[test]
    fn the_guard_in_a_file_keeps_the_contract() {
        check(Effort::Quick);
    }

    /// `cargo test --release -p cardroot-store --test contract -- --ignored`
    #[test]
    #[ignore = "minutes"]
    fn the_guard_in_a_file_keeps_the_contract_for_long() {
        check(Effort::Thorough);
    }
}
