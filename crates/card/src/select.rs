//! SELECT.

use apdu::StatusWord;

use crate::command::Command;
use crate::directory::{Lock, MASTER_FILE, Path};
use crate::file::Body;
use crate::os::Os;
use crate::status::{APPLICATION_LOCKED, Outcome};

/// Most bytes of the file that SELECT shows: the public application information has 30.
const SHOWN_BYTES: usize = 30;

/// What a SELECT has found.
enum Found {
    Directory(Path),
    /// In the current directory.
    File(usize),
}

impl Os {
    /// SELECT `00 A4 00 00 02 FID` or `00 A4 04 00 n name`. A directory is answered with its control information:
    ///
    /// ```text
    /// DDF  6F { 84 name, A5 { 88 short file identifier } }
    /// ADF  6F { 84 name, A5 { 9F0C content of the file that CREATE FILE named } }
    /// ```
    ///
    /// That content is shown where READ BINARY would show it without protection, to a session that has proven nothing about the
    /// directory. An Le that is too short for it is `6CXX`, a longer one is not. A temporarily blocked application is selected with `6283`, a locked one refused with `9303`.
    pub(crate) fn select(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let found = match (command.header.p1, command.header.p2) {
            (0x00, 0x00) => {
                let fid = <[u8; 2]>::try_from(command.data).map_err(|_| StatusWord::WRONG_LENGTH)?;
                self.find_fid(u16::from_be_bytes(fid))
            }
            (0x04, 0x00) => {
                self.memory().root.find_name(Path::MASTER_FILE, command.data).map(Found::Directory)
            }
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        match found.ok_or(StatusWord::FILE_NOT_FOUND)? {
            Found::File(index) => {
                self.expect_unlocked()?;
                self.session.file = Some(index);
                Ok(StatusWord::OK)
            }
            Found::Directory(path) => self.select_directory(command, path, out),
        }
    }

    fn select_directory(&mut self, command: &Command<'_>, path: Path, out: &mut Vec<u8>) -> Outcome {
        let lock = self.memory().root.lock_along(path);
        if lock == Lock::Permanent {
            return Err(APPLICATION_LOCKED);
        }
        self.enter(path);
        self.write_control_information(out);
        command.expect_no_cut(out.len())?;
        match lock {
            Lock::Temporary => Ok(StatusWord::FILE_DEACTIVATED),
            _ => Ok(StatusWord::OK),
        }
    }

    fn write_control_information(&self, out: &mut Vec<u8>) {
        let header = &self.directory().header;
        let mut proprietary = Vec::with_capacity(3 + SHOWN_BYTES);
        // Bit 8 marks an ADF; the low five bits are the short identifier of a file in either case.
        if header.application & 0x80 == 0 {
            write_tlv(&[0x88], &[header.application], &mut proprietary);
        } else if let Some(content) = self.shown_content() {
            write_tlv(&[0x9F, 0x0C], content, &mut proprietary);
        }
        let mut template = Vec::with_capacity(4 + header.name.len() + proprietary.len());
        write_tlv(&[0x84], &header.name, &mut template);
        write_tlv(&[0xA5], &proprietary, &mut template);
        write_tlv(&[0x6F], &template, out);
    }

    fn shown_content(&self) -> Option<&[u8]> {
        let directory = self.directory();
        let index = directory.find_short(directory.header.application & 0x1F)?;
        let file = directory.files.get(index)?;
        let is_shown = file.header.reads_plain() && self.expect_access(file.header.read).is_ok();
        match &file.body {
            Body::Transparent(bytes) if is_shown => Some(bytes.get(..SHOWN_BYTES).unwrap_or(bytes)),
            _ => None,
        }
    }

    /// The master file; then what is in the current directory; then that directory itself and its siblings.
    fn find_fid(&self, fid: u16) -> Option<Found> {
        if fid == MASTER_FILE {
            return Some(Found::Directory(Path::MASTER_FILE));
        }
        let here = self.session.path;
        if let Some(index) = self.directory().find_file(fid) {
            return Some(Found::File(index));
        }
        let below = |path: Path| path.child(self.memory().root.at(path).find_child(fid)?);
        below(here).or_else(|| below(here.parent()?)).map(Found::Directory)
    }
}

fn write_tlv(tag: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(tag);
    out.push(u8::try_from(value.len()).expect("control information is shorter than 128 bytes"));
    out.extend_from_slice(value);
}
