//! The records that Kafka keeps for itself (offsets, groups, transactions, cluster metadata), decoded to the JSON that
//! Apache Kafka's tools print. Independent of the broker's own code for them: what it wrote is judged here.
//!
//! The layouts stand in `schemas/*.txt`, one field a line, indented as they nest:
//! `NAME TYPE VERSIONS [nullable VERSIONS] [tag NUMBER VERSIONS] [default VALUE]` below
//! `MESSAGE API-KEY versions VERSIONS flexible VERSIONS`.

mod decode;
mod json;
mod schema;

pub use decode::Malformed;

use schema::Schema;
use std::sync::LazyLock;

/// The layouts of one family of records.
#[derive(Debug)]
pub struct Family {
    schemas: Vec<Schema>,
}

static METADATA: LazyLock<Family> = LazyLock::new(|| Family::parse(include_str!("schemas/metadata.txt")));
static GROUPS: LazyLock<Family> = LazyLock::new(|| Family::parse(include_str!("schemas/groups.txt")));
static TRANSACTIONS: LazyLock<Family> =
    LazyLock::new(|| Family::parse(include_str!("schemas/transactions.txt")));
static SHARE: LazyLock<Family> = LazyLock::new(|| Family::parse(include_str!("schemas/share.txt")));
static CONTROL: LazyLock<Family> = LazyLock::new(|| Family::parse(include_str!("schemas/control.txt")));
static ASSIGNORS: LazyLock<Family> = LazyLock::new(|| Family::parse(include_str!("schemas/assignors.txt")));

/// A key or value of a coordinator's topic: its version, and its fields as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The number that the bytes begin with: the kind of record for a key, the layout for a value.
    pub version: i16,
    /// The fields.
    pub json: String,
}

/// Why the key or value of a coordinator's topic has no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecoded {
    /// A kind of record that is not known.
    UnknownType(i16),
    /// Bytes that do not fit the layout.
    Malformed(String),
}

impl From<Malformed> for Undecoded {
    fn from(malformed: Malformed) -> Self {
        Undecoded::Malformed(malformed.to_string())
    }
}

/// The version that a key or value begins with; in Kafka's words when it is too short for one.
fn version_of<'a>(bytes: &'a [u8], part: &str) -> Result<(i16, &'a [u8]), Undecoded> {
    decode::leading_version(bytes)
        .map_err(|_| Undecoded::Malformed(format!("Could not read version from {part}'s buffer.")))
}

/// A topic that a coordinator keeps its state in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoordinatorTopic {
    /// `__consumer_offsets`
    ConsumerOffsets,
    /// `__transaction_state`
    TransactionState,
    /// `__share_group_state`
    ShareGroupState,
}

impl CoordinatorTopic {
    fn family(self) -> &'static Family {
        match self {
            CoordinatorTopic::ConsumerOffsets => &GROUPS,
            CoordinatorTopic::TransactionState => &TRANSACTIONS,
            CoordinatorTopic::ShareGroupState => &SHARE,
        }
    }

    /// Decodes a key; its version says what kind of record it is.
    ///
    /// # Errors
    /// [`Undecoded`]
    pub fn key(self, bytes: &[u8]) -> Result<Decoded, Undecoded> {
        let (kind, rest) = version_of(bytes, "key")?;
        let schema = self
            .family()
            .find(kind, "Key")
            .ok_or(Undecoded::UnknownType(kind))?;
        Ok(Decoded {
            version: kind,
            json: decode::to_json(schema, 0, rest)?,
        })
    }

    /// The same as [`CoordinatorTopic::value`], but the messages inside of it stay bytes.
    ///
    /// # Errors
    /// [`Undecoded`]
    pub fn plain_value(self, kind: i16, bytes: &[u8]) -> Result<Decoded, Undecoded> {
        self.value_with(kind, bytes, &|_, _| None)
    }

    /// Decodes the value that belongs to a key of the kind `kind`.
    ///
    /// # Errors
    /// [`Undecoded`]
    pub fn value(self, kind: i16, bytes: &[u8]) -> Result<Decoded, Undecoded> {
        let plain = self.plain_value(kind, bytes)?;
        // Only consumers hand each other messages that are known.
        let of_consumers = plain.json.starts_with("{\"protocolType\":\"consumer\",");
        if !(self == CoordinatorTopic::ConsumerOffsets && kind == 2 && of_consumers) {
            return Ok(plain);
        }
        self.value_with(kind, bytes, &group_member)
    }

    fn value_with(self, kind: i16, bytes: &[u8], inner: decode::Inner<'_>) -> Result<Decoded, Undecoded> {
        let (version, rest) = version_of(bytes, "value")?;
        let schema = self
            .family()
            .find(kind, "Value")
            .ok_or(Undecoded::UnknownType(kind))?;
        let json = decode::to_json_with(schema, version, rest, inner)?;
        Ok(Decoded { version, json })
    }
}

