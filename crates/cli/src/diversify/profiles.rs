//! Dispersion profiles at the command line: their names, and the columns that tables have under each.

use cardroot::diversify::profile::{BUILT_IN, Encoding, FactorSpec, Source};

use crate::output::{Record, Report, Value};

/// The built-in profiles with their columns.
pub(super) fn list() -> Report {
    let rows = BUILT_IN.iter().flat_map(|profile| {
        profile.levels.iter().map(move |spec| {
            Record::new()
                .with("profile", profile.name.as_str())
                .with("version", u64::from(profile.version))
                .with("level", spec.level.to_string())
                .with("column", column(spec))
                .with("value", if is_bytes(spec) { "hexadecimal" } else { "text" })
        })
    });
    Record::new().with("profiles", Value::Table(rows.collect())).into()
}

/// The column of a table that a level's factor comes from.
pub(super) fn column(spec: &FactorSpec) -> String {
    match spec.source {
        Source::ProvinceCode => "province_code".into(),
        Source::CityCode => "city_code".into(),
        Source::IssuerId => "issuer_id".into(),
        Source::AppSerial => "app_serial".into(),
        Source::PanPsn => "pan_psn".into(),
        Source::Uid => "uid".into(),
        Source::AtrTail => "atr_tail".into(),
        other => other.to_string(),
    }
}

/// Whether the column holds bytes, in hexadecimal; else it holds digits or characters.
pub(super) const fn is_bytes(spec: &FactorSpec) -> bool {
    matches!(spec.encoding, Encoding::Raw)
}
