//! `cardroot smid`: key names in messages.

use core::str::FromStr;
use std::path::PathBuf;

use cardroot::smid::{
    Carrier, Control, ControlByte, Count, KeyName, NameFraming, NameLayout, NameParts, Order, Smid, SmidList,
    SmidProfile,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::error::Failure;
use crate::input::Written;
use crate::named::{self, NameOrFile};
use crate::output::{Record, Report, Value};
use crate::secret::Secrets;
use crate::{file, hex};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists, shows and checks profiles: how SMIDs may stand in a message, none of which is "the standard"
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Encodes key names as the content of bit 53 or 96
    #[command(after_help = ENCODE_EXAMPLES)]
    Encode(Encode),
    /// Decodes the content of bit 53 or 96
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
}

#[derive(Subcommand)]
pub(crate) enum ProfileCommand {
    /// Lists the profiles that are built in
    List,
    /// Prints a profile as TOML: a start for one of your own
    Show(named::Show<SmidProfile>),
    /// Checks a file; what is wrong is said with line and reason
    Check(named::Check),
}

const ENCODE_EXAMPLES: &str = "\
Examples:
  cardroot smid encode --profile key-name-10 --smid FFFF9876543210E00001
  cardroot smid encode --profile control-key-name-10 --smid A5:FFFF9876543210E00001 --smid B5:FFFF9876543210E00002";

const DECODE_EXAMPLES: &str = "\
Examples:
  cardroot smid decode --profile key-name-10 FFFF9876543210E00001
  cardroot smid decode --profile key-name-10-sent-as-8 --layout 40:19:21 9876543210E00001
  cardroot smid decode --profile key-name-10 --raw @bit53.bin";

#[derive(Args)]
struct Agreement {
    /// How SMIDs stand in the message: a profile that is built in, or a file called *.toml
    #[arg(long, value_name = "NAME|FILE", value_parser = NameOrFile::<SmidProfile>::from_str)]
    profile: NameOrFile<SmidProfile>,
    /// The field that carries them: bit 53 (keys of the message itself) or 96 (future keys)
    #[arg(long, default_value = "53", value_parser = PossibleValuesParser::new(["53", "96"]).map(|bit| carrier(&bit)))]
    carrier: Carrier,
}

#[derive(Args)]
pub(crate) struct Encode {
    #[command(flatten)]
    agreement: Agreement,
    /// A key name of 5 to 16 bytes, after its control byte if the profile has one; repeat it for each
    #[arg(long = "smid", value_name = "[A5:|B5:]H", required = true, value_parser = smid)]
    smids: Vec<Smid>,
}

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    agreement: Agreement,
    /// Splits each key name into key set identifier, device identifier and counter of so many bits; if not given, as the profile
    /// says
    #[arg(long, value_name = "BITS:BITS:BITS", value_parser = layout)]
    layout: Option<NameLayout>,
    /// The content of the field: hexadecimal digits, @FILE, or - for standard input, which is read if nothing is given
    #[arg(value_name = "HEX")]
    element: Option<Element>,
    #[command(flatten)]
    written: Written,
}

/// The content of a field, or where it is.
#[derive(Clone)]
enum Element {
    Given(hex::Bytes),
    File(PathBuf),
}

impl FromStr for Element {
    type Err = hex::HexError;

    fn from_str(text: &str) -> Result<Self, hex::HexError> {
        match text.strip_prefix('@') {
            Some(path) => Ok(Self::File(path.into())),
            None if text == "-" => Ok(Self::File(text.into())),
            None => text.parse().map(Self::Given),
        }
    }
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Profile(command) => command.run(),
            Self::Encode(arguments) => encode(arguments),
            Self::Decode(arguments) => decode(&arguments),
        }
    }
}

impl ProfileCommand {
    fn run(self) -> Result<Report, Failure> {
        match self {
            Self::List => {
                let rows = SmidProfile::PRESETS.iter().map(summary);
                Ok(Record::new().with("profiles", Value::Table(rows.collect())).into())
            }
            Self::Show(arguments) => arguments.run(),
            Self::Check(arguments) => arguments.read().map(|profile: SmidProfile| summary(&profile).into()),
        }
    }
}

