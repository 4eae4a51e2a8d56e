//! The labels that masters and functions are derived by.

use crate::factor::Factor;
use crate::name::Name;
use crate::tree::purpose::{LABELS_V1, PurposeId};

/// The labels of all masters and functions: named, versioned data. Public.
///
/// A label is the factor that makes a master from the parent key, or the province's key of a function from its master.
/// No public standard has such labels: [`V1`](Self::V1) is this project's own scheme. A system that must agree with
/// another brings its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FunctionLabels {
    name: Name,
    version: u16,
    /// In the order of [`PurposeId::ALL`].
    labels: [Factor; PurposeId::ALL.len()],
}

/// Labels that do not tell all keys apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A purpose has no label.
    #[error("{purpose} has no label")]
    Missing {
        /** Purpose without a label. */
        purpose: PurposeId,
    },
    /// A purpose has two labels.
    #[error("{purpose} has more than one label")]
    Twice {
        /** Purpose with two labels. */
        purpose: PurposeId,
    },
    /// Two labels under one parent are the same or each other's complement: the keys would be the same halves.
    #[error("the labels of {first} and {second} make the same key halves")]
    Clash {
        /** The first of the two. */
        first: PurposeId,
        /** The second of the two. */
        second: PurposeId,
    },
}

impl FunctionLabels {
    /// This project's own scheme, version 1: a tag of up to 7 ASCII characters, then `80`, then zeros.
    pub const V1: Self = Self { name: Name::from_literal("cardroot"), version: 1, labels: LABELS_V1 };

    /// Takes the labels of another scheme: one for every purpose of [`PurposeId::ALL`].
    ///
    /// # Errors
    /// Returns the first [`LabelError`].
    pub fn new(name: Name, version: u16, entries: &[(PurposeId, Factor)]) -> Result<Self, LabelError> {
        let mut labels = LABELS_V1;
        for (label, purpose) in labels.iter_mut().zip(PurposeId::ALL.iter().copied()) {
            let mut given = entries.iter().filter(|(entry, _)| *entry == purpose);
            *label = match (given.next(), given.next()) {
                (Some((_, factor)), None) => *factor,
                (Some(_), Some(_)) => return Err(LabelError::Twice { purpose }),
                (None, _) => return Err(LabelError::Missing { purpose }),
            };
        }
        let labels = Self { name, version, labels };
        labels.tell_apart()?;
        Ok(labels)
    }

    /// Name of the scheme, for records.
    #[must_use]
    pub const fn name(&self) -> Name {
        self.name
    }

    /// Version of the scheme, for records.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// The label of a master or a function.
    #[must_use]
    pub fn of(&self, purpose: PurposeId) -> Factor {
        let (_, label) =
            self.entries().find(|(entry, _)| *entry == purpose).expect("every purpose has a label");
        label
    }

    /// All purposes with their labels.
    pub fn entries(&self) -> impl Iterator<Item = (PurposeId, Factor)> {
        PurposeId::ALL.iter().copied().zip(self.labels)
    }

    /// Verifies that no two labels under one parent give the same key halves.
    fn tell_apart(&self) -> Result<(), LabelError> {
        for (count, (first, label)) in self.entries().enumerate() {
            let clash = self.entries().take(count).find(|(second, other)| {
                second.master() == first.master() && [*other, other.complement()].contains(&label)
            });
            if let Some((second, _)) = clash {
                return Err(LabelError::Clash { first: second, second: first });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_tells_all_keys_apart() {
        assert_eq!(FunctionLabels::V1.tell_apart(), Ok(()));
    }
}
