//! Dispersion profiles: how the factor of each level is made from the fields of a card or a city. Data, not code.
//!
//! Every project makes its factors differently, and a wrong padding silently makes a wrong tree. So a profile says all
//! of it: source field, which part of it, encoding, padding, and the order in which a SAM command carries the factors.
//! What does not fit is an error; nothing is cut off or filled up unless the profile says so.
//!
//! ```
//! use cardroot_diversify::profile::{CITY_FF, Field, Identity, Source, Value};
//! use cardroot_diversify::LevelId;
//!
//! let fields = [
//!     Field { source: Source::CityCode, value: Value::Text("3701") },
//!     Field { source: Source::AppSerial, value: Value::Text("00000000199808150001") },
//! ];
//! let factors = CITY_FF.factors(&Identity::new(&fields))?;
//! let city = factors.of(LevelId::City).expect("this profile has a city level");
//! assert_eq!(city.as_bytes(), &[0x37, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
//! # Ok::<(), cardroot_diversify::profile::ProfileError>(())
//! ```

mod builtin;
mod error;
mod factors;
mod identity;
mod spec;

pub use builtin::{
    ATR_SERIAL, ATR_TAIL, BUILT_IN, CITY_FF, ISSUER_FF, ISSUER_WHOLE, MOHURD_CARD, PBOC_CARD,
    SOCIAL_SECURITY, TOLL, UID_80,
};
pub use error::{DefinitionError, FactorFault, ProfileError, UnknownProfile};
pub use factors::Factors;
pub use identity::{Field, Identity, Value};
pub use spec::{DispersionProfile, Encoding, FactorSpec, OddDigits, Pad, Source, Take};
