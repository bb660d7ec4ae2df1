use super::*;
use crate::broker::batch::{BatchBuilder, BatchHeader};
use crate::broker::log::LogConfig;
use crate::clock::Clock;

#[test]
fn who_is_refused_without_bounds_throws_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("t-0");
    let log = PartitionLog::open(&dir, Arc::new(LogConfig::default()), Clock::system()).unwrap();
    let partition = Partition::new(1, "t", Uuid::from_u128(1), 0, Arc::new(log));
    let mut builder = BatchBuilder::default();
    builder.push(None, Some(b"kept"));
    let batch = builder.build(BatchHeader::of_broker(0)).unwrap();
    partition.log.append_as_leader(batch.bytes, 1).unwrap();
    let refusal = |high_watermark, log_start| {
        PartitionData::default()
            .with_high_watermark(high_watermark)
            .with_log_start_offset(log_start)
    };
    // It follows nobody yet, in no epoch.
    cut_back(&partition, -1, &refusal(-1, -1)).unwrap_err();
    assert_eq!(partition.log.log_end_offset(), 1);
    cut_back(&partition, -1, &refusal(0, 0)).unwrap();
    assert_eq!(partition.log.log_end_offset(), 0);
}
