//! `pin translate`.

use cardroot::pin::translation::{
    Blocks, Incoming, Iso4Blocks, NotTranslated, Outgoing, Translation, TranslationError, check,
};
use cardroot::pin::{EncryptedIso4PinBlock, EncryptedPinBlock, Pan, PinBlockFormat};
use clap::Args;

use super::block::{Format, Sent, pan_missing};
use super::keys::{PinKey, key_arguments};
use crate::error::Failure;
use crate::hex;
use crate::key::system_rng;
use crate::output::{Record, Report};
use crate::secret::{PanArgument, Secrets};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot pin translate --from-format 0 --from-bdk @bdk.hex --from-ksn FFFF9876543210E00001 \\
    --to-format 4 --to-key @network.hex --pan ask --block 1B9C1845EB993A7A
  cardroot pin translate --from-format 4 --from-bdk @bdk-aes.hex --from-ksn 123456789012345600000001 \\
    --to-format 3 --to-key @zone.hex --pan ask --input raw block.bin";

key_arguments! {
    /// The key that the block is under.
    FromKey, "from-", " that the block is under"
}

key_arguments! {
    /// The key that it is to be under.
    ToKey, "to-", " that it is to be under"
}

#[derive(Args)]
pub(crate) struct Translate {
    /// The format of ISO 9564-1 that was agreed on with the sender
    #[arg(long, value_enum, value_name = "FORMAT")]
    from_format: Format,
    #[command(flatten)]
    from: FromKey,
    /// The format that was agreed on with the receiver
    #[arg(long, value_enum, value_name = "FORMAT")]
    to_format: Format,
    #[command(flatten)]
    to: ToKey,
    /// The Primary Account Number (PAN), unless both formats are 1: digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: Option<PanArgument>,
    #[command(flatten)]
    sent: Sent,
}

pub(super) fn run(arguments: &Translate) -> Result<Report, Failure> {
    let (from, to) = (arguments.from_format.into(), arguments.to_format.into());
    check(from, to).map_err(not_allowed)?;
    if let (None, Some(format)) =
        (&arguments.pan, [from, to].into_iter().find(|format: &PinBlockFormat| format.binds_pan()))
    {
        return Err(pan_missing(format));
    }
    let mut secrets = Secrets::default();
    let from_key = arguments.from.key().required(from, &mut secrets)?;
    let to_key = arguments.to.key().required(to, &mut secrets)?;
    let pan = arguments.pan.as_ref().map(|pan| secrets.pan("--pan", pan)).transpose()?;
    let (pan, sent) = (pan.as_ref(), &arguments.sent);
    let block = match from_key {
        PinKey::Tdea(key) => {
            let block = sent.read_as::<EncryptedPinBlock>(&mut secrets)?;
            pass_on(Blocks::new(from, &*key), block, (&to_key, to), pan, sent)?
        }
        PinKey::Aes(key) => {
            let block = sent.read_as::<EncryptedIso4PinBlock>(&mut secrets)?;
            pass_on(Iso4Blocks::new(&*key), block, (&to_key, to), pan, sent)?
        }
    };
    Ok(Record::new()
        .with("from_format", from.number())
        .with("to_format", to.number())
        .with("pan", pan.map(ToString::to_string))
        .with("block", block)
        .into())
}

/// Translates to either kind of key; the block in hexadecimal.
fn pass_on<S: Incoming>(
    from: S,
    block: S::Block,
    (key, format): (&PinKey, PinBlockFormat),
    pan: Option<&Pan>,
    sent: &Sent,
) -> Result<String, Failure> {
    match key {
        PinKey::Tdea(key) => translated(from, Blocks::new(format, &**key), block, pan, sent)
            .map(|block| hex::encode(&block.to_bytes())),
        PinKey::Aes(key) => translated(from, Iso4Blocks::new(&**key), block, pan, sent)
            .map(|block| hex::encode(&block.to_bytes())),
    }
}

fn translated<S: Incoming, T: Outgoing>(
    from: S,
    to: T,
    block: S::Block,
    pan: Option<&Pan>,
    sent: &Sent,
) -> Result<T::Block, Failure> {
    let translation = Translation::new(from, to, pan).map_err(not_allowed)?;
    translation.translate(block, &mut system_rng()?).map_err(|error| match error {
        NotTranslated::InvalidPinBlock(_) => {
            Failure::refused(format!("{} is no PIN block of this key, PAN and format", sent.place()))
        }
        failure => Failure::refused(failure.to_string()),
    })
}

fn not_allowed(rule: TranslationError) -> Failure {
    Failure::refused(format!("--to-format: {rule}"))
}
