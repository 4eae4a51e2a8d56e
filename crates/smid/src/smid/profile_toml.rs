//! Profiles as TOML.

use alloc::string::{String, ToString};
use alloc::{borrow::Cow, format};

use super::{ControlByte, Count, NameFraming, NameLayout, Order, SmidProfile};
use crate::toml_text::{Entry, Table, TomlError, TomlReason, Words, quoted, read, word_for};

const KEYS: &[&str] =
    &["name", "based-on", "control", "key-name", "omitted-fill", "added-fill", "count", "order", "layout"];
const CONTROL: Words<ControlByte> = &[("absent", ControlByte::Absent), ("present", ControlByte::Present)];
const COUNT: Words<Count> = &[("one", Count::One), ("several", Count::Several)];
const ORDER: Words<Order> = &[("pin-mac", Order::PinThenMac), ("mac-pin", Order::MacThenPin)];
const FRAMING: Words<NameFraming> =
    &[("length-byte", NameFraming::LengthByte), ("remainder", NameFraming::Remainder)];

impl SmidProfile {
    /// Reads a profile from TOML.
    ///
    /// `name` is a string; `control` is `"absent"` or `"present"`; `key-name` is the fixed length of key names, or
    /// `"length-byte"`, or `"remainder"`; `count` is `"one"` or `"several"`; `order` is `"pin-mac"` or `"mac-pin"`. Optional
    /// are `omitted-fill` and `added-fill`, numbers of `FF` bytes, and `layout`, the three widths in bits. With
    /// `based-on`, the name of one of [`PRESETS`](Self::PRESETS), everything but the name is optional.
    ///
    /// # Errors
    /// Returns [`TomlError`] with line and reason.
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::{Count, SmidProfile};
    ///
    /// let profile = SmidProfile::from_toml(r#"
    ///     name = "our-acquirer"
    ///     based-on = "key-name-10-sent-as-8"
    ///     count = "several"
    /// "#)?;
    /// assert_eq!(profile.count, Count::Several);
    /// assert_eq!(SmidProfile::from_toml(&profile.to_toml())?, profile);
    /// # Ok::<(), cardroot_smid::TomlError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, TomlError> {
        read(text, Self::from_table)
    }

    /// Writes the profile as TOML that [`from_toml`](Self::from_toml) reads as the same.
    pub fn to_toml(&self) -> String {
        let key_name = match self.name_framing {
            NameFraming::Fixed(len) => len.to_string(),
            other => quoted(word_for(FRAMING, &other)),
        };
        let mut out = format!(
            "name = {}\ncontrol = \"{}\"\nkey-name = {key_name}\ncount = \"{}\"\norder = \"{}\"\n",
            quoted(&self.name),
            word_for(CONTROL, &self.control),
            word_for(COUNT, &self.count),
            word_for(ORDER, &self.order),
        );
        for (key, fill) in [("omitted-fill", self.omitted_fill), ("added-fill", self.added_fill)] {
            if fill > 0 {
                out.push_str(&format!("{key} = {fill}\n"));
            }
        }
        if let Some(layout) = &self.layout {
            let [key_set, device, counter] = layout.widths();
            out.push_str(&format!("layout = [{key_set}, {device}, {counter}]\n"));
        }
        out
    }

    pub(crate) fn from_table(table: Table<'_, '_>) -> Result<Self, TomlError> {
        table.only(KEYS)?;
        let name = Cow::Owned(table.need("name")?.string()?.to_string());
        let base = match table.get("based-on") {
            None => None,
            Some(entry) => Some(preset(entry)?),
        };
        let control = setting(table, "control", base.map(|base| base.control), |entry| entry.word(CONTROL))?;
        let name_framing = setting(table, "key-name", base.map(|base| base.name_framing), framing)?;
        // A layout of the base does not survive another framing.
        let kept = base.filter(|base| base.name_framing == name_framing);
        let profile = Self {
            name,
            control,
            name_framing,
            omitted_fill: fill(table, "omitted-fill", base.map(|base| base.omitted_fill))?,
            added_fill: fill(table, "added-fill", base.map(|base| base.added_fill))?,
            count: setting(table, "count", base.map(|base| base.count), |entry| entry.word(COUNT))?,
            order: setting(table, "order", base.map(|base| base.order), |entry| entry.word(ORDER))?,
            layout: match table.get("layout") {
                Some(entry) => Some(layout(entry)?),
                None => kept.and_then(|base| base.layout),
            },
        };
        profile.check().map_err(|error| table.error(error))?;
        Ok(profile)
    }
}

fn preset(entry: Entry<'_, '_>) -> Result<&'static SmidProfile, TomlError> {
    SmidProfile::named(entry.string()?).ok_or_else(|| {
        let names = SmidProfile::PRESETS.iter().filter_map(|preset| match preset.name {
            Cow::Borrowed(name) => Some(name),
            Cow::Owned(_) => None,
        });
        entry.error(TomlReason::Word(names.collect()))
    })
}

/// The value of a key, or that of the base; one of them is there.
fn setting<T>(
    table: Table<'_, '_>,
    key: &'static str,
    base: Option<T>,
    value: impl FnOnce(Entry<'_, '_>) -> Result<T, TomlError>,
) -> Result<T, TomlError> {
    match (table.get(key), base) {
        (Some(entry), _) => value(entry),
        (None, Some(base)) => Ok(base),
        (None, None) => Err(table.error(TomlReason::Missing(key))),
    }
}

fn fill(table: Table<'_, '_>, key: &'static str, base: Option<u8>) -> Result<u8, TomlError> {
    table.get(key).map_or(Ok(base.unwrap_or(0)), |entry| entry.small_number())
}

fn framing(entry: Entry<'_, '_>) -> Result<NameFraming, TomlError> {
    if entry.string().is_ok() { entry.word(FRAMING) } else { entry.small_number().map(NameFraming::Fixed) }
}

fn layout(entry: Entry<'_, '_>) -> Result<NameLayout, TomlError> {
    let widths: Result<alloc::vec::Vec<u8>, _> = entry.list()?.iter().map(Entry::small_number).collect();
    match widths?.as_slice() {
        &[key_set, device, counter] => {
            NameLayout::new(key_set, device, counter).map_err(|error| entry.error(error))
        }
        _ => Err(entry.error(TomlReason::Type("a list of three widths"))),
    }
}
