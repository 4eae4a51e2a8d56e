//! Roots: custodians enter their components, one after the other.

use std::time::Instant;

use cardroot::components::{
    Ceremony, CustodianName, KeyLabel, Outcome, Parity, Parts, Plan, Step, TdeaComponent,
};
use cardroot::diversify::known_test_key;
use cardroot::tdea::{Kcv, KcvMethod, KeyLength, TdeaKey};
use zeroize::Zeroizing;

use crate::Failure;
use crate::plan::{Attempt, Inputs, Root, read_text};
use crate::report::Report;

const STAGE: &str = "ceremony";

/// The keys that the run begins with.
#[derive(Debug)]
pub struct Roots {
    pub parent: TdeaKey,
    pub bdk: TdeaKey,
    pub city_transport: TdeaKey,
    pub card_transport: TdeaKey,
}

/// Holds all ceremonies of the plan.
pub fn hold(inputs: &Inputs, report: &mut Report) -> Result<Roots, Failure> {
    let started = Instant::now();
    let mut made = Vec::new();
    let mut rows = Vec::new();
    let mut records = Vec::new();
    for root in &inputs.plan.ceremony {
        let outcome = hold_one(inputs, root, report)?;
        let key = outcome.key.map_err(|error| Failure(format!("{}: {error}", root.label)))?;
        if let Some(name) = known_test_key(&key) {
            return Err(Failure(format!("{}: this is the known test key {name}", root.label)));
        }
        let custodians: Vec<_> = outcome.record.entries().map(|entry| entry.custodian.as_str()).collect();
        rows.push([root.label.clone(), "double".to_owned(), key.kcv().to_string(), custodians.join(", ")]);
        records.extend(outcome.record.entries().map(|entry| {
            [
                root.label.clone(),
                "component".to_owned(),
                entry.custodian.as_str().to_owned(),
                entry.kcv.to_string(),
            ]
        }));
        records.push([root.label.clone(), "key".to_owned(), String::new(), key.kcv().to_string()]);
        made.push((root.key.as_str(), key));
    }
    report.section("Roots: key, length, check value, custodians", rows);
    report.record("ceremonies.csv", &["key", "what", "custodian", "check value"], records)?;
    report.timing("ceremonies", started, |_| format!("{} roots", made.len()));

    let mut take = |name: &str| {
        let index = made.iter().position(|(key, _)| *key == name);
        index
            .map(|index| made.swap_remove(index).1)
            .ok_or_else(|| Failure(format!("the plan makes no {name} key")))
    };
    Ok(Roots {
        parent: take("parent")?,
        bdk: take("bdk")?,
        city_transport: take("city-transport")?,
        card_transport: take("card-transport")?,
    })
}

fn hold_one(inputs: &Inputs, root: &Root, report: &mut Report) -> Result<Outcome, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure(format!("{}: {error}", root.label));
    let plan = Plan {
        label: KeyLabel::new(&root.label).map_err(|error| named(&error))?,
        length: KeyLength::Double,
        parts: Parts::THREE,
        parity: Parity::AdjustToOdd,
        method: KcvMethod::TdeaZeros,
        kcv_len: Kcv::USUAL_LEN,
        expected: Some(kcv(&root.kcv)?),
    };
    let mut ceremony = Ceremony::plan(plan).map_err(|error| named(&error))?;
    for attempt in &root.attempts {
        let custodian = CustodianName::new(&attempt.custodian).map_err(|error| named(&error))?;
        let component = read_component(inputs, attempt)?;
        ceremony = match ceremony.enter(custodian, component, Some(kcv(&attempt.kcv)?)) {
            Step::Taken(ceremony) => ceremony,
            Step::Refused(ceremony, error) => {
                report.refuse(STAGE, format!("{}, {}", root.label, attempt.custodian), error);
                ceremony
            }
            Step::Complete(complete) => return Ok(complete.confirm()),
        };
    }
    Err(named(&"components are missing"))
}

/// Decodes the component in place; the text of the file is wiped.
fn read_component(inputs: &Inputs, attempt: &Attempt) -> Result<TdeaComponent, Failure> {
    let path = inputs.folder.join(&attempt.file);
    let malformed = || Failure(format!("{}: a component is 32 hex digits", path.display()));
    let text = Zeroizing::new(read_text(&path)?);
    let digits = text.trim();
    if digits.len() != 2 * KeyLength::Double.bytes() {
        return Err(malformed());
    }
    let mut decoded = Ok(());
    let component = TdeaComponent::from_fill(KeyLength::Double, |bytes| {
        decoded = base16ct::mixed::decode(digits, bytes).map(|_| ());
    });
    decoded.map_err(|_| malformed())?;
    Ok(component)
}

fn kcv(hex: &str) -> Result<Kcv, Failure> {
    let bytes = base16ct::mixed::decode_vec(hex).map_err(|_| Failure(format!("{hex} is not hex")))?;
    Kcv::new(KcvMethod::TdeaZeros, &bytes).map_err(|error| Failure(format!("check value {hex}: {error}")))
}
