//! The room where custodians meet: each brings a component to the host, and to the terminal.

use cardroot::components::{
    Ceremony, ComponentKey, CustodianName, KeyComponent, KeyLabel, Outcome, Parts, Plan, Step,
};
use cardroot::tdea::KcvMethod;

use crate::{Failure, rng};

const CUSTODIANS: [&str; 2] = ["Anna", "Boris"];

/// The components of one key, as the custodians have them in their envelopes.
pub struct Envelopes<K: ComponentKey> {
    label: &'static str,
    length: K::Length,
    method: KcvMethod,
    components: [KeyComponent<K>; 2],
}

impl<K: ComponentKey> Envelopes<K> {
    pub fn new(label: &'static str, length: K::Length, method: KcvMethod) -> Self {
        let components = CUSTODIANS.map(|_| KeyComponent::generate(length, &mut rng()));
        Self { label, length, method, components }
    }

    /// Enters the components on one device.
    pub fn enter(&self, parity: K::Parity) -> Result<Outcome<K>, Failure> {
        let mut ceremony = Ceremony::plan(Plan {
            label: KeyLabel::new(self.label)?,
            length: self.length,
            parts: Parts::TWO,
            parity,
            method: self.method,
            kcv_len: 3,
            expected: None,
        })?;
        for (custodian, component) in CUSTODIANS.iter().zip(&self.components) {
            let typed =
                KeyComponent::from_fill(self.length, |out| out.copy_from_slice(component.expose_bytes()));
            ceremony = match ceremony.enter(CustodianName::new(custodian)?, typed, None) {
                Step::Taken(ceremony) => ceremony,
                Step::Refused(_, error) => return Err(error.into()),
                Step::Complete(complete) => return Ok(complete.confirm()),
            };
        }
        Err("a component is missing".into())
    }
}
