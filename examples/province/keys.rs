//! The tree: from the parent key to what a city holds, and how that travels.

use std::time::Instant;

use cardroot::diversify::profile::{DispersionProfile, Field, Identity, Source, Value};
use cardroot::diversify::transport::{TransportKey, WrappedKey};
use cardroot::diversify::tree::purpose::{
    ApplicationControl, CardMaintenance, CityInternalAuthentication, Derived, ExternalAuthentication,
    InternalAuthentication, Issuing, LineProtection, LocalFileUpdate, Purchase, Recharge, Tac,
};
use cardroot::diversify::tree::{CityKey, FunctionLabels, Origin, ParentKey};
use cardroot::diversify::{Factor, LevelId, pboc};
use cardroot::kms::issuing::KeyRing;
use cardroot::tdea::{KeyLength, TdeaKey};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::Failure;
use crate::plan::{City, Inputs};
use crate::report::Report;

const STAGE: &str = "city keys";

/// Declares the keys that a city holds, how the province makes them and how they travel.
macro_rules! city_keys {
    ($($field:ident: $function:ident from $master:ident;)*) => {
        /// The keys of one city, as its centre holds them.
        #[derive(Debug)]
        pub struct CityKeys {
            $(pub $field: CityKey<$function>,)*
        }

        impl CityKeys {
            /// The province derives the keys of a city and wraps each for the way.
            fn parcel(parent: &ParentKey, city: Factor, transport: &TransportKey) -> Result<Vec<WrappedKey>, Failure> {
                let labels = &FunctionLabels::V1;
                Ok(vec![$(
                    transport.wrap(&parent.$master(labels).function_key::<$function>(labels).city_key(city))?,
                )*])
            }

            /// The city opens its parcel: every key as what it must be, or none.
            fn open(parcel: &[WrappedKey], origin: Origin, transport: &TransportKey) -> Result<Self, Failure> {
                let mut parcel = parcel.iter();
                let keys = Self {
                    $($field: {
                        let wrapped = parcel.next().ok_or_else(|| Failure("the parcel is short".to_owned()))?;
                        transport.unwrap::<_, $function>(wrapped, origin)?
                    },)*
                };
                Ok(keys)
            }

            /// Keys that are not derived from those of the province: what a forger comes up with, and what the province's own
            /// office has for its cards.
            pub fn made_up() -> Result<Self, Failure> {
                let origin = Origin::city(1, Factor::from([0x0F; 8]));
                Ok(Self {
                    $($field: CityKey::from_key(TdeaKey::generate(KeyLength::Double, &mut UnwrapErr(SysRng)), origin)?,)*
                })
            }

            /// The keys of one card, and those of the city for a SAM.
            pub fn ring(&self, card: Factor) -> Result<KeyRing, Failure> {
                let mut ring = KeyRing::new();
                $(ring.insert_card_key(&self.$field.card_key(card))?;
                ring.insert_city_key(&self.$field)?;)*
                Ok(ring)
            }

            /// Name and check value of every key.
            pub fn check_values(&self) -> Vec<(&'static str, String)> {
                vec![$(($function::ID.name(), self.$field.kcv().to_string()),)*]
            }
        }
    };
}

city_keys! {
    issuing: Issuing from issuance_master;
    application_control: ApplicationControl from issuance_master;
    line_protection: LineProtection from issuance_master;
    card_maintenance: CardMaintenance from issuance_master;
    recharge: Recharge from issuance_master;
    local_file_update: LocalFileUpdate from municipal_master;
    city_internal: CityInternalAuthentication from municipal_master;
    purchase: Purchase from provincial_application_master;
    tac: Tac from provincial_application_master;
    external: ExternalAuthentication from provincial_application_master;
    internal: InternalAuthentication from provincial_application_master;
}

/// A city centre with its keys.
#[derive(Debug)]
pub struct Centre {
    pub code: String,
    pub name: String,
    pub keys: CityKeys,
}

impl Centre {
    /// The province's own office.
    pub fn office() -> Result<Self, Failure> {
        Ok(Self { code: "province".to_owned(), name: "the province".to_owned(), keys: CityKeys::made_up()? })
    }
}

/// Makes the keys of every city and sends them there. The parent key stays: cards that carry keys get theirs by the mother card.
pub fn distribute(
    inputs: &Inputs,
    parent: TdeaKey,
    transport_master: &TdeaKey,
    report: &mut Report,
) -> Result<(ParentKey, Vec<Centre>), Failure> {
    let started = Instant::now();
    let province = &inputs.plan.province;
    let profile = province.dispersion_profile()?;
    let parent = ParentKey::from_key(parent, Origin::province(province.key_version))?;
    let mut centres = Vec::new();
    let mut records = Vec::new();
    let mut parcels: Vec<Vec<WrappedKey>> = Vec::new();
    for city in &inputs.plan.city {
        let factor = city_factor(&profile, city)?;
        let transport = TransportKey::from_key(pboc::derive(transport_master, factor)?);
        let parcel = CityKeys::parcel(&parent, factor, &transport)?;
        let origin = Origin::city(province.key_version, factor);
        // The courier mixes up parcels once, and once somebody has been at one.
        if let Some(other) = parcels.last().filter(|_| parcels.len() == 1) {
            try_parcel("parcel of another city", city, other, origin, &transport, report);
        }
        if parcels.len() == 2 {
            try_parcel("parcel altered on the way", city, &altered(&parcel)?, origin, &transport, report);
        }
        let keys = CityKeys::open(&parcel, origin, &transport)?;
        records.extend(keys.check_values().into_iter().map(|(name, kcv)| {
            [city.code.clone(), city.name.clone(), name.to_owned(), province.key_version.to_string(), kcv]
        }));
        parcels.push(parcel);
        centres.push(Centre { code: city.code.clone(), name: city.name.clone(), keys });
    }
    let wrapped = inputs.plan.city.iter().zip(&parcels).flat_map(|(city, parcel)| {
        parcel.iter().map(|key| [city.code.clone(), base16ct::upper::encode_string(&key.to_bytes())])
    });
    report.record("city-key-parcels.csv", &["city", "wrapped key"], wrapped)?;
    let keys = records.len();
    report.record("city-keys.csv", &["city", "name", "key", "version", "check value"], records)?;
    report.timing("city keys", started, |_| format!("{keys} keys wrapped, carried and opened"));
    Ok((parent, centres))
}

fn try_parcel(
    what: &str,
    city: &City,
    parcel: &[WrappedKey],
    origin: Origin,
    transport: &TransportKey,
    report: &mut Report,
) {
    if let Err(error) = CityKeys::open(parcel, origin, transport) {
        report.refuse(STAGE, format!("{}, {what}", city.code), error);
    }
}

/// The parcel with one bit of its last key changed.
fn altered(parcel: &[WrappedKey]) -> Result<Vec<WrappedKey>, Failure> {
    let mut copies = parcel.iter().map(WrappedKey::to_bytes).collect::<Vec<_>>();
    if let Some(byte) = copies.last_mut().and_then(|bytes| bytes.last_mut()) {
        *byte ^= 1;
    }
    copies.iter().map(|bytes| Ok(WrappedKey::decode(bytes)?)).collect()
}

fn city_factor(profile: &DispersionProfile<'_>, city: &City) -> Result<Factor, Failure> {
    let code = [Field { source: Source::CityCode, value: Value::Text(&city.code) }];
    Ok(profile.factor(LevelId::City, &Identity::new(&code))?)
}
