//! The target that is a MongoDB collection.
//!
//! Each batch goes as unordered `insert`, `update` and `delete` commands with write concern majority, split where they
//! would be longer than a server takes. Whatever happens in between, a batch may be written again: an insert finds its
//! `_id` there already, a replacement replaces the same by the same.

use super::Fate;
use super::document::Wanted;
use super::patience::Patience;
use super::replies::{self, Counted, Index, Refusal, Reply, Verdict};
use crate::failure::{Failure, Outcome};
use mongodb::bson::raw::cstr;
use mongodb::bson::{Bson, Document, RawArrayBuf, RawBson, RawDocumentBuf, doc, rawdoc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Most bytes of documents in one command; a single document may be longer.
const CHUNK: usize = 8 * 1024 * 1024;
/// How long to look for a server that takes writes, before saying that there is none.
const SELECTION: Duration = Duration::from_secs(3);
/// How long a server may take to answer a command.
const ANSWER: Duration = Duration::from_secs(60);
/// How often a server that answers otherwise may close the connection when it is sent some documents, before one of them is
/// taken to be the reason.
const CLOSINGS: u32 = 3;
/// Most `_id`s that are looked up at once.
const LOOK_UPS: usize = 1_000;

/// A collection to write to.
pub struct Mongo {
    runtime: Runtime,
    writer: Arc<Writer>,
}

/// A batch as it is sent: each command, and how many of the batch are in it.
pub struct Commands(Vec<(RawDocumentBuf, Counted, usize)>);

/// A batch on its way: what the server says of each of its commands, up to the first that is not just taken.
pub struct Sending(JoinHandle<Vec<Reply>>);

/// Sends commands, each once.
struct Writer {
    database: Database,
    collection: String,
    hosts: String,
    /// Whether every record makes a document of its own; else it replaces, or deletes, the one of its `_id`.
    insert: bool,
}

/// One command's worth of what is wanted.
struct Chunk<'a> {
    name: &'static str,
    list: &'static str,
    wanted: Vec<&'a Wanted>,
    bytes: usize,
    attempt: Attempt,
}

/// Why some documents are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    /// The server closes the connection when it is sent one of these, or of their neighbours.
    AfterClosing,
    /// One had a duplicate key that may have been its `_id`.
    Again,
}

impl Mongo {
    /// Connects to the deployment that `uri` names, and makes sure that it has a server that takes writes.
    ///
    /// # Errors
    /// When the URI is wrong, nothing answers there, or the user or password is refused. Where a user is missing or may
    /// not write, the first write tells.
    pub fn connect(uri: &str, database: &str, collection: &str, insert: bool) -> Outcome<Self> {
        if let Some(failure) = replies::cut_short(uri) {
            return Err(failure);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::request("cannot start MongoDB's client").because(error))?;
        let (client, hosts) = runtime.block_on(async {
            let mut options = ClientOptions::parse(uri)
                .await
                .map_err(|error| replies::wrong_address(&error))?;
            options.app_name.get_or_insert_with(|| "velo".to_owned());
            options.server_selection_timeout.get_or_insert(SELECTION);
            let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
            let hosts = hosts.join(",");
            let client = Client::with_options(options).map_err(|error| replies::wrong_address(&error))?;
            // Changes nothing, and finds the server that takes writes.
            let asked = client.database(database).run_command(doc! {"ping": 1}).await;
            asked.map_err(|error| replies::no_server(&error, &hosts))?;
            Ok((client, hosts))
        })?;
        let writer = Writer {
            database: client.database(database),
            collection: collection.to_owned(),
            hosts,
            insert,
        };
        Ok(Mongo {
            runtime,
            writer: Arc::new(writer),
        })
    }

    /// Where it writes to, for messages.
    pub fn place(&self) -> String {
        let Writer {
            database,
            collection,
            hosts,
            ..
        } = self.writer.as_ref();
        format!("{}.{collection} on {hosts}", database.name())
    }