/// The subscription and assignment of a member of a classic consumer group are messages of their own.
fn group_member(field: &str, bytes: &[u8]) -> Option<String> {
    let name = match field {
        "subscription" => "ConsumerProtocolSubscription",
        "assignment" => "ConsumerProtocolAssignment",
        _ => return None,
    };
    let (version, rest) = decode::leading_version(bytes).ok()?;
    decode::to_json_prefix(ASSIGNORS.named(name)?, version, rest).ok()
}

/// Decodes a record of the metadata log: `{"type":…,"version":…,"data":…}`.
///
/// # Errors
/// What is wrong with the bytes.
pub fn metadata_record(bytes: &[u8]) -> Result<String, Malformed> {
    let (kind, version, rest) = decode::metadata_frame(bytes)?;
    let schema = METADATA
        .of_key(kind)
        .ok_or_else(|| Malformed::new(format!("Unknown metadata id {kind}")))?;
    let data = decode::to_json(schema, version, rest)?;
    Ok(format!(
        "{{\"type\":\"{}\",\"version\":{version},\"data\":{data}}}",
        schema.name
    ))
}

/// A control record of the metadata log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlMessage {
    /// A new leader of the quorum.
    LeaderChange,
    /// The first record of a snapshot.
    SnapshotHeader,
    /// The last record of a snapshot.
    SnapshotFooter,
    /// `kraft.version`
    KRaftVersion,
    /// The voters of the quorum.
    KRaftVoters,
}

impl ControlMessage {
    /// Decodes the value of such a record. Its own first field says which version it is.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn json(self, bytes: &[u8]) -> Result<String, Malformed> {
        let name = match self {
            ControlMessage::LeaderChange => "LeaderChangeMessage",
            ControlMessage::SnapshotHeader => "SnapshotHeaderRecord",
            ControlMessage::SnapshotFooter => "SnapshotFooterRecord",
            ControlMessage::KRaftVersion => "KRaftVersionRecord",
            ControlMessage::KRaftVoters => "VotersRecord",
        };
        let (version, _) = decode::leading_version(bytes)?;
        let schema = CONTROL
            .named(name)
            .ok_or_else(|| Malformed::new(format!("{name} is unknown")))?;
        decode::to_json_prefix(schema, version, bytes)
    }
}

impl Family {
    fn parse(text: &'static str) -> Self {
        Family {
            schemas: schema::parse(text),
        }
    }

    fn named(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.name == name)
    }

    fn of_key(&self, api_key: i16) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.api_key == api_key)
    }

    fn find(&self, api_key: i16, ending: &str) -> Option<&Schema> {
        let mut schemas = self.schemas.iter();
        schemas.find(|schema| schema.api_key == api_key && schema.name.ends_with(ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_layouts_is_understood() {
        for (family, messages) in [
            (&METADATA, 27),
            (&GROUPS, 44),
            (&TRANSACTIONS, 2),
            (&SHARE, 4),
            (&CONTROL, 5),
            (&ASSIGNORS, 2),
        ] {
            assert_eq!(family.schemas.len(), messages);
        }
    }

    #[test]
    fn a_committed_offset_reads_as_kafka_prints_it() {
        let topic = CoordinatorTopic::ConsumerOffsets;
        let key = topic.key(b"\0\x01\0\x01g\0\x01t\0\0\0\x02").unwrap();
        assert_eq!(key.json, r#"{"group":"g","topic":"t","partition":2}"#);
        let value = topic
            .value(
                1,
                b"\0\x03\0\0\0\0\0\0\0\x07\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\x05",
            )
            .unwrap();
        assert_eq!(
            (value.version, value.json.as_str()),
            (
                3,
                r#"{"offset":7,"leaderEpoch":-1,"metadata":"","commitTimestamp":5}"#
            )
        );
        assert_eq!(topic.key(b"\0\x63"), Err(Undecoded::UnknownType(99)));
        assert!(matches!(
            topic.value(1, b"\0\x03\0"),
            Err(Undecoded::Malformed(_))
        ));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let topic = CoordinatorTopic::ConsumerOffsets;
        assert!(topic.key(b"\0\x02\x7f\xffg").is_err());
        assert!(
            topic
                .value(
                    2,
                    b"\0\x03\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\x7f\xff\xff\xff"
                )
                .is_err()
        );
        assert!(metadata_record(b"\x01\x02\x00\xff\xff\xff\xff\x0f").is_err());
    }
}
