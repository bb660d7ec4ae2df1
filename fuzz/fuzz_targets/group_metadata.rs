//! Any bytes as what a member says of itself, and as what stands in `__consumer_offsets`: read or refused, never a panic,
//! never more memory than the bytes are worth.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use velodrome::broker::groups::records::{GroupValue, Key, OffsetValue};
use velodrome::broker::groups::{batch, subscription};

fn read(key: Option<Bytes>, value: Option<Bytes>) {
    if let Some(mut key) = key {
        let _ = Key::decode(&mut key);
    }
    if let Some(value) = value {
        let _ = GroupValue::decode(&mut value.clone()).map(|value| value.encode());
        let _ = OffsetValue::decode(&mut value.clone()).map(|value| value.encode());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = subscription::topics(bytes.clone());
    read(Some(bytes.clone()), Some(bytes.clone()));
    for record in batch::decode(bytes).unwrap_or_default() {
        read(record.key, record.value);
    }
});
