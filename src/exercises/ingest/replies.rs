//! What a MongoDB server's answers mean: written, there already, refused for ever, or to be tried again.

use crate::failure::Failure;
use mongodb::bson::{Bson, Document};
use mongodb::error::{Error, ErrorKind};
use std::io;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    /// The driver or the server says why.
    Error(Box<Error>),
    /// Nothing came within that time.
    Silence(Duration),
}

/// What a server says of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is written, or deleted, now.
    Taken,
    /// Another document has the same key of an index that allows no two.
    Duplicate {
        /// Which index that is.
        index: Index,
        /// The server's words.
        why: String,
    },
    /// It will never be taken, for this reason.
    Refused(String),
}

/// Which index a duplicate key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// That of the `_id`.
    Id,
    /// Another one.
    Other,
    /// The server does not say it but in words: MongoDB before 4.4, and servers that are no MongoDB.
    Untold,
}

/// What to do about an answer to one command.
#[derive(Debug)]
pub enum Reply {
    /// What the server says of each document.
    Verdicts(Vec<Verdict>),
    /// Try again later, for this reason.
    Later(String),
    /// Some document of the command makes the server refuse it as a whole.
    Document(String),
    /// The answer does not tell what became of each document: ask for fewer at once.
    Muddled(String),
    /// The server closed the connection in place of an answer: it ends, or it cannot read one of the documents.
    Closed(String),
    /// End.
    Never(Failure),
}

/// What a command does, as far as its answer is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// `n` counts the documents that were taken.
    Each,
    /// A document to delete may be gone already.
    Loosely,
}

/// The code of a duplicate key.
const DUPLICATE_KEY: i32 = 11000;
/// What the system says of a connection that the other side has closed.
const CLOSINGS: &[io::ErrorKind] = &[
    io::ErrorKind::UnexpectedEof,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::BrokenPipe,
];
/// Codes of a server that starts, stops, elects, or has no room right now: the same may succeed later.
const PASSING: &[i32] = &[
    6, 7, 24, 46, 50, 64, 79, 89, 91, 100, 112, 134, 189, 262, 290, 9001, 10058, 10107, 11600, 11601, 11602,
    13388, 13435, 13436, 14031,
];
/// Codes by which a server refuses a command because of what one of its documents is.
const DOCUMENT: &[i32] = &[2, 9, 14, 15, 22, 52, 53, 56, 10334, 17280, 51108];
/// The code of an error that the server's makers did not foresee. FerretDB answers so while its store is away.
const INTERNAL: i32 = 1;
/// How FerretDB's stores word a duplicate key within such an error: SQLite, PostgreSQL.
const STORES_DUPLICATE: &[&str] = &["UNIQUE constraint failed", "violates unique constraint"];
/// Codes of a user without a name, or without the right.
const NOT_ALLOWED: &[i32] = &[11, 13, 18, 8000];

/// Judges the answer to a command of `count` documents.
pub fn judge(answer: &Result<Document, Refusal>, count: usize, counted: Counted, hosts: &str) -> Reply {
    match answer {
        Ok(reply) => judge_reply(reply, count, counted, hosts),
        Err(Refusal::Error(error)) => judge_error(error, hosts),
        Err(silence) => Reply::Later(explain_refusal(silence)),
    }
}

fn judge_reply(reply: &Document, count: usize, counted: Counted, hosts: &str) -> Reply {
    if let Ok(concern) = reply.get_document("writeConcernError") {
        return Reply::Later(words(concern));
    }
    let mut verdicts = vec![Verdict::Taken; count];
    let mut refused = 0;
    for error in reply.get_array("writeErrors").into_iter().flatten() {
        let Some(error) = error.as_document() else {
            continue;
        };
        let verdict = match error.get("code").and_then(whole).unwrap_or_default() {
            DUPLICATE_KEY => Verdict::Duplicate {
                index: index_of(error),
                why: words(error),
            },
            code if PASSING.contains(&code) => return Reply::Later(words(error)),
            code if NOT_ALLOWED.contains(&code) => return Reply::Never(not_allowed(&words(error), hosts)),
            _ => Verdict::Refused(words(error)),
        };
        refused += 1;
        let place = error
            .get("index")
            .and_then(whole)
            .and_then(|index| usize::try_from(index).ok());
        match place.and_then(|index| verdicts.get_mut(index)) {
            Some(found) => *found = verdict,
            None => return Reply::Muddled("the server's answer makes no sense".to_owned()),
        }
    }
    // FerretDB leaves the updates behind a refused one undone, and says always that the first was refused.
    let taken = reply.get("n").and_then(whole).unwrap_or_default();
    if counted == Counted::Each && usize::try_from(taken).unwrap_or_default() + refused < count {
        return Reply::Muddled(format!(
            "of {count} sent, the server tells of {taken} taken and {refused} refused"
        ));
    }
    Reply::Verdicts(verdicts)
}

