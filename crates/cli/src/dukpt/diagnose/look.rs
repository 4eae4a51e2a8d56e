//! Whether bytes are what somebody would have encrypted, and what of them may be shown.

use cardroot::pin::Pan;
use zeroize::Zeroizing;

/// What is known of the data.
#[derive(Default)]
pub(super) struct Hint {
    /// Text or digits in it.
    pub(super) known: Option<Zeroizing<Vec<u8>>>,
    /// An account number in it.
    pub(super) pan: Option<Pan>,
}

impl Hint {
    /// Text that is shorter turns up by chance.
    pub(super) const MIN_LEN: usize = 4;
    /// Digits in half a byte each need to be more.
    const MIN_NIBBLES: usize = 8;

    /// Whether `plain` is the data, and by what that shows.
    pub(super) fn recognises(&self, plain: &[u8]) -> Option<&'static str> {
        let contains = |text: &[u8]| contains_text(plain, text) || contains_digits(plain, text);
        match (&self.known, &self.pan) {
            (None, None) => looks_like_card_data(plain),
            (Some(known), _) if contains(known) => Some("the known text"),
            (_, Some(pan)) if contains(pan.expose_digits()) => Some("the account number"),
            _ => None,
        }
    }
}

/// Whether text begins with the second block, as it does under the right key and a wrong initial vector.
pub(super) fn only_the_first_block_is_wrong(plain: &[u8], block_len: usize) -> bool {
    let is_text = |part: &[u8]| part.iter().all(|byte| matches!(byte, b' '..=b'~'));
    match unpadded(plain).split_at_checked(block_len) {
        Some((first, rest)) => !rest.is_empty() && is_text(rest) && !is_text(first),
        None => false,
    }
}

fn contains_text(plain: &[u8], text: &[u8]) -> bool {
    plain.windows(text.len().max(1)).any(|window| window == text)
}

/// Looks for digits of half a byte each; the separator of track 2 is `D` there.
fn contains_digits(plain: &[u8], text: &[u8]) -> bool {
    let is_digit = |c: &u8| c.is_ascii_hexdigit() || *c == b'=';
    if text.len() < Hint::MIN_NIBBLES || !text.iter().all(is_digit) {
        return false;
    }
    let wanted = Zeroizing::new(
        text.to_ascii_uppercase().iter().map(|c| if *c == b'=' { b'D' } else { *c }).collect(),
    );
    let digits = nibbles(plain);
    let wanted: &Vec<u8> = &wanted;
    digits.windows(wanted.len()).any(|window| window == wanted)
}

/// Card data by its looks: digits of an account number as text, text throughout, or track 2 in half bytes.
fn looks_like_card_data(plain: &[u8]) -> Option<&'static str> {
    const ACCOUNT_DIGITS: usize = 10;
    const TEXT_LEN: usize = 16;
    let text = unpadded(plain);
    if digit_run(plain, ACCOUNT_DIGITS).is_some() {
        return Some("digits of an account number");
    }
    if text.len() >= TEXT_LEN && text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Some("text throughout");
    }
    is_packed_track_2(plain).then_some("track 2 in half bytes")
}

/// The first run of at least `least` ASCII digits.
fn digit_run(text: &[u8], least: usize) -> Option<core::ops::Range<usize>> {
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len >= least {
            return Some(start..start + len);
        }
        start += len + 1;
    }
    None
}

/// `PAN D expiry … F…` from the first half byte to the last, the check digit right.
fn is_packed_track_2(plain: &[u8]) -> bool {
    const LEAST_DIGITS: usize = 24;
    let digits = nibbles(plain);
    let text: &[u8] = digits.trim_suffix_of(b"0F");
    let Some(separator) = text.iter().position(|c| *c == b'D') else { return false };
    let (pan, rest) = text.split_at(separator);
    let is_number = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let pan_is_right = Pan::from_ascii_digits(pan).is_ok_and(|pan| pan.verify_luhn().is_ok());
    pan_is_right && text.len() >= LEAST_DIGITS && rest.get(1..).is_some_and(is_number)
}

/// Without what fills the last block up: zeros, `80` and zeros, or bytes that count themselves.
fn unpadded(plain: &[u8]) -> &[u8] {
    const MOST: u8 = 16;
    if let Some(count @ 1..=MOST) = plain.last().copied()
        && plain.ends_with(&vec![count; count.into()])
    {
        return plain.get(..plain.len() - usize::from(count)).unwrap_or_default();
    }
    let text = plain.trim_suffix_of(&[0]);
    text.strip_suffix(&[0x80]).unwrap_or(text)
}

trait TrimSuffix {
    /// Without trailing bytes that are among `these`.
    fn trim_suffix_of(&self, these: &[u8]) -> &[u8];
}

