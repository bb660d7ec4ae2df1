//! What answers on a port: asked with one ApiVersions request over a plain socket, so that a cluster that is down, or a
//! port that is not Kafka's, is told at once and by name.

use super::Connection;
use crate::failure::{Failure, Outcome};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a connection may take, and then the answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// An ApiVersions request, version 0, without client id: length, key, version, correlation id, no string.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
/// A Metadata request, version 1, about no topic: length, key, version, correlation id, no string, no topics.
const METADATA_OF_NOTHING: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0, 0, 0, 0];
/// The API that every broker has and a controller's own listener has not.
const METADATA: i16 = 3;
/// More than any broker's list of APIs takes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What was found on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A broker.
    Broker,
    /// Something that accepts connections, and TLS keeps us from seeing more.
    Listener,
    /// A controller's own listener: it speaks Kafka and serves no client.
    Controller,
    /// A TLS server, asked in plain text.
    Tls,
    /// A broker that serves nobody who has not logged in (SASL).
    Login,
    /// Something that speaks another protocol; the text names it if known.
    Stranger(String),
    /// Nothing; the text says why.
    Nothing(String),
}

/// Asks what answers on `host:port`, a server of `connection`.
pub fn look(host: &str, port: u16, connection: &Connection) -> Found {
    let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(_) => return Found::Nothing(format!("the name `{host}` cannot be resolved")),
    };
    let mut why = format!("the name `{host}` has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) if connection.is_tls() => return Found::Listener,
            Ok(stream) => return converse(stream, connection.is_plaintext()),
            Err(error) => why = refusal(&error),
        }
    }
    Found::Nothing(why)
}

/// What kind of server the bootstrap servers are; as DescribeCluster numbers them (KIP-919).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// They serve clients.
    Brokers = 1,
    /// They are controllers, or nodes that are both.
    Controllers = 2,
}

/// Succeeds when at least one bootstrap server is what is wanted.
pub(super) fn reach(connection: &Connection, wanted: Endpoint) -> Outcome {
    let mut findings = Vec::new();
    for (host, port) in connection.servers()? {
        match look(&host, port, connection) {
            Found::Broker | Found::Listener => return Ok(()),
            Found::Controller if wanted == Endpoint::Controllers => return Ok(()),
            other => findings.push((format!("{host}:{port}"), port, other)),
        }
    }
    Err(unreachable(connection, &findings))
}

fn unreachable(connection: &Connection, findings: &[(String, u16, Found)]) -> Failure {
    let nothing = findings
        .iter()
        .all(|(_, _, found)| matches!(found, Found::Nothing(_)));
    let login = findings.iter().any(|(_, _, found)| *found == Found::Login);
    let what = if nothing {
        format!("no broker answers on {}", connection.bootstrap())
    } else if login {
        format!("{} serves nobody without a login", connection.bootstrap())
    } else {
        format!("what answers on {} is not a Kafka broker", connection.bootstrap())
    };
    let several = findings.len() > 1;
    let why: Vec<String> = findings
        .iter()
        .map(|(address, _, found)| {
            let why = reason(found);
            if several { format!("{address}: {why}") } else { why }
        })
        .collect();
    let failure = Failure::unreachable(what).because(why.join("; "));
    if findings.iter().any(|(_, _, found)| *found == Found::Tls) {
        return failure.hint("--command-config FILE, with security.protocol=SSL or SASL_SSL in it");
    }
    if login {
        return failure.hint("--command-config FILE, with security.protocol=SASL_PLAINTEXT, sasl.mechanism and sasl.jaas.config");
    }
    if findings.iter().any(|(_, port, _)| *port == 2181) {
        return failure.hint(
            "port 2181 was ZooKeeper's; brokers usually listen on 9092: --bootstrap-server localhost:9092",
        );
    }
    // What else to do depends on who named the address: the faces know.
    failure
}

fn reason(found: &Found) -> String {
    match found {
        Found::Broker | Found::Listener => "a broker answers".to_owned(),
        Found::Controller => "it is a controller's port, which serves brokers and no clients".to_owned(),
        Found::Tls => "it speaks TLS, and was asked in plain text".to_owned(),
        Found::Login => "it is a broker that wants a login (SASL) first".to_owned(),
        Found::Stranger(protocol) => protocol.clone(),
        Found::Nothing(why) => why.clone(),
    }
}