fn summary(profile: &SmidProfile) -> Record {
    let key_name = match profile.name_framing {
        NameFraming::Fixed(len) => format!("{len} bytes"),
        NameFraming::LengthByte => "after a length byte".into(),
        NameFraming::Remainder => "all of the field".into(),
    };
    let order = match profile.order {
        Order::PinThenMac => "PIN key, MAC key",
        Order::MacThenPin => "MAC key, PIN key",
    };
    let layout = profile.layout.map(|layout| layout.widths().map(|bits| bits.to_string()).join(":"));
    Record::new()
        .with("profile", &*profile.name)
        .with("control_byte", profile.control == ControlByte::Present)
        .with("key_name", key_name)
        .with("omitted_fill", profile.omitted_fill)
        .with("added_fill", profile.added_fill)
        .with("several", profile.count == Count::Several)
        .with("order", order)
        .with("layout", layout)
}

fn encode(arguments: Encode) -> Result<Report, Failure> {
    let Agreement { profile, carrier } = arguments.agreement;
    let profile = profile.read()?;
    let element = SmidList::from_iter(arguments.smids).encode(&profile, carrier).map_err(|error| {
        Failure::refused(format!("--smid does not fit profile {}: {error}", profile.name))
    })?;
    Ok(Record::new()
        .with("profile", &*profile.name)
        .with("carrier", carrier.field())
        .with("element_length", element.len())
        .with("element", hex::encode(&element))
        .into())
}

impl Decode {
    /// The content of the field, after words for where it is.
    fn element(&self) -> Result<(String, Vec<u8>), Failure> {
        let path = match &self.element {
            Some(Element::Given(bytes)) => return Ok(("HEX".into(), bytes.0.clone())),
            Some(Element::File(path)) => Some(path.as_path()),
            None => None,
        };
        let bytes = self.written.read(path, &mut Secrets::default())?;
        Ok((file::place(path), bytes.to_vec()))
    }
}

fn decode(arguments: &Decode) -> Result<Report, Failure> {
    let Agreement { profile, carrier } = &arguments.agreement;
    let (profile, carrier) = (profile.read()?, *carrier);
    let (place, element) = arguments.element()?;
    let smids = SmidList::decode(&profile, carrier, &element)
        .map_err(|error| Failure::refused(format!("{place} is not of profile {}: {error}", profile.name)))?;
    let layout = arguments.layout.or(profile.layout);
    let rows: Result<_, Failure> = smids.as_slice().iter().map(|smid| row(smid, layout.as_ref())).collect();
    Ok(Record::new()
        .with("profile", &*profile.name)
        .with("carrier", carrier.field())
        .with("pin_key", smids.pin(&profile).map(|smid| smid.key_name.to_string()))
        .with("mac_key", smids.mac(&profile).map(|smid| smid.key_name.to_string()))
        .with("smids", Value::Table(rows?))
        .into())
}

/// A SMID as it is.
pub(crate) fn named(record: Record, smid: &Smid) -> Record {
    record
        .with("control", smid.control.map(|control| hex::encode(&[control.byte()])))
        .with("key_name", smid.key_name.to_string())
}

/// The parts of its key name, if they are known.
pub(crate) fn parts(record: Record, parts: Option<NameParts>) -> Record {
    let Some(parts) = parts else { return record };
    record
        .with("key_set_id", format!("{:X}", parts.key_set_id))
        .with("device_id", format!("{:X}", parts.device_id))
        .with("counter", parts.counter)
}

fn row(smid: &Smid, layout: Option<&NameLayout>) -> Result<Record, Failure> {
    let split = layout.map(|layout| layout.split(&smid.key_name)).transpose();
    let split = split
        .map_err(|error| Failure::refused(format!("--layout does not fit {}: {error}", smid.key_name)))?;
    Ok(parts(named(Record::new(), smid), split))
}

fn carrier(bit: &str) -> Carrier {
    if bit == "96" { Carrier::Bit96 } else { Carrier::Bit53 }
}

fn smid(text: &str) -> Result<Smid, String> {
    let (control, name) = match text.split_once(':') {
        Some((control, name)) => (Some(control), name),
        None => (None, text),
    };
    let name = hex::decode(name.as_bytes()).map_err(|error| error.to_string())?;
    let name = KeyName::new(&name).map_err(|error| error.to_string())?;
    let Some(control) = control else { return Ok(Smid::new(name)) };
    let control = match u8::from_str_radix(control, 16).ok().and_then(Control::from_byte) {
        Some(control) => control,
        None => return Err("the control byte before the colon is A5 or B5".into()),
    };
    Ok(Smid::with_control(control, name))
}

fn layout(text: &str) -> Result<NameLayout, String> {
    let widths: Result<Vec<u8>, _> = text.split(':').map(str::parse).collect();
    match widths.as_deref() {
        Ok([key_set, device, counter]) => {
            NameLayout::new(*key_set, *device, *counter).map_err(|error| error.to_string())
        }
        _ => Err("give the widths of the three parts in bits, such as 40:19:21".into()),
    }
}
