//! CREATE FILE and ERASE DF.

use apdu::StatusWord;

use crate::access::Access;
use crate::command::Command;
use crate::directory::{Directory, DirectoryHeader, MASTER_FILE, MAX_NAME, Path};
use crate::file::{Body, ElementaryFile, FileHeader, Layout, Records};
use crate::key_file::KeyFile;
use crate::os::Os;
use crate::profile::CardKind;
use crate::secure_messaging::Protection;
use crate::session::Rights;
use crate::status::{Outcome, require};
use crate::system::FileLayout;
use crate::wallet::{Account, Book};

/// Longest record in bytes.
const MAX_RECORD: u8 = 248;

impl Os {
    /// CREATE FILE `80 E0 FID Lc data`, in the current directory:
    ///
    /// ```text
    /// directory        38 | size (2) | create | erase | application | FF FF | name (1 to 16)
    /// key file         3F | size (2) | application | add | FF | FF
    /// account          2F | 02 | 08 | use | 00 | FF | short identifier of its log, in file 0001 or 0002
    /// elementary file  type | size (2) | read | write | FF | line protection
    /// ```
    ///
    /// A key file is the first file of its directory, and the only one of its kind there.
    pub(crate) fn create_file(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        if self.profile.system().file_layout == FileLayout::Typed {
            return self.create_typed(command);
        }
        self.expect_access(self.directory().header.create)?;
        self.expect_issuer()?;
        let fid = u16::from_be_bytes([command.header.p1, command.header.p2]);
        self.expect_new(fid)?;
        match *command.data {
            [0x38, s0, s1, create, erase, application, _, _, ref name @ ..] => {
                let capacity = usize::from(u16::from_be_bytes([s0, s1]));
                let (create, erase) = (Access::from_byte(create), Access::from_byte(erase));
                let name = name.to_vec();
                self.create_directory(DirectoryHeader { fid, capacity, create, erase, application, name })
            }
            [0x3F, s0, s1, _, add, _, _] => {
                let capacity = usize::from(u16::from_be_bytes([s0, s1]));
                self.create_key_file(KeyFile::new(fid, capacity, Access::from_byte(add)))
            }
            [0x2F, 0x02, 0x08, usage, _, _, log] => self.create_wallet(fid, Access::from_byte(usage), log),
            [file_type, s0, s1, read, write, _, line] => {
                let (protection, body) = body_of(file_type, [s0, s1]).ok_or(StatusWord::WRONG_DATA)?;
                let (read, write) = (Access::from_byte(read), Access::from_byte(write));
                self.create_elementary(FileHeader { fid, protection, read, write, line }, body)
            }
            _ => Err(StatusWord::WRONG_DATA),
        }
    }

    /// CREATE FILE where P1 says what is made and the data begins with its identifier. The order of the fields behind the
    /// type byte is the simulator's own: no public source has it.
    ///
    /// ```text
    /// 80 E0 01 00  directory  FID (2) | size (2) | create | erase | application | name (1 to 16)
    /// 80 E0 02 00  bytes      FID (2) | 00 | size (2) | read | write | protection | line protection
    ///              cyclic     FID (2) | 03 | records | length | read | write | protection | line protection
    ///              key file   FID (2) | 05 | size (2) | add
    ///              account    FID (2) | 06 | use | short identifier of its log
    /// 80 E0 01 01  END CREATE: the current directory is open no longer; 80 E0 00 01 for the master file
    /// ```
    fn create_typed(&mut self, command: &Command<'_>) -> Outcome {
        self.expect_access(self.directory().header.create)?;
        self.expect_issuer()?;
        let parameters = (command.header.p1, command.header.p2);
        if matches!(parameters, (0x00 | 0x01, 0x01)) {
            command.expect_no_data()?;
            let is_master_file = self.session.path == Path::MASTER_FILE;
            require(is_master_file == (command.header.p1 == 0x00), StatusWord::WRONG_P1_P2)?;
            self.commit_here(Directory::leave);
            return Ok(StatusWord::OK);
        }
        let (fid, data) = command.data.split_first_chunk().ok_or(StatusWord::WRONG_DATA)?;
        let fid = u16::from_be_bytes(*fid);
        self.expect_new(fid)?;
        match (parameters, data) {
            ((0x01, 0x00), &[s0, s1, create, erase, application, ref name @ ..]) => {
                let capacity = usize::from(u16::from_be_bytes([s0, s1]));
                let (create, erase) = (Access::from_byte(create), Access::from_byte(erase));
                let name = name.to_vec();
                self.create_directory(DirectoryHeader { fid, capacity, create, erase, application, name })
            }
            ((0x02, 0x00), &[0x05, s0, s1, add]) => {
                let capacity = usize::from(u16::from_be_bytes([s0, s1]));
                self.create_key_file(KeyFile::new(fid, capacity, Access::from_byte(add)))
            }
            ((0x02, 0x00), &[0x06, usage, log]) => self.create_wallet(fid, Access::from_byte(usage), log),
            ((0x02, 0x00), &[file_type, s0, s1, read, write, protection, line]) => {
                let structure = match file_type {
                    0x00 => 0x28,
                    0x03 => 0x2E,
                    _ => return Err(StatusWord::WRONG_DATA),
                };
                require(protection & 0x3F == 0, StatusWord::WRONG_DATA)?;
                let (protection, body) =
                    body_of(protection | structure, [s0, s1]).ok_or(StatusWord::WRONG_DATA)?;
                let (read, write) = (Access::from_byte(read), Access::from_byte(write));
                self.create_elementary(FileHeader { fid, protection, read, write, line }, body)
            }
            ((0x01 | 0x02, 0x00), _) => Err(StatusWord::WRONG_DATA),
            _ => Err(StatusWord::WRONG_P1_P2),
        }
    }

