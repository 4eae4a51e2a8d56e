//! The names of readers, and the one that is meant.

use alloc::ffi::CString;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use crate::pcsc::error::PcscError;

/// The name of a reader, as the service has it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReaderName(pub(super) CString);

impl fmt::Display for ReaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

/// The reader that `wanted` means among `readers`.
pub(super) fn choose(readers: Vec<ReaderName>, wanted: &str) -> Result<ReaderName, PcscError> {
    if let Some(exact) = readers.iter().find(|name| name.to_string() == wanted) {
        return Ok(exact.clone());
    }
    let (mut partial, others): (Vec<_>, Vec<_>) =
        readers.into_iter().partition(|name| name.to_string().contains(wanted));
    let wanted = wanted.into();
    match (partial.pop(), partial.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            partial.push(last);
            Err(PcscError::AmbiguousReader { wanted, readers: partial })
        }
        (None, _) => Err(PcscError::UnknownReader { wanted, readers: others }),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn names(names: &[&str]) -> Vec<ReaderName> {
        names.iter().map(|name| ReaderName(CString::new(*name).unwrap())).collect()
    }

    fn chosen(readers: &[&str], wanted: &str) -> String {
        choose(names(readers), wanted).map_or_else(|error| error.to_string(), |name| name.to_string())
    }

    #[test]
    fn a_reader_is_chosen_by_its_name_before_a_part_of_it() {
        let readers = ["Gemalto PC 00 00", "Gemalto PC 00 00 bis", "ACS"];
        assert_eq!(chosen(&readers, "Gemalto PC 00 00"), "Gemalto PC 00 00");
        assert_eq!(chosen(&readers, "AC"), "ACS");
    }

    #[test]
    fn a_name_that_means_no_reader_or_several_lists_them() {
        let readers = ["Gemalto 0", "Gemalto 1", "ACS"];
        let several = r#""Gemalto" is part of several names; there are "Gemalto 0", "Gemalto 1""#;
        assert_eq!(chosen(&readers, "Gemalto"), several);
        let unknown = r#"no reader is called "SCM"; there are "Gemalto 0", "Gemalto 1", "ACS""#;
        assert_eq!(chosen(&readers, "SCM"), unknown);
        assert_eq!(chosen(&["ACS"], "SCM"), r#"no reader is called "SCM"; there is "ACS""#);
        assert_eq!(chosen(&[], "SCM"), r#"no reader is called "SCM"; there is none"#);
    }
}
