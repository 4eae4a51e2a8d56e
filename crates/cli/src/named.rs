//! Dialects and profiles: built in, by name, or in a TOML file of one's own.

use alloc::borrow::Cow;
use core::str::FromStr;
use std::path::{Path, PathBuf};

use cardroot::smid::iso8583::Dialect;
use cardroot::smid::{SmidProfile, TomlError};
use clap::Args;

use crate::error::Failure;
use crate::file;
use crate::output::{Form, Record, Report};

/// What parties agree on, under a name.
pub(crate) trait Agreement: Clone + 'static {
    /// What it is, in a word.
    const WHAT: &'static str;

    fn name(&self) -> &str;
    fn built_in() -> Vec<&'static Self>;
    fn from_toml(text: &str) -> Result<Self, TomlError>;
    fn to_toml(&self) -> String;

    fn named(name: &str) -> Option<&'static Self> {
        Self::built_in().into_iter().find(|one| one.name() == name)
    }
}

impl Agreement for Dialect {
    const WHAT: &'static str = "dialect";

    fn name(&self) -> &str {
        self.name()
    }

    fn built_in() -> Vec<&'static Self> {
        Self::BUILT_IN.to_vec()
    }

    fn from_toml(text: &str) -> Result<Self, TomlError> {
        Self::from_toml(text)
    }

    fn to_toml(&self) -> String {
        self.to_toml()
    }
}

impl Agreement for SmidProfile {
    const WHAT: &'static str = "profile";

    fn name(&self) -> &str {
        &self.name
    }

    fn built_in() -> Vec<&'static Self> {
        Self::PRESETS.iter().collect()
    }

    fn from_toml(text: &str) -> Result<Self, TomlError> {
        Self::from_toml(text)
    }

    fn to_toml(&self) -> String {
        self.to_toml()
    }
}

/// An argument that names what is built in, or a file.
pub(crate) enum NameOrFile<T: 'static> {
    BuiltIn(&'static T),
    File(PathBuf),
}

// Derived, it would ask the same of `T`.
impl<T> Clone for NameOrFile<T> {
    fn clone(&self) -> Self {
        match self {
            Self::BuiltIn(one) => Self::BuiltIn(one),
            Self::File(path) => Self::File(path.clone()),
        }
    }
}

impl<T: Agreement> FromStr for NameOrFile<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(one) = T::named(text) {
            return Ok(Self::BuiltIn(one));
        }
        let path = Path::new(text);
        if path.extension().is_some_and(|extension| extension == "toml") {
            return Ok(Self::File(path.into()));
        }
        let names: Vec<&str> = T::built_in().into_iter().map(T::name).collect();
        Err(format!("no {} has this name; there are {}, and files called *.toml", T::WHAT, names.join(", ")))
    }
}

impl<T: Agreement> NameOrFile<T> {
    /// What is built in, or what the file says.
    pub(crate) fn read(&self) -> Result<Cow<'static, T>, Failure> {
        match self {
            Self::BuiltIn(one) => Ok(Cow::Borrowed(one)),
            Self::File(path) => read(Some(path)).map(Cow::Owned),
        }
    }
}

/// Reads a TOML file, or standard input, whatever it is called.
fn read<T: Agreement>(path: Option<&Path>) -> Result<T, Failure> {
    let place = file::place(path);
    let content = file::read_or_stdin(path)?;
    let text = core::str::from_utf8(&content).map_err(|error| {
        let before = content.iter().take(error.valid_up_to());
        let line = 1 + before.filter(|&&byte| byte == b'\n').count();
        Failure::refused(format!("{place}, line {line}: not UTF-8"))
    })?;
    T::from_toml(text).map_err(|error| Failure::refused(format!("{place}, {error}")))
}

/// Arguments of `show`.
#[derive(Args)]
pub(crate) struct Show<T: Agreement + Send + Sync> {
    /// What to show: a name, or a file called *.toml
    #[arg(value_name = "NAME|FILE", value_parser = NameOrFile::<T>::from_str)]
    shown: NameOrFile<T>,
}

/// Arguments of `check`.
#[derive(Args)]
pub(crate) struct Check {
    /// The file to check; standard input if not given
    file: Option<PathBuf>,
}

impl<T: Agreement + Send + Sync> Show<T> {
    /// Shows the whole of it as TOML, whatever it was based on.
    pub(crate) fn run(&self) -> Result<Report, Failure> {
        let shown = self.shown.read()?;
        let toml = shown.to_toml();
        let record = Record::new().with(T::WHAT, shown.name()).with("toml", &*toml);
        Ok(Report::from(record).verbatim(Form::Text, toml.into()))
    }
}

impl Check {
    /// What the file says, if it is right.
    pub(crate) fn read<T: Agreement>(&self) -> Result<T, Failure> {
        read(self.file.as_deref())
    }
}