    fn expect_new(&self, fid: u16) -> Result<(), StatusWord> {
        require(fid != MASTER_FILE && !self.directory().has(fid), StatusWord::WRONG_P1_P2)
    }

    /// An account of a user card: file 0001 or 0002, nothing else.
    fn create_wallet(&mut self, fid: u16, usage: Access, log: u8) -> Outcome {
        require(Account::from_fid(fid).is_some(), StatusWord::WRONG_P1_P2)?;
        let is_allowed = self.profile.kind() == CardKind::User && (1..=30).contains(&log);
        require(is_allowed, StatusWord::WRONG_DATA)?;
        require(self.directory().has_room(Book::LEN), StatusWord::NOT_ENOUGH_MEMORY)?;
        let header = FileHeader {
            fid,
            protection: Protection::None,
            read: Access::NEVER,
            write: Access::NEVER,
            line: 0xFF,
        };
        let body = Body::Wallet(Book::new(usage, log));
        self.commit_here(|directory| directory.add_file(ElementaryFile { header, body }));
        Ok(StatusWord::OK)
    }

    fn create_directory(&mut self, header: DirectoryHeader) -> Outcome {
        let has_level = self.session.path.child(0).is_some();
        let is_named = (1..=MAX_NAME).contains(&header.name.len());
        let is_new = self.memory().root.find_name(Path::MASTER_FILE, &header.name).is_none();
        require(has_level && is_named && is_new, StatusWord::WRONG_DATA)?;
        let body = header.capacity + header.name.len();
        require(self.directory().has_room(body), StatusWord::NOT_ENOUGH_MEMORY)?;
        self.commit_here(|directory| directory.add_child(header));
        Ok(StatusWord::OK)
    }

    fn create_key_file(&mut self, keys: KeyFile) -> Outcome {
        require(self.directory().is_empty(), StatusWord::WRONG_DATA)?;
        require(self.directory().has_room(keys.capacity()), StatusWord::NOT_ENOUGH_MEMORY)?;
        self.commit_here(|directory| directory.add_keys(keys));
        Ok(StatusWord::OK)
    }

    fn create_elementary(&mut self, header: FileHeader, body: FileBody) -> Outcome {
        require(self.directory().has_room(body.len()), StatusWord::NOT_ENOUGH_MEMORY)?;
        let body = body.build();
        self.commit_here(|directory| directory.add_file(ElementaryFile { header, body }));
        Ok(StatusWord::OK)
    }

    /// ERASE DF `80 0E 00 00 00`: empties the current directory and opens it to everybody until it is left.
    pub(crate) fn erase_directory(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        command.expect_no_data()?;
        self.expect_access(self.directory().header.erase)?;
        self.commit_here(Directory::erase);
        self.session.file = None;
        self.session.set_rights(Rights::default());
        self.erase_past()
    }
}

/// A body that is asked for and not made yet.
#[derive(Clone, Copy)]
enum FileBody {
    Transparent(usize),
    Records(Layout),
}

impl FileBody {
    fn len(self) -> usize {
        match self {
            Self::Transparent(len) => len,
            Self::Records(layout) => layout.body_len(),
        }
    }

    fn build(self) -> Body {
        match self {
            Self::Transparent(len) => Body::Transparent(vec![0; len]),
            Self::Records(layout) => Body::Records(Records::new(layout)),
        }
    }
}

/// Reads the type byte of an elementary file: `28`, `2A`, `2C` or `2E`, with bit 8 for MACs, bits 8 and 7 for ciphertext
/// with MACs.
fn body_of(file_type: u8, size: [u8; 2]) -> Option<(Protection, FileBody)> {
    let protection = match file_type >> 6 {
        0b00 => Protection::None,
        0b10 => Protection::Mac,
        0b11 => Protection::Cipher,
        _ => return None,
    };
    let [count, len] = size;
    let size = usize::from(u16::from_be_bytes(size));
    let has_records = count > 0 && (1..=MAX_RECORD).contains(&len);
    let body = match file_type & 0x3F {
        0x28 if size > 0 => FileBody::Transparent(size),
        0x2A if has_records => FileBody::Records(Layout::Fixed { count, len }),
        0x2C if size > 0 => FileBody::Records(Layout::Variable { capacity: size }),
        0x2E if has_records => FileBody::Records(Layout::Cyclic { count, len }),
        _ => return None,
    };
    Some((protection, body))
}
