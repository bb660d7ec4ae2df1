//! `kafka-e2e-latency`: how long a record takes from the producer to the consumer.

use super::client_properties::{self, Properties, in_file};
use super::java_format::{double, fixed};
use super::java_words::{java_exception, java_message};
use super::options::{HELP, Opt, Options, Parsed, Takes, VERSION, value};
use super::{Ending, out};
use crate::failure::{Failure, Kind};
use crate::kafka::consumer::{Arrival, Consumer, Isolation, Record, Start};
use crate::kafka::producer::{NewRecord, Producer, Settings};
use crate::kafka::{Admin, Connection, KafkaError, NewTopic};
use crate::scripts::way_out::nobody;
use crate::ui::Interrupt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How long a record may take.
const LONGEST: Duration = Duration::from_millis(60_000);

/// The longest time between a Ctrl-C and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

const fn maybe(names: &'static [&'static str], describes: &'static str, help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::MaybeValue(describes),
        help,
    }
}

const OPTIONS: Options = Options {
    about: "This tool measures end-to-end latency in Kafka by sending messages and timing their reception.",
    abbreviations: true,
    all: &[
        HELP,
        VERSION,
        value(
            &["bootstrap-server"],
            "String: bootstrap-server",
            "REQUIRED: the brokers to ask first, as HOST1:PORT1,HOST2:PORT2.",
        ),
        value(
            &["topic"],
            "String: topic-name",
            "REQUIRED: the topic to write to and read from; made when it is not there.",
        ),
        value(
            &["num-records"],
            "Integer: count",
            "REQUIRED: how many records to send, one after the other.",
        ),
        value(
            &["producer-acks"],
            "String: producer-acks",
            "REQUIRED: who must have a record before it counts as written: 1, the leader, or all.",
        ),
        value(
            &["record-size"],
            "Integer: bytes",
            "REQUIRED: the size of a record's value.",
        ),
        maybe(
            &["record-key-size"],
            "Integer: bytes",
            "The size of a record's key. (default: 0)",
        ),
        maybe(
            &["record-header-key-size"],
            "Integer: bytes",
            "The size of a header's name. (default: 0)",
        ),
        maybe(
            &["record-header-size"],
            "Integer: bytes",
            "The size of a header's value; -1 for a null. (default: 0)",
        ),
        maybe(
            &["num-headers"],
            "Integer: count",
            "How many headers a record has. (default: 0)",
        ),
        maybe(
            &["command-config"],
            "String: config-file",
            "File of properties of the producer and the consumer.",
        ),
    ],
};

const NAMED: [&str; 5] = [
    "bootstrap-server",
    "topic",
    "num-records",
    "producer-acks",
    "record-size",
];

/// What is to be done.
struct Work {
    bootstrap: String,
    topic: String,
    records: usize,
    acks: String,
    value: usize,
    key: usize,
    headers: usize,
    header_name: usize,
    /// `None` for a null.
    header_value: Option<usize>,
    properties: Properties,
}

/// Runs the script.
///
/// # Errors
/// Kafka's refusals of the command line, a cluster that cannot be reached, and a record that does not arrive.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let work = read(&named(arguments)?)?;
    let interrupt = Interrupt::watch()?;
    let connection = connection(&work, properties(&work))?;
    create_topic(&connection, &work.topic)?;
    // It connects while the producer waits for its answers.
    let mut consumer = Consumer::open(&connection, Isolation::ReadUncommitted, None).map_err(unreachable)?;
    let producer = producer(&work)?;
    read_what_comes(&mut consumer, &work.topic)?;
    let mut test = Test {
        work: &work,
        letter: 0,
        consumer,
        producer,
        interrupt,
    };
    let result = test.run();
    test.consumer.abandon();
    result.map(|()| 0)
}

/// The old form without names, turned into the new one.
fn named(arguments: &[String]) -> Result<Vec<String>, Ending> {
    let is_name = |word: &String| word.strip_prefix("--").is_some_and(|name| NAMED.contains(&name));
    if arguments.is_empty() || arguments.iter().any(is_name) {
        return Ok(arguments.to_vec());
    }
    if !(5..=6).contains(&arguments.len()) {
        return Err(Ending::failure(format!(
            "Invalid number of arguments. Expected 5 or 6 positional arguments, but got {}. Usage: bootstrap-server topic \
             num-records producer-acks record-size [optional] command-config",
            arguments.len()
        )));
    }
    out(
        "WARNING: Positional argument usage is deprecated and will be removed in Apache Kafka 5.0. Please use named \
         arguments instead: --bootstrap-server, --topic, --num-records, --producer-acks, --record-size, --command-config",
    );
    let names = NAMED.iter().chain(&["command-config"]);
    Ok(names
        .zip(arguments)
        .flat_map(|(name, value)| [format!("--{name}"), value.clone()])
        .collect())
}

