use super::*;
use crate::broker::config::ListenerKind;
use crate::broker::security::SecurityProtocol;
use bytes::BufMut;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use kafka_protocol::protocol::Encodable;

/// A request that came from that address, on any listener.
fn came_from(address: &str, api_version: i16) -> RequestContext {
    let (peer, protocol) = (
        (address.parse::<IpAddr>().unwrap(), 50_000).into(),
        SecurityProtocol::Plaintext,
    );
    let session = Session::new(peer, 7, ListenerKind::Controller, "CONTROLLER".into(), protocol);
    RequestContext {
        api_version,
        correlation_id: 41,
        client_id: "adminclient-1".to_owned(),
        session: Arc::new(session),
    }
}

fn delete() -> DeleteTopicsRequest {
    let topic = DeleteTopicState::default().with_name(Some(StrBytes::from_static_str("t").into()));
    DeleteTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000)
}

/// What Apache Kafka puts into an envelope for the same request of version 6: header version 2 (key, version, correlation id,
/// client id, no tagged fields), and the body.
fn inner() -> Vec<u8> {
    let mut bytes = vec![0, 20, 0, 6, 0, 0, 0, 41, 0, 13];
    bytes.put_slice(b"adminclient-1\0");
    // One topic: its name, no id, no tagged fields; the timeout; no tagged fields.
    bytes.put_slice(&[2, 2, b't']);
    bytes.put_bytes(0, 16 + 1);
    bytes.put_i32(30_000);
    bytes.put_u8(0);
    bytes
}

#[test]
fn a_request_travels_as_its_client_sent_it_with_who_asked_and_from_where() {
    for (address, bytes) in [
        ("192.0.2.9", &[192, 0, 2, 9][..]),
        (
            "2001:db8::1",
            &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ),
    ] {
        let sealed = seal(&came_from(address, 6), &delete()).unwrap();
        assert_eq!(sealed.request_data, inner());
        assert_eq!(
            sealed.request_principal.as_deref(),
            Some(&b"\0\0\x05User\x0aANONYMOUS\0\0"[..])
        );
        assert_eq!(sealed.client_host_address, bytes);

        let broker = came_from("127.0.0.1", 0);
        let Opened { key, ctx, mut body } = open(&broker, sealed).unwrap();
        assert_eq!((key, ctx.api_version, ctx.correlation_id), (20, 6, 41));
        assert_eq!(ctx.client_id, "adminclient-1");
        assert_eq!(ctx.session.peer().ip().to_string(), address);
        assert_eq!(ctx.session.connection_id(), 7);
        let asked: DeleteTopicsRequest = decode::decode(&mut body, 6, decode::REQUEST_FIELDS).unwrap();
        assert_eq!(asked, delete());
    }
}

#[test]
fn what_is_wrong_with_an_envelope_is_told_by_kafka_s_code() {
    let broker = came_from("127.0.0.1", 0);
    let well = || seal(&came_from("192.0.2.9", 6), &delete()).unwrap();
    let bytes = |bytes: &'static [u8]| Bytes::from_static(bytes);
    for (envelope, code) in [
        (
            well().with_request_principal(None),
            ResponseError::PrincipalDeserializationFailure,
        ),
        (
            well().with_request_principal(Some(bytes(b"User:ANONYMOUS"))),
            ResponseError::PrincipalDeserializationFailure,
        ),
        (
            well().with_client_host_address(bytes(&[192, 0, 2])),
            ResponseError::InvalidRequest,
        ),
        (
            well().with_request_data(Bytes::new()),
            ResponseError::UnsupportedVersion,
        ),
        (
            well().with_request_data(bytes(&[0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff])),
            ResponseError::UnsupportedVersion,
        ),
        (
            well().with_request_data(well().request_data.slice(..12)),
            ResponseError::UnsupportedVersion,
        ),
    ] {
        assert_eq!(open(&broker, envelope).err(), Some(code));
    }
}

/// The frame by which a controller answers, in an envelope.
fn answered(correlation_id: i32) -> EnvelopeResponse {
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    frame.put_i32(correlation_id);
    frame.put_u8(0);
    DeleteTopicsResponse::default()
        .with_throttle_time_ms(5)
        .encode(&mut frame, 6)
        .unwrap();
    let tail = frame.split_off(9);
    put_in(vec![frame.freeze(), tail.freeze()])
}

#[test]
fn an_answer_comes_back_and_one_to_somebody_else_does_not() {
    let ctx = came_from("192.0.2.9", 6);
    let envelope = answered(41);
    assert_eq!(
        envelope.response_data.as_deref(),
        Some(&[0, 0, 0, 41, 0, 0, 0, 0, 5, 1, 0][..])
    );
    let got = answer::<DeleteTopicsRequest>(&ctx, envelope).unwrap();
    assert_eq!(got.throttle_time_ms, 5);
    for (envelope, code) in [
        (answered(40), ResponseError::UnknownServerError),
        (EnvelopeResponse::default(), ResponseError::UnknownServerError),
        (
            answered(41).with_response_data(Some(Bytes::from_static(b"\0\0\0\x29\0\0"))),
            ResponseError::UnknownServerError,
        ),
        (
            EnvelopeResponse::default().with_error_code(31),
            ResponseError::UnknownServerError,
        ),
        (
            EnvelopeResponse::default().with_error_code(35),
            ResponseError::UnsupportedVersion,
        ),
    ] {
        assert_eq!(answer::<DeleteTopicsRequest>(&ctx, envelope), Err(code));
    }
}

#[test]
fn who_is_not_the_controller_says_so() {
    assert!(came_to_another(&EnvelopeResponse::default().with_error_code(41)));
    assert!(!came_to_another(&answered(41)));
}
