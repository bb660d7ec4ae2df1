//! What a consumer says it reads: the front of its metadata, a `ConsumerProtocolSubscription`.

use crate::decode;
use bytes::Bytes;
use kafka_protocol::messages::consumer_protocol_subscription::ConsumerProtocolSubscription;

/// Bytes of the version that stands before the subscription.
const VERSION_BYTES: usize = 2;

/// Topics of a consumer's subscription; read as version 0, with which every version starts. `None` for anything else: a
/// member's metadata is its own, and may be of any shape.
pub fn topics(mut metadata: Bytes) -> Option<Vec<String>> {
    if metadata.len() < VERSION_BYTES {
        return None;
    }
    let _version = metadata.split_to(VERSION_BYTES);
    let subscription: ConsumerProtocolSubscription =
        decode::decode(&mut metadata, 0, decode::REQUEST_FIELDS).ok()?;
    let names = subscription.topics.into_iter();
    Some(names.map(|topic| topic.to_string()).collect())
}
