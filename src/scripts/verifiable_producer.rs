//! `kafka-verifiable-producer`: numbers as records, and a line of JSON for what becomes of each.

use super::argparse::{Arg, Group, Manners, Parsed, Parser, Takes, Type};
use super::client_properties::{self, Properties};
use super::java_format::double;
use super::java_words::{java_class, java_message, no_metadata};
use super::throttle::Throttle;
use super::{Ending, out};
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::kafka::producer::{Delivery, NewRecord, Producer, Settings};
use crate::ui::Interrupt;
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The longest time between a Ctrl-C and its being noticed.
const GLANCE: Duration = Duration::from_millis(50);

const CONNECTION: &str = "Connection Group";

const PARSER: Parser = Parser {
    prog: "verifiable-producer",
    about: "Writes the numbers from 0 upwards as records and prints a line of JSON for each that is written or lost, so that \
            a test sees which records were acknowledged.",
    commands: &[],
    groups: &[Group {
        name: CONNECTION,
        title: CONNECTION,
        about: "How to reach the brokers",
        required: true,
    }],
    args: &[
        Arg::new(&["--topic"], Takes::One(Type::Text), "TOPIC", "The topic to write to.").required(),
        Arg::new(
            &["--bootstrap-server"],
            Takes::One(Type::Text),
            "HOST1:PORT1[,HOST2:PORT2[...]]",
            "REQUIRED: the brokers to ask first.",
        )
        .of(CONNECTION),
        Arg::new(
            &["--max-messages"],
            Takes::One(Type::Int),
            "MAX-MESSAGES",
            "How many records to write; -1 for ever more.",
        )
        .or("-1"),
        Arg::new(
            &["--throughput"],
            Takes::One(Type::Int),
            "THROUGHPUT",
            "About how many records to write per second; -1 for as many as possible.",
        )
        .or("-1"),
        Arg::new(
            &["--acks"],
            Takes::One(Type::IntAmong(&["0", "1", "-1"])),
            "ACKS",
            "Who must have a record before it counts as written: nobody, the leader, all in-sync replicas.",
        )
        .or("-1"),
        Arg::old_command_config(&["--producer.config"]),
        Arg::new(
            &["--message-create-time"],
            Takes::One(Type::Long),
            "CREATE-TIME",
            "The timestamp of the first record, in ms since 1970-01-01 UTC; the others' grow from it. -1 for the time of \
             day.",
        )
        .or("-1"),
        Arg::new(
            &["--value-prefix"],
            Takes::One(Type::Int),
            "VALUE-PREFIX",
            "A number to write before each value, with a point between.",
        ),
        Arg::new(
            &["--repeating-keys"],
            Takes::One(Type::Int),
            "REPEATING-KEYS",
            "Keys from 0 upwards, again from 0 when this number is reached.",
        ),
        Arg::new(
            &["--command-config"],
            Takes::One(Type::Text),
            "CONFIG-FILE",
            "File of properties of the producer; they win over the options.",
        ),
    ],
    command_metavar: "",
    manners: Manners::OrFail,
};

/// Runs the script.
///
/// # Errors
/// The help, and argparse4j's and the tool's refusals.
pub fn run(arguments: &[String]) -> Result<u8, Ending> {
    let parsed = PARSER.parse_some(arguments)?;
    let properties = file_properties(&PARSER, &parsed, "producer.config")?;
    let mut given = Properties::from([
        ("acks".to_owned(), parsed.value("acks").unwrap_or("-1").to_owned()),
        ("retries".to_owned(), "0".to_owned()),
        ("client.id".to_owned(), "producer-1".to_owned()),
    ]);
    given.extend(properties);
    let bootstrap = given
        .remove("bootstrap.servers")
        .unwrap_or_else(|| parsed.value("bootstrap-server").unwrap_or_default().to_owned());
    given.remove("max.block.ms");
    client_properties::producer_defaults(&mut given)?;
    let connection = client_properties::connection(&bootstrap, given)?;
    let interrupt = Interrupt::watch()?;
    let settings = Settings {
        create: true,
        ..Settings::default()
    };
    let topic = parsed.value("topic").unwrap_or_default().to_owned();
    let begun = Instant::now();
    let work = Work::new(&parsed, topic, interrupt);
    event("startup_complete", json!({}));
    match Producer::open(&connection, &work.topic, settings) {
        Ok(producer) => work.write(&producer)?,
        Err(failure) => work.fail(begun, &failure),
    }
    Ok(if interrupt.pressed() {
        Interrupt::exit_code()
    } else {
        0
    })
}

/// The properties in the file of `--command-config` or the old option; says that the old one is deprecated.
///
/// # Errors
/// When both are given, or the file cannot be read.
pub fn file_properties(parser: &Parser, parsed: &Parsed, old: &str) -> Result<Properties, Ending> {
    if parsed.has(old) && parsed.has("command-config") {
        return Err(parser.error(&format!(
            "Options --{old} and --command-config are mutually exclusive."
        )));
    }
    if parsed.has(old) {
        out(&format!(
            "Option --{old} has been deprecated and will be removed in a future version. Use --command-config instead."
        ));
    }
    let Some(path) = parsed.value(old).or(parsed.value("command-config")) else {
        return Ok(Properties::new());
    };
    client_properties::read(path).map_err(|unread| parser.error(&unread.message))
}

