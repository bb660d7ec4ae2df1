//! Any bytes as a partition's files: opening, reading and appending never panic.
//!
//! The input is cut into the files of one folder: a byte chooses the file, two bytes its length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;
use std::sync::Arc;
use velodrome::broker::log::{By, CleanupPolicy, LogConfig, PartitionLog, ReadLimit};
use velodrome::clock::Clock;

const FILES: [&str; 10] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000007.log",
    "00000000000000000007.index",
    "00000000000000000007.log.swap",
    "00000000000000000007.snapshot",
    "leader-epoch-checkpoint",
    "../recovery-point-offset-checkpoint",
];

fuzz_target!(|input: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("topic-0");
    fs::create_dir(&dir).expect("a folder");
    let mut rest = input;
    while let [file, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (content, left) = after.split_at(length);
        let name = FILES[usize::from(*file) % FILES.len()];
        fs::write(dir.join(name), content).expect("a file");
        rest = left;
    }
    let config = Arc::new(LogConfig {
        cleanup_policy: CleanupPolicy {
            delete: true,
            compact: true,
        },
        ..LogConfig::default()
    });
    let Ok(log) = PartitionLog::open(&dir, config, Clock::manual(1_700_000_000_000)) else {
        return;
    };
    log.set_high_watermark(log.log_end_offset());
    let _ = log.read(log.log_start_offset(), 1 << 16, true, ReadLimit::LastStable);
    let _ = log.offset_for_timestamp(0);
    let _ = log.max_timestamp();
    let _ = log.append(input.to_vec().into(), By::Follower);
    let _ = log.compact();
    let _ = log.apply_retention();
    let _ = log.truncate_to(3);
    let _ = log.close();
});
