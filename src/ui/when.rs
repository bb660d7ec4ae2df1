//! Moments as people write them: `@-1h`, `@2026-01-01T10:00`, `@1767225600`, `now`.

use super::units;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Bare numbers below this are seconds, from it on they are milliseconds: of either kind that is a moment within the years
/// 1973 and 5138, so no moment that a record may carry is taken for another.
const LEAST_MILLISECONDS: i64 = 100_000_000_000;

/// Reads a moment, with or without the leading `@`: a time ago (`-1h`), a time to come (`+5m`), a local date or date
/// and time (`2026-01-01`, `2026-01-01T10:00`), one with its offset (`2026-01-01T10:00Z`), seconds or milliseconds since
/// 1970-01-01 UTC (told apart by their size), or `now`. Answers milliseconds since 1970-01-01 UTC; `now_ms` is what `now` means.
///
/// # Errors
/// The text says what a moment looks like.
pub fn parse_ms(text: &str, now_ms: i64) -> Result<i64, String> {
    let moment = text.strip_prefix('@').unwrap_or(text).trim();
    if moment == "now" {
        return Ok(now_ms);
    }
    if let Some(ago) = moment.strip_prefix('-').filter(|rest| !is_bare_number(rest)) {
        return units::parse_duration_ms(ago).map(|ago| now_ms.saturating_sub(ago));
    }
    if let Some(ahead) = moment.strip_prefix('+').filter(|rest| !is_bare_number(rest)) {
        return units::parse_duration_ms(ahead).map(|ahead| now_ms.saturating_add(ahead));
    }
    if let Ok(number) = moment.parse::<i64>() {
        return Ok(since_1970(number));
    }
    absolute(moment).ok_or_else(|| {
        format!(
            "`{text}` is not a moment; write for example @-1h (an hour ago), @2026-01-31T10:00 (local time), \
             @2026-01-31T10:00Z (UTC), @1769853600 (seconds) or @1769853600000 (milliseconds)"
        )
    })
}

/// A moment for reading: local date and time with milliseconds and the offset from UTC.
pub fn local(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| format!("{milliseconds} ms"),
        |moment| {
            moment
                .to_zoned(TimeZone::system())
                .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
                .to_string()
        },
    )
}

/// A moment for programs: RFC 3339 in UTC, to the millisecond.
pub fn utc(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| format!("{milliseconds} ms"),
        |moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// Milliseconds, whichever of the two a bare number counts.
fn since_1970(number: i64) -> i64 {
    if number.abs() < LEAST_MILLISECONDS {
        number * 1_000
    } else {
        number
    }
}

fn is_bare_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn absolute(text: &str) -> Option<i64> {
    let milliseconds = |zoned: Zoned| zoned.timestamp().as_millisecond();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_millisecond());
    }
    if let Ok(moment) = text.parse::<Zoned>() {
        return Some(milliseconds(moment));
    }
    text.parse::<DateTime>()
        .ok()
        .and_then(|moment| moment.to_zoned(TimeZone::system()).ok())
        .map(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_769_853_600_000;

    #[test]
    fn moments_read_as_people_write_them() {
        assert_eq!(parse_ms("@-1h", NOW), Ok(NOW - 3_600_000));
        assert_eq!(parse_ms("-90s", NOW), Ok(NOW - 90_000));
        assert_eq!(parse_ms("@+5m", NOW), Ok(NOW + 300_000));
        assert_eq!(parse_ms("now", NOW), Ok(NOW));
        assert_eq!(parse_ms("@1767225600000", NOW), Ok(1_767_225_600_000));
        assert_eq!(parse_ms("@1767225600", NOW), Ok(1_767_225_600_000));
        assert_eq!(parse_ms("@0", NOW), Ok(0));
        assert_eq!(parse_ms("@2026-01-01T00:00:00Z", NOW), Ok(1_767_225_600_000));
        assert_eq!(parse_ms("2026-01-01T02:00+02:00", NOW), Ok(1_767_225_600_000));
    }

    #[test]
    fn local_times_come_back_as_they_were_typed() {
        let typed = parse_ms("@2026-01-31T10:00", NOW).unwrap();
        assert!(
            local(typed).starts_with("2026-01-31T10:00:00.000"),
            "{}",
            local(typed)
        );
        assert_eq!(parse_ms(&local(typed), NOW), Ok(typed));
        assert!(parse_ms("2026-01-31", NOW).is_ok());
    }

    #[test]
    fn what_is_no_moment_is_explained() {
        let error = parse_ms("@yesterday", NOW).unwrap_err();
        assert!(error.contains("@-1h"), "{error}");
    }
}
