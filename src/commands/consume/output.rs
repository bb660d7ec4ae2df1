//! Records to stdout: rendered into one large buffer, written when it is full or when nothing more has arrived.

use super::format::{self, NULL, Pattern};
use crate::commands::jsonl;
use crate::kafka::consumer::Record;
use crate::ui::when;
use std::io::{self, Write};

/// Written at once.
const FULL: usize = 256 * 1024;

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
    /// Appends a record.
    pub fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        match self {
            Style::Plain => {
                out.extend_from_slice(record.value().unwrap_or(NULL));
                out.push(b'\n');
            }
            Style::Pretty => pretty(record, out),
            Style::Jsonl => jsonl::write(record, out),
            Style::Pattern(pattern) => pattern.write(record, out),
        }
    }
}

fn pretty(record: &Record<'_>, out: &mut Vec<u8>) {
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
        out.extend_from_slice(key);
    }
    out.push(b'\n');
    if record.headers().next().is_some() {
        out.extend_from_slice(b"headers ");
        format::headers(record, out);
        out.push(b'\n');
    }
    let value = record.value().unwrap_or(NULL);
    match serde_json::from_slice::<serde_json::Value>(value) {
        Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
            let _ = serde_json::to_writer_pretty(&mut *out, &json);
        }
        _ => out.extend_from_slice(value),
    }
    out.push(b'\n');
}

/// Stdout, buffered.
pub struct Output {
    buffer: Vec<u8>,
    stdout: io::Stdout,
}

impl Output {
    /// Nothing written yet.
    pub fn new() -> Self {
        Output {
            buffer: Vec::with_capacity(FULL + FULL / 4),
            stdout: io::stdout(),
        }
    }

    /// The buffer, to append to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes when there is enough.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe is such a case.
    pub fn write_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < FULL {
            return Ok(());
        }
        self.write_all()
    }

    /// Writes all there is.
    ///
    /// # Errors
    /// As [`Output::write_if_full`].
    pub fn write_all(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut stdout = self.stdout.lock();
        let written = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        written
    }
}
