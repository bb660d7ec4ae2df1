//! How records look.

use super::format::{self, NULL, Pattern};
use crate::commands::jsonl;
use crate::kafka::consumer::Record;
use crate::ui::foreign::Guard;
use crate::ui::when;
use std::io::Write;

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
    pub fn write(&self, record: &Record<'_>, guard: Guard, out: &mut Vec<u8>) {
        match self {
            Style::Plain => {
                guard.put(record.value().unwrap_or(NULL), out);
                out.push(b'\n');
            }
            Style::Pretty => pretty(record, guard, out),
            Style::Jsonl if guard == Guard::Off => jsonl::write(record, out),
            Style::Jsonl => {
                let mut line = Vec::new();
                jsonl::write(record, &mut line);
                guard.put(&line, out);
            }
            Style::Pattern(pattern) => pattern.write(record, guard, out),
        }
    }
}

fn pretty(record: &Record<'_>, guard: Guard, out: &mut Vec<u8>) {
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
    let value = record.value().unwrap_or(NULL);
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
