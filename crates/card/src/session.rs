//! What the card forgets at reset.

use tdea::BLOCK_LEN;

use crate::access::Levels;
use crate::directory::Path;
use crate::key_record::{KeyKind, KeyRecord};
use crate::sam::DerivedKey;
use crate::sam_purchase::SamPurchase;
use crate::wallet::Transaction;

/// Challenge of GET CHALLENGE, good for the next command only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Challenge {
    /// 8 bytes, or 4 bytes and zeros.
    Block([u8; BLOCK_LEN]),
    /// 16 bytes, for one form of EXTERNAL AUTHENTICATE alone.
    Long([u8; 2 * BLOCK_LEN]),
}

impl Challenge {
    /// Length in bytes.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Block(block) => block.len(),
            Self::Long(blocks) => blocks.len(),
        }
    }

    /// The block that MACs chain from.
    pub(crate) const fn block(self) -> Option<[u8; BLOCK_LEN]> {
        match self {
            Self::Block(block) => Some(block),
            Self::Long(_) => None,
        }
    }
}

/// What one command leaves for the next. Any other command in between drops it.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a session has one of it")]
pub(crate) enum Pending {
    /// A card's key in a SAM, for DES CRYPT.
    Derived(DerivedKey),
    /// A transaction of a wallet.
    Wallet(Transaction),
    /// A purchase at a SAM, for CREDIT_SAM_FOR_PURCHASE.
    SamPurchase(SamPurchase),
}

impl Pending {
    /// Whether a proprietary command with this instruction is what comes next.
    pub(crate) const fn awaits(&self, instruction: u8) -> bool {
        match self {
            Self::Derived(_) => instruction == 0xFA,
            Self::Wallet(_) => matches!(instruction, 0x52 | 0x54 | 0x58 | 0xDC),
            Self::SamPurchase(_) => instruction == 0x72,
        }
    }
}

/// What has been proven about one directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rights {
    /// Security state, 0 to 15.
    pub(crate) level: u8,
    /// Whether the present value of the directory's master was proven.
    pub(crate) master: bool,
    /// Whether an external authentication key other than the master was proven.
    pub(crate) external: bool,
    /// Whether a PIN was.
    pub(crate) pin: bool,
}

impl Rights {
    const fn of(&mut self, proof: Proof) -> &mut bool {
        match proof {
            Proof::Master => &mut self.master,
            Proof::External => &mut self.external,
            Proof::Pin => &mut self.pin,
        }
    }

    const fn has(mut self, proof: Proof) -> bool {
        *self.of(proof)
    }

    const fn forget(&mut self, proof: Proof) {
        *self.of(proof) = false;
        self.level = 0;
    }
}

/// What a success has proven.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// The master of the directory.
    Master,
    /// Another external authentication key.
    External,
    /// A PIN.
    Pin,
}

impl Proof {
    /// What such a key proves, if it proves anything.
    pub(crate) const fn of(kind: KeyKind, id: u8) -> Option<Self> {
        match kind {
            KeyKind::ExternalAuthentication => Some(Self::of_external(id)),
            KeyKind::Pin => Some(Self::Pin),
            _ => None,
        }
    }

    /// That of EXTERNAL AUTHENTICATE with key `id`.
    pub(crate) const fn of_external(id: u8) -> Self {
        match id {
            KeyRecord::MASTER_ID => Self::Master,
            _ => Self::External,
        }
    }
}

/// State between two resets.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) path: Path,
    /// The current elementary file, as its place in the current directory.
    pub(crate) file: Option<usize>,
    /// Rights in the master file. They stay while other directories are selected.
    master_file: Rights,
    /// Rights in the current directory. Selecting any directory ends them.
    directory: Rights,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) pending: Option<Pending>,
}

impl Session {
    pub(crate) const fn levels(&self) -> Levels {
        Levels { master_file: self.master_file.level, directory: self.directory.level }
    }

    /// Whether the master of the directory at `path` was proven and its rights still hold.
    pub(crate) fn has_proven_master(&self, path: Path) -> bool {
        if path == Path::MASTER_FILE {
            self.master_file.master
        } else {
            path == self.path && self.directory.master
        }
    }

    /// Makes the directory at `path` the current one.
    pub(crate) fn enter(&mut self, path: Path) {
        self.path = path;
        self.file = None;
        self.directory = Rights::default();
    }

    /// Gives or takes rights in the current directory. In the master file both states are set.
    pub(crate) fn set_rights(&mut self, rights: Rights) {
        self.directory = rights;
        if self.path == Path::MASTER_FILE {
            self.master_file = rights;
        }
    }

    /// What was proven about the current directory.
    pub(crate) const fn rights(&self) -> Rights {
        self.directory
    }

    /// Notes a successful EXTERNAL AUTHENTICATE or VERIFY. The level is that of the last one; what was proven stays.
    pub(crate) fn prove(&mut self, level: u8, proof: Proof) {
        let mut rights = Rights { level, master: self.has_proven_master(self.path), ..self.directory };
        *rights.of(proof) = true;
        self.set_rights(rights);
    }

    /// Whether anything may be open that such a proof in the current directory has opened. In the master file that outlives
    /// another SELECT.
    pub(crate) fn has_proven(&self, proof: Proof) -> bool {
        self.directory.has(proof) || (self.path == Path::MASTER_FILE && self.master_file.has(proof))
    }

    /// Takes a proof back, and the level with it.
    pub(crate) fn forget(&mut self, proof: Proof) {
        self.directory.forget(proof);
        if self.path == Path::MASTER_FILE {
            self.master_file.forget(proof);
        }
    }
}
