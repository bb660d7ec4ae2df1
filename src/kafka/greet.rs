//! The first contact over a secured connection. librdkafka goes on trying when a password is refused or a certificate is
//! not trusted, as if the cluster were away for a moment; a user wants to know at once.

use super::errors::KafkaError;
use super::ffi::{self, Ask, Client, Refusal};
use super::{Connection, denial};
use crate::failure::{Failure, Outcome};
use std::time::{Duration, Instant};

/// How long the first answer may take, handshakes included.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether somebody was refused.
const GLANCE: Duration = Duration::from_millis(50);
/// With several bootstrap servers, how long the others may take once one has refused.
const OTHERS: Duration = Duration::from_secs(1);

/// Waits until a broker has let this user in.
///
/// # Errors
/// Denied as soon as the user is refused or the cluster not trusted; unreachable when nothing comes.
pub(super) fn greet(connection: &Connection, client: &Client) -> Outcome {
    let begun = Instant::now();
    let grace = if connection.servers()?.len() > 1 {
        OTHERS
    } else {
        Duration::ZERO
    };
    let mut refused: Option<Instant> = None;
    loop {
        let Err(error) = client.metadata(Ask::within(GLANCE)) else {
            return Ok(());
        };
        if !error.is_unreachable() {
            return Err(error.into_failure(format!("cannot log in on {}", connection.bootstrap())));
        }
        if let Some(failure) = denial(connection, client)
            && refused.get_or_insert_with(Instant::now).elapsed() >= grace
        {
            return Err(failure);
        }
        if begun.elapsed() > PATIENCE {
            return Err(silence(connection, client, &error));
        }
    }
}

/// Why this user will not be let in, if the last failure tells.
pub(super) fn denial(connection: &Connection, client: &Client) -> Option<Failure> {
    let last = client
        .last_failure()
        .map(|line| ffi::without_prefixes(&line))
        .unwrap_or_default();
    let bootstrap = connection.bootstrap();
    match client.refusal() {
        #[cfg(feature = "tls")]
        Some(Refusal::Certificate(why)) => {
            return Some(denial::of_cluster(bootstrap, &why));
        }
        Some(Refusal::Token(why)) => return Some(denial::of_user(bootstrap, &why)),
        None => {}
    }
    denial::by_words(bootstrap, &last)
}

fn silence(connection: &Connection, client: &Client, error: &KafkaError) -> Failure {
    let last = client.last_failure().map(|line| ffi::without_prefixes(&line));
    let why = last.unwrap_or_else(|| error.to_string());
    Failure::unreachable(format!("no broker answers on {}", connection.bootstrap())).because(why)
}