fn refusal(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => format!("no answer within {} s", PATIENCE.as_secs()),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => "the host cannot be reached".to_owned(),
        _ => error.to_string(),
    }
}

fn converse(mut stream: TcpStream, plain: bool) -> Found {
    let asked = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_nodelay(true))
        .and_then(|()| stream.write_all(&API_VERSIONS));
    let mut length = [0; 4];
    if let Err(error) = asked.and_then(|()| stream.read_exact(&mut length)) {
        return Found::Stranger(match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                format!(
                    "it accepts the connection and says nothing for {} s",
                    PATIENCE.as_secs()
                )
            }
            _ => "it closes the connection without an answer".to_owned(),
        });
    }
    match length {
        [0x15 | 0x16, 3, ..] => return Found::Tls,
        [b'H', b'T', b'T', b'P'] => return Found::Stranger("it is a web server".to_owned()),
        [b'S', b'S', b'H', b'-'] => return Found::Stranger("it is an SSH server".to_owned()),
        _ => {}
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_ANSWER {
        return Found::Stranger("it speaks another protocol".to_owned());
    }
    let mut answer = vec![0; length];
    match stream.read_exact(&mut answer) {
        Ok(()) => match judge(&answer) {
            Found::Broker if plain && !serves(&mut stream) => Found::Login,
            found => found,
        },
        Err(_) => Found::Stranger("it breaks off in the middle of its answer".to_owned()),
    }
}

/// Whether a broker serves this connection as it is: one that wants a login tells its versions and then hangs up. Silence
/// is no refusal.
fn serves(stream: &mut TcpStream) -> bool {
    let answered = stream
        .write_all(&METADATA_OF_NOTHING)
        .and_then(|()| stream.read_exact(&mut [0; 4]));
    match answered {
        Ok(()) => true,
        Err(error) => matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock),
    }
}

/// Reads an ApiVersions answer: correlation id, error code, then key, lowest and highest version of each API.
fn judge(answer: &[u8]) -> Found {
    let Some((head, mut rest)) = answer.split_first_chunk::<10>() else {
        return Found::Stranger("it speaks another protocol".to_owned());
    };
    if head.get(..4) != Some(&[0, 0, 0, 1]) {
        return Found::Stranger("it speaks another protocol".to_owned());
    }
    while let Some((api, next)) = rest.split_first_chunk::<6>() {
        let [high, low, ..] = *api;
        if i16::from_be_bytes([high, low]) == METADATA {
            return Found::Broker;
        }
        rest = next;
    }
    Found::Controller
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answering(bytes: &'static [u8], serves: bool) -> Found {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; API_VERSIONS.len()]).unwrap();
            stream.write_all(bytes).unwrap();
            if serves && stream.read_exact(&mut [0; METADATA_OF_NOTHING.len()]).is_ok() {
                stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 2]).unwrap();
            }
        });
        let connection = Connection::new("127.0.0.1", None).unwrap();
        let found = look("127.0.0.1", port, &connection);
        server.join().unwrap();
        found
    }

    #[test]
    fn a_port_tells_what_it_is() {
        let broker = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x03\0\0\0\x0c";
        assert_eq!(answering(broker, true), Found::Broker);
        assert_eq!(answering(broker, false), Found::Login);
        let others: [(&'static [u8], Found); 3] = [
            (
                b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x12\0\0\0\x04",
                Found::Controller,
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\n",
                Found::Stranger("it is a web server".to_owned()),
            ),
            (b"\x15\x03\x03\0\x02\x02\x50", Found::Tls),
        ];
        for (bytes, found) in others {
            assert_eq!(answering(bytes, false), found);
        }
        assert!(matches!(answering(b"", false), Found::Stranger(_)));
        assert!(matches!(
            answering(b"\x7f\xff\xff\xff", false),
            Found::Stranger(_)
        ));
    }

    #[test]
    fn a_refused_connection_is_told_at_once() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let connection = Connection::new(&format!("127.0.0.1:{port}"), None).unwrap();
        let failure = connection.reach().unwrap_err();
        assert_eq!(failure.kind().exit_code(), 3);
        let text = failure.to_string();
        assert!(
            text.contains(&format!("127.0.0.1:{port}")) && text.contains("refused"),
            "{text}"
        );
        assert!(failure.hints().is_empty(), "{text}");
    }
}
