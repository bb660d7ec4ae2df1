//! A server of MongoDB's protocol for a test, in a process and a folder of its own, and what a client sees in it.

use super::postgres::Postgres;
use super::velib_support::{connection, eventually, records};
use crate::peers::peers_folder;
use crate::support::cluster::Cluster;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use tokio::runtime::Runtime;
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

/// A running server; killed with the value.
pub struct MongoServer {
    process: Child,
    port: u16,
    store: Store,
    runtime: Runtime,
}

/// Whose server it is, and where it keeps its documents.
enum Store {
    /// SecantusDB, which syncs each commit.
    Secantus(tempfile::TempDir),
    /// FerretDB on SQLite.
    Sqlite(tempfile::TempDir),
    /// FerretDB on PostgreSQL.
    Postgres(Postgres),
}

impl MongoServer {
    /// A new SecantusDB without any documents.
    pub fn start() -> Self {
        Self::start_on(Store::Secantus(tempfile::tempdir().unwrap()))
    }

    /// A new FerretDB on SQLite, without any documents.
    pub fn ferretdb_on_sqlite() -> Self {
        Self::start_on(Store::Sqlite(tempfile::tempdir().unwrap()))
    }

    /// A new FerretDB on a PostgreSQL of its own, without any documents.
    pub fn ferretdb_on_postgresql() -> Self {
        Self::start_on(Store::Postgres(Postgres::start()))
    }

    fn start_on(store: Store) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = MongoServer {
            process: store.spawn(port),
            port,
            store,
            runtime: Runtime::new().unwrap(),
        };
        server.await_answers();
        server
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after [`MongoServer::kill`], on the same port and store.
    pub fn restart(&mut self) {
        self.process = self.store.spawn(self.port);
        self.await_answers();
    }

    /// Ends the PostgreSQL behind it as a crash would, and starts that again.
    pub fn crash_store(&mut self) {
        let Store::Postgres(postgres) = &mut self.store else {
            panic!("there is no server behind this one");
        };
        postgres.crash();
        postgres.restart();
        self.await_answers();
    }

    /// Waits until it does what it is asked; its store may take longer to start than itself.
    fn await_answers(&self) {
        let port = self.port;
        eventually(
            || TcpStream::connect(("127.0.0.1", port)).is_ok(),
            || format!("no server on port {port}"),
        );
        self.answer(async |client| client.database("test").run_command(doc! {"ping": 1}).await);
    }

    /// Every document of the collection `people` of the database `test`.
    pub fn documents(&self) -> Vec<Document> {
        self.documents_of("test", "people")
    }

    /// Every document of a collection.
    pub fn documents_of(&self, database: &str, collection: &str) -> Vec<Document> {
        self.answer(async |client| {
            let collection = client.database(database).collection::<Document>(collection);
            let mut cursor = collection.find(doc! {}).await?;
            let mut found = Vec::new();
            while cursor.advance().await? {
                found.push(cursor.deserialize_current()?);
            }
            Ok(found)
        })
    }

    pub fn count(&self) -> u64 {
        self.answer(async |client| {
            let people = client.database("test").collection::<Document>("people");
            people.count_documents(doc! {}).await
        })
    }

    /// About how many there are in `people`; quick, and for progress only.
    pub fn about(&self) -> u64 {
        self.answer(async |client| {
            let people = client.database("test").collection::<Document>("people");
            people.estimated_document_count().await
        })
    }

    /// What it answers, once it does: a server whose store has crashed still has connections to what is no more.
    fn answer<T>(&self, ask: impl AsyncFn(&Client) -> mongodb::error::Result<T>) -> T {
        let mut answered = None;
        let why = RefCell::new(String::new());
        let asked = || {
            let answer = self
                .runtime
                .block_on(async { ask(&Client::with_uri_str(self.uri()).await?).await });
            answered = answer.map_err(|error| *why.borrow_mut() = error.to_string()).ok();
            answered.is_some()
        };
        eventually(asked, || why.borrow().clone());
        answered.unwrap()
    }

    /// Runs a command on the database `test`.
    pub fn run(&self, command: Document) {
        self.runtime.block_on(async {
            let client = Client::with_uri_str(self.uri()).await.unwrap();
            client.database("test").run_command(command).await.unwrap();
        });
    }
}

impl Drop for MongoServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Store {
    fn spawn(&self, port: u16) -> Child {
        let peers = peers_folder();
        let mut command = match self {
            Store::Secantus(folder) => {
                let mut command = Command::new(peers.join("mongo/bin/secantusd-py"));
                command.args(["--port", &port.to_string(), "--log-level", "ERROR"]);
                command
                    .args(["--sync-on-commit", "--storage-path"])
                    .arg(folder.path());
                command.current_dir(folder.path());
                command
            }
            Store::Sqlite(folder) => {
                let mut command = ferretdb(port);
                command.arg(folder.path()).current_dir(folder.path());
                command
            }
            Store::Postgres(postgres) => {
                let mut command = ferretdb(port);
                command.arg(postgres.url());
                command
            }
        };
        let silent = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        silent.spawn().unwrap()
    }
}

fn ferretdb(port: u16) -> Command {
    let mut command = Command::new(peers_folder().join("go/ferretdb"));
    command.arg(format!("127.0.0.1:{port}"));
    command
}

/// People of these numbers.
pub fn people(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|number| json!({"nombre": format!("Ana {number}"), "edad": 18 + number % 62, "n": number}))
        .collect()
}

/// Writes one record.
pub fn send(cluster: &Cluster, topic: &str, key: Option<&str>, value: Option<&[u8]>) {
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    let record = Outgoing {
        topic,
        key: key.map(str::as_bytes),
        value,
        headers: &[],
    };
    producer.send(record).unwrap();
    producer.flush().unwrap();
}

/// `velo mongo ingest` of a topic into the collection `people`, in a group of the topic's name.
pub fn arguments<'a>(topic: &'a str, uri: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "mongo",
        "ingest",
        "--topic",
        topic,
        "--mongodb",
        uri,
        "--collection",
        "people",
        "--group",
        topic,
    ];
    [&fixed, more].concat()
}

/// The dead letters' offsets and reasons.
pub fn dead(cluster: &Cluster, topic: &str) -> Vec<(String, String)> {
    let text = |value: Option<&[u8]>| String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    records(cluster, &format!("{topic}-dead-letter"))
        .iter()
        .map(|letter| (text(letter.header("offset")), text(letter.header("reason"))))
        .collect()
}
