//! What a MongoDB server's answers mean: written, there already, refused for ever, or to be tried again.

use super::Fate;
use crate::failure::Failure;
use mongodb::bson::{Bson, Document};
use mongodb::error::{Error, ErrorKind};
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The driver or the server says why.
    Error(Box<Error>),
    /// Nothing came within that time.
    Silence(Duration),
}

/// What to do about an answer to one command.
#[derive(Debug)]
pub enum Reply {
    /// What became of each document.
    Fates(Vec<Fate>),
    /// Try again later, for this reason.
    Later(String),
    /// Some document of the command makes the server refuse it as a whole.
    Command(String),
    /// End.
    Never(Failure),
}

/// Codes of a server that starts, stops, elects, or has no room right now: the same may succeed later.
const PASSING: &[i32] = &[
    6, 7, 24, 46, 50, 64, 79, 89, 91, 100, 112, 134, 189, 262, 290, 9001, 10058, 10107, 11600, 11601, 11602,
    13388, 13435, 13436, 14031,
];
/// Codes by which a server refuses a command because of what one of its documents is.
const DOCUMENT: &[i32] = &[2, 9, 14, 15, 22, 52, 53, 56, 10334, 17280, 51108];
/// Codes of a user without a name, or without the right.
const NOT_ALLOWED: &[i32] = &[11, 13, 18, 8000];

/// Judges the answer to a command of `count` documents.
pub fn judge(answer: &Result<Document, Refusal>, count: usize, hosts: &str) -> Reply {
    match answer {
        Ok(reply) => judge_reply(reply, count, hosts),
        Err(Refusal::Silence(waited)) => Reply::Later(format!("no answer for {} s", waited.as_secs())),
        Err(Refusal::Error(error)) => judge_error(error, hosts),
    }
}

fn judge_reply(reply: &Document, count: usize, hosts: &str) -> Reply {
    if let Ok(concern) = reply.get_document("writeConcernError") {
        return Reply::Later(words(concern));
    }
    let mut fates = vec![Fate::Written; count];
    for error in reply.get_array("writeErrors").into_iter().flatten() {
        let Some(error) = error.as_document() else {
            continue;
        };
        let fate = match error.get("code").and_then(whole).unwrap_or_default() {
            11000 if is_own_id(error) => Fate::There,
            code if PASSING.contains(&code) => return Reply::Later(words(error)),
            code if NOT_ALLOWED.contains(&code) => return Reply::Never(not_allowed(&words(error), hosts)),
            _ => Fate::Refused(words(error)),
        };
        let place = error
            .get("index")
            .and_then(whole)
            .and_then(|index| usize::try_from(index).ok());
        match place.and_then(|index| fates.get_mut(index)) {
            Some(found) => *found = fate,
            None => return Reply::Later("the server's answer makes no sense".to_owned()),
        }
    }
    Reply::Fates(fates)
}

/// A duplicate key: whether it is the `_id`, and not another index that allows no two.
fn is_own_id(error: &Document) -> bool {
    match error.get_document("keyPattern") {
        Ok(pattern) => pattern.len() == 1 && pattern.contains_key("_id"),
        // Servers before 4.4 only say it in words.
        Err(_) => words(error).contains("index: _id_ "),
    }
}

fn whole(value: &Bson) -> Option<i32> {
    match value {
        Bson::Int32(number) => Some(*number),
        Bson::Int64(number) => i32::try_from(*number).ok(),
        Bson::Double(number) => Some(*number as i32),
        _ => None,
    }
}

/// The server's own words, with what a validator found.
fn words(error: &Document) -> String {
    let said = error.get_str("errmsg").unwrap_or("refused without a word");
    let code = error.get("code").and_then(whole);
    let details = error
        .get_document("errInfo")
        .and_then(|info| info.get_document("details"))
        .map(|details| format!(": {details}"))
        .unwrap_or_default();
    match code {
        Some(code) => format!("{said}{details} (code {code})"),
        None => format!("{said}{details}"),
    }
}

fn judge_error(error: &Error, hosts: &str) -> Reply {
    match error.kind.as_ref() {
        ErrorKind::Command(refused) if PASSING.contains(&refused.code) => {
            Reply::Later(refused.message.clone())
        }
        ErrorKind::Command(refused) if NOT_ALLOWED.contains(&refused.code) => {
            Reply::Never(not_allowed(&refused.message, hosts))
        }
        ErrorKind::Command(refused) if DOCUMENT.contains(&refused.code) => {
            Reply::Command(format!("{} (code {})", refused.message, refused.code))
        }
        _ if error.contains_label("RetryableWriteError") => Reply::Later(explain(error)),
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::InvalidResponse { .. } => Reply::Later(explain(error)),
        ErrorKind::Authentication { message, .. } => Reply::Never(not_allowed(message, hosts)),
        _ => Reply::Never(
            Failure::request(format!("MongoDB on {hosts} refuses to write"))
                .because(explain(error))
                .hint(
                    "nothing of this batch is committed: it is read again when the ingest is started again",
                ),
        ),
    }
}

