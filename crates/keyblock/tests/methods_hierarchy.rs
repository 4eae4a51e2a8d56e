//! The master key/transaction key method.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report")]

mod common;

use core::time::Duration;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::methods::{
    Aes, Data, Event, Kek, KeyHierarchy, KeyName, KeyReference, Loaded, Mac, Master, MethodError, Origin,
    PartyId, Pin, RestoreError, Stage, StorageKey, TdeaRetail,
};
use cardroot_keyblock::tdea::{KeyLength, Padding, TdeaKey};
use cardroot_keyblock::{
    AesKbpk, BlockKey, Content, DerivationKbpk, Exportability, Form, KeyBlock, ModeOfUse, NewKey, NotThisKey,
    OptionalBlock, Strength, UnwrapError, Usage, Version, WrapError, aes_keys, tdea_keys,
};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use common::{Counting, Script, opened};

const NOW: Duration = Duration::from_secs(1_700_000_000);
const OVERLAP: Duration = Duration::from_secs(600);

type Node = KeyHierarchy<AesKbpk, TdeaRetail>;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn node() -> Node {
    KeyHierarchy::new(Version::D, OVERLAP).unwrap()
}

fn party(name: &str) -> PartyId {
    PartyId::try_from(name.as_bytes()).unwrap()
}

fn name(name: &str) -> KeyName {
    KeyName::try_from(name.as_bytes()).unwrap()
}

fn kbpk() -> AesKbpk {
    AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut rng()))
}

fn load_master(node: &mut Node, party: PartyId, master: &AesKbpk) {
    let number = node.load_master(party, None, Loaded::from(opened(master.duplicate()))).unwrap().written();
    node.confirm::<Master>(party, number, NOW).unwrap().written();
}

/// Two nodes that share a master key; the second value is how the first one knows the second, the third the reverse.
fn pair() -> (Node, Node, PartyId, PartyId) {
    let (mut host, mut terminal, master) = (node(), node(), kbpk());
    let (to_terminal, to_host) = (party("TERM0001"), party("ACQUIRER"));
    load_master(&mut host, to_terminal, &master);
    load_master(&mut terminal, to_host, &master);
    (host, terminal, to_terminal, to_host)
}

/// Sends one key from host to terminal, confirmed by both.
macro_rules! send {
    ($role:ty, $length:expr, $pair:expr) => {{
        let (host, terminal, to_terminal, to_host) = &mut $pair;
        let (number, block) = host.offer::<$role>(*to_terminal, None, $length, &mut rng()).unwrap().written();
        let taken = terminal.accept::<$role>(*to_host, &block, NOW).unwrap().written();
        host.confirm::<$role>(*to_terminal, number, NOW).unwrap().written();
        terminal.confirm::<$role>(*to_host, taken, NOW).unwrap().written();
        block
    }};
}

#[test]
fn each_level_travels_under_the_next_above() {
    let mut pair = pair();
    let under_master = send!(Mac, KeyLength::Double, pair);
    let kek = send!(Kek, AesKeyLength::Aes256, pair);
    let under_kek = send!(Pin, KeyLength::Double, pair);
    send!(Data, KeyLength::Triple, pair);

    let (host, terminal, to_terminal, to_host) = &pair;
    let master = host.outgoing::<Master>(*to_terminal).unwrap().key();
    let kek_key = host.outgoing::<Kek>(*to_terminal).unwrap().key();
    assert!(
        under_master.unwrap(master).is_ok()
            && kek.unwrap(master).is_ok()
            && under_kek.unwrap(kek_key).is_ok()
    );
    assert_eq!(under_kek.unwrap(master).unwrap_err(), UnwrapError::Refused);
    let usages = [&under_master, &kek, &under_kek].map(|block| block.header().attributes.usage);
    assert_eq!(usages, [Usage::MAC_3, Usage::KEY_BLOCK_PROTECTION, Usage::PIN_ENCRYPTION]);
    let all = [under_master, kek, under_kek].map(|block| block.header().attributes.exportability);
    assert_eq!(all, [Exportability::None; 3]);

    let sent = host.outgoing::<Mac>(*to_terminal).unwrap().key().mac(Padding::Zeros, b"0800").unwrap();
    let key = terminal.outgoing::<Mac>(*to_host).unwrap().key();
    key.verify_mac(Padding::Zeros, b"0800", sent.as_bytes()).unwrap();
    let pins = [host.outgoing::<Pin>(*to_terminal), terminal.outgoing::<Pin>(*to_host)];
    let [a, b] = pins.map(|version| version.unwrap().key());
    assert!(a.ct_eq(b));
}