/// Which index a duplicate key is of. Words are not believed: they hold what stands in the documents.
fn index_of(error: &Document) -> Index {
    match error.get_document("keyPattern") {
        Ok(pattern) if pattern.len() == 1 && pattern.contains_key("_id") => Index::Id,
        Ok(_) => Index::Other,
        Err(_) => Index::Untold,
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

/// Whether a command was refused because of what one of its documents is.
fn is_the_documents(code: i32, said: &str) -> bool {
    DOCUMENT.contains(&code)
        || (code == INTERNAL && STORES_DUPLICATE.iter().any(|words| said.contains(words)))
}

fn judge_error(error: &Error, hosts: &str) -> Reply {
    match error.kind.as_ref() {
        ErrorKind::Command(refused) if PASSING.contains(&refused.code) => {
            Reply::Later(refused.message.clone())
        }
        ErrorKind::Command(refused) if NOT_ALLOWED.contains(&refused.code) => {
            Reply::Never(not_allowed(&refused.message, hosts))
        }
        ErrorKind::Command(refused) if is_the_documents(refused.code, &refused.message) => {
            Reply::Document(format!("{} (code {})", refused.message, refused.code))
        }
        ErrorKind::Command(refused) if refused.code == INTERNAL => Reply::Later(refused.message.clone()),
        ErrorKind::Io(cause) if CLOSINGS.contains(&cause.kind()) => Reply::Closed(explain(error)),
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

/// Why there is no answer, in words.
pub fn explain_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Error(error) => explain(error),
        Refusal::Silence(waited) => format!("no answer for {} s", waited.as_secs()),
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

    fn verdicts(reply: Document, count: usize) -> Vec<Verdict> {
        match judge(&Ok(reply), count, Counted::Each, "h") {
            Reply::Verdicts(verdicts) => verdicts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_which_index_a_duplicate_key_is_only_its_pattern_tells() {
        let reply = doc! {"ok": 1.0, "n": 1, "writeErrors": [
            {"index": 0, "code": 11000, "errmsg": "E11000 … index: _id_ dup key", "keyPattern": {"_id": 1}},
            {"index": 2, "code": 11000, "errmsg": "E11000 … index: u_1 dup key", "keyPattern": {"u": 1}},
            {"index": 3, "code": 11000, "errmsg": "E11000 … index: u_1 dup key: { u: \" index: _id_ \" }"},
            {"index": 4, "code": 11000, "errmsg": "E11000 duplicate key error collection: test.people"},
        ]};
        let found: Vec<Option<Index>> = verdicts(reply, 5)
            .into_iter()
            .map(|verdict| match verdict {
                Verdict::Duplicate { index, .. } => Some(index),
                _ => None,
            })
            .collect();
        let expected = [
            Some(Index::Id),
            None,
            Some(Index::Other),
            Some(Index::Untold),
            Some(Index::Untold),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn an_election_in_the_middle_of_a_batch_is_tried_again_as_a_whole() {
        let error = doc! {"ok": 1, "writeErrors": [{"index": 0, "code": 10107, "errmsg": "not primary"}]};
        assert!(matches!(
            judge(&Ok(error), 1, Counted::Each, "h"),
            Reply::Later(_)
        ));
        let concern = doc! {"ok": 1, "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}};
        assert!(matches!(
            judge(&Ok(concern), 1, Counted::Each, "h"),
            Reply::Later(_)
        ));
    }

    #[test]
    fn an_answer_that_does_not_account_for_each_document_is_not_believed() {
        let refused = doc! {"index": 0, "code": 2, "errmsg": "bad"};
        for (reply, count, counted, muddled) in [
            (doc! {"ok": 1, "n": 3}, 3, Counted::Each, false),
            (
                doc! {"ok": 1, "n": 2, "writeErrors": [refused.clone()]},
                3,
                Counted::Each,
                false,
            ),
            (
                doc! {"ok": 1, "writeErrors": [refused.clone()]},
                3,
                Counted::Each,
                true,
            ),
            (
                doc! {"ok": 1, "writeErrors": [refused.clone()]},
                1,
                Counted::Each,
                false,
            ),
            (doc! {"ok": 1}, 1, Counted::Each, true),
            (doc! {"ok": 1, "n": 1}, 3, Counted::Loosely, false),
            (
                doc! {"ok": 1, "n": 2, "writeErrors": [{"index": 7, "code": 2}]},
                3,
                Counted::Each,
                true,
            ),
        ] {
            let found = judge(&Ok(reply.clone()), count, counted, "h");
            assert_eq!(matches!(found, Reply::Muddled(_)), muddled, "{reply}: {found:?}");
        }
    }

    #[test]
    fn what_a_store_behind_the_server_says_of_a_duplicate_key_is_the_documents_fault() {
        let sqlite =
            "[collection.go:191 sqlite] constraint failed: UNIQUE constraint failed: index 'p_dni_1' (2067)";
        let postgres = "ERROR: duplicate key value violates unique constraint \"p_dni_1\" (SQLSTATE 23505)";
        for (code, said, fault) in [
            (1, sqlite, true),
            (1, postgres, true),
            (
                1,
                "FATAL: the database system is shutting down (SQLSTATE 57P03)",
                false,
            ),
            (2, "invalid key", true),
            (6, sqlite, false),
        ] {
            assert_eq!(is_the_documents(code, said), fault, "{said}");
        }
    }
}
