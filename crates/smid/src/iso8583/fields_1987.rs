//! The data elements of ISO 8583:1987.

use super::dialect::FIELDS as COUNT;
use super::{
    BcdPad, Coding, Content, Content::*, DateFormat, DateFormat::*, Field, FieldSpec, Length, Length::*,
    LengthCoding, ValueCoding,
};

/// Fields 2 to 128, field 2 first.
///
/// What matters for keys: 53 is n 16 and carries no SMID, and 96 is a message security code. Field 65 is a bit of the
/// bitmap and cannot be used.
///
/// # Source
/// Lengths and kinds from the generic ISO 8583:1987 packagers of jPOS, with one exception: those have 16 bytes in
/// field 96, where the standard has b 64, that is 8. They tell text from digits only, so the classes within text
/// are ours, and wide: `ans` where practice sends more than the standard's `an`.
pub static FIELDS: [FieldSpec; COUNT] = [
    f(2, "Primary account number", N, LlVar(19)),
    f(3, "Processing code", N, Fixed(6)),
    f(4, "Amount, transaction", N, Fixed(12)),
    f(5, "Amount, settlement", N, Fixed(12)),
    f(6, "Amount, cardholder billing", N, Fixed(12)),
    d(7, "Date and time, transmission", Mmddhhmmss),
    f(8, "Amount, cardholder billing fee", N, Fixed(8)),
    f(9, "Conversion rate, settlement", N, Fixed(8)),
    f(10, "Conversion rate, cardholder billing", N, Fixed(8)),
    f(11, "Systems trace audit number", N, Fixed(6)),
    d(12, "Time, local transaction", Hhmmss),
    d(13, "Date, local transaction", Mmdd),
    d(14, "Date, expiration", Yymm),
    d(15, "Date, settlement", Mmdd),
    d(16, "Date, conversion", Mmdd),
    d(17, "Date, capture", Mmdd),
    f(18, "Merchant type", N, Fixed(4)),
    f(19, "Country code, acquiring institution", N, Fixed(3)),
    f(20, "Country code, primary account number", N, Fixed(3)),
    f(21, "Country code, forwarding institution", N, Fixed(3)),
    f(22, "Point of service entry mode", N, Fixed(3)),
    f(23, "Card sequence number", N, Fixed(3)),
    f(24, "Network international identifier", N, Fixed(3)),
    f(25, "Point of service condition code", N, Fixed(2)),
    f(26, "Point of service PIN capture code", N, Fixed(2)),
    f(27, "Authorization identification response length", N, Fixed(1)),
    f(28, "Amount, transaction fee", XN, Fixed(9)),
    f(29, "Amount, settlement fee", XN, Fixed(9)),
    f(30, "Amount, transaction processing fee", XN, Fixed(9)),
    f(31, "Amount, settlement processing fee", XN, Fixed(9)),
    f(32, "Acquiring institution identification code", N, LlVar(11)),
    f(33, "Forwarding institution identification code", N, LlVar(11)),
    f(34, "Primary account number, extended", Ns, LlVar(28)),
    f(35, "Track 2 data", Z, LlVar(37)),
    f(36, "Track 3 data", Z, LllVar(104)),
    f(37, "Retrieval reference number", Anp, Fixed(12)),
    f(38, "Authorization identification response", Anp, Fixed(6)),
    f(39, "Response code", An, Fixed(2)),
    f(40, "Service restriction code", An, Fixed(3)),
    f(41, "Card acceptor terminal identification", Ans, Fixed(8)),
    f(42, "Card acceptor identification code", Ans, Fixed(15)),
    f(43, "Card acceptor name/location", Ans, Fixed(40)),
    f(44, "Additional response data", Ans, LlVar(25)),
    f(45, "Track 1 data", Ans, LlVar(76)),
    f(46, "Additional data, ISO", Ans, LllVar(999)),
    f(47, "Additional data, national", Ans, LllVar(999)),
    f(48, "Additional data, private", Ans, LllVar(999)),
    f(49, "Currency code, transaction", AOrN, Fixed(3)),
    f(50, "Currency code, settlement", AOrN, Fixed(3)),
    f(51, "Currency code, cardholder billing", AOrN, Fixed(3)),
    f(52, "PIN data", B, Fixed(8)),
    f(53, "Security related control information", N, Fixed(16)),
    f(54, "Additional amounts", Ans, LllVar(120)),
    f(55, "Reserved ISO", Ans, LllVar(999)),
    f(56, "Reserved ISO", Ans, LllVar(999)),
    f(57, "Reserved national", Ans, LllVar(999)),
    f(58, "Reserved national", Ans, LllVar(999)),
    f(59, "Reserved national", Ans, LllVar(999)),
    f(60, "Reserved private", Ans, LllVar(999)),
    f(61, "Reserved private", Ans, LllVar(999)),
    f(62, "Reserved private", Ans, LllVar(999)),
    f(63, "Reserved private", Ans, LllVar(999)),
    f(64, "Message authentication code", B, Fixed(8)),
    f(65, "Bitmap, third", B, Fixed(1)),
    f(66, "Settlement code", N, Fixed(1)),
    f(67, "Extended payment code", N, Fixed(2)),
    f(68, "Country code, receiving institution", N, Fixed(3)),
    f(69, "Country code, settlement institution", N, Fixed(3)),
    f(70, "Network management information code", N, Fixed(3)),
    f(71, "Message number", N, Fixed(4)),
    f(72, "Message number, last", N, Fixed(4)),
    d(73, "Date, action", Yymmdd),
    f(74, "Credits number", N, Fixed(10)),
    f(75, "Credits reversal number", N, Fixed(10)),
    f(76, "Debits number", N, Fixed(10)),
    f(77, "Debits reversal number", N, Fixed(10)),
    f(78, "Transfer number", N, Fixed(10)),
    f(79, "Transfer reversal number", N, Fixed(10)),
    f(80, "Inquiries number", N, Fixed(10)),
    f(81, "Authorization number", N, Fixed(10)),
    f(82, "Credits, processing fee amount", N, Fixed(12)),
    f(83, "Credits, transaction fee amount", N, Fixed(12)),
    f(84, "Debits, processing fee amount", N, Fixed(12)),
    f(85, "Debits, transaction fee amount", N, Fixed(12)),
    f(86, "Credits, amount", N, Fixed(16)),
    f(87, "Credits, reversal amount", N, Fixed(16)),
    f(88, "Debits, amount", N, Fixed(16)),
    f(89, "Debits, reversal amount", N, Fixed(16)),
    f(90, "Original data elements", N, Fixed(42)),
    f(91, "File update code", An, Fixed(1)),
    f(92, "File security code", An, Fixed(2)),
    f(93, "Response indicator", An, Fixed(6)),
    f(94, "Service indicator", An, Fixed(7)),
    f(95, "Replacement amounts", An, Fixed(42)),
    f(96, "Message security code", B, Fixed(8)),
    f(97, "Amount, net settlement", XN, Fixed(17)),
    f(98, "Payee", Ans, Fixed(25)),
    f(99, "Settlement institution identification code", N, LlVar(11)),
    f(100, "Receiving institution identification code", N, LlVar(11)),
    f(101, "File name", Ans, LlVar(17)),
    f(102, "Account identification 1", Ans, LlVar(28)),
    f(103, "Account identification 2", Ans, LlVar(28)),
    f(104, "Transaction description", Ans, LllVar(100)),
    f(105, "Reserved ISO use", Ans, LllVar(999)),
    f(106, "Reserved ISO use", Ans, LllVar(999)),
    f(107, "Reserved ISO use", Ans, LllVar(999)),
    f(108, "Reserved ISO use", Ans, LllVar(999)),
    f(109, "Reserved ISO use", Ans, LllVar(999)),
    f(110, "Reserved ISO use", Ans, LllVar(999)),
    f(111, "Reserved ISO use", Ans, LllVar(999)),
    f(112, "Reserved national use", Ans, LllVar(999)),
    f(113, "Reserved national use", Ans, LllVar(999)),
    f(114, "Reserved national use", Ans, LllVar(999)),
    f(115, "Reserved national use", Ans, LllVar(999)),
    f(116, "Reserved national use", Ans, LllVar(999)),
    f(117, "Reserved national use", Ans, LllVar(999)),
    f(118, "Reserved national use", Ans, LllVar(999)),
    f(119, "Reserved national use", Ans, LllVar(999)),
    f(120, "Reserved private use", Ans, LllVar(999)),
    f(121, "Reserved private use", Ans, LllVar(999)),
    f(122, "Reserved private use", Ans, LllVar(999)),
    f(123, "Reserved private use", Ans, LllVar(999)),
    f(124, "Reserved private use", Ans, LllVar(999)),
    f(125, "Reserved private use", Ans, LllVar(999)),
    f(126, "Reserved private use", Ans, LllVar(999)),
    f(127, "Reserved private use", Ans, LllVar(999)),
    f(128, "Message authentication code", B, Fixed(8)),
];

/// Packed, track 2 is in half bytes, its separator `=` as `D`.
pub(super) const BINARY_TRACK_2: Field = Field {
    spec: f(35, "Track 2 data", Z, LlVar(37)),
    coding: Coding { length: LengthCoding::Bcd, value: ValueCoding::Bcd(BcdPad::TrailingZero) },
};

/// Packed, field 55 holds bytes, where the text dialect has text.
pub(super) const BINARY_RESERVED_55: Field = Field {
    spec: f(55, "Reserved ISO", B, LllVar(999)),
    coding: Coding { length: LengthCoding::Bcd, value: ValueCoding::Raw },
};

const fn f(number: u8, name: &'static str, content: Content, length: Length) -> FieldSpec {
    FieldSpec::new(number, name, content, length)
}

/// A date or time: digits of fixed length.
const fn d(number: u8, name: &'static str, format: DateFormat) -> FieldSpec {
    FieldSpec::new(number, name, N, Fixed(format.digits())).dated(format)
}