    /// The commands that write a batch in which no two have the same `_id`.
    pub fn encode(&self, wanted: &[Wanted]) -> Commands {
        let chunks = self.writer.chunks(wanted).into_iter();
        Commands(
            chunks
                .map(|chunk| (self.writer.command(&chunk), chunk.counted(), chunk.wanted.len()))
                .collect(),
        )
    }

    /// Begins to send them.
    pub fn begin(&self, commands: Commands) -> Sending {
        let writer = Arc::clone(&self.writer);
        Sending(self.runtime.spawn(async move {
            let mut replies = Vec::new();
            for (command, counted, count) in commands.0 {
                let reply = writer.send(command, counted, count).await;
                let taken = matches!(reply, Reply::Verdicts(_));
                replies.push(reply);
                if !taken {
                    break;
                }
            }
            replies
        }))
    }

    /// Waits until a batch is written, and answers what became of each, in order. Goes on trying while the server is
    /// away.
    ///
    /// # Errors
    /// What `patience` says, and when the server refuses for a reason that is no document's fault.
    pub fn finish(&self, sending: Sending, wanted: &[Wanted], patience: &mut Patience) -> Outcome<Vec<Fate>> {
        let replies = self.runtime.block_on(sending.0);
        let replies = replies.map_err(|error| Failure::request("MongoDB's client ended").because(error))?;
        let mut replies = replies.into_iter();
        let mut fates = Vec::with_capacity(wanted.len());
        for chunk in self.writer.chunks(wanted) {
            fates.extend(self.settle(&chunk, replies.next(), patience)?);
        }
        Ok(fates)
    }

    /// Sends a chunk until it is written, the first time only if there is no reply yet.
    fn settle(
        &self,
        chunk: &Chunk<'_>,
        mut reply: Option<Reply>,
        patience: &mut Patience,
    ) -> Outcome<Vec<Fate>> {
        let single = chunk.wanted.len() < 2;
        let mut closed = 0;
        loop {
            let why = match reply.take().unwrap_or_else(|| self.send(chunk)) {
                Reply::Verdicts(verdicts) => {
                    patience.over();
                    return self.fates(chunk, verdicts, patience);
                }
                Reply::Never(failure) => return Err(failure),
                Reply::Document(why) if single => return Ok(vec![Fate::Refused(why)]),
                Reply::Later(why) => why,
                Reply::Muddled(why) if single => why,
                Reply::Closed(why) => {
                    closed = if self.answers() { closed + 1 } else { 0 };
                    let enough = closed == CLOSINGS
                        || (closed > 0 && chunk.attempt == Attempt::AfterClosing && !single);
                    match enough {
                        true if single => return Ok(vec![Fate::Refused(cannot_be_read(&why))]),
                        true => return self.halves(chunk, Attempt::AfterClosing, patience),
                        false => why,
                    }
                }
                Reply::Document(_) | Reply::Muddled(_) => {
                    return self.halves(chunk, Attempt::First, patience);
                }
            };
            patience.wait(&format!("MongoDB on {}: {why}", self.writer.hosts))?;
        }
    }

    /// Settles a chunk in two halves, since one of its documents stands in the way of the others.
    fn halves(&self, chunk: &Chunk<'_>, attempt: Attempt, patience: &mut Patience) -> Outcome<Vec<Fate>> {
        let (one, other) = chunk.wanted.split_at(chunk.wanted.len() / 2);
        let mut fates = self.settle(&chunk.of(one, attempt), None, patience)?;
        fates.extend(self.settle(&chunk.of(other, attempt), None, patience)?);
        Ok(fates)
    }

    fn send(&self, chunk: &Chunk<'_>) -> Reply {
        let sent = self
            .writer
            .send(self.writer.command(chunk), chunk.counted(), chunk.wanted.len());
        self.runtime.block_on(sent)
    }

