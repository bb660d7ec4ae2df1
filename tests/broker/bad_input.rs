//! What no honest client sends: an error or a closed connection, and the node goes on serving others.

use crate::support::broker::TestBroker;
use crate::support::raw::encode_request;
use bytes::{Buf, BufMut, BytesMut};
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;

/// A request that is always answered.
pub fn hello() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("raw"))
        .with_client_software_version(StrBytes::from_static_str("1.0"))
}

/// A newcomer is answered.
pub async fn assert_serves(broker: &TestBroker) {
    assert_eq!(broker.ask(hello(), 4).await.error_code, 0);
}

/// A frame with a header of version 1 and the body given.
fn frame(api_key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i32(i32::try_from(10 + body.len()).unwrap());
    frame.put_i16(api_key);
    frame.put_i16(version);
    frame.put_i32(1);
    frame.put_i16(-1);
    frame.put_slice(body);
    frame.to_vec()
}

async fn assert_closed_after(bytes: &[u8]) {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.send_bytes(bytes).await;
    client.assert_closed().await;
    assert_serves(&broker).await;
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0_with_what_is_known() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.send_bytes(&frame(18, 99, &[1, 2, 3])).await;
    let mut answer = client.receive_frame().await.unwrap();
    assert_eq!(answer.get_i32(), 1, "correlation id");
    assert_eq!(answer.get_i16(), 35, "UNSUPPORTED_VERSION");
    assert!(answer.get_i32() > 0, "the versions that are known");
    // The connection goes on, as the client will try again on it.
    assert_eq!(client.ask(hello(), 3).await.error_code, 0);
}

#[tokio::test]
async fn answers_come_in_the_order_of_pipelined_requests() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let frames: Vec<u8> = (10..15).flat_map(|id| encode_request(&hello(), 0, id)).collect();
    client.send_bytes(&frames).await;
    for id in 10..15 {
        assert_eq!(client.receive_frame().await.unwrap().get_i32(), id);
    }
}

#[tokio::test]
async fn a_frame_over_the_limit_closes_the_connection() {
    assert_closed_after(&(100 * 1024 * 1024 + 1i32).to_be_bytes()).await;
}

#[tokio::test]
async fn a_negative_length_closes_the_connection() {
    assert_closed_after(&(-5i32).to_be_bytes()).await;
}

#[tokio::test]
async fn an_unknown_api_closes_the_connection() {
    assert_closed_after(&frame(9999, 0, &[])).await;
    assert_closed_after(&frame(-1, 0, &[])).await;
}

#[tokio::test]
async fn an_unknown_version_of_another_api_closes_the_connection() {
    assert_closed_after(&frame(3, 120, &[])).await;
}

#[tokio::test]
async fn a_frame_too_short_for_a_header_closes_the_connection() {
    assert_closed_after(&[0, 0, 0, 0]).await;
    assert_closed_after(&[0, 0, 0, 3, 0, 18, 0]).await;
}

#[tokio::test]
async fn garbage_in_a_body_closes_the_connection() {
    assert_closed_after(&frame(18, 3, &[0xff; 40])).await;
}

#[tokio::test]
async fn array_lengths_that_lie_close_the_connection_and_nothing_else() {
    let claims = i32::MAX.to_be_bytes();
    for (api_key, version) in [(3, 5), (19, 2), (20, 1), (32, 1), (37, 1), (44, 0)] {
        assert_closed_after(&frame(api_key, version, &claims)).await;
    }
}

#[tokio::test]
async fn a_request_cut_short_closes_the_connection() {
    let whole = encode_request(&hello(), 3, 1);
    for length in 8..whole.len() - 4 {
        let mut cut = whole[..4 + length].to_vec();
        cut[..4].copy_from_slice(&i32::try_from(length).unwrap().to_be_bytes());
        let broker = TestBroker::start().await;
        let mut client = broker.client().await;
        client.send_bytes(&cut).await;
        client.assert_closed().await;
        if length > 10 {
            break;
        }
    }
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_others_go_on() {
    let broker = TestBroker::with(&[("connections.max.idle.ms", "101")]).await;
    let mut silent = broker.client().await;
    silent.assert_closed().await;
    assert_serves(&broker).await;
}

#[tokio::test]
async fn a_peer_that_vanishes_in_the_middle_of_a_frame_disturbs_nobody() {
    let broker = TestBroker::start().await;
    for _ in 0..20 {
        let mut client = broker.client().await;
        client.send_bytes(&[0, 0, 4, 0, 0, 18]).await;
        drop(client);
    }
    assert_serves(&broker).await;
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once() {
    let broker = TestBroker::with(&[("max.connections", "2")]).await;
    let mut first = broker.client().await;
    let mut second = broker.client().await;
    assert_eq!(first.ask(hello(), 4).await.error_code, 0);
    assert_eq!(second.ask(hello(), 4).await.error_code, 0);
    broker.client().await.assert_closed().await;
    assert_eq!(first.ask(hello(), 4).await.error_code, 0);
}

#[tokio::test]
async fn clients_cannot_use_the_controllers_apis() {
    // BrokerRegistration, BrokerHeartbeat, AlterPartition, AllocateProducerIds.
    for api_key in [62, 63, 56, 67] {
        assert_closed_after(&frame(api_key, 0, &[])).await;
    }
}

mod never_panics {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_body_of_any_api_is_answered_or_closes_the_connection(
            requests in proptest::collection::vec(
                (0i16..93, 0i16..14, proptest::collection::vec(any::<u8>(), 0..80)), 1..40
            )
        ) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let broker = TestBroker::start().await;
                for (api_key, version, body) in requests {
                    let mut client = broker.client().await;
                    client.send_bytes(&frame(api_key, version, &body)).await;
                    client.shut_down_sending().await;
                    // An answer or the end; a handler that panics would end it too, so that is looked for below.
                    while client.receive_frame().await.is_some() {}
                }
                assert_serves(&broker).await;
                assert_eq!(broker.running().failed_requests(), 0, "a handler panicked");
            });
        }
    }
}