/// Prints a line of JSON: the time, the event's name, and what belongs to it.
pub fn event(name: &str, more: Value) {
    let mut line = json!({"timestamp": Clock::system().now_ms(), "name": name});
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    out(&line.to_string());
}

struct Work {
    topic: String,
    records: u64,
    prefix: Option<i32>,
    keys: Option<i32>,
    created: Option<i64>,
    throughput: i32,
    interrupt: Interrupt,
    begun: Instant,
    acknowledged: Rc<Cell<u64>>,
}

impl Work {
    fn new(parsed: &Parsed, topic: String, interrupt: Interrupt) -> Self {
        let records = parsed.number::<i64>("max-messages").unwrap_or(-1);
        Work {
            topic,
            records: u64::try_from(records).unwrap_or(u64::MAX),
            prefix: parsed.number("value-prefix"),
            keys: parsed.number("repeating-keys"),
            created: parsed.number("message-create-time").filter(|time| *time != -1),
            throughput: parsed.number("throughput").unwrap_or(-1),
            interrupt,
            begun: Instant::now(),
            acknowledged: Rc::default(),
        }
    }

    /// Writes until all are written or Ctrl-C, which ends the tool in good order, as in Java.
    fn write(&self, producer: &Producer) -> Result<(), Ending> {
        let (topic, acknowledged) = (self.topic.clone(), Rc::clone(&self.acknowledged));
        producer.report_to(move |delivery| {
            if delivery.error.is_none() {
                acknowledged.set(acknowledged.get() + 1);
            }
            tell(&topic, delivery);
        });
        let begun = Clock::system().now_ms();
        let mut throttle = Throttle::new(f64::from(self.throughput));
        let (mut created, mut key) = (self.created, 0);
        let mut sent = 0;
        while sent < self.records && !self.interrupt.pressed() {
            let at = Instant::now();
            self.send(producer, sent, created, &mut key)?;
            created = created.map(|time| time + Clock::system().now_ms() - begun);
            producer.poll(Duration::ZERO);
            self.wait(producer, throttle.pause(sent, at));
            sent += 1;
        }
        while !producer.flush(GLANCE) {}
        self.finish(sent);
        Ok(())
    }

    fn send(
        &self,
        producer: &Producer,
        number: u64,
        created: Option<i64>,
        key: &mut i32,
    ) -> Result<(), Ending> {
        let value = match self.prefix {
            Some(prefix) => format!("{prefix}.{number}"),
            None => number.to_string(),
        };
        let text = self.keys.map(|keys| {
            let text = key.to_string();
            *key += 1;
            if *key == keys {
                *key = 0;
            }
            text
        });
        let record = NewRecord {
            key: text.as_deref().map(str::as_bytes),
            value: Some(value.as_bytes()),
            headers: &[],
            timestamp: created,
        };
        let full = || -> Outcome { self.interrupt.check() };
        match producer.send(&record, 0, full) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => lost(
                &self.topic,
                text.as_deref(),
                &value,
                &java_class(error.code()),
                &java_message(&error),
            ),
            // Ctrl-C while the queue was full.
            Err(_) if self.interrupt.pressed() => {}
            Err(failure) => return Err(failure.into()),
        }
        Ok(())
    }

    fn wait(&self, producer: &Producer, pause: Duration) {
        let until = Instant::now().checked_add(pause);
        while !self.interrupt.pressed() {
            let left = until.map_or(GLANCE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return;
            }
            producer.poll(Duration::ZERO);
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    /// A topic that cannot be written to: Java's tool loses each record, one after a minute after the other. Here the
    /// first one stands for all.
    fn fail(&self, begun: Instant, failure: &Failure) {
        let (class, why) = no_metadata(&self.topic, begun.elapsed());
        let value = self
            .prefix
            .map_or_else(|| "0".to_owned(), |prefix| format!("{prefix}.0"));
        lost(&self.topic, self.keys.map(|_| "0"), &value, &class, &why);
        eprintln!("{}", failure.what());
        self.finish(1);
    }

    fn finish(&self, sent: u64) {
        let acknowledged = self.acknowledged.get();
        event("shutdown_complete", json!({}));
        let milliseconds = self.begun.elapsed().as_millis().max(1) as f64;
        let rate = double(1000.0 * (acknowledged as f64 / milliseconds));
        // Java's digits, which serde_json would write in its own way.
        out(&format!(
            "{{\"timestamp\":{},\"name\":\"tool_data\",\"sent\":{sent},\"acked\":{acknowledged},\"target_throughput\":{},\
             \"avg_throughput\":{rate}}}",
            Clock::system().now_ms(),
            self.throughput
        ));
    }
}

fn tell(topic: &str, delivery: &Delivery<'_>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (key, value) = (
        delivery.key().map(text),
        delivery.value().map(text).unwrap_or_default(),
    );
    match &delivery.error {
        None => event(
            "producer_send_success",
            json!({
                "key": key,
                "value": value,
                "offset": delivery.offset(),
                "topic": topic,
                "partition": delivery.partition(),
            }),
        ),
        Some(error) => lost(
            topic,
            key.as_deref(),
            &value,
            &java_class(error.code()),
            &java_message(error),
        ),
    }
}

fn lost(topic: &str, key: Option<&str>, value: &str, class: &str, why: &str) {
    event(
        "producer_send_error",
        json!({
            "topic": topic,
            "key": key,
            "value": value,
            "exception": format!("class {class}"),
            "message": why,
        }),
    );
}
