//! Data objects and data groupings.

use ::apdu::dgi::{self, DgiWriter};
use ::apdu::tlv::{self, MAX_VALUE, Objects, Tag, Tlv, TlvWriter};

use crate::Reach;

/// Any bytes are data objects, all the way down, or an error within them; objects that are read encode to the same bytes,
/// and are found by their tags.
pub fn tlv_decode_is_total(data: &[u8]) -> Reach {
    let reach = walk(tlv::objects(data), data, 0);
    if let Ok(object) = Tlv::decode(data) {
        assert_eq!(tlv::find(data, &[object.tag()]).unwrap(), Some(object.value()));
    }
    reach
}

/// Objects of one row, and those within them.
fn walk(row: Objects<'_>, bytes: &[u8], depth: usize) -> Reach {
    const DEEPEST: usize = 8;
    let mut written = TlvWriter::new();
    let mut reach = Reach::Refused;
    for object in row {
        let Ok(object) = object else {
            // What was read so far is the beginning.
            assert!(bytes.starts_with(written.expose_bytes()));
            return Reach::Refused;
        };
        assert!(object.value().len() <= MAX_VALUE);
        assert_eq!(Tag::new(object.tag().number()), Ok(object.tag()));
        written.push(object.tag(), object.value()).unwrap();
        reach = Reach::Held;
        if object.tag().is_constructed() && depth < DEEPEST {
            walk(object.objects(), object.value(), depth + 1);
        }
    }
    assert_eq!(written.expose_bytes(), bytes);
    reach
}

/// Any bytes are data groupings or an error within them; groupings that are read encode to the same bytes.
pub fn dgi_decode_is_total(data: &[u8]) -> Reach {
    let mut written = DgiWriter::new();
    let mut reach = Reach::Refused;
    for grouping in dgi::groupings(data) {
        let Ok(grouping) = grouping else {
            assert!(data.starts_with(written.expose_bytes()));
            return Reach::Refused;
        };
        written.push(grouping.id(), grouping.value()).unwrap();
        reach = Reach::Held;
    }
    assert_eq!(written.expose_bytes(), data);
    reach
}