impl TrimSuffix for [u8] {
    fn trim_suffix_of(&self, these: &[u8]) -> &[u8] {
        let len = self.iter().rposition(|byte| !these.contains(byte)).map_or(0, |last| last + 1);
        self.get(..len).unwrap_or_default()
    }
}

/// Upper-case hexadecimal digits.
fn nibbles(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(crate::hex::encode_secret(plain).bytes().collect())
}

/// The data as text if most of it is, else as half bytes; masked unless all may be shown.
pub(super) fn shown(plain: &[u8], show_data: bool) -> Zeroizing<String> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~');
    let text = unpadded(plain);
    let is_text = 4 * text.iter().filter(|byte| printable(byte)).count() >= 3 * text.len();
    let text = if is_text {
        Zeroizing::new(text.iter().map(|byte| if printable(byte) { *byte } else { b'.' }).collect())
    } else {
        nibbles(plain)
    };
    let text = if show_data { text } else { masked(&text) };
    Zeroizing::new(text.iter().copied().map(char::from).collect())
}

/// Keeps punctuation and what a masked account number shows.
fn masked(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let hide = |part: &[u8]| -> Vec<u8> {
        part.iter().map(|c| if c.is_ascii_alphanumeric() { b'*' } else { *c }).collect()
    };
    let Some((run, pan)) = account_number(text) else { return Zeroizing::new(hide(text)) };
    let (before, rest) = text.split_at(run.start);
    let (_, after) = rest.split_at(run.len());
    let mut masked = hide(before);
    masked.extend_from_slice(pan.to_string().as_bytes());
    // The separator of track 2, where it is a letter.
    let (separator, after) = after.split_at(usize::from(after.first() == Some(&b'D')));
    masked.extend_from_slice(separator);
    masked.extend(hide(after));
    Zeroizing::new(masked)
}

fn account_number(text: &[u8]) -> Option<(core::ops::Range<usize>, Pan)> {
    let run = digit_run(text, Pan::MIN_DIGITS)?;
    let pan = Pan::from_ascii_digits(text.get(run.clone())?).ok()?;
    Some((run, pan))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(plain: &[u8]) -> Option<&'static str> {
        Hint::default().recognises(plain)
    }

    #[test]
    fn tracks_and_text_are_recognised_and_noise_is_not() {
        assert_eq!(looks(b"%B5452300551227189^HOGAN/PAUL ^0804\0\0\0"), Some("digits of an account number"));
        assert_eq!(looks(b"\x02\x00\x105413339000001513\x0E\0\x04"), Some("digits of an account number"));
        assert_eq!(looks(b"hello, this is a text\x80\0\0"), Some("text throughout"));
        assert_eq!(looks(b"a message padded\x08\x08\x08\x08\x08\x08\x08\x08"), Some("text throughout"));
        let packed = crate::hex::decode(b"4111111111111111D25121011234567890FF").unwrap();
        assert_eq!(looks(&packed), Some("track 2 in half bytes"));
        let wrong_check_digit = crate::hex::decode(b"4111111111111112D25121011234567890FF").unwrap();
        assert_eq!(looks(&wrong_check_digit), None);
        assert_eq!(looks(b"short"), None);
        assert_eq!(looks(&[0; 24]), None);
        assert_eq!(looks(&[]), None);
    }

    #[test]
    fn known_text_is_found_as_text_and_as_half_bytes() {
        let hint = |known: &[u8]| Hint { known: Some(Zeroizing::new(known.to_vec())), pan: None };
        assert!(hint(b"9D98").recognises(b"4012345678909D987\0\0").is_some());
        assert!(
            hint(b"4012345678909=987")
                .recognises(&crate::hex::decode(b"4012345678909D987F").unwrap())
                .is_some()
        );
        assert!(hint(b"9D99").recognises(b"4012345678909D987\0\0").is_none());
        let pan = Hint { known: None, pan: Some(Pan::from_ascii_digits(b"4012345678909").unwrap()) };
        assert!(pan.recognises(b"\x07\x40\x12\x34\x56\x78\x90\x9F").is_some());
    }

    #[test]
    fn only_punctuation_and_the_ends_of_the_account_number_are_shown() {
        assert_eq!(
            *shown(b"%B5452300551227189^HOGAN/PAUL^0804?\0", false),
            "%*545230******7189^*****/****^****?"
        );
        assert_eq!(*shown(b"4012345678909D987\0\0\0\0\0\0\0", false), "401******8909D***");
        assert_eq!(
            *shown(&[0x41, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0xD2], false),
            "411111******1111D*"
        );
        assert_eq!(*shown(b"4012345678909D987\0\0", true), "4012345678909D987");
    }
}
