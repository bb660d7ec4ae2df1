//! How keys and values are read: by Java's decoder classes, or as the records of one of Kafka's own topics.

use super::STRING_DECODER;
use crate::broker::log::inspect::InspectedRecord;
use crate::scripts::Ending;
use crate::scripts::kafka_records::{self, CoordinatorTopic, Undecoded};
use crate::scripts::options::Parsed;

/// The decoders of a command line.
#[derive(Debug, Clone, Copy)]
pub enum Decoders {
    /// Each by a class.
    Classes { key: Class, value: Class },
    /// Records of a coordinator's topic.
    Coordinator(CoordinatorTopic),
    /// Records of the metadata log.
    Metadata,
}

/// A decoder class of `org.apache.kafka.tools.api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    String,
    Integer,
    Long,
    Default,
}

/// Key and value, as far as there are any.
type Shown = (Option<String>, Option<String>);

impl Decoders {
    /// What the options choose; the first of several decoders wins, as in Kafka.
    ///
    /// # Errors
    /// For classes that are not there, and for tiered storage.
    pub fn chosen(parsed: &Parsed) -> Result<Self, Ending> {
        Ok(if parsed.has("offsets-decoder") {
            Decoders::Coordinator(CoordinatorTopic::ConsumerOffsets)
        } else if parsed.has("transaction-log-decoder") {
            Decoders::Coordinator(CoordinatorTopic::TransactionState)
        } else if parsed.has("cluster-metadata-decoder") {
            Decoders::Metadata
        } else if parsed.has("remote-log-metadata-decoder") {
            return Err(Ending::failure(
                "--remote-log-metadata-decoder: records of tiered storage are not read here",
            ));
        } else if parsed.has("share-group-state-decoder") {
            Decoders::Coordinator(CoordinatorTopic::ShareGroupState)
        } else {
            Decoders::Classes {
                value: Class::named(parsed.value("value-decoder-class")?.unwrap_or(STRING_DECODER))?,
                key: Class::named(parsed.value("key-decoder-class")?.unwrap_or(STRING_DECODER))?,
            }
        })
    }

    /// Whether no topic of Kafka's own is meant.
    pub fn is_plain(self) -> bool {
        matches!(self, Decoders::Classes { .. })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// What ends the dump, in Kafka's words.
    pub fn read(self, record: &InspectedRecord) -> Result<Shown, String> {
        match self {
            Decoders::Classes { key, value } => Ok((
                record.key.as_deref().map(|bytes| key.read(bytes)).transpose()?,
                record
                    .value
                    .as_deref()
                    .map(|bytes| value.read(bytes))
                    .transpose()?,
            )),
            Decoders::Coordinator(topic) => coordinator(topic, record),
            Decoders::Metadata => {
                let decoded = kafka_records::metadata_record(record.value.as_deref().unwrap_or_default());
                Ok((
                    None,
                    Some(
                        decoded
                            .unwrap_or_else(|error| format!("Error at {}, skipping. {error}", record.offset)),
                    ),
                ))
            }
        }
    }
}

fn coordinator(topic: CoordinatorTopic, record: &InspectedRecord) -> Result<Shown, String> {
    let Some(key) = record.key.as_deref() else {
        return Err(format!(
            "Failed to decode message at offset {} using the specified decoder (message had a missing key)",
            record.offset
        ));
    };
    let decode = || {
        let key = topic.key(key)?;
        let value = match record.value.as_deref() {
            None => "<DELETE>".to_owned(),
            Some(bytes) => {
                let value = topic.value(key.version, bytes)?;
                format!("{{\"version\":\"{}\",\"data\":{}}}", value.version, value.json)
            }
        };
        let key = format!("{{\"type\":\"{}\",\"data\":{}}}", key.version, key.json);
        Ok((Some(key), Some(value)))
    };
    Ok(decode().unwrap_or_else(|error| {
        let offset = record.offset;
        let text = match error {
            Undecoded::UnknownType(kind) => {
                format!("Unknown record type {kind} at offset {offset}, skipping.")
            }
            Undecoded::Malformed(why) => format!("Error at offset {offset}, skipping. {why}"),
        };
        (Some(text), None)
    }))
}

impl Class {
    fn named(name: &str) -> Result<Self, Ending> {
        match name.strip_prefix("org.apache.kafka.tools.api.") {
            Some("StringDecoder") => Ok(Class::String),
            Some("IntegerDecoder") => Ok(Class::Integer),
            Some("LongDecoder") => Ok(Class::Long),
            Some("DefaultDecoder") => Ok(Class::Default),
            _ => Err(Ending::failure(format!(
                "Failed to load decoder class: {name} is none of org.apache.kafka.tools.api.StringDecoder, IntegerDecoder, \
                 LongDecoder and DefaultDecoder"
            ))),
        }
    }

    fn read(self, bytes: &[u8]) -> Result<String, String> {
        let short = || format!("{} bytes are too few for this decoder", bytes.len());
        match self {
            Class::String => Ok(String::from_utf8_lossy(bytes).into_owned()),
            Class::Integer => {
                let number = bytes.first_chunk().copied().map(i32::from_be_bytes);
                number.map(|number| number.to_string()).ok_or_else(short)
            }
            Class::Long => {
                let number = bytes.first_chunk().copied().map(i64::from_be_bytes);
                number.map(|number| number.to_string()).ok_or_else(short)
            }
            Class::Default => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}
