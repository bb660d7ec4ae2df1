//! What was read by now, and the lines about it.

use super::options::Work;
use crate::clock::Clock;
use crate::kafka::consumer::Record;
use crate::scripts::java_format::fixed;
use crate::scripts::out;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Kafka's header.
pub fn header(detailed: bool) -> &'static str {
    if detailed {
        "time, threadId, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, \
         fetch.MB.sec, fetch.nMsg.sec"
    } else {
        "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, \
         fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec"
    }
}

/// Counts; times are in ms.
pub struct Progress<'a> {
    work: &'a Work,
    /// Records read.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    begun: i64,
    /// Time spent joining: in all, and since the last line.
    joining: i64,
    joining_since_line: i64,
    join_begun: i64,
    /// When the last line was due, and what had been read then.
    line: i64,
    line_records: u64,
    line_bytes: u64,
}

impl<'a> Progress<'a> {
    /// Nothing is read yet.
    pub fn new(work: &'a Work, begun: i64) -> Self {
        Progress {
            work,
            records: 0,
            bytes: 0,
            begun,
            joining: 0,
            joining_since_line: 0,
            join_begun: begun,
            line: now(),
            line_records: 0,
            line_bytes: 0,
        }
    }

    /// Counts a record.
    pub fn add(&mut self, record: &Record<'_>) {
        let size = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len) as u64;
        self.records += 1;
        self.bytes += size(record.key()) + size(record.value());
    }

    /// The member was given partitions, or has lost all of them.
    pub fn rebalanced(&mut self, assigned: bool) {
        if assigned {
            let elapsed = now() - self.join_begun;
            self.joining += elapsed;
            self.joining_since_line += elapsed;
        } else {
            self.join_begun = now();
        }
    }

    /// Time since the beginning, in ms.
    pub fn elapsed_ms(&self) -> i64 {
        now() - self.begun
    }

    /// Time spent joining, in ms.
    pub fn joining_ms(&self) -> i64 {
        self.joining
    }

    /// Prints a line when the interval is over and something was read.
    pub fn look_at_clock(&mut self) {
        let now = now();
        if now - self.line < self.work.interval || self.records == self.line_records {
            return;
        }
        if self.work.detailed {
            self.print_line(now);
        }
        self.joining_since_line = 0;
        self.line = now;
        self.line_records = self.records;
        self.line_bytes = self.bytes;
    }

    fn print_line(&self, now: i64) {
        let elapsed = (now - self.line) as f64;
        let records = (self.records - self.line_records) as f64;
        let megabytes = (self.bytes - self.line_bytes) as f64 / MEBIBYTE;
        let fetching = now - self.line - self.joining_since_line;
        let per_fetching = |amount: f64| {
            if fetching <= 0 {
                0.0
            } else {
                1000.0 * amount / fetching as f64
            }
        };
        out(&format!(
            "{}, 0, {}, {}, {}, {}, {}, {fetching}, {}, {}",
            self.work.dates.format(now),
            fixed(self.bytes as f64 / MEBIBYTE, 4),
            fixed(1000.0 * megabytes / elapsed, 4),
            self.records,
            fixed(records / elapsed * 1000.0, 4),
            self.joining_since_line,
            fixed(per_fetching(megabytes), 4),
            fixed(per_fetching(records), 4),
        ));
    }

    /// Prints the line for all, unless there was one for each interval.
    pub fn print_total(&self) {
        if self.work.detailed {
            return;
        }
        let end = now();
        let seconds = (end - self.begun) as f64 / 1000.0;
        let fetching = end - self.begun - self.joining;
        let fetching_seconds = fetching as f64 / 1000.0;
        let megabytes = self.bytes as f64 / MEBIBYTE;
        let records = self.records as f64;
        out(&format!(
            "{}, {}, {}, {}, {}, {}, {}, {fetching}, {}, {}",
            self.work.dates.format(self.begun),
            self.work.dates.format(end),
            fixed(megabytes, 4),
            fixed(megabytes / seconds, 4),
            self.records,
            fixed(records / seconds, 4),
            self.joining,
            fixed(megabytes / fetching_seconds, 4),
            fixed(records / fetching_seconds, 4),
        ));
    }
}

fn now() -> i64 {
    Clock::system().now_ms()
}
