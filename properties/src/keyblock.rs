//! Key blocks, and the hierarchies whose keys travel in them.

use core::time::Duration;

use ::keyblock::aes_keys;
use ::keyblock::aeskey::{AesKey, AesKeyLength, Cmac};
use ::keyblock::methods::{
    Change, Kek, KeyHierarchy, KeyName, KeyReference, Loaded, Mac, Master, MethodError, PartyId, Pin,
    RestoreError, SentRole, Stage, StorageKey, TdeaRetail,
};
use ::keyblock::tdea_keys;
use ::keyblock::{
    AesKbpk, BlockKey, CheckValues, DerivationKbpk, Exportability, Form, Iso20038Kbpk, KeyBlock, Masking,
    ModeOfUse, NewKey, NewKeyError, OptionalBlock, OptionalBlockError, ProtectionKey, UnwrapError,
    VariantKbpk, Version, WrapError,
};
use ::tdea::{KeyLength, TdeaKey};

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// Any bytes are a key block or none; what is read comes back as the same text, and opening it is total.
pub fn key_block_decode_is_total(data: &[u8]) -> Reach {
    let Ok(block) = KeyBlock::decode(data) else { return Reach::Refused };
    assert_eq!(block.as_str().as_bytes(), data);
    assert_eq!(block.as_str().parse(), Ok(block.clone()));
    let header = block.header();
    for optional in &header.optional_blocks {
        assert!(header.optional_block(optional.id()) == Some(optional));
        let _ = optional.content();
    }

    let tdea = TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
    let aes = AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x31));
    opens_if_served(&block, &VariantKbpk::from_key(tdea.duplicate()));
    opens_if_served(&block, &DerivationKbpk::from_key(tdea));
    opens_if_served(&block, &AesKbpk::from_key(aes.duplicate()));
    opens_if_served(&block, &Iso20038Kbpk::from_key(aes));
    Reach::Held
}

fn opens_if_served<P: ProtectionKey>(block: &KeyBlock, kbpk: &P) {
    let version = block.header().version;
    let unserved = matches!(block.unwrap(kbpk), Err(UnwrapError::Version { found }) if found == version);
    assert_eq!(unserved, !P::VERSIONS.contains(&version));
}