/// The driver's words, without what only its makers can read.
fn explain(error: &Error) -> String {
    let said = match error.kind.as_ref() {
        ErrorKind::Command(refused) => refused.message.clone(),
        ErrorKind::InvalidArgument { message, .. } => message.clone(),
        ErrorKind::Io(cause) => cause.to_string(),
        kind => kind.to_string(),
    };
    // Why no server was found stands within the state of the topology.
    let mut seen = said.split("Error: Kind: ").skip(1);
    let cause = match seen.next().and_then(|rest| rest.split(", labels").next()) {
        Some(cause) => cause,
        None if said.starts_with("Server selection timeout") => {
            "nobody there answers as a MongoDB does; perhaps only one side speaks TLS, or replicaSet= names another set"
        }
        None => &said,
    };
    plain(cause)
}

/// What the driver says of a server that closes the connection in place of an answer.
const CLOSED: &str = "unexpected end of file";

/// Without the name of the error's kind, the system's number for it, and the query for a name.
fn plain(cause: &str) -> String {
    let kinds = ["I/O error: ", "An error occurred during DNS resolution: "];
    let cause = kinds
        .iter()
        .fold(cause, |left, kind| left.strip_prefix(kind).unwrap_or(left));
    let cause = cause.split(" for Query {").next().unwrap_or(cause);
    match cause.split(" (os error").next().unwrap_or(cause) {
        CLOSED => "it closes the connection without an answer, as what is no MongoDB does".to_owned(),
        cause => cause.to_owned(),
    }
}

fn not_allowed(why: &str, hosts: &str) -> Failure {
    Failure::request(format!("MongoDB on {hosts} refuses this user"))
        .because(why)
        .hint(
            "--mongodb 'mongodb://USER:PASSWORD@HOST:27017/?authSource=admin', as a user who may write there",
        )
}

/// The failure for an address that is none.
pub fn wrong_address(error: &Error) -> Failure {
    if matches!(error.kind.as_ref(), ErrorKind::DnsResolve { .. }) {
        return Failure::unreachable("the MongoDB servers of --mongodb are not found by name")
            .because(explain(error))
            .hint("--mongodb mongodb://localhost:27017");
    }
    wrong_uri(&explain(error))
}

fn wrong_uri(why: &str) -> Failure {
    Failure::usage("--mongodb is not the address of a MongoDB")
        .because(why)
        .hint("--mongodb mongodb://localhost:27017")
        .hint("a password's `@`, `:`, `/`, `?` and `%` are written %40, %3A, %2F, %3F and %25")
}

/// The failure for a password with a `?`: the driver takes what is before that for the server's name, and tells it.
pub fn cut_short(uri: &str) -> Option<Failure> {
    let (_, options) = uri.split_once('?')?;
    options
        .contains('@')
        .then(|| wrong_uri("an `@` stands behind a `?`"))
}

/// The failure when the first question stays without answer.
pub fn no_server(error: &Error, hosts: &str) -> Failure {
    match judge_error(error, hosts) {
        Reply::Never(failure) => failure,
        _ => Failure::unreachable(format!("no MongoDB answers on {hosts}"))
            .because(explain(error))
            .hint("start it: mongod --dbpath FOLDER")
            .hint("no MongoDB on this machine? pip install secantusdb, then: secantusd-py --port 27017 --storage-path FOLDER")
            .hint("or without any: --to FILE.jsonl in place of --mongodb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_words_lose_what_only_its_makers_read() {
        for (said, plainly) in [
            (
                "I/O error: Connection refused (os error 111)",
                "Connection refused",
            ),
            (
                "An error occurred during DNS resolution: DNS error: no records found for Query { name: Name(\"x.\") }",
                "DNS error: no records found",
            ),
            ("not primary", "not primary"),
            (
                "I/O error: unexpected end of file",
                "it closes the connection without an answer, as what is no MongoDB does",
            ),
        ] {
            assert_eq!(plain(said), plainly);
        }
    }
    use mongodb::bson::doc;

    fn fates(reply: Document, count: usize) -> Vec<Fate> {
        match judge(&Ok(reply), count, "h") {
            Reply::Fates(fates) => fates,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_duplicate_id_is_there_already_and_a_duplicate_of_another_index_is_refused() {
        let reply = doc! {"ok": 1.0, "n": 1, "writeErrors": [
            {"index": 0, "code": 11000, "errmsg": "E11000 … index: _id_ dup key", "keyPattern": {"_id": 1}},
            {"index": 2, "code": 11000, "errmsg": "E11000 … index: u_1 dup key", "keyPattern": {"u": 1}},
            {"index": 3, "code": 11000, "errmsg": "E11000 … index: _id_ dup key"},
        ]};
        let found = fates(reply, 4);
        assert_eq!(found[0], Fate::There);
        assert_eq!(found[1], Fate::Written);
        assert!(matches!(&found[2], Fate::Refused(why) if why.contains("u_1")));
        assert_eq!(found[3], Fate::There);
    }

    #[test]
    fn an_election_in_the_middle_of_a_batch_is_tried_again_as_a_whole() {
        let error = doc! {"ok": 1, "writeErrors": [{"index": 0, "code": 10107, "errmsg": "not primary"}]};
        assert!(matches!(judge(&Ok(error), 1, "h"), Reply::Later(_)));
        let concern = doc! {"ok": 1, "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}};
        assert!(matches!(judge(&Ok(concern), 1, "h"), Reply::Later(_)));
    }
}
