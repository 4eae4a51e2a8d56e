//! A personalisation station: one blank card in its reader becomes the card of a plan.

use cardroot::apdu::commands::FileId;
use cardroot::apdu::{Channel, CommandApdu};
use cardroot::card::{Card, CardProfile, TransportKey};
use cardroot::diversify::{Factor, pboc};
use cardroot::kms::issuing::{CardData, KeyRing, Mode, Plan};
use cardroot::tdea::TdeaKey;
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::Failure;

/// A card of the software kind.
pub type SoftCard = Card<UnwrapErr<SysRng>>;

/// One in a reader.
pub type Reader = Channel<SoftCard>;

/// The directory of the application, on user cards and SAMs alike.
pub const APPLICATION: FileId = FileId(0x3F01);

/// What the card maker puts into a box: a blank card under the maker's transport key for its chip.
pub fn deliver(profile: CardProfile, transport: TransportKey) -> Reader {
    Channel::new(Card::blank(profile, transport, UnwrapErr(SysRng)))
}

/// The transport key of one chip.
pub fn transport_key(master: &TdeaKey, chip: [u8; 8]) -> Result<TdeaKey, Failure> {
    Ok(pboc::derive(master, Factor::from(chip))?)
}

/// Makes the blank card in `reader` the card of `plan`. Returns how many commands it took.
///
/// All that can be wrong with keys and data is found before the card is touched.
pub fn personalise(
    reader: &mut Reader,
    plan: &Plan,
    keys: &KeyRing,
    data: &CardData,
    transport: &TdeaKey,
) -> Result<usize, Failure> {
    let script = plan.script(keys, data, transport, Mode::Production)?;
    Ok(script.issue(reader)?.commands)
}

/// What the card answers to a command; a refusal is a failure.
pub fn send(reader: &mut Reader, command: &CommandApdu) -> Result<Vec<u8>, Failure> {
    Ok(reader.transmit(command)?.into_ok()?.data().to_vec())
}
