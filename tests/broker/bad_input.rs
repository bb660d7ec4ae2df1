//! What no honest client sends: an error or a closed connection, and the node goes on serving others.

use crate::support::broker::TestBroker;
use crate::support::raw::encode_request;
use bytes::{Buf, BufMut, BytesMut};
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;

fn hello() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("raw"))
        .with_client_software_version(StrBytes::from_static_str("1.0"))
}

async fn assert_serves(broker: &TestBroker) {
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
