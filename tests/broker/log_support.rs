//! Batches as a producer sends them, and logs in folders that go away with the test.

use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use velodrome::broker::batch::Batches;
use velodrome::broker::log::{LogConfig, PartitionLog, ReadLimit};
use velodrome::clock::Clock;

/// The time at which every test begins.
pub const NOW: i64 = 1_700_000_000_000;

/// A batch to be built.
#[derive(Debug, Clone)]
pub struct Sent {
    pub records: Vec<(Option<String>, Option<String>, i64)>,
    pub producer: Option<(i64, i16, i32)>,
}

impl Sent {
    /// Records of these values, all with the same timestamp.
    pub fn values<S: AsRef<str>>(timestamp: i64, values: &[S]) -> Self {
        let record = |value: &S| (None, Some(value.as_ref().to_owned()), timestamp);
        Sent {
            records: values.iter().map(record).collect(),
            producer: None,
        }
    }

    /// One record with a key; no value is a tombstone.
    pub fn keyed(timestamp: i64, key: &str, value: Option<&str>) -> Self {
        Sent {
            records: vec![(Some(key.to_owned()), value.map(str::to_owned), timestamp)],
            producer: None,
        }
    }

    /// The same from an idempotent producer.
    pub fn by(mut self, producer_id: i64, epoch: i16, sequence: i32) -> Self {
        self.producer = Some((producer_id, epoch, sequence));
        self
    }

    /// The bytes of the batch, its offsets from 0 on.
    pub fn bytes(&self) -> Bytes {
        let (producer_id, producer_epoch, first) = self.producer.unwrap_or((-1, -1, -1));
        let records: Vec<Record> = (0i64..)
            .zip(&self.records)
            .map(|(offset, (key, value, timestamp))| Record {
                transactional: false,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: -1,
                producer_id,
                producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset,
                sequence: first.wrapping_add(i32::try_from(offset).unwrap()),
                timestamp: *timestamp,
                key: key.clone().map(Bytes::from),
                value: value.clone().map(Bytes::from),
                headers: IndexMap::new(),
            })
            .collect();
        let options = RecordEncodeOptions {
            version: 2,
            compression: Compression::None,
        };
        let mut buffer = BytesMut::new();
        RecordBatchEncoder::encode(&mut buffer, &records, &options).unwrap();
        buffer.freeze()
    }
}

/// What a consumer sees of a record: offset, timestamp, key, value.
pub type Seen = (i64, i64, Option<String>, Option<String>);

/// A log, its folder and its clock.
pub struct Bench {
    pub folder: TempDir,
    pub clock: Clock,
    pub config: LogConfig,
}

impl Bench {
    pub fn new(config: LogConfig) -> Self {
        Bench {
            folder: tempfile::tempdir().unwrap(),
            clock: Clock::manual(NOW),
            config,
        }
    }

    /// The partition's folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("topic-0")
    }

    pub fn open(&self) -> PartitionLog {
        PartitionLog::open(&self.dir(), Arc::new(self.config.clone()), self.clock.clone()).unwrap()
    }

    /// Names of the files in the partition's folder, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The segment file that starts at `base`.
    pub fn segment(&self, base: i64) -> PathBuf {
        self.dir().join(format!("{base:020}.log"))
    }
}

/// Appends as the only replica: the high watermark follows at once.
pub fn append(log: &PartitionLog, sent: &Sent) -> i64 {
    let appended = log.append_as_leader(sent.bytes(), 0).unwrap();
    log.set_high_watermark(log.log_end_offset());
    appended.base_offset
}

/// All records from `offset` on, read in pieces of `max_bytes`.
pub fn read_all(log: &PartitionLog, mut offset: i64, max_bytes: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    while offset < log.high_watermark() {
        let fetched = log
            .read(offset, max_bytes, true, ReadLimit::HighWatermark)
            .unwrap();
        let mut buffer = fetched.records.clone();
        if buffer.is_empty() {
            break;
        }
        for set in RecordBatchDecoder::decode_all(&mut buffer).unwrap() {
            for record in set.records {
                if record.offset >= offset {
                    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
                    seen.push((
                        record.offset,
                        record.timestamp,
                        record.key.map(text),
                        record.value.map(text),
                    ));
                }
            }
        }
        let next = Batches::new(fetched.records).last().unwrap().header.next_offset();
        assert!(next > offset, "the read at {offset} brought nothing new");
        offset = next;
    }
    seen
}

/// Just the values.
pub fn values(seen: &[Seen]) -> Vec<String> {
    seen.iter()
        .map(|(_, _, _, value)| value.clone().unwrap_or_default())
        .collect()
}
