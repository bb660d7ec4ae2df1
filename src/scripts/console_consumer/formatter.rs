//! How records are shown: Kafka's formatters of the console consumer.

use super::deserializers::Deserializer;
use super::options::OPTIONS;
use crate::kafka::consumer::Record;
use crate::scripts::Ending;
use crate::scripts::client_properties::Properties;
use crate::scripts::kafka_records::{CoordinatorTopic, Undecoded};
use std::io::Write;

const PACKAGE: &str = "org.apache.kafka.tools.consumer.";
/// The class without `--formatter`.
pub const DEFAULT_FORMATTER: &str = "org.apache.kafka.tools.consumer.DefaultMessageFormatter";
const CLASSES: [&str; 6] = [
    "DefaultMessageFormatter",
    "LoggingMessageFormatter",
    "NoOpMessageFormatter",
    "OffsetsMessageFormatter",
    "GroupMetadataMessageFormatter",
    "TransactionLogMessageFormatter",
];

/// A formatter that is ready to use.
pub enum Formatter {
    /// Columns of a line.
    Default(Columns),
    /// Nothing.
    NoOp,
    /// The JSON of a coordinator's records, of those kinds of keys; nothing of others.
    Coordinator(CoordinatorTopic, &'static [i16]),
}

impl Formatter {
    /// The class of that name.
    ///
    /// # Errors
    /// The name and the help, as Kafka answers a class that is not there; a deserializer's charset that is not known.
    pub fn named(class: &str, properties: &Properties) -> Result<Self, Ending> {
        Ok(match class.strip_prefix(PACKAGE).unwrap_or_default() {
            // What Java's logging one adds goes to its log, which these tools do not have.
            "DefaultMessageFormatter" | "LoggingMessageFormatter" => {
                Formatter::Default(Columns::new(properties))
            }
            "NoOpMessageFormatter" => Formatter::NoOp,
            "OffsetsMessageFormatter" => Formatter::Coordinator(CoordinatorTopic::ConsumerOffsets, &[0, 1]),
            "GroupMetadataMessageFormatter" => {
                Formatter::Coordinator(CoordinatorTopic::ConsumerOffsets, &[2])
            }
            "TransactionLogMessageFormatter" => {
                Formatter::Coordinator(CoordinatorTopic::TransactionState, &[0])
            }
            _ => return Err(unknown(class)),
        })
    }

    /// Appends what is to be seen of a record.
    ///
    /// # Errors
    /// Why it cannot be shown; what came before stays.
    pub fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Formatter::Default(columns) => columns.write(record, out),
            Formatter::NoOp => Ok(()),
            Formatter::Coordinator(topic, kinds) => coordinator(*topic, kinds, record, out),
        }
    }
}

/// Kafka loads the class before it reads the properties.
///
/// # Errors
/// As [`Formatter::named`] for a class that is not there.
pub fn check(class: &str) -> Result<(), Ending> {
    let simple = class.strip_prefix(PACKAGE).unwrap_or_default();
    match CLASSES.contains(&simple) {
        true => Ok(()),
        false => Err(unknown(class)),
    }
}

/// Kafka 3 knew the formatters by other names.
fn unknown(class: &str) -> Ending {
    let refusal = OPTIONS.misuse(class);
    let simple = class.rsplit(['.', '$']).next().unwrap_or_default();
    match CLASSES.iter().find(|name| **name == simple) {
        Some(name) => refusal.hint(format!("--formatter {PACKAGE}{name}")),
        None => refusal,
    }
}

fn coordinator(
    topic: CoordinatorTopic,
    kinds: &[i16],
    record: &Record<'_>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let told = |why: Undecoded| match why {
        Undecoded::UnknownType(kind) => format!("unknown type {kind}"),
        Undecoded::Malformed(why) => why,
    };
    let Some(key) = record.key() else {
        return Ok(());
    };
    let key = match topic.key(key) {
        Err(Undecoded::UnknownType(_)) => return Ok(()),
        key => key.map_err(told)?,
    };
    if !kinds.contains(&key.version) {
        return Ok(());
    }
    let value = match record.value() {
        None => "null".to_owned(),
        Some(bytes) => {
            let value = topic.plain_value(key.version, bytes).map_err(told)?;
            format!("{{\"version\":{},\"data\":{}}}", value.version, value.json)
        }
    };
    // Writing to memory cannot fail. Kafka ends no line here.
    let _ = write!(
        out,
        "{{\"key\":{{\"type\":{},\"data\":{}}},\"value\":{value}}}",
        key.version, key.json
    );
    Ok(())
}

