//! Each call on a state file cut off, in the middle of it or behind it.

use alloc::rc::Rc;
use core::cell::RefCell;
use std::io::Cursor;

use super::*;

/// How much of the call at which the power goes is done.
#[derive(Clone, Copy, Debug)]
enum Torn {
    Nothing,
    /// So many bytes of a write.
    Part(usize),
    Everything,
}

#[derive(Default)]
struct Drive {
    bytes: Cursor<Vec<u8>>,
    calls: usize,
    cut: Option<(usize, Torn)>,
}

/// A file whose content a test can copy.
#[derive(Clone, Default)]
struct TestFile(Rc<RefCell<Drive>>);

impl TestFile {
    fn with(bytes: Vec<u8>, cut: Option<(usize, Torn)>) -> Self {
        Self(Rc::new(RefCell::new(Drive { bytes: Cursor::new(bytes), calls: 0, cut })))
    }

    fn content(&self) -> Vec<u8> {
        self.0.borrow().bytes.get_ref().clone()
    }

    /// How much of this call is done, and whether it is reported.
    fn call(drive: &mut Drive) -> (Torn, bool) {
        drive.calls += 1;
        match drive.cut {
            Some((cut, _)) if drive.calls <= cut => (Torn::Everything, true),
            Some((cut, torn)) if drive.calls == cut + 1 => (torn, false),
            Some(_) => (Torn::Nothing, false),
            None => (Torn::Everything, true),
        }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

impl Read for TestFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().bytes.read(buffer)
    }
}

impl Seek for TestFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().bytes.seek(to)
    }
}

impl Write for TestFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let drive = &mut *self.0.borrow_mut();
        let (torn, is_reported) = Self::call(drive);
        let done = match torn {
            Torn::Nothing => &[],
            Torn::Part(len) => bytes.get(..len).unwrap_or(bytes),
            Torn::Everything => bytes,
        };
        drive.bytes.write_all(done)?;
        if is_reported { Ok(bytes.len()) } else { Err(gone()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for TestFile {
    fn sync_all(&self) -> io::Result<()> {
        let (_, is_reported) = Self::call(&mut self.0.borrow_mut());
        if is_reported { Ok(()) } else { Err(gone()) }
    }
}

fn key() -> StorageKey {
    StorageKey::from_fill(|key| key.fill(0x3C))
}

fn opened(content: Vec<u8>) -> Result<Slots<TestFile>, FileError> {
    Slots::open(TestFile::with(content, None), key())
}

/// What is stored in a file with this content.
fn stored(content: Vec<u8>) -> Option<Vec<u8>> {
    let mut slots = opened(content).unwrap();
    slots.load().unwrap().map(|state| state.expose_bytes().to_vec())
}

/// Content of a file with these states, one after the other.
fn made(states: &[&[u8]]) -> Vec<u8> {
    let file = TestFile::default();
    let mut slots = Slots::open(file.clone(), key()).unwrap();
    states.iter().for_each(|state| slots.replace(state).unwrap());
    file.content()
}

const STATES: [&[u8]; 4] = [b"first state", b"second, longer", b"third", b""];

#[test]
fn the_last_state_is_found() {
    assert_eq!(stored(Vec::new()), None);
    for count in 1..=STATES.len() {
        assert_eq!(stored(made(&STATES[..count])).as_deref(), Some(STATES[count - 1]));
    }
}

#[test]
fn a_cut_at_every_call_leaves_the_old_or_the_new_state() {
    let torn = (0..80).map(Torn::Part).chain([Torn::Nothing, Torn::Everything]);
    let mut cuts = 0;
    for torn in torn {
        for count in 0..STATES.len() {
            let before = made(&STATES[..count]);
            let old = count.checked_sub(1).map(|last| STATES[last]);
            // Opening makes four calls if there is a state, storing two or, with the head, four.
            for cut in 0..8 {
                let file = TestFile::with(before.clone(), Some((cut, torn)));
                let stored_all = Slots::open(file.clone(), key())
                    .is_ok_and(|mut slots| slots.replace(STATES[count]).is_ok());
                let found = stored(file.content());
                let is_new = found.as_deref() == Some(STATES[count]);
                assert!(
                    is_new || (!stored_all && found.as_deref() == old),
                    "{count} states, call {cut}, {torn:?}"
                );
                cuts += 1;
            }
        }
    }
    println!("{cuts} cuts");
    assert_eq!(cuts, 82 * 4 * 8);
}

#[test]
fn a_store_goes_on_after_a_torn_write() {
    let before = made(&STATES[..2]);
    let file = TestFile::with(before, Some((4, Torn::Part(20))));
    let mut slots = Slots::open(file.clone(), key()).unwrap();
    slots.replace(b"torn").unwrap_err();
    let file = TestFile::with(file.content(), None);
    let mut slots = Slots::open(file.clone(), key()).unwrap();
    slots.replace(b"whole").unwrap();
    assert_eq!(stored(file.content()).as_deref(), Some(&b"whole"[..]));
}

#[test]
fn another_key_and_a_changed_byte_open_nothing() {
    let content = made(&STATES[..1]);
    let other = StorageKey::from_fill(|key| key.fill(0x3D));
    let refused = Slots::open(TestFile::with(content.clone(), None), other);
    assert!(matches!(refused.map(drop), Err(FileError::Unreadable)));
    for place in HEAD_LEN..content.len() {
        let mut changed = content.clone();
        changed[place] ^= 1;
        assert!(matches!(opened(changed).map(drop), Err(FileError::Unreadable)), "byte {place}");
    }
}

#[test]
fn another_file_is_left_as_it_is() {
    let other_version = b"cardroot-card state, version 2\n".to_vec();
    for (content, is_version) in [(b"key: 0123".to_vec(), false), (other_version, true), (vec![0, 1], false)]
    {
        let file = TestFile::with(content.clone(), None);
        let refused = Slots::open(file.clone(), key()).map(drop).unwrap_err();
        assert_eq!(matches!(refused, FileError::OtherVersion), is_version);
        assert!(is_version || matches!(refused, FileError::NotAStateFile));
        assert_eq!(file.content(), content);
    }
}

#[test]
fn a_state_that_has_no_room_is_refused_and_the_old_one_stays() {
    let file = TestFile::with(made(&STATES[..1]), None);
    let mut slots = Slots::open(file.clone(), key()).unwrap();
    assert_eq!(slots.replace(&vec![1; SLOT_LEN]).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(stored(file.content()).as_deref(), Some(STATES[0]));
    slots.replace(&vec![1; SLOT_LEN - 32]).unwrap();
}

#[test]
fn nothing_of_the_state_is_in_the_file_and_nothing_of_it_in_debug() {
    let state = [0xA5; 64];
    let content = made(&[&state]);
    assert!(!content.windows(3).any(|window| window == [0xA5; 3]));
    let mut slots =
        Slots::open(TestFile::with(content, None), StorageKey::from_fill(|key| key.fill(0x3C))).unwrap();
    let stored = slots.load().unwrap().unwrap();
    let key = StorageKey::from_fill(|key| key.fill(0xA5));
    let text = format!("{stored:?} {stored:#?} {key:?} {key:#?}").to_lowercase();
    assert!(!text.contains("a5") && !text.contains("165"), "{text}");
}
