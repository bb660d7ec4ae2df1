//! How Java writes numbers, moments and tables of metrics.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::borrow::Cow;

/// Text as Java reads it from UTF-8. Half of a pair of surrogates, which UTF-8 does not have, becomes one replacement to
/// Java, and three to Rust.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    let is_half = |three: &[u8]| matches!(three, [0xED, 0xA0..=0xBF, 0x80..=0xBF]);
    if !bytes.windows(3).any(is_half) {
        return String::from_utf8_lossy(bytes);
    }
    let mut mended = bytes.to_vec();
    for at in 0..mended.len() {
        if let Some(three) = mended.get_mut(at..at + 3).filter(|three| is_half(three)) {
            three.copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    Cow::Owned(String::from_utf8_lossy(&mended).into_owned())
}

/// `String.split`: without the empty parts at the end.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// `%.Nf`
pub fn fixed(value: f64, digits: usize) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{value:.digits$}")
    }
}

/// `Double.toString`
pub fn double(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() || value.is_infinite() {
        return fixed(value, 0);
    }
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, power)) if digits.contains('.') => format!("{digits}E{power}"),
        Some((digits, power)) => format!("{digits}.0E{power}"),
        None => text,
    }
}

/// `Double.parseDouble`, of decimal numbers
pub fn parsed_double(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let bare = number.strip_prefix(['+', '-']).unwrap_or(number);
    // Rust takes these in any case, and shorter.
    let is_word = bare.starts_with(|first: char| first.is_alphabetic());
    if is_word && !["NaN", "Infinity"].contains(&bare) {
        return None;
    }
    number.parse().ok()
}

/// A metric's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Shown with three decimals.
    Double(f64),
    /// Shown as it is.
    Text(String),
}

/// Kafka's table of metrics, `GROUP:NAME:{TAGS}` and values, sorted; without the last newline.
pub fn metrics(mut all: Vec<(String, Value)>) -> String {
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("\n{:width$}   Value", "Metric Name");
    for (name, value) in all {
        let value = match value {
            Value::Double(number) => fixed(number, 3),
            Value::Text(text) => text,
        };
        text.push_str(&format!("\n{name:width$} : {value}"));
    }
    text
}

/// A pattern of `java.text.SimpleDateFormat`, in the local time zone.
#[derive(Debug, Clone)]
pub struct DateFormat(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    /// A letter, and how often it stands there.
    Field(char, usize),
}

impl DateFormat {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Java's message for a letter that stands for nothing, or a quote that is not closed.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            if character == '\'' {
                pieces.push(Piece::Text(quoted(&mut rest)?));
            } else if character.is_ascii_alphabetic() {
                let mut count = 1;
                while rest.next_if_eq(&character).is_some() {
                    count += 1;
                }
                if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(character) {
                    return Err(format!("Illegal pattern character '{character}'"));
                }
                if character == 'X' && count > 3 {
                    return Err(format!("invalid ISO 8601 format: length={count}"));
                }
                pieces.push(Piece::Field(character, count));
            } else {
                pieces.push(Piece::Text(character.to_string()));
            }
        }
        Ok(DateFormat(pieces))
    }

    /// That moment, in milliseconds since 1970-01-01 UTC.
    pub fn format(&self, milliseconds: i64) -> String {
        let Ok(moment) = Timestamp::from_millisecond(milliseconds) else {
            return milliseconds.to_string();
        };
        let moment = moment.to_zoned(TimeZone::system());
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Field(letter, count) => field(&moment, *letter, *count),
            })
            .collect()
    }
}

/// What stands between quotes; two of them are one quote.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    if rest.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut text = String::new();
    while let Some(character) = rest.next() {
        if character != '\'' {
            text.push(character);
        } else if rest.next_if_eq(&'\'').is_some() {
            text.push('\'');
        } else {
            return Ok(text);
        }
    }
    Err("Unterminated quote".to_owned())
}

fn field(moment: &Zoned, letter: char, count: usize) -> String {
    let padded = |number: i64| format!("{number:0count$}");
    let named = |long: &str, short: &str| moment.strftime(if count > 3 { long } else { short }).to_string();
    let hour = i64::from(moment.hour());
    let day = i64::from(moment.day());
    let weekday = i64::from(moment.weekday().to_monday_one_offset());
    match letter {
        'G' => "AD".to_owned(),
        'y' if count == 2 => format!("{:02}", moment.year() % 100),
        'y' => padded(i64::from(moment.year())),
        'Y' if count == 2 => format!("{:02}", week_of(moment).0 % 100),
        'Y' => padded(week_of(moment).0),
        'M' | 'L' if count >= 3 => named("%B", "%b"),
        'M' | 'L' => padded(i64::from(moment.month())),
        'w' => padded(week_of(moment).1),
        'W' => {
            let first = moment
                .first_of_month()
                .map_or(0, |first| i64::from(first.weekday().to_sunday_zero_offset()));
            padded((day - 1 + first) / 7 + 1)
        }
        'D' => padded(i64::from(moment.day_of_year())),
        'd' => padded(day),
        'F' => padded((day - 1) / 7 + 1),
        'E' => named("%A", "%a"),
        'u' => padded(weekday),
        'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'H' => padded(hour),
        'k' => padded(if hour == 0 { 24 } else { hour }),
        'K' => padded(hour % 12),
        'h' => padded(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => padded(i64::from(moment.minute())),
        's' => padded(i64::from(moment.second())),
        'S' => padded(i64::from(moment.millisecond())),
        'Z' => moment.strftime("%z").to_string(),
        'X' if moment.offset().is_zero() => "Z".to_owned(),
        'X' => {
            let offset = moment.strftime("%:z").to_string();
            match count {
                1 => offset.chars().take(3).collect(),
                2 => offset.replace(':', ""),
                _ => offset,
            }
        }
        _ => moment.strftime("%Z").to_string(),
    }
}

/// The year and week of the American calendar, as Java counts by default: weeks begin on Sunday, and the one with
/// January 1st is the first.
fn week_of(moment: &Zoned) -> (i64, i64) {
    let year = i64::from(moment.year());
    let day = i64::from(moment.day_of_year());
    let weekday = i64::from(moment.weekday().to_sunday_zero_offset());
    let first = (weekday - (day - 1)).rem_euclid(7);
    let days = i64::from(moment.days_in_year());
    if day + (6 - weekday) > days {
        return (year + 1, 1);
    }
    (year, (day - 1 + first) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_writes_them() {
        assert_eq!(double(100.0), "100.0");
        assert_eq!(double(0.000_25), "2.5E-4");
        assert_eq!(double(12_345_678.0), "1.2345678E7");
        assert_eq!(parsed_double(" 1e3f"), Some(1000.0));
        assert_eq!(parsed_double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parsed_double("inf"), None);
        assert_eq!(fixed(f64::INFINITY, 4), "Infinity");
        assert_eq!(fixed(f64::NAN, 1), "NaN");
    }

    #[test]
    fn a_pattern_is_filled_in_and_a_wrong_letter_is_refused() {
        let format = DateFormat::new("yyyy-MM-dd'T'HH:mm:ss:SSS 'o''clock'").unwrap();
        let text = format.format(1_767_225_600_007);
        assert!(
            text.ends_with(":007 o'clock") && text.contains("-0") || text.contains("-31T"),
            "{text}"
        );
        assert_eq!(
            DateFormat::new("bogus").unwrap_err(),
            "Illegal pattern character 'b'"
        );
    }
}
