//! Numbers as people write them. Sizes and durations both ways: `4s` and `7d` are milliseconds, `1GiB` is bytes.

use std::fmt::Display;

/// Units of time, longest first, with their length in milliseconds.
const TIME_UNITS: [(&str, i64); 6] = [
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Units of size, largest first, with their length in bytes. Kafka counts in powers of two.
const SIZE_UNITS: [(&str, i64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// Reads a duration, `90s`, `1h30m`, `7d`, `250ms`, or a bare number of milliseconds; answers milliseconds.
///
/// # Errors
/// The text says what a duration looks like.
pub fn parse_duration_ms(text: &str) -> Result<i64, String> {
    let explain = || format!("`{text}` is not a duration; write for example 4s, 30m, 1h30m or 7d");
    let compact: String = text.split_whitespace().collect();
    if let Ok(milliseconds) = compact.parse::<i64>() {
        return Ok(milliseconds);
    }
    let mut rest = compact.as_str();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(explain());
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(explain)?;
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let length = time_unit(unit).ok_or_else(explain)?;
        total = scaled(number, length)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(explain)?;
        rest = next;
    }
    Ok(total)
}

/// Reads a duration of more than nothing, as `1s` or `500ms`.
///
/// # Errors
/// In words, for clap.
pub fn positive_duration(text: &str) -> Result<std::time::Duration, String> {
    u64::try_from(parse_duration_ms(text)?)
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .map(std::time::Duration::from_millis)
        .ok_or_else(|| "must be longer than nothing".to_owned())
}

/// Reads a size, `1GiB`, `512k`, `1.5MB`, or a bare number of bytes; answers bytes. Every unit is a power of two.
///
/// # Errors
/// The text says what a size looks like.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    let explain = || format!("`{text}` is not a size; write for example 500KiB, 16MiB or 1GiB");
    let compact: String = text.split_whitespace().collect();
    if let Ok(bytes) = compact.parse::<i64>() {
        return Ok(bytes);
    }
    let (number, unit) = split_number(&compact).ok_or_else(explain)?;
    let length = match unit.to_lowercase().as_str() {
        "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(explain()),
    };
    scaled(number, length).ok_or_else(explain)
}

/// A duration in the largest units that keep it exact: `604800000` is `7d`, `5400000` is `1h30m`.
pub fn duration(milliseconds: i64) -> String {
    if milliseconds <= 0 {
        return format!("{milliseconds}ms");
    }
    let mut rest = milliseconds;
    let mut text = String::new();
    for (unit, length) in TIME_UNITS.into_iter().filter(|(unit, _)| *unit != "w") {
        if rest / length > 0 {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    text
}

/// A size for reading at a glance, one digit after the point: `1.5 MiB`.
pub fn bytes(bytes: i64) -> String {
    let magnitude = bytes.unsigned_abs();
    SIZE_UNITS
        .into_iter()
        .find(|(_, length)| magnitude >= length.unsigned_abs())
        .map_or_else(
            || format!("{bytes} B"),
            |(unit, length)| {
                // One decimal is all that is shown, so the loss beyond 2^53 cannot be seen.
                #[allow(clippy::cast_precision_loss)]
                let value = bytes as f64 / length as f64;
                format!("{value:.1} {unit}")
            },
        )
}

/// A size that can be typed back without loss: `1073741824` is `1GiB`, `1000` stays `1000B`.
pub fn exact_bytes(bytes: i64) -> String {
    SIZE_UNITS
        .into_iter()
        .find(|(_, length)| bytes >= *length && bytes % length == 0)
        .map_or_else(
            || format!("{bytes}B"),
            |(unit, length)| format!("{}{unit}", bytes / length),
        )
}

fn split_number(text: &str) -> Option<(f64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    number.parse().ok().map(|number| (number, rest))
}

fn time_unit(unit: &str) -> Option<i64> {
    let unit = match unit.to_lowercase().as_str() {
        "week" | "weeks" => "w",
        "day" | "days" => "d",
        "hour" | "hours" => "h",
        "min" | "minute" | "minutes" => "m",
        "sec" | "second" | "seconds" => "s",
        other => {
            return TIME_UNITS
                .into_iter()
                .find(|(name, _)| *name == other)
                .map(|(_, ms)| ms);
        }
    };
    time_unit(unit)
}

fn scaled(number: f64, length: i64) -> Option<i64> {
    #[allow(clippy::cast_precision_loss)]
    let value = number * length as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    (value.is_finite() && value < i64::MAX as f64).then(|| value.round() as i64)
}

/// `1 partition`, `3 partitions`: a number with a noun that takes an s. The only place where English is given its plural.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    counted(number, noun, &format!("{noun}s"))
}

/// A number with the words that one takes, or those that any other number takes: `1 record was`, `2 records were`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, one: &str, others: &str) -> String {
    let words = if number == N::from(1) { one } else { others };
    format!("{number} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, milliseconds) in [
            ("4s", 4_000),
            ("250ms", 250),
            ("1h30m", 5_400_000),
            ("7d", 604_800_000),
            ("1.5h", 5_400_000),
            ("2 weeks", 1_209_600_000),
            ("4000", 4_000),
            ("-1", -1),
        ] {
            assert_eq!(parse_duration_ms(text), Ok(milliseconds), "{text}");
        }
        for text in ["", "4x", "s", "1h30", "99999999999999w"] {
            assert!(parse_duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1, "partition"), "1 partition");
        assert_eq!(count(0_i64, "partition"), "0 partitions");
        assert_eq!(counted(1_u64, "record was", "records were"), "1 record was");
        assert_eq!(counted(2_u64, "record was", "records were"), "2 records were");
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, bytes) in [
            ("1GiB", 1 << 30),
            ("1g", 1 << 30),
            ("512 KB", 512 << 10),
            ("1.5MiB", 3 << 19),
            ("-1", -1),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        assert!(parse_bytes("1 parsec").is_err());
    }

    #[test]
    fn what_is_shown_can_be_typed_back() {
        for milliseconds in [1, 4_000, 61_001, 604_800_000, 9_000_000_000] {
            assert_eq!(parse_duration_ms(&duration(milliseconds)), Ok(milliseconds));
        }
        for size in [0, 1_000, 1_048_588, 1 << 30, 5 << 40] {
            assert_eq!(parse_bytes(&exact_bytes(size)), Ok(size));
        }
        assert_eq!(duration(604_800_000), "7d");
        assert_eq!(exact_bytes(1 << 30), "1GiB");
        assert_eq!(bytes(1_610_612), "1.5 MiB");
    }
}