#[test]
fn a_hierarchy_of_aes_alone_works_the_same() {
    let (mut host, mut terminal, master) = (
        KeyHierarchy::<AesKbpk, Aes>::new(Version::D, OVERLAP).unwrap(),
        KeyHierarchy::<AesKbpk, Aes>::new(Version::D, OVERLAP).unwrap(),
        kbpk(),
    );
    let (to_terminal, to_host) = (party("TERM0001"), party("ACQUIRER"));
    for (node, party) in [(&mut host, to_terminal), (&mut terminal, to_host)] {
        let number =
            node.load_master(party, None, Loaded::from(opened(master.duplicate()))).unwrap().written();
        node.confirm::<Master>(party, number, NOW).unwrap().written();
    }
    let offer = host.offer::<Mac>(to_terminal, None, AesKeyLength::Aes128, &mut rng()).unwrap();
    let (_, block) = offer.written();
    terminal.accept::<Mac>(to_host, &block, NOW).unwrap().written();
    assert_eq!(block.header().attributes.usage, Usage::CMAC);
}

#[test]
fn nothing_is_sent_before_there_is_a_current_key_above() {
    let mut host = node();
    let terminal = party("TERM0001");
    let error = host.offer::<Mac>(terminal, None, KeyLength::Double, &mut rng()).unwrap_err();
    assert_eq!(error, MethodError::UnknownParty(terminal));
    host.load_master(terminal, None, Loaded::from(opened(kbpk()))).unwrap().written();
    let error = host.offer::<Mac>(terminal, None, KeyLength::Double, &mut rng()).unwrap_err();
    assert_eq!(error, MethodError::NoCurrentKey);
}

#[test]
fn versions_of_blocks_are_those_of_the_protection_key() {
    let error = Node::new(Version::B, OVERLAP).unwrap_err();
    assert_eq!(error, MethodError::Version { found: Version::B });
    assert!(KeyHierarchy::<DerivationKbpk, TdeaRetail>::new(Version::B, OVERLAP).is_ok());
}