    /// Whether the server answers what has no documents.
    fn answers(&self) -> bool {
        let ping = self.writer.database.run_command(doc! {"ping": 1});
        self.runtime.block_on(answer(ping)).is_ok()
    }

    /// What became of each document of a chunk.
    fn fates(
        &self,
        chunk: &Chunk<'_>,
        verdicts: Vec<Verdict>,
        patience: &mut Patience,
    ) -> Outcome<Vec<Fate>> {
        let there = self.there(chunk, &verdicts, patience)?;
        let mut fates = Vec::with_capacity(verdicts.len());
        for (one, verdict) in chunk.wanted.iter().copied().zip(verdicts) {
            match verdict {
                Verdict::Taken => fates.push(Fate::Written),
                Verdict::Refused(why) => fates.push(Fate::Refused(why)),
                Verdict::Duplicate { index: Index::Id, .. } if self.writer.insert => fates.push(Fate::There),
                Verdict::Duplicate {
                    index: Index::Untold, ..
                } if there.contains(&one.id) => fates.push(Fate::There),
                Verdict::Duplicate { index, why } => {
                    if self.may_be_replaced(index, chunk.attempt) {
                        let again = chunk.of(&[one], Attempt::Again);
                        fates.extend(self.settle(&again, None, patience)?);
                    } else {
                        fates.push(Fate::Refused(why));
                    }
                }
            }
        }
        Ok(fates)
    }

    /// Whether a duplicate key may be that of a document that another writer has just made under the same `_id`: then it
    /// can be replaced now.
    fn may_be_replaced(&self, index: Index, attempt: Attempt) -> bool {
        let replaces = !self.writer.insert;
        replaces && (index == Index::Id || (index == Index::Untold && attempt != Attempt::Again))
    }

    /// Which documents of a chunk are in the collection already, of those to be inserted that have a duplicate key of an
    /// index that the server doesn't name.
    fn there(&self, chunk: &Chunk<'_>, verdicts: &[Verdict], patience: &mut Patience) -> Outcome<Ids> {
        let mut found = Ids::default();
        if !self.writer.insert {
            return Ok(found);
        }
        let doubtful = chunk
            .wanted
            .iter()
            .zip(verdicts)
            .filter_map(|(one, verdict)| match verdict {
                Verdict::Duplicate {
                    index: Index::Untold, ..
                } => Some(&one.id),
                _ => None,
            });
        let doubtful: Vec<&RawBson> = doubtful.collect();
        for ids in doubtful.chunks(LOOK_UPS) {
            while let Err(why) = self.runtime.block_on(self.writer.look_up(ids, &mut found)) {
                patience.wait(&format!("MongoDB on {}: {why}", self.writer.hosts))?;
            }
            patience.over();
        }
        Ok(found)
    }
}

/// Some documents' `_id`s.
#[derive(Default)]
struct Ids(HashSet<Vec<u8>>);

impl Ids {
    fn insert(&mut self, id: RawBson) {
        self.0.insert(rawdoc! {"_id": id}.into_bytes());
    }

    fn contains(&self, id: &RawBson) -> bool {
        self.0.contains(rawdoc! {"_id": id.clone()}.as_bytes())
    }
}

fn cannot_be_read(why: &str) -> String {
    format!("{why}; it answers what has no such document, and closed {CLOSINGS} times at this one")
}

