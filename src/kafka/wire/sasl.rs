//! Logging in: SaslHandshake and SaslAuthenticate (KIP-43, KIP-152).

use super::channel::Channel;
use super::scram::Scram;
use super::security::Login;
use super::{check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use crate::kafka::oauth::{self, Token};
use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};

/// What a client says when its token is refused, to hear why (RFC 7628, section 3.2.3).
const GO_ON: &[u8] = b"\x01";

/// Proves to the broker who is connected.
pub(super) fn log_in(channel: &mut Channel, login: &Login) -> Answer {
    let name = login.mechanism();
    let answer = channel.ask(&SaslHandshakeRequest::default().with_mechanism(text(name)))?;
    if answer.error_code != 0 {
        let theirs: Vec<&str> = answer.mechanisms.iter().map(|name| name.as_str()).collect();
        let why = format!(
            "the broker does not accept {name}; it accepts {}",
            theirs.join(", ")
        );
        return Err(KafkaError::of_protocol(answer.error_code, why));
    }
    match login {
        Login::Plain(known) => {
            let message = format!("\0{}\0{}", known.user, known.password);
            send(channel, message.into()).map(drop)
        }
        Login::ScramSha256(known) => prove(channel, Scram::new(false, known)),
        Login::ScramSha512(known) => prove(channel, Scram::new(true, known)),
        Login::OAuthBearer(config) => show(channel, &oauth::token(Some(config)).map_err(refused)?),
    }
}

fn prove(channel: &mut Channel, mut scram: Scram) -> Answer {
    let challenge = send(channel, scram.first_message().into())?;
    let proof = scram.answer(&challenge).map_err(refused)?;
    let verdict = send(channel, proof.into())?;
    scram.verify(&verdict).map_err(refused)
}

/// Shows a token (RFC 7628, KIP-255). A broker that does not take it says why in its challenge, and once more when it ends
/// the exchange.
fn show(channel: &mut Channel, token: &Token) -> Answer {
    let challenge = send(channel, bearer(token).into())?;
    if challenge.is_empty() {
        return Ok(());
    }
    send(channel, Bytes::from_static(GO_ON))?;
    Err(refused(String::from_utf8_lossy(&challenge).into_owned()))
}

/// The token with its SASL extensions (KIP-342); `n,,` declines a binding to TLS.
fn bearer(token: &Token) -> String {
    let extensions = token.extensions.iter();
    let extensions: String = extensions
        .map(|(name, value)| format!("{name}={value}\x01"))
        .collect();
    format!("n,,\x01auth=Bearer {}\x01{extensions}\x01", token.value)
}

fn refused(why: String) -> KafkaError {
    KafkaError::new(ErrorCode::Authentication, why)
}

fn send(channel: &mut Channel, bytes: Bytes) -> Answer<Bytes> {
    let answer = channel.ask(&SaslAuthenticateRequest::default().with_auth_bytes(bytes))?;
    check(answer.error_code, answer.error_message)?;
    Ok(answer.auth_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_with_its_extensions() {
        let token = Token {
            value: "a.b.c".to_owned(),
            expires_ms: 0,
            principal: "alice".to_owned(),
            extensions: [("cluster".to_owned(), "one".to_owned())].into(),
        };
        assert_eq!(bearer(&token), "n,,\x01auth=Bearer a.b.c\x01cluster=one\x01\x01");
    }
}