/// `DefaultMessageFormatter`
pub struct Columns {
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: Vec<u8>,
    line_separator: Vec<u8>,
    headers_separator: Vec<u8>,
    null_literal: Vec<u8>,
    key_deserializer: Option<Deserializer>,
    value_deserializer: Option<Deserializer>,
    headers_deserializer: Option<Deserializer>,
}

impl Columns {
    fn new(properties: &Properties) -> Self {
        let shown = |name: &str| {
            properties
                .get(name)
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| {
            properties
                .get(name)
                .map_or(default, String::as_str)
                .as_bytes()
                .to_vec()
        };
        let deserializer = |name: &str| Deserializer::configured(name, properties);
        Columns {
            timestamp: shown("print.timestamp"),
            partition: shown("print.partition"),
            offset: shown("print.offset"),
            delivery: shown("print.delivery"),
            epoch: shown("print.epoch"),
            headers: shown("print.headers"),
            key: shown("print.key"),
            value: !properties.contains_key("print.value") || shown("print.value"),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_deserializer: deserializer("key.deserializer"),
            value_deserializer: deserializer("value.deserializer"),
            headers_deserializer: deserializer("headers.deserializer"),
        }
    }

    fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let mut columns = Separated {
            columns: self,
            out,
            begun: false,
        };
        if self.timestamp {
            match record.timestamp() {
                Some((time, append)) => {
                    let kind = if append { "LogAppendTime" } else { "CreateTime" };
                    columns.text(format_args!("{kind}:{time}"));
                }
                None => columns.text(format_args!("NO_TIMESTAMP")),
            }
        }
        if self.partition {
            columns.text(format_args!("Partition:{}", record.partition()));
        }
        if self.offset {
            columns.text(format_args!("Offset:{}", record.offset()));
        }
        // Kafka's tool hands its formatter neither of the two.
        if self.delivery {
            columns.text(format_args!("Delivery:NOT_PRESENT"));
        }
        if self.epoch {
            columns.text(format_args!("Epoch:NOT_PRESENT"));
        }
        if self.headers {
            self.write_headers(record, columns.next())?;
        }
        if self.key {
            self.part(record.key(), self.key_deserializer, columns.next())?;
        }
        if self.value {
            self.part(record.value(), self.value_deserializer, columns.next())?;
        }
        if columns.begun {
            out.extend_from_slice(&self.line_separator);
        }
        Ok(())
    }

    fn write_headers(&self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let mut any = false;
        for (name, value) in record.headers() {
            if any {
                out.extend_from_slice(&self.headers_separator);
            }
            any = true;
            out.extend_from_slice(name);
            out.push(b':');
            self.part(value, self.headers_deserializer, out)?;
        }
        if !any {
            out.extend_from_slice(b"NO_HEADERS");
        }
        Ok(())
    }

    /// A deserializer gets the null literal's bytes for a null, as in Java.
    fn part(
        &self,
        bytes: Option<&[u8]>,
        deserializer: Option<Deserializer>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let bytes = bytes.unwrap_or(&self.null_literal);
        match deserializer {
            Some(deserializer) => deserializer.write(bytes, out),
            None => {
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// Columns with the separator between them.
struct Separated<'a> {
    columns: &'a Columns,
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl Separated<'_> {
    fn next(&mut self) -> &mut Vec<u8> {
        if self.begun {
            self.out.extend_from_slice(&self.columns.key_separator);
        }
        self.begun = true;
        self.out
    }

    fn text(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to memory cannot fail.
        let _ = self.next().write_fmt(text);
    }
}
