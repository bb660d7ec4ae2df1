//! The log against a model that is a list of batches: any mix of appends, reads, truncations, deletions and restarts.

use super::log_support::{Bench, NOW, Sent, append, read_all, values};
use proptest::prelude::*;
use std::time::Duration;
use velodrome::broker::log::checkpoint::{LogDirState, mark_clean};
use velodrome::broker::log::{LogConfig, PartitionLog, ReadLimit};
use velodrome::broker::world::Disk;

#[derive(Debug, Clone)]
enum Step {
    Append { records: usize, length: usize },
    Wait { ms: u64 },
    Read { from: f64, max_bytes: usize },
    Truncate { to: f64 },
    DeleteBefore { offset: f64 },
    Retention,
    Crash,
    Close,
    CleanStop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1usize..5, 0usize..120).prop_map(|(records, length)| Step::Append { records, length }),
        2 => (1u64..3_000).prop_map(|ms| Step::Wait { ms }),
        3 => (0.0..1.0, 1usize..2_000).prop_map(|(from, max_bytes)| Step::Read { from, max_bytes }),
        1 => (0.0..1.1).prop_map(|to| Step::Truncate { to }),
        1 => (0.0..1.0).prop_map(|offset| Step::DeleteBefore { offset }),
        1 => Just(Step::Retention),
        1 => Just(Step::Crash),
        1 => Just(Step::Close),
        1 => Just(Step::CleanStop),
    ]
}

/// Batches as base offset and values, timestamps by the clock at their append.
#[derive(Debug, Default)]
struct Model {
    batches: Vec<(i64, Vec<String>, i64)>,
    start: i64,
    end: i64,
    written: usize,
}

impl Model {
    fn place(&self, share: f64) -> i64 {
        let span = (self.end - self.start) as f64;
        self.start + (span * share) as i64
    }

    fn from(&self, offset: i64) -> Vec<String> {
        let after = |(base, values, _): &(i64, Vec<String>, i64)| {
            let skip = usize::try_from((offset - base).clamp(0, values.len() as i64)).unwrap();
            values[skip..].to_vec()
        };
        self.batches.iter().flat_map(after).collect()
    }

    fn first_since(&self, timestamp: i64) -> Option<i64> {
        let alive = |(base, values, _): &&(i64, Vec<String>, i64)| base + values.len() as i64 > self.start;
        let found = self
            .batches
            .iter()
            .filter(alive)
            .find(|(_, _, time)| *time >= timestamp);
        found.map(|(base, ..)| (*base).max(self.start))
    }
}

fn reopen(bench: &Bench, log: PartitionLog, closed: bool, clean: bool) -> PartitionLog {
    if closed {
        log.close().unwrap();
    }
    drop(log);
    if clean {
        mark_clean(&Disk::files(), bench.folder.path(), -1).unwrap();
    }
    let state = LogDirState::take(&Disk::files(), bench.folder.path()).unwrap();
    assert_eq!(state.clean, clean);
    let config = std::sync::Arc::new(bench.config.clone());
    let log = PartitionLog::open_with(&bench.dir(), config, bench.clock.clone(), &state).unwrap();
    log.set_high_watermark(log.log_end_offset());
    log
}

fn take(bench: &Bench, log: PartitionLog, model: &mut Model, step: &Step) -> PartitionLog {
    let now = bench.clock.now_ms();
    match step {
        Step::Append { records, length } => {
            let sent: Vec<String> = (0..*records)
                .map(|n| format!("{}-{n}-{}", model.written, "x".repeat(*length)))
                .collect();
            model.written += 1;
            assert_eq!(append(&log, &Sent::values(now, &sent)), model.end);
            model.batches.push((model.end, sent, now));
            model.end += *records as i64;
        }
        Step::Wait { ms } => bench.clock.advance(Duration::from_millis(*ms)),
        Step::Read { from, max_bytes } => {
            let from = model.place(*from);
            let fetched = log
                .read(from, *max_bytes, false, ReadLimit::HighWatermark)
                .unwrap();
            assert!(fetched.records.len() <= *max_bytes);
            assert_eq!(values(&read_all(&log, from, *max_bytes)), model.from(from));
        }
        Step::Truncate { to } => {
            let to = model.place(*to);
            log.truncate_to(to).unwrap();
            model
                .batches
                .retain(|(base, values, _)| base + values.len() as i64 <= to);
            let end = model
                .batches
                .last()
                .map_or(0, |(base, values, _)| base + values.len() as i64);
            model.end = model.end.min(end.max(model.start));
        }
        Step::DeleteBefore { offset } => {
            model.start = model.place(*offset);
            assert_eq!(log.delete_records(model.start).unwrap(), model.start);
        }
        Step::Retention => {
            log.apply_retention().unwrap();
            assert!(log.log_start_offset() >= model.start);
            model.start = log.log_start_offset();
        }
        Step::Crash => return reopen(bench, log, false, false),
        Step::Close => return reopen(bench, log, true, false),
        Step::CleanStop => return reopen(bench, log, true, true),
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn a_log_does_what_a_list_of_batches_does(
        steps in prop::collection::vec(step(), 1..60),
        segment_bytes in 200u32..2_000,
        index_interval_bytes in 0u32..500,
        retention_bytes in prop_oneof![Just(-1i64), 500i64..5_000],
    ) {
        let bench = Bench::new(LogConfig {
            segment_bytes: segment_bytes.max(700),
            index_interval_bytes,
            retention_bytes,
            segment_ms: 2_000,
            retention_ms: 20_000,
            ..LogConfig::default()
        });
        let mut log = bench.open();
        let mut model = Model::default();
        for step in &steps {
            log = take(&bench, log, &mut model, step);
            prop_assert_eq!(log.log_end_offset(), model.end, "after {:?}", step);
            prop_assert_eq!(log.log_start_offset(), model.start, "after {:?}", step);
            prop_assert_eq!(values(&read_all(&log, model.start, 1 << 20)), model.from(model.start));
        }
        for timestamp in [NOW, NOW + 1_500, NOW + 5_000] {
            let found = log.offset_for_timestamp(timestamp).unwrap().map(|found| found.offset);
            prop_assert_eq!(found, model.first_since(timestamp));
        }
    }
}
