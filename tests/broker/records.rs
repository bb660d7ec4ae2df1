//! Every record of the layouts, in every version: laid out here by hand from the layout itself, read and written again by
//! the broker's own code, and read by `kafka-dump-log`'s, which shares nothing with it.

use crate::broker::record_layout::{self, Example, FAMILIES, Log};
use kafka_protocol::records::RecordBatchDecoder;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};
use velodrome::broker::records::metadata::MetadataRecord;
use velodrome::broker::records::offsets::OffsetsRecord;
use velodrome::broker::records::share::ShareRecord;
use velodrome::broker::records::transaction::TransactionRecord;
use velodrome::broker::records::{KeyAndValue, RecordError};
use velodrome::scripts::kafka_records::{self, CoordinatorTopic};

/// What the broker makes of an example, once read and written again.
fn through_the_broker(log: Log, example: &Example) -> Result<KeyAndValue, RecordError> {
    let (key, value) = (example.key.as_slice(), Some(example.value.as_slice()));
    match log {
        Log::Metadata => {
            let (record, version) = MetadataRecord::decode(&example.value)?;
            assert_eq!((record.kind(), version), (example.kind, example.version));
            Ok(KeyAndValue {
                key: bytes::Bytes::new(),
                value: Some(record.encode(version)?),
            })
        }
        Log::Offsets => OffsetsRecord::decode(key, value)?.encode(example.version),
        Log::Transaction => TransactionRecord::decode(key, value)?.encode(example.version),
        Log::Share => ShareRecord::decode(key, value)?.encode(example.version),
    }
}

#[test]
fn what_is_read_is_written_again_byte_for_byte() {
    for family in FAMILIES {
        for example in record_layout::examples(family) {
            let written = through_the_broker(family.log, &example);
            let expected = KeyAndValue {
                key: example.key.clone().into(),
                value: Some(example.value.clone().into()),
            };
            assert_eq!(written, Ok(expected), "{}", example.name);
        }
    }
}

#[test]
fn an_example_cut_anywhere_is_an_error() {
    for family in FAMILIES {
        for example in record_layout::examples(family) {
            for length in 0..example.value.len() {
                let cut = Example {
                    value: example.value[..length].to_vec(),
                    ..example.clone()
                };
                assert!(
                    through_the_broker(family.log, &cut).is_err(),
                    "{} cut to {length}",
                    example.name
                );
            }
        }
    }
}

#[test]
fn another_reader_reads_what_was_laid_out() {
    for family in FAMILIES {
        for example in record_layout::examples(family) {
            let topic = match family.log {
                Log::Metadata => {
                    let read = kafka_records::metadata_record(&example.value);
                    assert_eq!(read.as_ref(), Ok(&example.json), "{}", example.name);
                    continue;
                }
                Log::Offsets => CoordinatorTopic::ConsumerOffsets,
                Log::Transaction => CoordinatorTopic::TransactionState,
                Log::Share => CoordinatorTopic::ShareGroupState,
            };
            let key = topic.key(&example.key).map(|key| (key.version, key.json));
            assert_eq!(
                key,
                Ok((example.kind, example.key_json.clone())),
                "{}",
                example.name
            );
            let value = topic.plain_value(example.kind, &example.value);
            let value = value.map(|value| (value.version, value.json));
            assert_eq!(
                value,
                Ok((example.version, with_named_state(&example.json))),
                "{}",
                example.name
            );
        }
    }
}

/// What Kafka's tools make of a record of a transaction, whose state they tell by its name.
fn with_named_state(json: &str) -> String {
    const STATES: [&str; 8] = [
        "Empty",
        "Ongoing",
        "PrepareCommit",
        "PrepareAbort",
        "CompleteCommit",
        "CompleteAbort",
        "Dead",
        "PrepareEpochFence",
    ];
    let Some((before, behind)) = json.split_once("\"transactionStatus\":") else {
        return json.to_owned();
    };
    let (state, behind) = behind.split_once(',').unwrap();
    let at = state.parse().ok().and_then(|at: usize| STATES.get(at));
    let name = at.copied().unwrap_or(state);
    format!("{before}\"transactionStatus\":\"{name}\",{behind}")
}

#[test]
fn another_codec_reads_the_batches_that_the_broker_makes() {
    let mut builder = BatchBuilder::default();
    builder.push(None, Some(b"one"));
    builder.push(Some(b"k"), None);
    let header = BatchHeader {
        base_offset: 7,
        ..BatchHeader::of_broker(1_000)
    };
    let mut bytes = builder.build(header).unwrap().bytes;
    let records = RecordBatchDecoder::decode(&mut bytes).unwrap().records;
    let said: Vec<_> = records
        .iter()
        .map(|record| (record.offset, record.key.as_deref(), record.value.as_deref()))
        .collect();
    assert_eq!(said, [(7, None, Some(&b"one"[..])), (8, Some(&b"k"[..]), None)]);
    let first = &records[0];
    assert_eq!(
        (first.producer_id, first.producer_epoch, first.timestamp),
        (-1, -1, 1_000)
    );
}