/// A key comes out of its block as it went in, whatever the version, the form and the header.
///
/// Input: seed, version, key, form, optional blocks.
pub fn key_block_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let Some(case) = Case::new(&mut input) else { return Reach::Refused };
    let block = match &case.block {
        Ok(block) => block,
        Err(WrapError::Duplicate { .. } | WrapError::TooLong | WrapError::Weaker { .. }) => {
            return Reach::Refused;
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(KeyBlock::decode(block.as_str().as_bytes()).as_ref(), Ok(block));
    let opened = case.open(block).expect("it is the same block");
    assert_eq!(opened, case.key);
    let header = block.header();
    let written = header.optional_blocks.iter().take(case.form.optional_blocks.len());
    assert!(written.eq(&case.form.optional_blocks));
    assert_eq!(header.attributes.exportability, case.form.exportability);
    Reach::Held
}

/// A block that was altered never opens, unless only the case of its hexadecimal digits is another.
///
/// Input: as [`key_block_round_trip`], then what to alter.
pub fn key_block_altered_never_opens(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let Some(case) = Case::new(&mut input) else { return Reach::Refused };
    let Ok(block) = &case.block else { return Reach::Refused };
    let text = block.as_str().as_bytes();
    let mut altered = text.to_vec();
    for _ in 0..=input.below(4) {
        let place = usize::from(input.u16()) % altered.len().max(1);
        if altered.is_empty() {
            break;
        }
        match input.below(8) {
            0 => drop(altered.remove(place)),
            1 => altered.insert(place, input.byte()),
            2 => altered.truncate(place.max(1)),
            3 => altered[place] = altered[place].to_ascii_lowercase(),
            _ => altered[place] ^= input.byte(),
        }
    }
    let Ok(decoded) = KeyBlock::decode(&altered) else { return Reach::Refused };

    let head = header_len(block);
    let is_same = altered.len() == text.len()
        && altered[..head] == text[..head]
        && altered[head..].eq_ignore_ascii_case(&text[head..]);
    assert_eq!(case.open(&decoded).is_some(), is_same);
    Reach::Held
}

/// Where the ciphertext of a block begins.
fn header_len(block: &KeyBlock) -> usize {
    // Every optional block has its identifier, its length and its data; all that are written here are short.
    16 + block.header().optional_blocks.iter().map(|block| 4 + block.data().len()).sum::<usize>()
}

/// A key in a block, and what it is under.
struct Case {
    key: Vec<u8>,
    kbpk: Protection,
    form: Form,
    block: Result<KeyBlock, WrapError>,
}

enum Protection {
    Variant(VariantKbpk),
    Derivation(DerivationKbpk),
    Aes(AesKbpk),
    Iso20038(Iso20038Kbpk),
}

impl Case {
    /// Nothing if the key is weak.
    fn new(input: &mut Input<'_>) -> Option<Self> {
        let rng = &mut SeededRng::new(u64::from_be_bytes(input.array()));
        let version = input.one_of(&[Version::A, Version::B, Version::C, Version::D, Version::E]);
        let tdea_length = input.one_of(&[KeyLength::Double, KeyLength::Triple]);
        let aes_length = input.one_of(&[AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256]);
        let kbpk = match version {
            Version::A | Version::C => {
                Protection::Variant(VariantKbpk::from_key(TdeaKey::generate(tdea_length, rng)))
            }
            Version::B => {
                Protection::Derivation(DerivationKbpk::from_key(TdeaKey::generate(tdea_length, rng)))
            }
            Version::D => Protection::Aes(AesKbpk::from_key(AesKey::generate(aes_length, rng))),
            Version::E => Protection::Iso20038(Iso20038Kbpk::from_key(AesKey::generate(aes_length, rng))),
        };
        let form = form(input, version);
        let bytes: [u8; 32] = input.array();
        let (key, block) = match input.below(3) {
            0 => wrap(
                tdea_keys::PinKey::from_key(TdeaKey::try_from(&bytes[..16]).unwrap()),
                &kbpk,
                &form,
                rng,
            )?,
            1 => wrap(tdea_keys::Bdk::from_key(TdeaKey::try_from(&bytes[..24]).unwrap()), &kbpk, &form, rng)?,
            _ => {
                let key = AesKey::try_from(&bytes[..aes_length.bytes()]).unwrap();
                wrap(aes_keys::CmacKey::from_key(key), &kbpk, &form, rng)?
            }
        };
        Some(Self { key, kbpk, form, block })
    }

    /// The key that comes out of a block, if one does.
    fn open(&self, block: &KeyBlock) -> Option<Vec<u8>> {
        let opened = match &self.kbpk {
            Protection::Variant(kbpk) => block.unwrap(kbpk),
            Protection::Derivation(kbpk) => block.unwrap(kbpk),
            Protection::Aes(kbpk) => block.unwrap(kbpk),
            Protection::Iso20038(kbpk) => block.unwrap(kbpk),
        };
        Some(opened.ok()?.key().expose_bytes().to_vec())
    }
}

fn form(input: &mut Input<'_>, version: Version) -> Form {
    let exportability =
        input.one_of(&[Exportability::None, Exportability::Trusted, Exportability::Sensitive]);
    let check_values = [CheckValues::None, CheckValues::Key, CheckValues::ProtectionKey, CheckValues::Both];
    let mut form = Form {
        masking: input.one_of(&[Masking::Longest, Masking::None]),
        check_values: input.one_of(&check_values),
        ..Form::new(version, exportability)
    };
    for _ in 0..input.below(4) {
        form.optional_blocks.extend(optional_block(input));
    }
    form
}

fn optional_block(input: &mut Input<'_>) -> Option<OptionalBlock> {
    Some(match input.below(6) {
        0 => OptionalBlock::key_serial_number(&input.array()),
        1 => OptionalBlock::initial_key_id(&input.array()),
        2 => OptionalBlock::key_set_id(&input.array()),
        3 => OptionalBlock::base_key_id(&input.array()),
        4 => OptionalBlock::hash(input.byte()),
        _ => {
            let id = [input.byte(), input.byte()].try_into().ok()?;
            let text: String = input.take(40).iter().map(|byte| char::from(*byte)).collect();
            match OptionalBlock::new(id, &text) {
                Ok(block) => block,
                Err(OptionalBlockError::Character { .. } | OptionalBlockError::Reserved { .. }) => {
                    return None;
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
}

type Wrapped = (Vec<u8>, Result<KeyBlock, WrapError>);

fn wrap<K: BlockKey>(key: K, kbpk: &Protection, form: &Form, rng: &mut SeededRng) -> Option<Wrapped> {
    let bytes = ::keyblock::BaseKey::expose_bytes(key.base()).to_vec();
    let new = match NewKey::new(key, *K::GIVES.first()?) {
        Ok(new) => new,
        Err(NewKeyError::Strength(_)) => return None,
        Err(error) => panic!("{error}"),
    };
    let block = match kbpk {
        Protection::Variant(kbpk) => new.wrap(kbpk, form, rng),
        Protection::Derivation(kbpk) => new.wrap(kbpk, form, rng),
        Protection::Aes(kbpk) => new.wrap(kbpk, form, rng),
        Protection::Iso20038(kbpk) => new.wrap(kbpk, form, rng),
    };
    Some((bytes, block))
}

/// What stands under a right MAC is still read with care: any payload, under any header, is a key as long as it says, or refused; and
/// claiming a purpose is total.
///
/// Input: characters of the header from the usage on, after their number; the payload.
pub fn key_block_payload_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let fields = input.counted();
    let payload = input.take(4096);
    let mut payload = payload[..payload.len() / 16 * 16].to_vec();
    let mut text = format!("D{:04}", 5 + fields.len() + 2 * payload.len() + 32).into_bytes();
    text.extend_from_slice(fields);
    let head = text.len();

    let kbpk = AesKbpk::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x31)));
    let clear = payload.clone();
    let mac = seal(&kbpk, &text, &mut payload);
    for bytes in [&payload[..], &mac] {
        text.extend(bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()));
    }
    let Ok(block) = KeyBlock::decode(&text) else { return Reach::Refused };

    let Ok(opened) = block.unwrap(&kbpk) else {
        // A right length is refused only where a check value is wrong, or where an optional block reaches into the ciphertext, so
        // that header and payload are others.
        let has_check_value =
            block.header().optional_blocks.iter().any(|block| matches!(&block.id().code(), b"KC" | b"KP"));
        assert!(stated_key(&clear).is_none() || has_check_value || header_len(&block) != head);
        return Reach::Refused;
    };
    assert_eq!(Some(opened.key().expose_bytes()), stated_key(&clear));
    let claim = || block.unwrap(&kbpk).expect("it opened before");
    let _ = claim().into_key::<tdea_keys::PinKey>();
    let _ = claim().into_key::<tdea_keys::RetailMacVerificationKey>();
    let _ = claim().into_key::<tdea_keys::Bdk>();
    let _ = claim().into_key::<aes_keys::CmacKey>();
    let _ = claim().into_key::<AesKbpk>();
    let form = Form::new(Version::D, Exportability::Trusted);
    if let Ok(again) = opened.rewrap(&kbpk, &form, &mut SeededRng::new(1)) {
        let again = again.unwrap(&kbpk).expect("it was wrapped here");
        assert_eq!(again.key().expose_bytes(), opened.key().expose_bytes());
    }
    Reach::Held
}

/// The key of a clear payload, if its length is whole bytes that are there.
fn stated_key(payload: &[u8]) -> Option<&[u8]> {
    let (length, rest) = payload.split_first_chunk()?;
    let bits = usize::from(u16::from_be_bytes(*length));
    if bits == 0 || !bits.is_multiple_of(8) { None } else { rest.get(..bits / 8) }
}

/// Encrypts the payload as version D does, and gives its MAC: by hand, for what the crate does not write.
fn seal(kbpk: &AesKbpk, header: &[u8], payload: &mut [u8]) -> [u8; 16] {
    let derived = |purpose: u8| {
        AesKey::from_blocks(AesKeyLength::Aes256, |counter, block| {
            Cmac::new(kbpk.expose_key()).chain(&[counter, 0, purpose, 0, 0, 4, 1, 0]).finalize_into(block);
        })
    };
    let mac = *Cmac::new(&derived(1)).chain(header).chain(payload).finalize().as_bytes();
    derived(0).encrypt_cbc(mac, payload).expect("whole blocks");
    mac
}

/// Two parties take any steps, in any order, with restarts between: there is never a panic, nor a second current key; the
/// current key is never lost, and every step is taken or refused as a model of numbers says.
///
/// Input: steps of two bytes or more.
pub fn key_hierarchy_keeps_one_current(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let rng = SeededRng::new(7);
    let mut world = World::new(rng);
    let mut held = Reach::Refused;
    for _ in 0..64 {
        if input.is_empty() {
            break;
        }
        let at = input.below(2);
        let reach = match input.below(3) {
            0 => world.step::<Mac>(at, 0, KeyLength::Double, &mut input),
            1 => world.step::<Pin>(at, 1, KeyLength::Double, &mut input),
            _ => world.step::<Kek>(at, 2, AesKeyLength::Aes256, &mut input),
        };
        held = held.or(reach);
        world.check();
    }
    held
}

type Hierarchy = KeyHierarchy<AesKbpk, TdeaRetail>;

const OVERLAP: Duration = Duration::from_secs(16);

/// What is known of one slot: the numbers, without keys.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Numbers {
    pending: Option<u32>,
    current: Option<u32>,
    previous: Option<(u32, Duration)>,
}

