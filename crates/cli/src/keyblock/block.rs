//! Key blocks as text: read from files, shown part by part, written.

use std::path::PathBuf;

use cardroot::keyblock::{
    Attributes, CheckValues, Content, Exportability, Form, Header, KeyBlock, KeyContext, Masking,
    OptionalBlock, Version,
};
use clap::{Args, ValueEnum};

use crate::error::Failure;
use crate::file::{self, NewFiles};
use crate::output::{Record, Value};
use crate::secret::Secrets;

/// Where a key block is.
#[derive(Args)]
pub(super) struct BlockFile {
    /// The key block; standard input if not given
    file: Option<PathBuf>,
}

impl BlockFile {
    /// What is read, in words.
    pub(super) fn place(&self) -> String {
        file::place(self.file.as_deref())
    }

    pub(super) fn read(&self, secrets: &mut Secrets) -> Result<KeyBlock, Failure> {
        let text = secrets.file(self.file.as_deref())?;
        KeyBlock::decode(text.trim_ascii())
            .map_err(|error| Failure::refused(format!("{} holds no key block: {error}", self.place())))
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum VersionName {
    /// Variants of a TDEA protection key, TR-31:2005; withdrawn
    #[value(name = "A", alias = "a")]
    A,
    /// Keys derived from a TDEA protection key
    #[value(name = "B", alias = "b")]
    B,
    /// Variants of a TDEA protection key
    #[value(name = "C", alias = "c")]
    C,
    /// Keys derived from an AES protection key
    #[value(name = "D", alias = "d")]
    D,
    /// Keys derived from an AES protection key, counter mode: ISO 20038
    #[value(name = "E", alias = "e")]
    E,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ExportabilityName {
    /// Not at all
    #[value(name = "N", alias = "n")]
    None,
    /// In key blocks, under a trusted key
    #[value(name = "E", alias = "e")]
    Trusted,
    /// In other forms too
    #[value(name = "S", alias = "s")]
    Sensitive,
}

#[derive(Clone, Copy, ValueEnum)]
enum CheckValuesName {
    None,
    /// That of the key, KC
    Key,
    /// That of the protection key, KP
    Kbpk,
    Both,
}

/// How a new block is made.
#[derive(Args)]
pub(super) struct NewBlock {
    /// The version of the new block
    #[arg(long, value_enum, ignore_case = true)]
    pub(super) version: VersionName,
    /// Shows how long the key is, by the length of the block; otherwise all keys of an algorithm look alike
    #[arg(long)]
    show_length: bool,
    /// Check values that stand in the header
    #[arg(long, value_enum, default_value = "none")]
    check_values: CheckValuesName,
    /// An optional block of the header, such as KS=FFFF9876543210E00000 or LB=label; repeat it for each
    #[arg(long = "optional", value_name = "ID=DATA", value_parser = optional_block)]
    optional_blocks: Vec<OptionalBlock>,
    /// Stores the key block in FILE, which must not exist, and does not print it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl NewBlock {
    pub(super) fn form(&self, exportability: Exportability) -> Form {
        Form {
            masking: if self.show_length { Masking::None } else { Masking::Longest },
            check_values: match self.check_values {
                CheckValuesName::None => CheckValues::None,
                CheckValuesName::Key => CheckValues::Key,
                CheckValuesName::Kbpk => CheckValues::ProtectionKey,
                CheckValuesName::Both => CheckValues::Both,
            },
            optional_blocks: self.optional_blocks.clone(),
            ..Form::new(self.version.into(), exportability)
        }
    }

    /// What is said of the block, which is stored if that was asked for.
    pub(super) fn finish(&self, block: &KeyBlock) -> Result<Record, Failure> {
        let record = described(block);
        Ok(match &self.out {
            Some(path) => {
                NewFiles::store_line(path, block.as_str())?;
                record.with("file", path.display().to_string())
            }
            None => record.with("key_block", block.as_str()),
        })
    }
}

impl From<VersionName> for Version {
    fn from(name: VersionName) -> Self {
        match name {
            VersionName::A => Self::A,
            VersionName::B => Self::B,
            VersionName::C => Self::C,
            VersionName::D => Self::D,
            VersionName::E => Self::E,
        }
    }
}

impl From<ExportabilityName> for Exportability {
    fn from(name: ExportabilityName) -> Self {
        match name {
            ExportabilityName::None => Self::None,
            ExportabilityName::Trusted => Self::Trusted,
            ExportabilityName::Sensitive => Self::Sensitive,
        }
    }
}

/// What a block says of itself.
pub(super) fn described(block: &KeyBlock) -> Record {
    let Header { version, attributes, optional_blocks } = block.header();
    let Attributes { usage, algorithm, mode, key_version, exportability, context } = attributes;
    let (exportability, exportability_name) = match exportability {
        Exportability::None => ("N", "not exportable"),
        Exportability::Trusted => ("E", "in key blocks, under a trusted key"),
        Exportability::Sensitive => ("S", "in other forms too"),
    };
    let context = match context {
        KeyContext::ByProtectionKey => "0",
        KeyContext::Storage => "1",
        KeyContext::Exchange => "2",
    };
    Record::new()
        .with("version", version.to_string())
        .with("block_length", block.as_str().len())
        .with("usage", usage.to_string())
        .with("usage_name", usage.name())
        .with("algorithm", algorithm.to_string())
        .with("algorithm_name", algorithm.name())
        .with("mode", mode.to_string())
        .with("mode_name", mode.name())
        .with("key_version", key_version.to_string())
        .with("component", key_version.component().map(String::from))
        .with("exportability", exportability)
        .with("exportability_name", exportability_name)
        .with("context", context)
        .with("optional_blocks", Value::Table(optional_blocks.iter().map(optional_row).collect()))
}

fn optional_row(block: &OptionalBlock) -> Record {
    Record::new()
        .with("id", block.id().to_string())
        .with("name", block.id().name())
        .with("well_formed", block.content() != Content::Malformed)
        .with("data", Some(block.data()).filter(|data| !data.is_empty()))
}

fn optional_block(text: &str) -> Result<OptionalBlock, String> {
    let (id, data) = text.split_once('=').ok_or("give ID=DATA, such as LB=label")?;
    OptionalBlock::new(code(id)?, data).map_err(|error| error.to_string())
}

/// Reads a code of `N` letters and digits.
pub(super) fn code<const N: usize, T: TryFrom<[u8; N]>>(text: &str) -> Result<T, String> {
    let code: Option<[u8; N]> = text.as_bytes().try_into().ok();
    code.and_then(|code| T::try_from(code).ok())
        .ok_or_else(|| format!("a code of {N} letters and digits is needed"))
}
