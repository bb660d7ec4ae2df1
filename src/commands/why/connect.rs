//! Why a client does not get through: the address that it is given, and those that the cluster tells it to use.

use super::finding::{Finding, Report};
use crate::commands::Context;
use crate::commands::cluster::nearby::{self, WayOut};
use crate::failure::{Failure, Kind, Outcome};
use crate::i18n::Words;
use crate::kafka::probe::{Found, look as look_at};
use crate::kafka::{Admin, Broker, Connection};

/// The port that ZooKeeper had.
const ZOOKEEPERS_PORT: u16 = 2181;

/// The port that brokers have unless they are told otherwise.
const USUAL_PORT: u16 = 9092;

/// Looks at each address that commands are given, then at each that the cluster tells them to use, and tells what is odd.
///
/// # Errors
/// Unreachable, after all was told, when some client would not get through.
pub(super) fn tell(context: &Context, words: &Words) -> Outcome {
    let seen = Seen::now(context)?;
    let bootstrap = context.connection.bootstrap();
    Report::new("connect", bootstrap, seen.findings)?.print(context.ui, words)?;
    if seen.gets_through {
        return Ok(());
    }
    let told = words.fill("why-connect.failed", &[("bootstrap", bootstrap)]);
    Err(Failure::unreachable(told).hint("velo doctor"))
}

/// What was seen.
struct Seen {
    findings: Vec<Finding>,
    gets_through: bool,
}

impl Seen {
    fn now(context: &Context) -> Outcome<Self> {
        let mut findings = Vec::new();
        let mut any_serves = false;
        for (host, port) in context.connection.servers()? {
            let found = look_at(&host, port, &context.connection);
            match of_port(&host, port, &found, context)? {
                Some(finding) => findings.push(finding),
                None => any_serves = true,
            }
        }
        if !any_serves {
            return Ok(Seen {
                findings,
                gets_through: false,
            });
        }
        let beyond = match Admin::connect(&context.connection) {
            Ok(admin) => advertised(&admin.metadata()?.brokers, &context.connection),
            Err(failure) => vec![refused(&failure, context)],
        };
        let gets_through = beyond.is_empty();
        findings.extend(beyond);
        Ok(Seen {
            findings,
            gets_through,
        })
    }
}

fn at(id: &'static str, host: &str, port: u16) -> Finding {
    Finding::new(id).seen("address", format!("{host}:{port}"))
}

/// What is odd about what answers on a port; `None` for a broker.
fn of_port(host: &str, port: u16, found: &Found, context: &Context) -> Outcome<Option<Finding>> {
    let zookeepers = port == ZOOKEEPERS_PORT;
    Ok(match found {
        Found::Broker => None,
        Found::Listener => plain_against_tls(host, port)?,
        Found::Nothing(_) | Found::Stranger(_) if zookeepers => {
            Some(at("zookeepers-port", host, port).next(format!("velo topic list -b {host}:{USUAL_PORT}")))
        }
        Found::Nothing(why) => Some(
            at("nothing-listens", host, port)
                .seen("why", why)
                .next(way_out(host, port, context)?),
        ),
        Found::Stranger(what) => Some(
            at("stranger", host, port)
                .seen("what", what)
                .next(way_out(host, port, context)?),
        ),
        Found::Controller => {
            Some(at("controllers-port", host, port).next(format!("velo topic list -b {host}:{USUAL_PORT}")))
        }
        Found::Tls => Some(at("tls-against-plain", host, port).next(with_properties(host, port))),
        Found::Login => Some(at("login-wanted", host, port).next(with_properties(host, port))),
    })
}

/// What to type where no broker answers: of a cluster of this machine, as all commands say it.
fn way_out(host: &str, port: u16, context: &Context) -> Outcome<String> {
    let out = nearby::way_out(&context.places, &[(host.to_owned(), port)])?;
    Ok(match out {
        WayOut::Elsewhere(bootstrap) => format!("velo topic list -b {bootstrap}"),
        WayOut::Remote if port != USUAL_PORT => format!("velo topic list -b {host}:{USUAL_PORT}"),
        WayOut::Remote => format!("velo doctor -b {host}:{port}"),
        WayOut::Stuck(_) | WayOut::Start(_) | WayOut::Taken(_) => {
            out.to_type().unwrap_or_else(|| "velo doctor".to_owned())
        }
    })
}

/// What is typed where the connection has properties.
fn with_properties(host: &str, port: u16) -> String {
    format!("velo topic list -b {host}:{port} --command-config client.properties")
}

/// A broker that speaks plain text, while this side wants TLS.
fn plain_against_tls(host: &str, port: u16) -> Outcome<Option<Finding>> {
    let plain = Connection::new(&format!("{host}:{port}"), None)?;
    let is_plain = look_at(host, port, &plain) == Found::Broker;
    Ok(is_plain
        .then(|| at("plain-against-tls", host, port).next(format!("velo topic list -b {host}:{port}"))))
}

/// A cluster that answers, and then does not let this client in.
fn refused(failure: &Failure, context: &Context) -> Finding {
    let id = match failure.kind() {
        Kind::Denied => "denied",
        _ => "unsettled",
    };
    let finding = Finding::new(id)
        .seen("address", context.connection.bootstrap())
        .seen("why", failure.in_a_line());
    failure
        .hints()
        .iter()
        .filter(|hint| hint.split_whitespace().next() == Some("velo"))
        .fold(finding, |finding, hint| finding.next(hint))
        .next("velo doctor")
}

/// The brokers whose own addresses, which clients are told to use, do not serve from here.
fn advertised(brokers: &[Broker], connection: &Connection) -> Vec<Finding> {
    let unreachable = brokers.iter().filter_map(|broker| {
        let why = match look_at(&broker.host, broker.port, connection) {
            Found::Broker | Found::Listener => return None,
            Found::Nothing(why) | Found::Stranger(why) => why,
            Found::Controller | Found::Tls | Found::Login => "it is no listener for this client".to_owned(),
        };
        Some(
            Finding::new("advertised-unreachable")
                .seen("bootstrap", connection.bootstrap())
                .seen("broker", broker.id)
                .seen("address", broker.address())
                .seen("why", why)
                .next(format!(
                    "velo config get broker {} listeners advertised.listeners",
                    broker.id
                )),
        )
    });
    unreachable.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that answers what a broker answers when asked which versions it has, and then serves, or hangs up.
    fn broker(serves: bool) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 14]).unwrap();
            let versions = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\x03\0\0\0\x0c";
            stream.write_all(versions).unwrap();
            if serves && stream.read_exact(&mut [0; 18]).is_ok() {
                stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 2]).unwrap();
            }
        });
        port
    }

    #[test]
    fn a_broker_that_speaks_plain_text_is_told_to_who_asks_in_tls() {
        let found = plain_against_tls("127.0.0.1", broker(true)).unwrap();
        assert_eq!(found.map(|finding| finding.id()), Some("plain-against-tls"));
        assert_eq!(plain_against_tls("127.0.0.1", broker(false)).unwrap(), None);
    }

    #[test]
    fn an_advertised_address_where_nobody_listens_is_told_and_one_that_serves_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = listener.local_addr().unwrap().port();
        drop(listener);
        let connection = Connection::new("127.0.0.1:9092", None).unwrap();
        let broker = Broker {
            id: 7,
            host: "127.0.0.1".to_owned(),
            port: gone,
            rack: None,
        };
        let findings = advertised(&[broker], &connection);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].id(), "advertised-unreachable");
        assert!(advertised(&[], &connection).is_empty());
    }
}
