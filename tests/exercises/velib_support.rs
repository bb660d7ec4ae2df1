//! What the tests of the city bikes share: a `velo` that goes on running, servers that answer as told, stations by hand.

use crate::support::cluster::Cluster;
use crate::support::ending;
use crate::support::velo::Home;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use velodrome::kafka::group_consumer::Received;
use velodrome::kafka::record_producer::Outgoing;
use velodrome::kafka::topic_reader::read_to_end;
use velodrome::kafka::{Admin, Connection, NewTopic, RecordProducer};
use velodrome::ui::Interrupt;

/// Waits until `fact` is true, and fails with what `so_far` says when it is not within a minute.
#[track_caller]
pub fn eventually(mut fact: impl FnMut() -> bool, so_far: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !fact() {
        assert!(Instant::now() < deadline, "not within a minute: {}", so_far());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A `velo` in the background; killed with the value.
pub struct Running {
    process: Child,
    folder: tempfile::TempDir,
}

impl Running {
    /// Starts `velo` with these arguments on that cluster.
    pub fn start(cluster: &Cluster, arguments: &[&str]) -> Self {
        Self::start_anywhere(&[&["--bootstrap-server", cluster.bootstrap()], arguments].concat())
    }

    /// Starts `velo` with these arguments.
    pub fn start_anywhere(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
        command.args(arguments).env_remove("VELO_BOOTSTRAP_SERVER");
        Self::start_command(command)
    }

    /// Starts any program.
    pub fn start_command(mut command: Command) -> Self {
        // What started the tests may ignore Ctrl-C, as a shell's background does, and the program would too. Not so what
        // is caught here.
        Interrupt::watch().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| fs::File::create(folder.path().join(name)).unwrap();
        let process = command
            .env("VELO_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        Running { process, folder }
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(self.folder.path().join("out")).unwrap()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("err")).unwrap()
    }

    /// Waits for the first line on stdout.
    #[track_caller]
    pub fn first_line(&self) -> String {
        eventually(|| self.stdout().contains('\n'), || self.stderr());
        self.stdout().lines().next().unwrap().to_owned()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.stdout()
    }

    /// Waits for its end by itself, and answers its exit code.
    pub fn wait(&mut self) -> i32 {
        ending::ended(&mut self.process).code().unwrap_or(-1)
    }

    /// Runs `velo` to its end in the same folders.
    pub fn velo(&self, arguments: &[&str]) -> crate::support::velo::Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
        let command = command.args(arguments).env("VELO_HOME", self.folder.path());
        crate::support::velo::Ended::of(ending::output(command))
    }

    /// Asks it to end as a service manager does, waits for that, and answers its exit code.
    pub fn terminate(&mut self) -> i32 {
        ending::terminate(&self.process);
        self.wait()
    }

    /// Presses Ctrl-C, waits for the end, and answers its exit code.
    pub fn interrupt(&mut self) -> i32 {
        ending::interrupt(&self.process);
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `velo` on that cluster to its end.
pub fn velo(cluster: &Cluster, arguments: &[&str]) -> crate::support::velo::Ended {
    Home::new().velo(&[&["--bootstrap-server", cluster.bootstrap()], arguments].concat())
}

pub fn connection(cluster: &Cluster) -> Connection {
    Connection::new(cluster.bootstrap(), None).unwrap()
}

pub fn admin(cluster: &Cluster) -> Admin {
    Admin::connect(&connection(cluster)).unwrap()
}

/// Makes a topic of that many partitions.
pub fn create(cluster: &Cluster, topic: &str, partitions: i32) {
    let topic = NewTopic {
        partitions: Some(partitions),
        ..NewTopic::named(topic)
    };
    admin(cluster).create_topic(&topic).unwrap();
}

/// A station with so many free stands, of 20.
pub fn station(number: i64, free: i64) -> Value {
    json!({
        "number": number, "contract_name": "Toulouse", "name": format!("{number:05} - LEDUC"),
        "address": format!("{number} RUE LEDUC"), "position": {"lat": 43.6, "lng": 1.4},
        "banking": true, "bonus": false, "bike_stands": 20, "available_bike_stands": free,
        "available_bikes": 20 - free, "status": "OPEN", "last_update": 1_463_949_010_000i64,
    })
}

/// Writes these values, one record each, without keys.
pub fn write(cluster: &Cluster, topic: &str, values: &[Value]) {
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    for value in values {
        producer
            .send(Outgoing {
                topic,
                value: Some(value.to_string().as_bytes()),
                ..Outgoing::default()
            })
            .unwrap();
    }
    producer.flush().unwrap();
}

/// Every record of a topic.
pub fn records(cluster: &Cluster, topic: &str) -> Vec<Received> {
    let mut records = Vec::new();
    read_to_end(&connection(cluster), topic, |record| records.push(record)).unwrap();
    records
}

/// How many records of `topic` the group has still to read.
pub fn lag(cluster: &Cluster, group: &str, topic: &str) -> i64 {
    let admin = admin(cluster);
    let committed = admin.committed_offsets(group).unwrap_or_default();
    let partitions = admin.partitions_of(topic).unwrap();
    let ranges = admin.offset_range(&partitions).unwrap();
    ranges
        .iter()
        .map(|(partition, range)| {
            let read = committed.get(partition).map_or(0, |committed| committed.offset);
            range.latest - read
        })
        .sum()
}

/// What a fake server does with one request.
#[derive(Clone)]
pub enum Answer {
    /// Status and body.
    Status(u16, String),
    /// Says nothing and keeps the connection.
    Silence,
}

/// A server that gives these answers in order, the last one for ever, and keeps what it was asked.
pub struct FakeApi {
    pub url: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl FakeApi {
    pub fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/vls/v1/stations", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for (index, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                kept.lock().unwrap().push(request_line(&stream));
                match &answers[index.min(answers.len() - 1)] {
                    Answer::Silence => silent.push(stream),
                    Answer::Status(status, body) => {
                        let head = format!(
                            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                            body.len()
                        );
                        // A client that has gone away is the test's business, not the server's.
                        let _ = stream.write_all((head + body).as_bytes());
                    }
                }
            }
        });
        FakeApi { url, asked }
    }
}

fn request_line(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    first
}

/// Asks an HTTP server and answers status and body.
pub fn http(method: &str, address: &str, target: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