fn read(arguments: &[String]) -> Result<Work, Ending> {
    let parsed = OPTIONS
        .parse(arguments)
        .map_err(|refusal| OPTIONS.misuse(refusal.stderr))?;
    OPTIONS.help_or_version(&parsed)?;
    OPTIONS.require(&parsed, &NAMED)?;
    let acks = parsed.value("producer-acks")?.unwrap_or_default();
    if !["1", "all"].contains(&acks) {
        return Err(OPTIONS.misuse(
            "Invalid value for --producer-acks. Latency testing requires synchronous acknowledgement. Please use '1' or \
             'all'.",
        ));
    }
    let records = size(&parsed, "num-records", 1, "must be a positive integer.")?;
    let from_zero = |name| size(&parsed, name, 0, "must be a non-negative integer.");
    let (value, key, header_name) = (
        from_zero("record-size")?,
        from_zero("record-key-size")?,
        from_zero("record-header-key-size")?,
    );
    let null = "must be a non-negative integer or -1 for null header value.";
    let header_value = size(&parsed, "record-header-size", -1, null)?;
    let headers = from_zero("num-headers")?;
    let natural = |number: i32| usize::try_from(number).unwrap_or(0);
    Ok(Work {
        bootstrap: parsed.value("bootstrap-server")?.unwrap_or_default().to_owned(),
        topic: parsed.value("topic")?.unwrap_or_default().to_owned(),
        records: natural(records),
        acks: acks.to_owned(),
        value: natural(value),
        key: natural(key),
        headers: natural(headers),
        header_name: natural(header_name),
        header_value: usize::try_from(header_value).ok(),
        properties: in_file(&parsed, &["command-config"])?,
    })
}

fn size(parsed: &Parsed, name: &str, least: i32, rule: &str) -> Result<i32, Ending> {
    let size = parsed.number::<i32>(name)?.unwrap_or(0);
    if size < least {
        return Err(OPTIONS.misuse(format!("Value for --{name} {rule}")));
    }
    Ok(size)
}

/// The properties of the file that make a difference here.
fn properties(work: &Work) -> Properties {
    let mut properties = work.properties.clone();
    // A record is worth more than a full packet.
    properties.insert("socket.nagle.disable".to_owned(), "true".to_owned());
    for name in [
        "group.id",
        "enable.auto.commit",
        "auto.offset.reset",
        "fetch.max.wait.ms",
        "max.block.ms",
    ] {
        properties.remove(name);
    }
    properties
}

fn connection(work: &Work, properties: Properties) -> Result<Connection, Ending> {
    client_properties::connection(&work.bootstrap, properties)
}

fn unreachable(failure: Failure) -> Ending {
    match failure.kind() {
        Kind::Unreachable => {
            Ending::failure("Timeout expired while fetching topic metadata").hint(nobody(failure.what()))
        }
        _ => failure.into(),
    }
}

fn create_topic(connection: &Connection, topic: &str) -> Result<(), Ending> {
    let admin = Admin::connect(connection).map_err(unreachable)?;
    if admin.metadata()?.topics.iter().any(|known| known.name == topic) {
        return Ok(());
    }
    out(&format!(
        "Topic \"{topic}\" does not exist. Will create topic with 1 partition(s) and replication factor = 1"
    ));
    let new = NewTopic {
        partitions: Some(1),
        replication_factor: Some(1),
        ..NewTopic::named(topic)
    };
    let answers = admin.create_topics(&[new], false)?;
    match answers.into_iter().find_map(|(_, answer)| answer.err()) {
        None => Ok(()),
        Some(error) => {
            out(&format!("Creation of topic {topic} failed"));
            Err(Ending::failure(format!(
                "java.util.concurrent.ExecutionException: {}",
                java_exception(&error)
            )))
        }
    }
}

/// Reads what comes from now on. The consumer joins no group, so that none is left behind.
fn read_what_comes(consumer: &mut Consumer, topic: &str) -> Result<(), Ending> {
    let partitions = consumer.partitions(&[topic.to_owned()], None)?;
    for span in consumer.spans(&partitions, Start::End)? {
        consumer.start(&span)?;
    }
    Ok(())
}

fn producer(work: &Work) -> Result<Producer, Ending> {
    let mut properties = properties(work);
    properties.insert("linger.ms".to_owned(), "0".to_owned());
    properties.insert("acks".to_owned(), work.acks.clone());
    client_properties::producer_defaults(&mut properties)?;
    let connection = connection(work, properties)?;
    Producer::open(&connection, &work.topic, Settings::default()).map_err(unreachable)
}

/// What one record holds.
struct Content {
    key: Vec<u8>,
    value: Vec<u8>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

struct Test<'a> {
    work: &'a Work,
    letter: u8,
    consumer: Consumer,
    producer: Producer,
    interrupt: Interrupt,
}