impl<'a> Chunk<'a> {
    /// The same command for some of them.
    fn of(&self, wanted: &[&'a Wanted], attempt: Attempt) -> Self {
        Chunk {
            name: self.name,
            list: self.list,
            wanted: wanted.to_vec(),
            bytes: 0,
            attempt,
        }
    }

    fn counted(&self) -> Counted {
        match self.name {
            "delete" => Counted::Loosely,
            _ => Counted::Each,
        }
    }
}

impl Writer {
    /// Splits in order: a new command where the kind changes or the length would be too much.
    fn chunks<'a>(&self, wanted: &'a [Wanted]) -> Vec<Chunk<'a>> {
        let mut chunks: Vec<Chunk<'a>> = Vec::new();
        for one in wanted {
            let (name, list) = match (&one.document, self.insert) {
                (None, _) => ("delete", "deletes"),
                (Some(_), true) => ("insert", "documents"),
                (Some(_), false) => ("update", "updates"),
            };
            let bytes = one
                .document
                .as_ref()
                .map_or(0, |document| document.as_bytes().len())
                + 100;
            match chunks.last_mut() {
                Some(chunk) if chunk.name == name && chunk.bytes + bytes <= CHUNK => {
                    chunk.bytes += bytes;
                    chunk.wanted.push(one);
                }
                _ => chunks.push(Chunk {
                    name,
                    list,
                    wanted: vec![one],
                    bytes,
                    attempt: Attempt::First,
                }),
            }
        }
        chunks
    }

    async fn send(&self, command: RawDocumentBuf, counted: Counted, count: usize) -> Reply {
        let asked = self.database.run_raw_command(command);
        replies::judge(&answer(asked).await, count, counted, &self.hosts)
    }

    /// Adds those of these `_id`s that are in the collection. The insert that found them there has waited until a majority
    /// has them.
    async fn look_up(&self, ids: &[&RawBson], found: &mut Ids) -> Result<(), String> {
        let mut list = RawArrayBuf::new();
        for id in ids {
            list.push((*id).clone());
        }
        let length = i32::try_from(ids.len()).unwrap_or(i32::MAX);
        let command = rawdoc! {
            "find": self.collection.as_str(),
            "filter": {"_id": {"$in": list}},
            "projection": {"_id": 1},
            "batchSize": length,
            "singleBatch": true,
        };
        let answer = answer(self.database.run_raw_command(command)).await;
        let answer = answer.map_err(|refusal| replies::explain_refusal(&refusal))?;
        let batch = answer
            .get_document("cursor")
            .and_then(|cursor| cursor.get_array("firstBatch"))
            .map_err(|_| "the server's answer makes no sense".to_owned())?;
        for document in batch.iter().filter_map(Bson::as_document) {
            if let Some(id) = document
                .get("_id")
                .and_then(|id| RawBson::try_from(id.clone()).ok())
            {
                found.insert(id);
            }
        }
        Ok(())
    }

    fn command(&self, chunk: &Chunk<'_>) -> RawDocumentBuf {
        let mut list = RawArrayBuf::new();
        for one in &chunk.wanted {
            match &one.document {
                None => list.push(rawdoc! {"q": {"_id": one.id.clone()}, "limit": 1}),
                Some(document) if self.insert => list.push(document.as_ref()),
                Some(document) => list.push(rawdoc! {
                    "q": {"_id": one.id.clone()}, "u": document.clone(), "upsert": true
                }),
            }
        }
        let mut command = rawdoc! {
            (cstr_of(chunk.name)): self.collection.as_str(),
            "ordered": false,
            "writeConcern": {"w": "majority"},
        };
        command.append(cstr_of(chunk.list), list);
        command
    }
}

/// The names of commands as BSON wants them.
fn cstr_of(name: &str) -> &'static mongodb::bson::raw::CStr {
    match name {
        "insert" => cstr!("insert"),
        "documents" => cstr!("documents"),
        "update" => cstr!("update"),
        "updates" => cstr!("updates"),
        "delete" => cstr!("delete"),
        _ => cstr!("deletes"),
    }
}

/// What a server answers within the time it may take.
async fn answer(
    asked: impl IntoFuture<Output = mongodb::error::Result<Document>>,
) -> Result<Document, Refusal> {
    match tokio::time::timeout(ANSWER, asked.into_future()).await {
        Ok(answer) => answer.map_err(|error| Refusal::Error(Box::new(error))),
        Err(_) => Err(Refusal::Silence(ANSWER)),
    }
}
