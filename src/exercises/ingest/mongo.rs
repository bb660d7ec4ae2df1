//! The target that is a MongoDB collection.
//!
//! Each batch goes as unordered `insert`, `update` and `delete` commands with write concern majority, split where they
//! would be longer than a server takes. Whatever happens in between, a batch may be written again: an insert finds its
//! `_id` there already, a replacement replaces the same by the same.

use super::Fate;
use super::document::Wanted;
use super::patience::Patience;
use super::replies::{self, Refusal, Reply};
use crate::failure::{Failure, Outcome};
use mongodb::bson::raw::cstr;
use mongodb::bson::{RawArrayBuf, RawDocumentBuf, doc, rawdoc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};
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

/// A collection to write to.
pub struct Mongo {
    runtime: Runtime,
    writer: Arc<Writer>,
}

/// A batch as it is sent: each command, and how many of the batch are in it.
pub struct Commands(Vec<(RawDocumentBuf, usize)>);

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
                .map(|chunk| (self.writer.command(&chunk), chunk.wanted.len()))
                .collect(),
        )
    }

    /// Begins to send them.
    pub fn begin(&self, commands: Commands) -> Sending {
        let writer = Arc::clone(&self.writer);
        Sending(self.runtime.spawn(async move {
            let mut replies = Vec::new();
            for (command, count) in commands.0 {
                let reply = writer.send(command, count).await;
                let taken = matches!(reply, Reply::Fates(_));
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
            self.settle(&chunk, replies.next(), patience, &mut fates)?;
        }
        Ok(fates)
    }

    /// Sends a chunk until it is written, the first time only if there is no reply yet.
    fn settle(
        &self,
        chunk: &Chunk<'_>,
        mut reply: Option<Reply>,
        patience: &mut Patience,
        fates: &mut Vec<Fate>,
    ) -> Outcome {
        loop {
            let reply = reply.take();
            let again = || {
                let sent = self.writer.send(self.writer.command(chunk), chunk.wanted.len());
                self.runtime.block_on(sent)
            };
            match reply.unwrap_or_else(again) {
                Reply::Fates(found) => {
                    patience.over();
                    fates.extend(found);
                    return Ok(());
                }
                Reply::Later(why) => patience.wait(&format!("MongoDB on {}: {why}", self.writer.hosts))?,
                Reply::Never(failure) => return Err(failure),
                Reply::Command(why) if chunk.wanted.len() < 2 => {
                    fates.push(Fate::Refused(why));
                    return Ok(());
                }
                // One of its documents makes the server refuse the command: find out which.
                Reply::Command(_) => {
                    let (one, other) = chunk.wanted.split_at(chunk.wanted.len() / 2);
                    for half in [one, other] {
                        self.settle(&chunk.of(half.to_vec()), None, patience, fates)?;
                    }
                    return Ok(());
                }
            }
        }
    }
}

impl<'a> Chunk<'a> {
    /// The same command for others.
    fn of(&self, wanted: Vec<&'a Wanted>) -> Self {
        Chunk {
            name: self.name,
            list: self.list,
            wanted,
            bytes: 0,
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
                }),
            }
        }
        chunks
    }

    async fn send(&self, command: RawDocumentBuf, count: usize) -> Reply {
        let asked = self.database.run_raw_command(command);
        let answer = match tokio::time::timeout(ANSWER, asked.into_future()).await {
            Ok(answer) => answer.map_err(|error| Refusal::Error(Box::new(error))),
            Err(_) => Err(Refusal::Silence(ANSWER)),
        };
        replies::judge(&answer, count, &self.hosts)
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
