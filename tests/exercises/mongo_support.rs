//! A MongoDB server for a test: SecantusDB, in a process and a folder of its own, and what a client sees in it.

use super::velib_support::{connection, eventually, records};
use crate::support::cluster::Cluster;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tokio::runtime::Runtime;
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

/// A running server; killed with the value.
pub struct MongoServer {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
    runtime: Runtime,
}

impl MongoServer {
    /// A new server without any documents, which syncs each commit.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        MongoServer {
            process: spawn(port, &folder),
            port,
            folder,
            runtime: Runtime::new().unwrap(),
        }
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after [`MongoServer::kill`], on the same port and folder.
    pub fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder);
    }

    /// Every document of the collection `people` of the database `test`.
    pub fn documents(&self) -> Vec<Document> {
        self.documents_of("test", "people")
    }

    /// Every document of a collection.
    pub fn documents_of(&self, database: &str, collection: &str) -> Vec<Document> {
        self.runtime.block_on(async {
            let client = Client::with_uri_str(self.uri()).await.unwrap();
            let collection = client.database(database).collection::<Document>(collection);
            let mut cursor = collection.find(doc! {}).await.unwrap();
            let mut found = Vec::new();
            while cursor.advance().await.unwrap() {
                found.push(cursor.deserialize_current().unwrap());
            }
            found
        })
    }

    pub fn count(&self) -> u64 {
        self.runtime.block_on(async {
            let client = Client::with_uri_str(self.uri()).await.unwrap();
            let people = client.database("test").collection::<Document>("people");
            people.count_documents(doc! {}).await.unwrap()
        })
    }

    /// About how many there are in `people`; quick, and for progress only.
    pub fn about(&self) -> u64 {
        self.runtime.block_on(async {
            let client = Client::with_uri_str(self.uri()).await.unwrap();
            let people = client.database("test").collection::<Document>("people");
            people.estimated_document_count().await.unwrap()
        })
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

fn spawn(port: u16, folder: &tempfile::TempDir) -> Child {
    let peers =
        PathBuf::from(std::env::var_os("VELO_PEERS_DIR").expect("scripts/dev/test sets VELO_PEERS_DIR"));
    let process = Command::new(peers.join("mongo/bin/secantusd-py"))
        .args([
            "--port",
            &port.to_string(),
            "--log-level",
            "ERROR",
            "--sync-on-commit",
            "--storage-path",
        ])
        .arg(folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually(
        || TcpStream::connect(("127.0.0.1", port)).is_ok(),
        || format!("no server on port {port}"),
    );
    process
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
