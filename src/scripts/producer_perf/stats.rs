//! What was measured: windows on the way, and the summary.

use crate::scripts::java_format::fixed;
use crate::scripts::out;

/// At most about so many latencies are kept for the percentiles.
const SAMPLES: u64 = 500_000;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// The records, bytes and latencies of a time.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    records: u64,
    bytes: u64,
    latency: i64,
    worst: i64,
}

impl Sums {
    fn add(&mut self, latency: i64, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
        self.latency += latency;
        self.worst = self.worst.max(latency);
    }

    fn per_second(&self, elapsed: i64) -> (f64, f64) {
        let per = |amount: u64| 1000.0 * amount as f64 / elapsed as f64;
        (per(self.records), per(self.bytes) / MEBIBYTE)
    }

    fn average(&self) -> f64 {
        self.latency as f64 / self.records as f64
    }
}

/// The statistics of a run, or of its steady part.
#[derive(Debug)]
pub struct Stats {
    begun: i64,
    window_begun: i64,
    all: Sums,
    window: Sums,
    /// One of so many latencies is kept.
    sampling: u64,
    latencies: Vec<i64>,
    interval: i64,
    steady: bool,
    silent: bool,
}

impl Stats {
    /// Statistics of so many records, from `now` on; times are in ms.
    pub fn new(records: u64, interval: i64, steady: bool, now: i64) -> Self {
        Stats {
            begun: now,
            window_begun: now,
            all: Sums::default(),
            window: Sums::default(),
            sampling: (records / records.clamp(1, SAMPLES)).max(1),
            latencies: Vec::new(),
            interval,
            steady,
            silent: false,
        }
    }

    /// From now on no window is printed.
    pub fn silence(&mut self) {
        self.silent = true;
    }

    /// So many records were acknowledged.
    pub fn records(&self) -> u64 {
        self.all.records
    }

    /// They held so many bytes.
    pub fn bytes(&self) -> u64 {
        self.all.bytes
    }

    /// A record was acknowledged at `now`.
    pub fn record(&mut self, latency: i64, bytes: usize, now: i64) {
        if self.all.records.is_multiple_of(self.sampling) {
            self.latencies.push(latency);
        }
        self.all.add(latency, bytes);
        self.window.add(latency, bytes);
        if now - self.window_begun < self.interval {
            return;
        }
        if self.steady && self.all.records == self.window.records {
            out("In steady state.");
        }
        if !self.silent {
            self.print_window(now);
        }
        self.window_begun = now;
        self.window = Sums::default();
    }

    fn print_window(&self, now: i64) {
        let (records, megabytes) = self.window.per_second(now - self.window_begun);
        out(&format!(
            "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency.",
            self.window.records,
            fixed(records, 1),
            fixed(megabytes, 2),
            fixed(self.window.average(), 1),
            fixed(self.window.worst as f64, 1),
        ));
    }

    /// Prints the summary.
    pub fn print_total(&mut self, now: i64) {
        let (records, megabytes) = self.all.per_second(now - self.begun);
        self.latencies.sort_unstable();
        let size = self.latencies.len();
        let percentile = |share: f64| {
            // Java rounds towards zero, and has a zero behind the last.
            let index = (share * size as f64) as usize;
            self.latencies.get(index).copied().unwrap_or(0)
        };
        out(&format!(
            "{}{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency, {} ms 50th, {} ms 95th, \
             {} ms 99th, {} ms 99.9th.",
            self.all.records,
            if self.steady { " steady state" } else { "" },
            fixed(records, 6),
            fixed(megabytes, 2),
            fixed(self.all.average(), 2),
            fixed(self.all.worst as f64, 2),
            percentile(0.5),
            percentile(0.95),
            percentile(0.99),
            percentile(0.999),
        ));
    }
}
