//! Tokens for SASL/OAUTHBEARER that somebody else gives.

use super::{User, listener, login, name, over_tls};
use std::io::{Read, Write};
use std::net::TcpListener;

/// A token endpoint that gives tokens to the client `velo` with the right secret; each answer closes its connection.
fn token_endpoint() -> String {
    use base64::Engine;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let credentials = base64::engine::general_purpose::STANDARD.encode("velo:s3cret");
    let claims = r#"{"sub":"alice","scope":"kafka","iat":1700000000,"exp":4100000000}"#;
    let token = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"scope=kafka") {
                let mut some = [0; 512];
                match stream.read(&mut some) {
                    Ok(count) if count > 0 => request.extend_from_slice(&some[..count]),
                    _ => break,
                }
            }
            let known = String::from_utf8_lossy(&request).contains(&credentials);
            let (status, body) = if known {
                (
                    "200 OK",
                    format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#),
                )
            } else {
                ("401 Unauthorized", r#"{"error":"invalid_client"}"#.to_owned())
            };
            // A client that has gone needs no answer.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", feature = "tls")),
    ignore = "needs Apache Kafka and --features tls: scripts/dev/test has both"
)]
fn tokens_are_fetched_with_client_credentials() {
    let url = token_endpoint();
    let with = |secret: &str| {
        over_tls(&login(
            "OAUTHBEARER",
            &format!(
                "oauthbearer.OAuthBearerLoginModule required clientId=\"velo\" clientSecret=\"{secret}\" scope=\"kafka\""
            ),
        )) + &format!(
            "sasl.oauthbearer.token.endpoint.url={url}\n\
             sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler\n"
        )
    };
    let alice = User::new(&listener("SASL_SSL"), &with("s3cret"));
    alice.is_let_in();
    let topic = name();
    alice.velo(&["topic", "create", &topic]).succeeds();
    alice.fed(&["produce", &topic], "x\n").succeeds();
    assert_eq!(
        alice
            .velo(&["consume", &topic, "--from-beginning", "--count", "1"])
            .succeeds()
            .stdout,
        "x\n"
    );
    alice.velo(&["topic", "delete", &topic, "--yes"]).succeeds();
    User::new(&listener("SASL_SSL"), &with("hunter2")).is_refused(
        "does not let this user in",
        &["answers 401 Unauthorized invalid_client"],
    );
}
