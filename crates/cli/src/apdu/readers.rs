//! Readers: cards in software, records of cards, and PC/SC where the program is built with it.

use core::str::FromStr;
use std::path::{Path, PathBuf};

use cardroot::apdu::{Script, ScriptedTransport};
use cardroot::card::CardKind;
use clap::ValueEnum;

use crate::card::Profile;
use crate::error::Failure;
use crate::file;
use crate::output::Report;

/// Where a card is.
#[derive(Clone)]
pub(crate) enum Reader {
    /// `sim:user`, `sim:sam`, `sim:city` …: a blank card in software.
    Simulated(CardKind),
    /// `replay:FILE`: what a card answered once.
    Replay(PathBuf),
    /// The name of a reader, or a part of it.
    Named(String),
}

impl FromStr for Reader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sim", name)) => {
                let kind = Profile::from_str(name, false).ok().and_then(Profile::kind);
                kind.map(Self::Simulated).ok_or_else(|| {
                    "the cards in software are sim:user, sim:sam and the key cards sim:mother, sim:secondary, \
                     sim:city, sim:transport and sim:authentication"
                        .into()
                })
            }
            Some(("replay", file)) => Ok(Self::Replay(file.into())),
            _ => Ok(Self::Named(text.into())),
        }
    }
}

/// The card of a record.
pub(crate) fn replay(path: &Path) -> Result<ScriptedTransport, Failure> {
    let text = file::read_or_stdin(Some(path))?;
    let unreadable = |reason: &dyn core::fmt::Display| {
        Failure::refused(format!("{} is no record of a card: {reason}", path.display()))
    };
    let text = core::str::from_utf8(&text).map_err(|error| unreadable(&error))?;
    let script: Script = text.parse().map_err(|error| unreadable(&error))?;
    Ok(ScriptedTransport::new(script))
}

#[cfg(feature = "pcsc")]
mod pcsc {
    use cardroot::apdu::pcsc::{
        PcscError, PcscTransport, ProtocolChoice, ResourceManager, Sharing, Treatment,
    };
    use cardroot::apdu::{CardTransport, Protocol};

    use super::{Failure, Report};
    use crate::hex;
    use crate::output::{Record, Value};

    #[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
    fn failed(error: PcscError) -> Failure {
        Failure::refused(error.to_string())
    }

    /// Opens the card in a reader for this program alone.
    pub(crate) fn open(name: &str) -> Result<PcscTransport, Failure> {
        let manager = ResourceManager::connect().map_err(failed)?;
        let reader = manager.find(name).map_err(|error| Failure::refused(format!("--reader: {error}")))?;
        manager.open(&reader, Sharing::Exclusive, ProtocolChoice::Any).map_err(failed)
    }

    /// Lists the readers and their cards, which are left as they are.
    pub(crate) fn list() -> Result<Report, Failure> {
        let manager = ResourceManager::connect().map_err(failed)?;
        let mut rows = Vec::new();
        for reader in manager.readers().map_err(failed)? {
            let card = manager.open(&reader, Sharing::Shared, ProtocolChoice::Any);
            let link = card.as_ref().ok().map(CardTransport::link);
            rows.push(
                Record::new()
                    .with("reader", reader.to_string())
                    .with(
                        "protocol",
                        link.and_then(|link| link.protocol).map(|protocol| match protocol {
                            Protocol::T0 => "t0",
                            Protocol::T1 => "t1",
                        }),
                    )
                    .with("atr", link.and_then(|link| link.atr).map(hex::encode))
                    .with("remark", card.as_ref().err().map(ToString::to_string)),
            );
            if let Ok(card) = card {
                card.close(Treatment::Leave).map_err(failed)?;
            }
        }
        Ok(Record::new().with("readers", Value::Table(rows)).into())
    }
}

#[cfg(not(feature = "pcsc"))]
mod pcsc {
    use cardroot::apdu::ScriptedTransport;

    use super::{Failure, Report};

    fn left_out() -> Failure {
        Failure::refused("this program is built without readers; build it with the feature pcsc")
    }

    pub(crate) fn open(_: &str) -> Result<ScriptedTransport, Failure> {
        Err(left_out())
    }

    pub(crate) fn list() -> Result<Report, Failure> {
        Err(left_out())
    }
}

pub(crate) use pcsc::{list, open};