#[test]
fn no_key_goes_under_a_weaker_one() {
    let mut host = KeyHierarchy::<DerivationKbpk, TdeaRetail>::new(Version::B, OVERLAP).unwrap();
    let terminal = party("TERM0001");
    let double = DerivationKbpk::from_key(TdeaKey::generate(KeyLength::Double, &mut rng()));
    let number = host.load_master(terminal, None, Loaded::from(opened(double))).unwrap().written();
    host.confirm::<Master>(terminal, number, NOW).unwrap().written();
    let error = host.offer::<Kek>(terminal, None, KeyLength::Triple, &mut rng()).unwrap_err();
    let weaker = WrapError::Weaker { protection: Strength::TdeaDouble, key: Strength::TdeaTriple };
    assert_eq!(error, MethodError::Wrap(weaker));
    // Nothing is left of it.
    host.offer::<Kek>(terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
}

#[test]
fn a_block_serves_only_in_the_place_it_was_made_for() {
    let (mut host, mut terminal, to_terminal, to_host) = pair();
    let (_, block) = host.offer::<Pin>(to_terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
    let error = terminal.accept::<Mac>(to_host, &block, NOW).unwrap_err();
    let usage = NotThisKey::Usage { expected: Usage::MAC_3, found: Usage::PIN_ENCRYPTION };
    assert_eq!(error, MethodError::Key(usage));
    let error = terminal.accept::<Kek>(to_host, &block, NOW).unwrap_err();
    assert!(matches!(error, MethodError::Key(NotThisKey::Usage { .. })));
    terminal.accept::<Pin>(to_host, &block, NOW).unwrap().written();
}

#[test]
fn the_key_of_another_pair_opens_nothing() {
    let (mut host, _, to_terminal, _) = pair();
    let (_, mut stranger, _, to_host) = pair();
    let (_, block) = host.offer::<Mac>(to_terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
    let error = stranger.accept::<Mac>(to_host, &block, NOW).unwrap_err();
    assert_eq!(error, MethodError::Unwrap(UnwrapError::Refused));
}

#[test]
fn a_replayed_block_is_refused_and_so_is_one_that_comes_back_to_its_sender() {
    let mut pair = pair();
    let first = send!(Mac, KeyLength::Double, pair);
    send!(Mac, KeyLength::Double, pair);
    let (host, terminal, to_terminal, to_host) = &mut pair;
    assert_eq!(terminal.accept::<Mac>(*to_host, &first, NOW).unwrap_err(), MethodError::NotNew);
    let (_, block) = host.offer::<Data>(*to_terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
    let reflected = host.accept::<Data>(*to_terminal, &block, NOW);
    assert_eq!(reflected.unwrap_err(), MethodError::NotNew, "while the offer stands");
    host.withdraw::<Data>(*to_terminal, 1).unwrap().written();
    assert_eq!(host.accept::<Data>(*to_terminal, &block, NOW).unwrap_err(), MethodError::NotNew);
}

#[test]
fn a_repeated_offer_is_the_same_key_in_another_block() {
    let (mut host, mut terminal, to_terminal, to_host) = pair();
    assert_eq!(host.repeat_offer::<Mac>(to_terminal, &mut rng()).unwrap_err(), MethodError::NothingPending);
    let offer = host.offer::<Mac>(to_terminal, Some(name("MAC-1")), KeyLength::Double, &mut rng()).unwrap();
    assert_eq!(offer.records()[0].keys[0].origin, Origin::Generated);
    let (number, block) = offer.written();
    let taken = terminal.accept::<Mac>(to_host, &block, NOW).unwrap().written();

    let (again, other) = host.repeat_offer::<Mac>(to_terminal, &mut rng()).unwrap();
    assert_eq!(again, number);
    assert_ne!(other, block);
    let change = terminal.accept::<Mac>(to_host, &other, NOW).unwrap();
    assert_eq!(change.records()[0].event, Event::Repeated);
    assert_eq!(change.written(), taken);

    // A key that came is not sent on, not even back.
    assert_eq!(terminal.repeat_offer::<Mac>(to_host, &mut rng()).unwrap_err(), MethodError::NothingPending);

    // Another key, while this one is pending, is not taken.
    host.withdraw::<Mac>(to_terminal, number).unwrap().written();
    let (_, block) = host.offer::<Mac>(to_terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
    let error = terminal.accept::<Mac>(to_host, &block, NOW).unwrap_err();
    assert_eq!(error, MethodError::Pending { number: taken });
}

#[test]
fn the_name_of_a_key_travels_in_its_block() {
    let (mut host, mut terminal, to_terminal, to_host) = pair();
    let named = name("\u{1}MAC KEY");
    let offer = host.offer::<Mac>(to_terminal, Some(named), KeyLength::Double, &mut rng()).unwrap();
    let (_, block) = offer.written();
    assert_eq!(block.header().optional_blocks[0].content(), Content::Label("014D4143204B4559"));
    terminal.accept::<Mac>(to_host, &block, NOW).unwrap().written();
    let mut found = terminal.incoming::<Mac>(to_host, KeyReference::Named(named), NOW).unwrap();
    assert!(matches!(found.next(), Some((Stage::Pending, _))));
    drop(found);
    // In one relation no two keys have one name, for whatever purpose.
    let error = host.offer::<Pin>(to_terminal, Some(named), KeyLength::Double, &mut rng()).unwrap_err();
    assert_eq!(error, MethodError::NameInUse);
}

#[test]
fn a_label_that_is_no_name_is_an_error() {
    let (host, mut terminal, to_terminal, to_host) = pair();
    let master = host.outgoing::<Master>(to_terminal).unwrap().key();
    for label in ["MAC KEY", "A5A", "a5", "", &"A5".repeat(17)] {
        let key = tdea_keys::RetailMacKey::from_key(TdeaKey::generate(KeyLength::Double, &mut rng()));
        let label = OptionalBlock::new(cardroot_keyblock::BlockId::LABEL, label).unwrap();
        let form = Form { optional_blocks: vec![label], ..Form::new(Version::D, Exportability::None) };
        let new = NewKey::new(key, ModeOfUse::GENERATE_AND_VERIFY).unwrap();
        let block = new.wrap(master, &form, &mut rng()).unwrap();
        assert_eq!(terminal.accept::<Mac>(to_host, &block, NOW).unwrap_err(), MethodError::Label);
    }
}

#[test]
fn a_broken_random_source_is_noticed() {
    let (mut host, _, to_terminal, _) = pair();
    // A source that says the same once more: 16 bytes of key and what fills the block.
    let said: Vec<u8> = (0..64).collect();
    let offer = host.offer::<Mac>(to_terminal, None, KeyLength::Double, &mut Script::new(&said)).unwrap();
    let (number, _) = offer.written();
    host.confirm::<Mac>(to_terminal, number, NOW).unwrap().written();
    let repeated = host.offer::<Mac>(to_terminal, None, KeyLength::Double, &mut Script::new(&said));
    assert_eq!(repeated.unwrap_err(), MethodError::NotNew);
    let other_purpose = host.offer::<Pin>(to_terminal, None, KeyLength::Double, &mut Script::new(&said));
    assert_eq!(other_purpose.unwrap_err(), MethodError::NotNew);
}

#[test]
fn one_master_key_does_not_serve_two_pairs() {
    let (mut host, master) = (node(), kbpk());
    load_master(&mut host, party("TERM0001"), &master);
    let error = host.load_master(party("TERM0002"), None, Loaded::from(opened(master))).unwrap_err();
    assert_eq!(error, MethodError::NotNew);
}

#[test]
fn blocks_in_flight_open_under_the_key_above_before_until_the_overlap_is_over() {
    let mut pair = pair();
    send!(Kek, AesKeyLength::Aes256, pair);
    // In flight under the first key encrypting key, while both take a second one.
    let (_, in_flight) = pair.0.offer::<Mac>(pair.2, None, KeyLength::Double, &mut rng()).unwrap().written();
    send!(Kek, AesKeyLength::Aes256, pair);
    let (_, terminal, _, to_host) = &mut pair;
    let late = terminal.accept::<Mac>(*to_host, &in_flight, NOW + OVERLAP).unwrap_err();
    assert_eq!(late, MethodError::Unwrap(UnwrapError::Refused));
    terminal.accept::<Mac>(*to_host, &in_flight, NOW).unwrap().written();
}

#[test]
fn once_there_is_a_key_encrypting_key_the_master_opens_no_transaction_key() {
    let mut pair = pair();
    let (_, under_master) =
        pair.0.offer::<Mac>(pair.2, None, KeyLength::Double, &mut rng()).unwrap().written();
    send!(Kek, AesKeyLength::Aes256, pair);
    let error = pair.1.accept::<Mac>(pair.3, &under_master, NOW).unwrap_err();
    assert_eq!(error, MethodError::Unwrap(UnwrapError::Refused));
}

#[test]
fn a_new_key_encrypting_key_is_tried_before_it_is_confirmed() {
    let (mut host, mut terminal, to_terminal, to_host) = pair();
    let (number, kek) =
        host.offer::<Kek>(to_terminal, None, AesKeyLength::Aes256, &mut rng()).unwrap().written();
    terminal.accept::<Kek>(to_host, &kek, NOW).unwrap().written();
    host.confirm::<Kek>(to_terminal, number, NOW).unwrap().written();
    let (_, mac) = host.offer::<Mac>(to_terminal, None, KeyLength::Double, &mut rng()).unwrap().written();
    terminal.accept::<Mac>(to_host, &mac, NOW).unwrap().written();
}

#[test]
fn a_retired_relation_has_no_key_left_and_tells_what_it_destroyed() {
    let mut pair = pair();
    send!(Kek, AesKeyLength::Aes256, pair);
    send!(Mac, KeyLength::Double, pair);
    let (host, _, to_terminal, _) = &mut pair;
    let change = host.retire(*to_terminal).unwrap();
    let destroyed: Vec<Usage> = change.records().iter().map(|record| record.keys[0].usage).collect();
    assert_eq!(destroyed, [Usage::KEY_BLOCK_PROTECTION, Usage::KEY_BLOCK_PROTECTION, Usage::MAC_3]);
    change.written();
    assert_eq!(host.outgoing::<Master>(*to_terminal).unwrap_err(), MethodError::NoCurrentKey);
    assert_eq!(host.outgoing::<Mac>(*to_terminal).unwrap_err(), MethodError::NoCurrentKey);
}

#[test]
fn records_and_debug_show_no_key() {
    let (mut host, master) = (KeyHierarchy::<AesKbpk, Aes>::new(Version::D, OVERLAP).unwrap(), kbpk());
    let terminal = party("TERM0001");
    let number = host.load_master(terminal, None, Loaded::from(opened(master))).unwrap().written();
    host.confirm::<Master>(terminal, number, NOW).unwrap().written();
    let key = aes_keys::CmacKey::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0xA5)));
    let check_value = key.kcv_by(cardroot_keyblock::tdea::KcvMethod::AesCmac, 5).unwrap();
    let form = Form::new(Version::D, Exportability::None);
    let block = NewKey::new(key, ModeOfUse::GENERATE_AND_VERIFY).unwrap();
    let block: KeyBlock = block
        .wrap(host.outgoing::<Master>(terminal).unwrap().key(), &form, &mut Counting::default())
        .unwrap();
    let change = host.accept::<Mac>(terminal, &block, NOW).unwrap();
    assert_eq!(change.records()[0].keys[0].check_value, check_value);
    let storage = StorageKey::from_fill(|key| key.fill(0xA5));
    let state = change.state(&storage);
    assert!(!state.windows(8).any(|window| window == [0xA5; 8]));
    let mut shown = format!("{change:?} {storage:?}");
    change.written();
    let (_, version) = host.incoming::<Mac>(terminal, KeyReference::Implicit, NOW).unwrap().next().unwrap();
    shown += &format!("{host:#x?} {version:#x?}");
    let loaded =
        Loaded::from(opened(aes_keys::CmacKey::from_base(AesKey::from_fill(AesKeyLength::Aes128, |key| {
            key.fill(0xA5);
        }))));
    shown += &format!("{loaded:#x?}");
    let shown = shown.to_lowercase();
    assert!(!shown.contains("a5a5") && !shown.contains("165, 165"), "{shown}");
}

#[test]
fn a_state_is_not_taken_by_a_node_that_has_its_keys_in_another_relation() {
    let storage = StorageKey::generate(&mut rng());
    let master = kbpk();
    let state = |party: PartyId| {
        let mut node = node();
        let change = node.load_master(party, None, Loaded::from(opened(master.duplicate()))).unwrap();
        change.state(&storage)
    };
    let [first, second] = ["TERM0001", "TERM0002"].map(party);
    let mut host = node();
    host.restore(first, &state(first), &storage).unwrap();
    assert_eq!(host.restore(second, &state(second), &storage).unwrap_err(), RestoreError::NotUnique);
    assert!(host.parties().eq([first]));
}
