//! Card plans: what a card shall hold, as data, and the station that makes a card hold it.

mod check;
mod compare;
mod data;
mod issue;
mod key_ring;
mod plan;
mod plan_error;
mod planner;
mod resume;
mod script;
mod station;
mod template;

pub use compare::{Comparison, Verdict};
pub use data::{CardData, CardDataError};
pub use key_ring::{KeyRing, KeyRingError, KeyScope};
pub use plan::{
    Application, CardLevel, ContentProtection, ExchangeKey, File, FileKind, Holder, Key, KeyFile, Loading,
    Master, Name, Owner, Pin, Plan, SamKey, System, Use, Wallet, WalletKind,
};
pub use plan_error::{PlanError, PlanFault};
pub use planner::Mode;
pub use script::Script;
pub use station::{Issued, StepError, StepFault};
pub use template::{Template, TemplateError};
