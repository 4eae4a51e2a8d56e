//! Dates and times in digits, held against the calendar.

/// Which date or time a field is, in two digits each: `YY` year, `MM` month, `DD` day, `hh` hour, `mm` minute, `ss` second.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DateFormat {
    /// `MMDD`.
    Mmdd,
    /// `YYMM`.
    Yymm,
    /// `YYMMDD`.
    Yymmdd,
    /// `hhmmss`.
    Hhmmss,
    /// `MMDDhhmmss`.
    Mmddhhmmss,
    /// `YYMMDDhhmmss`.
    Yymmddhhmmss,
}

/// Two digits of a date.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Sixtieth,
}

use Unit::{Day, Hour, Month, Sixtieth, Year};

impl DateFormat {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::Mmdd, Self::Yymm, Self::Yymmdd, Self::Hhmmss, Self::Mmddhhmmss, Self::Yymmddhhmmss];

    /// Returns the format in the notation of ISO 8583, such as `YYMMDD`.
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Mmdd => "MMDD",
            Self::Yymm => "YYMM",
            Self::Yymmdd => "YYMMDD",
            Self::Hhmmss => "hhmmss",
            Self::Mmddhhmmss => "MMDDhhmmss",
            Self::Yymmddhhmmss => "YYMMDDhhmmss",
        }
    }

    /// Returns how many digits a value has.
    pub const fn digits(self) -> u16 {
        match self {
            Self::Mmdd | Self::Yymm => 4,
            Self::Yymmdd | Self::Hhmmss => 6,
            Self::Mmddhhmmss => 10,
            Self::Yymmddhhmmss => 12,
        }
    }

    const fn units(self) -> &'static [Unit] {
        match self {
            Self::Mmdd => &[Month, Day],
            Self::Yymm => &[Year, Month],
            Self::Yymmdd => &[Year, Month, Day],
            Self::Hhmmss => &[Hour, Sixtieth, Sixtieth],
            Self::Mmddhhmmss => &[Month, Day, Hour, Sixtieth, Sixtieth],
            Self::Yymmddhhmmss => &[Year, Month, Day, Hour, Sixtieth, Sixtieth],
        }
    }

    /// Checks that `value`, digits of the right number, is a day of the calendar and a time of the day.
    ///
    /// 29 February is a day in years that 4 divides, and where there is no year; the century is not sent. A leap second is
    /// none.
    ///
    /// # Errors
    /// Returns the position of the first two digits that cannot be.
    pub fn check(self, value: &[u8]) -> Result<(), usize> {
        let (mut leap, mut month) = (true, 1);
        let mut pairs = value.chunks_exact(2);
        for (index, unit) in self.units().iter().enumerate() {
            let Some(&[tens, ones]) = pairs.next() else { return Err(2 * index) };
            if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
                return Err(2 * index);
            }
            let number = (tens - b'0') * 10 + (ones - b'0');
            let possible = match unit {
                Year => {
                    leap = number.is_multiple_of(4);
                    true
                }
                Month => {
                    month = number;
                    (1..=12).contains(&number)
                }
                Day => (1..=days(month, leap)).contains(&number),
                Hour => number < 24,
                Sixtieth => number < 60,
            };
            if !possible {
                return Err(2 * index);
            }
        }
        let len = usize::from(self.digits());
        if value.len() == len { Ok(()) } else { Err(len) }
    }
}

const fn days(month: u8, leap: bool) -> u8 {
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn every_day_of_four_years_is_a_date_and_no_other_is() {
        let mut days_found = 0;
        for year in 23..27 {
            for month in 0..=99 {
                for day in 0..=99 {
                    let date = format!("{year:02}{month:02}{day:02}");
                    days_found += usize::from(DateFormat::Yymmdd.check(date.as_bytes()).is_ok());
                }
            }
        }
        assert_eq!(days_found, 3 * 365 + 366);
        assert_eq!(DateFormat::Yymmdd.check(b"240229"), Ok(()));
        assert_eq!(DateFormat::Yymmdd.check(b"230229"), Err(4));
        assert_eq!(DateFormat::Yymmdd.check(b"000229"), Ok(()));
        assert_eq!(DateFormat::Mmdd.check(b"0229"), Ok(()));
    }

    #[test]
    fn every_second_of_a_day_is_a_time_and_no_other_is() {
        let mut seconds = 0;
        for number in 0..1_000_000 {
            seconds += u32::from(DateFormat::Hhmmss.check(format!("{number:06}").as_bytes()).is_ok());
        }
        assert_eq!(seconds, 24 * 60 * 60);
    }

    #[test]
    fn first_impossible_pair_is_located() {
        for (format, value, expected) in [
            (DateFormat::Yymmddhhmmss, "261122025241", Ok(())),
            (DateFormat::Yymmddhhmmss, "261322025241", Err(2)),
            (DateFormat::Yymmddhhmmss, "261131025241", Err(4)),
            (DateFormat::Yymmddhhmmss, "261122245241", Err(6)),
            (DateFormat::Yymmddhhmmss, "261122236041", Err(8)),
            (DateFormat::Yymmddhhmmss, "261122235960", Err(10)),
            (DateFormat::Mmddhhmmss, "0100000000", Err(2)),
            (DateFormat::Yymm, "2600", Err(2)),
            (DateFormat::Yymm, "26", Err(2)),
            (DateFormat::Yymm, "26121", Err(4)),
            (DateFormat::Yymm, "2A12", Err(0)),
        ] {
            assert_eq!(format.check(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn patterns_have_as_many_letters_as_values_have_digits() {
        for format in DateFormat::ALL {
            assert_eq!(format.pattern().len(), usize::from(format.digits()));
            assert_eq!(format.units().len() * 2, usize::from(format.digits()));
        }
    }
}
