//! Any bytes as what a member says of itself, and as what stands in `__consumer_offsets`: read or refused, never a panic,
//! never more memory than the bytes are worth.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use velodrome::broker::batch::{self, Records};
use velodrome::broker::records::offsets::OffsetsRecord;
use velodrome::broker::{LogRecord, subscription};

fn read(key: Option<&[u8]>, value: Option<&[u8]>) {
    if let Ok(record) = <OffsetsRecord as LogRecord>::decode(key, value) {
        let _ = LogRecord::encode(&record);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let whole = Bytes::copy_from_slice(bytes);
    let _ = subscription::topics(whole.clone());
    read(Some(bytes), Some(bytes));
    for batch in batch::split(whole).unwrap_or_default() {
        let records = batch::records_of(&batch).unwrap_or_default();
        for record in Records::new(&records).flatten() {
            read(record.key, record.value);
        }
    }
});
