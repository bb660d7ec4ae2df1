//! Logging in: SaslHandshake and SaslAuthenticate (KIP-43, KIP-152).

use super::channel::Channel;
use super::scram::Scram;
use super::security::{Credentials, Mechanism};
use super::{check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};

/// Proves to the broker who is connected.
pub(super) fn log_in(channel: &mut Channel, credentials: &Credentials) -> Answer {
    let name = credentials.mechanism.name();
    let answer = channel.ask(&SaslHandshakeRequest::default().with_mechanism(text(name)))?;
    if answer.error_code != 0 {
        let theirs: Vec<&str> = answer.mechanisms.iter().map(|name| name.as_str()).collect();
        let why = format!(
            "the broker does not accept {name}; it accepts {}",
            theirs.join(", ")
        );
        return Err(KafkaError::of_protocol(answer.error_code, why));
    }
    match credentials.mechanism {
        Mechanism::Plain => {
            let message = format!("\0{}\0{}", credentials.user, credentials.password);
            send(channel, message.into()).map(drop)
        }
        Mechanism::ScramSha256 | Mechanism::ScramSha512 => {
            let mut scram = Scram::new(credentials);
            let challenge = send(channel, scram.first_message().into())?;
            let proof = scram.answer(&challenge).map_err(refused)?;
            let verdict = send(channel, proof.into())?;
            scram.verify(&verdict).map_err(refused)
        }
    }
}

fn refused(why: String) -> KafkaError {
    KafkaError::new(ErrorCode::Authentication, why)
}

fn send(channel: &mut Channel, bytes: Bytes) -> Answer<Bytes> {
    let answer = channel.ask(&SaslAuthenticateRequest::default().with_auth_bytes(bytes))?;
    check(answer.error_code, answer.error_message)?;
    Ok(answer.auth_bytes)
}
