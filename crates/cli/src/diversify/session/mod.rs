//! `cardroot diversify session`: keys of one transaction or session.

mod channel;
mod emv;
mod pboc;

use clap::Subcommand;

use crate::error::Failure;
use crate::output::Report;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives an EMV session key: common, Mastercard, Visa or EMV 2000
    ///
    /// The key comes from the card's key of the same use. Session keys of TDEA get odd parity.
    #[command(after_help = emv::EXAMPLES)]
    Emv(emv::Emv),
    /// Derives the process key of one PBOC wallet transaction
    ///
    /// With TDEA it is a single DES key for that transaction's MACs.
    #[command(after_help = pboc::WALLET_EXAMPLES)]
    Wallet(pboc::Wallet),
    /// Makes the key of a PBOC wallet's transaction authentication codes: left half XOR right half
    #[command(after_help = "Example:\n  cardroot diversify session tac --key @dtk.hex")]
    Tac(pboc::Folded),
    /// Makes the key of the MAC over a reloaded PIN of a PBOC card: left half XOR right half
    #[command(after_help = "Example:\n  cardroot diversify session pin-reload --key @drpk.hex")]
    PinReload(pboc::Folded),
    /// Derives the session key of a PBOC credit or debit card, in a form that no public text confirms
    ///
    /// Agree on a value with the other side before use.
    #[command(
        after_help = "Example:\n  cardroot diversify session pboc-unconfirmed --key @udk.hex --atc 001C"
    )]
    PbocUnconfirmed(pboc::Unconfirmed),
    /// Derives the keys of one card personalisation session (CPS): SKUENC, SKUMAC and SKUDEK
    #[command(after_help = channel::CPS_EXAMPLE)]
    Cps(channel::Scp02),
    /// Derives the keys of one session of secure channel protocol 02
    ///
    /// With both challenges the cryptograms are computed too.
    #[command(after_help = channel::SCP02_EXAMPLE)]
    Scp02(channel::Scp02),
    /// Derives the keys and cryptograms of one session of secure channel protocol 03
    #[command(after_help = channel::SCP03_EXAMPLE)]
    Scp03(channel::Scp03),
}

impl Command {
    pub(super) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Emv(arguments) => arguments.run(),
            Self::Wallet(arguments) => arguments.run(),
            Self::Tac(arguments) | Self::PinReload(arguments) => arguments.run(),
            Self::PbocUnconfirmed(arguments) => arguments.run(),
            Self::Cps(arguments) => arguments.run(channel::Names::Cps),
            Self::Scp02(arguments) => arguments.run(channel::Names::GlobalPlatform),
            Self::Scp03(arguments) => arguments.run(),
        }
    }
}
