//! A replacement of a key that is cut off anywhere: both parties come back, always have a key in common, and end with the new one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    reason = "a panic is the report, and `std` is at hand"
)]

mod common;

use core::time::Duration;
use std::collections::BTreeSet;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::methods::{
    Change, KeyHierarchy, KeyReference, Loaded, Mac, Master, MethodError, PartyId, Stage, StorageKey,
    TdeaRetail,
};
use cardroot_keyblock::tdea::{KeyLength, Padding};
use cardroot_keyblock::{AesKbpk, Version};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use common::opened;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const OVERLAP: Duration = Duration::from_secs(600);

type Node = KeyHierarchy<AesKbpk, TdeaRetail>;

/// Where a step is cut off.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Cut {
    BeforeTheWrite,
    AfterTheWrite,
    AfterTheStep,
}

const CUTS: [Cut; 3] = [Cut::BeforeTheWrite, Cut::AfterTheWrite, Cut::AfterTheStep];

/// The cuts of one run, by the number of the step.
struct Fate {
    cuts: BTreeSet<(usize, Cut)>,
    step: usize,
}

impl Fate {
    fn cut(&mut self) -> Option<Cut> {
        self.step += 1;
        self.cuts.iter().find(|(step, _)| *step == self.step).map(|(_, cut)| *cut)
    }
}

/// A party: its node, and what its disk has.
struct Side {
    node: Node,
    disk: Vec<u8>,
    storage: StorageKey,
    peer: PartyId,
}

impl Side {
    fn new(peer: &str, master: &AesKbpk) -> Self {
        let mut side = Self {
            node: Node::new(Version::D, OVERLAP).unwrap(),
            disk: Vec::new(),
            storage: StorageKey::generate(&mut UnwrapErr(SysRng)),
            peer: PartyId::try_from(peer.as_bytes()).unwrap(),
        };
        let peer = side.peer;
        let master = Loaded::from(opened(master.duplicate()));
        let sure = &mut Fate { cuts: BTreeSet::new(), step: 0 };
        let number = side.step(sure, |node| node.load_master(peer, None, master)).unwrap();
        side.step(sure, |node| node.confirm::<Master>(peer, number, NOW)).unwrap();
        side
    }

    /// Takes a step, unless it is cut off: then the party restarts from its disk, and whatever it was about to say is lost.
    fn step<T>(
        &mut self,
        fate: &mut Fate,
        step: impl FnOnce(&mut Node) -> Result<Change<'_, T>, MethodError>,
    ) -> Option<T> {
        let cut = fate.cut();
        let change = step(&mut self.node).unwrap();
        if cut != Some(Cut::BeforeTheWrite) {
            self.disk = change.state(&self.storage);
        }
        if matches!(cut, Some(Cut::BeforeTheWrite | Cut::AfterTheWrite)) {
            drop(change);
            self.restart();
            return None;
        }
        let out = change.written();
        if cut.is_some() {
            self.restart();
            return None;
        }
        Some(out)
    }

    fn restart(&mut self) {
        self.node = Node::new(Version::D, OVERLAP).unwrap();
        self.node.restore(self.peer, &self.disk, &self.storage).unwrap();
    }

    /// Number of the current key.
    fn current(&self) -> u32 {
        self.node.outgoing::<Mac>(self.peer).map_or(0, |version| version.number())
    }
}

/// Under which key of the receiver a message of the sender fits; none only if there never was a key.
fn stage_heard(sender: &Side, receiver: &Side) -> Option<(Stage, u32)> {
    let key = sender.node.outgoing::<Mac>(sender.peer).ok()?;
    let mac = key.key().mac(Padding::Zeros, b"a message").unwrap();
    let mut tried = receiver.node.incoming::<Mac>(receiver.peer, KeyReference::Implicit, NOW).unwrap();
    let heard = tried
        .find(|(_, version)| version.key().verify_mac(Padding::Zeros, b"a message", mac.as_bytes()).is_ok());
    Some(heard.map(|(stage, version)| (stage, version.number())).expect("the receiver has the key"))
}

/// Replaces the MAC key, however often it is cut off. Both parties understand each other after every step.
fn replace(host: &mut Side, terminal: &mut Side, fate: &mut Fate) {
    let rng = &mut UnwrapErr(SysRng);
    let (to_terminal, to_host) = (host.peer, terminal.peer);
    let (before, target) = (host.current(), terminal.current() + 1);
    loop {
        stage_heard(host, terminal);
        stage_heard(terminal, host);
        if host.current() > before {
            // The host sends under the new key, and the terminal's step follows from that.
            match stage_heard(host, terminal) {
                Some((Stage::Pending, number)) => {
                    terminal.step(fate, |node| node.confirm::<Mac>(to_host, number, NOW));
                }
                Some((Stage::Current, _)) => break,
                other => panic!("{other:?}"),
            }
            continue;
        }
        let offered = match host.node.repeat_offer::<Mac>(to_terminal, rng) {
            Ok(repeated) => Some(repeated),
            Err(MethodError::NothingPending) => {
                host.step(fate, |node| node.offer::<Mac>(to_terminal, None, KeyLength::Double, rng))
            }
            Err(error) => panic!("{error}"),
        };
        stage_heard(host, terminal);
        let Some((number, block)) = offered else { continue };
        let Some(_) = terminal.step(fate, |node| node.accept::<Mac>(to_host, &block, NOW)) else { continue };
        stage_heard(terminal, host);
        host.step(fate, |node| node.confirm::<Mac>(to_terminal, number, NOW));
    }
    assert_eq!(terminal.current(), target);
}

fn run(cuts: BTreeSet<(usize, Cut)>) -> usize {
    let master = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut UnwrapErr(SysRng)));
    let (mut host, mut terminal) = (Side::new("TERM0001", &master), Side::new("ACQUIRER", &master));
    // The first key of the relation, then its replacement.
    let mut fate = Fate { cuts, step: 0 };
    replace(&mut host, &mut terminal, &mut fate);
    replace(&mut host, &mut terminal, &mut fate);
    assert_eq!(stage_heard(&host, &terminal).unwrap().0, Stage::Current);
    assert_eq!(stage_heard(&terminal, &host).unwrap().0, Stage::Current);
    fate.step
}

#[test]
fn cut_off_once_or_twice_anywhere_both_parties_end_with_the_new_key() {
    let steps = run(BTreeSet::new());
    assert_eq!(steps, 8);
    let places: Vec<(usize, Cut)> = (1..=steps + 2).flat_map(|step| CUTS.map(|cut| (step, cut))).collect();
    let mut runs = 0;
    for first in &places {
        for second in &places {
            run(BTreeSet::from([*first, *second]));
            runs += 1;
        }
    }
    println!("{runs} runs");
    assert_eq!(runs, 900);
}

#[test]
fn a_party_that_is_cut_off_at_every_second_step_gets_there() {
    for cut in CUTS {
        run((1..40).step_by(2).map(|step| (step, cut)).collect());
    }
}
