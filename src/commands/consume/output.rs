//! How records look.

use super::decode::Undecodable;
use super::format::{self, NULL, Pattern};
use super::plan::Plan;
use crate::commands::jsonl;
use crate::kafka::consumer::Record;
use crate::ui::foreign::Guard;
use crate::ui::when;
use serde_json::value::RawValue;
use std::io::Write;

/// A record as it is shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// All of it, as it is.
    pub record: &'a Record<'a>,
    /// Its value as JSON, if it was decoded.
    pub decoded: Option<&'a RawValue>,
}

impl<'a> Shown<'a> {
    /// Its value.
    pub fn value(&self) -> Option<&'a [u8]> {
        match self.decoded {
            Some(json) => Some(json.get().as_bytes()),
            None => self.record.value(),
        }
    }
}

/// Appends a record, if it is wanted and can be decoded; whether it was.
pub fn show(
    plan: &Plan,
    record: &Record<'_>,
    guard: Guard,
    undecodable: &mut Undecodable,
    out: &mut Vec<u8>,
) -> bool {
    let in_time = |until: i64| record.timestamp().is_none_or(|(time, _)| time < until);
    if !plan.until.is_none_or(in_time) {
        return false;
    }
    let mut decoded = None;
    if let (Some(decoder), Some(value)) = (&plan.decode, record.value()) {
        match decoder.decode(value) {
            Ok(json) => decoded = Some(json),
            Err(why) => {
                undecodable.note(record, decoder, &why);
                return false;
            }
        }
    }
    let decoded = decoded.as_deref();
    let shown = Shown { record, decoded };
    let matching = plan.grep.as_ref().is_none_or(|grep| {
        let matches = |part: Option<&[u8]>| part.is_some_and(|part| grep.is_match(part));
        matches(shown.value()) || matches(record.key())
    });
    if matching {
        plan.style.write(shown, guard, out);
    }
    matching
}

/// How a record looks.
pub enum Style {
    /// Its value and a line feed.
    Plain,
    /// A line about it, then its value, JSON laid out.
    Pretty,
    /// A line of JSON.
    Jsonl,
    /// By a pattern.
    Pattern(Pattern),
}

impl Style {
    /// Appends a record as `guard` lets it pass.
    fn write(&self, shown: Shown<'_>, guard: Guard, out: &mut Vec<u8>) {
        let Shown { record, decoded } = shown;
        match self {
            Style::Plain => {
                guard.put(shown.value().unwrap_or(NULL), out);
                out.push(b'\n');
            }
            Style::Pretty => pretty(shown, guard, out),
            Style::Jsonl if guard == Guard::Off => jsonl::write(record, decoded, out),
            Style::Jsonl => {
                let mut line = Vec::new();
                jsonl::write(record, decoded, &mut line);
                guard.put(&line, out);
            }
            Style::Pattern(pattern) => pattern.write(shown, guard, out),
        }
    }
}

fn pretty(shown: Shown<'_>, guard: Guard, out: &mut Vec<u8>) {
    let record = shown.record;
    let time = record.timestamp().map_or_else(String::new, |(time, append)| {
        let by = if append { " (append)" } else { "" };
        format!("  {}{by}", when::local(time))
    });
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        "── {}-{} @ {}{time}",
        record.topic(),
        record.partition(),
        record.offset()
    );
    if let Some(key) = record.key() {
        out.extend_from_slice(b"  key ");
        guard.put(key, out);
    }
    out.push(b'\n');
    if record.headers().next().is_some() {
        out.extend_from_slice(b"headers ");
        format::headers(record, guard, out);
        out.push(b'\n');
    }
    let value = shown.value().unwrap_or(NULL);
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
            let mut laid_out = Vec::new();
            let _ = serde_json::to_writer_pretty(&mut laid_out, &json);
            guard.put(&laid_out, out);
        }
        _ => guard.put(value, out),
    }
    out.push(b'\n');
}