struct Side {
    node: Hierarchy,
    peer: PartyId,
    disk: Vec<u8>,
    slots: [Numbers; 3],
    /// The last number that it offered itself, by slot.
    offered: [Option<u32>; 3],
}

struct World {
    rng: SeededRng,
    storage: StorageKey,
    now: Duration,
    sides: [Side; 2],
    blocks: Vec<KeyBlock>,
}

impl World {
    fn new(mut rng: SeededRng) -> Self {
        let storage = StorageKey::generate(&mut rng);
        let master = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut rng));
        let block = NewKey::new(master.duplicate(), ModeOfUse::ENCRYPT_AND_DECRYPT).unwrap();
        let block = block.wrap(&master, &Form::new(Version::D, Exportability::None), &mut rng).unwrap();
        let sides = [*b"TERM0001", *b"ACQUIRER"].map(|peer| {
            let peer = PartyId::try_from(&peer[..]).unwrap();
            let mut node = Hierarchy::new(Version::D, OVERLAP).unwrap();
            let loaded = Loaded::from(block.unwrap(&master).unwrap().into_key().unwrap());
            let number = node.load_master(peer, None, loaded).unwrap().written();
            let change = node.confirm::<Master>(peer, number, Duration::ZERO).unwrap();
            let disk = change.state(&storage);
            change.written();
            Side { node, peer, disk, slots: Default::default(), offered: Default::default() }
        });
        Self { rng, storage, now: Duration::ZERO, sides, blocks: Vec::new() }
    }

    fn step<R: SentRole<AesKbpk, TdeaRetail>>(
        &mut self,
        at: usize,
        slot: usize,
        length: <<R::Key as BlockKey>::Base as ::keyblock::BaseKey>::Length,
        input: &mut Input<'_>,
    ) -> Reach {
        let Self { rng, storage, now, sides, blocks } = self;
        let Side { node, peer, disk, slots, offered } = &mut sides[at];
        let (peer, now) = (*peer, *now);
        let (numbers, offered) = (&mut slots[slot], &mut offered[slot]);
        match input.below(8) {
            0 => {
                let name = input.coin().then(|| KeyName::try_from(&[input.byte()][..]).unwrap());
                let offer = node.offer::<R>(peer, name, length, rng);
                match take(offer, storage, disk, input) {
                    Ok(Some((number, block))) => {
                        assert_eq!(numbers.pending.replace(number), None);
                        *offered = Some(number);
                        blocks.push(block);
                        return Reach::Held;
                    }
                    Ok(None) => assert_eq!(numbers.pending, None),
                    Err(MethodError::Pending { number }) => assert_eq!(numbers.pending, Some(number)),
                    Err(MethodError::NameInUse) => assert!(name.is_some()),
                    Err(error) => panic!("{error}"),
                }
            }
            1 => match node.repeat_offer::<R>(peer, rng) {
                Ok((number, block)) => {
                    assert_eq!((numbers.pending, *offered), (Some(number), Some(number)));
                    blocks.push(block);
                    return Reach::Held;
                }
                Err(error) => {
                    assert_eq!(error, MethodError::NothingPending);
                    assert!(numbers.pending.is_none() || numbers.pending != *offered);
                }
            },
            2 => {
                let Some(block) = blocks.get(usize::from(input.byte()) % blocks.len().max(1)) else {
                    return Reach::Refused;
                };
                let accepted = node.accept::<R>(peer, block, now);
                match take(accepted, storage, disk, input) {
                    Ok(Some(number)) => {
                        assert!(numbers.pending.is_none_or(|pending| pending == number));
                        assert_ne!(*offered, Some(number), "its own offer came back");
                        numbers.pending = Some(number);
                        return Reach::Held;
                    }
                    Ok(None) => {}
                    Err(MethodError::Pending { number }) => assert_eq!(numbers.pending, Some(number)),
                    Err(
                        MethodError::NotNew
                        | MethodError::NameInUse
                        | MethodError::Key(_)
                        | MethodError::Unwrap(_),
                    ) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            3 => {
                let number = any_number(*numbers, input);
                let change = node.confirm::<R>(peer, number, now);
                match take(change, storage, disk, input) {
                    Ok(Some(())) => {
                        assert_eq!(numbers.pending.take(), Some(number));
                        let before = numbers.current.replace(number);
                        numbers.previous = before.map(|before| (before, now + OVERLAP));
                        return Reach::Held;
                    }
                    Ok(None) => assert_eq!(numbers.pending, Some(number)),
                    Err(error) => {
                        assert_eq!(error, MethodError::NotPending { number });
                        assert_ne!(numbers.pending, Some(number));
                    }
                }
            }
            4 => {
                let number = any_number(*numbers, input);
                let change = node.withdraw::<R>(peer, number);
                match take(change, storage, disk, input) {
                    Ok(Some(())) => assert_eq!(numbers.pending.take(), Some(number)),
                    Ok(None) => assert_eq!(numbers.pending, Some(number)),
                    Err(_) => assert_ne!(numbers.pending, Some(number)),
                }
            }
            5 => {
                let expired = node.expire(peer, now);
                if take(expired, storage, disk, input) == Ok(Some(())) {
                    for numbers in slots {
                        numbers.previous.take_if(|(_, until)| *until <= now);
                    }
                }
            }
            6 => self.now += Duration::from_secs(input.byte().into()),
            _ => {
                let mut restarted = Hierarchy::new(Version::D, OVERLAP).unwrap();
                let mut altered = disk.clone();
                let place = usize::from(input.u16()) % altered.len();
                altered[place] ^= input.byte();
                let opened = restarted.restore(peer, &altered, storage);
                assert_eq!(opened, if altered == *disk { Ok(()) } else { Err(RestoreError::Refused) });
                if opened.is_err() {
                    restarted.restore(peer, disk, storage).unwrap();
                }
                *node = restarted;
            }
        }
        Reach::Refused
    }

    fn check(&self) {
        for side in &self.sides {
            check::<Mac>(side, side.slots[0], self.now);
            check::<Pin>(side, side.slots[1], self.now);
            check::<Kek>(side, side.slots[2], self.now);
        }
    }
}

/// Writes a change and takes its step; or drops it, as one that is cut off.
fn take<T>(
    change: Result<Change<'_, T>, MethodError>,
    storage: &StorageKey,
    disk: &mut Vec<u8>,
    input: &mut Input<'_>,
) -> Result<Option<T>, MethodError> {
    let change = change?;
    if input.below(8) == 1 {
        return Ok(None);
    }
    *disk = change.state(storage);
    Ok(Some(change.written()))
}

/// The pending number most of the time, so that steps are taken.
fn any_number(numbers: Numbers, input: &mut Input<'_>) -> u32 {
    match numbers.pending {
        Some(pending) if input.below(4) != 1 => pending,
        _ => input.byte().into(),
    }
}

fn check<R: SentRole<AesKbpk, TdeaRetail>>(side: &Side, numbers: Numbers, now: Duration) {
    let mut found = Numbers::default();
    let expected = Numbers { previous: numbers.previous.filter(|(_, until)| now < *until), ..numbers };
    for (stage, version) in side.node.incoming::<R>(side.peer, KeyReference::Implicit, now).unwrap() {
        let number = version.number();
        let before = match stage {
            Stage::Pending => found.pending.replace(number).is_some(),
            Stage::Current => found.current.replace(number).is_some(),
            Stage::Previous => {
                let until = expected.previous.expect("one is leaving").1;
                found.previous.replace((number, until)).is_some()
            }
        };
        assert!(!before, "two versions are {stage:?}");
    }
    assert_eq!(found, expected);
    let outgoing = side.node.outgoing::<R>(side.peer).map(|version| version.number()).ok();
    assert_eq!(outgoing, numbers.current);
}