impl Test<'_> {
    fn run(&mut self) -> Result<(), Ending> {
        let mut total = Duration::ZERO;
        let mut latencies = Vec::with_capacity(self.work.records);
        for number in 0..self.work.records {
            let content = self.content();
            let elapsed = self.send_and_receive(&content)?;
            if number % 1000 == 0 {
                out(&format!(
                    "{number}\t{}",
                    double(elapsed.as_nanos() as f64 / 1000.0 / 1000.0)
                ));
            }
            total += elapsed;
            latencies.push(elapsed.as_millis());
        }
        let average = total.as_nanos() as f64 / self.work.records as f64 / 1000.0 / 1000.0;
        out(&format!("Avg latency: {} ms", fixed(average, 4)));
        latencies.sort_unstable();
        // Java rounds towards zero.
        let percentile = |share: f64| latencies[(latencies.len() as f64 * share) as usize];
        out(&format!(
            "Percentiles: 50th = {}, 99th = {}, 99.9th = {}",
            percentile(0.5),
            percentile(0.99),
            percentile(0.999)
        ));
        Ok(())
    }

    fn content(&mut self) -> Content {
        let work = self.work;
        Content {
            key: self.bytes(work.key),
            value: self.bytes(work.value),
            headers: (0..work.headers)
                .map(|_| {
                    let name = String::from_utf8_lossy(&self.bytes(work.header_name)).into_owned();
                    (name, work.header_value.map(|size| self.bytes(size)))
                })
                .collect(),
        }
    }

    /// So many times one letter, each time another.
    fn bytes(&mut self, size: usize) -> Vec<u8> {
        self.letter = (self.letter + 7) % 26;
        vec![b'A' + self.letter; size]
    }

    fn send_and_receive(&self, content: &Content) -> Result<Duration, Ending> {
        let record = NewRecord {
            key: Some(&content.key),
            value: Some(&content.value),
            headers: &content.headers,
            timestamp: None,
        };
        let begun = Instant::now();
        let refused = |error: &KafkaError| Ending::failure(java_exception(error));
        self.producer
            .send(&record, 0, || self.interrupt.check())?
            .map_err(|error| refused(&error))?;
        while !self.producer.flush(GLANCE) {
            self.interrupt.check()?;
        }
        if let Some(lost) = self.producer.tally().first_lost.first() {
            return Err(refused(&lost.error));
        }
        let mut received = Vec::new();
        let mut elapsed = Duration::ZERO;
        while received.is_empty() {
            self.interrupt.check()?;
            if begun.elapsed() > LONGEST {
                return Err(Ending::failure(
                    "poll() timed out before finding a result (timeout:[60000ms])",
                ));
            }
            let mut trouble = None;
            self.consumer.serve(GLANCE, |arrival| {
                match arrival {
                    Arrival::Record(record) => received.push(mismatch(content, &record)),
                    Arrival::End { .. } => {}
                    Arrival::Trouble(error) => trouble = Some(error),
                }
                ControlFlow::Continue(())
            });
            elapsed = begun.elapsed();
            if let Some(error) = trouble.filter(KafkaError::is_unknown_topic) {
                return Err(Ending::failure(java_message(&error)));
            }
        }
        match (received.len(), received.pop().flatten()) {
            (_, Some(why)) => Err(Ending::failure(why)),
            (1, None) => Ok(elapsed),
            (count, None) => Err(Ending::failure(format!(
                "Only one result was expected during this test. We found [{count}]"
            ))),
        }
    }
}

/// How a record differs from the one that was sent.
fn mismatch(sent: &Content, read: &Record<'_>) -> Option<String> {
    let text = String::from_utf8_lossy;
    let value = read.value().unwrap_or_default();
    if value != sent.value {
        return Some(format!(
            "The message value read [{}] did not match the message value sent [{}]",
            text(value),
            text(&sent.value)
        ));
    }
    match read.key() {
        None => return Some("Expected message key but received null".to_owned()),
        Some(key) if key != sent.key => {
            return Some(format!(
                "The message key read [{}] did not match the message key sent [{}]",
                text(key),
                text(&sent.key)
            ));
        }
        Some(_) => {}
    }
    let headers: Vec<(String, Option<Vec<u8>>)> = read
        .headers()
        .map(|(name, value)| (text(name).into_owned(), value.map(<[u8]>::to_vec)))
        .collect();
    if headers.is_empty() && !sent.headers.is_empty() {
        return Some("Expected message headers but received none".to_owned());
    }
    for (sent, read) in sent.headers.iter().zip(&headers) {
        if sent != read {
            return Some(format!(
                "The message header read [{}] did not match the message header sent [{}]",
                shown(read),
                shown(sent)
            ));
        }
    }
    (headers.len() != sent.headers.len())
        .then(|| "Header count mismatch between sent and received messages".to_owned())
}

/// As Java shows an array of bytes.
fn shown((name, value): &(String, Option<Vec<u8>>)) -> String {
    match value {
        None => format!("{name}:null"),
        Some(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(|byte| byte.cast_signed().to_string()).collect();
            format!("{name}:[{}]", numbers.join(", "))
        }
    }
}
