//! Examples of records: bytes and JSON, made from the broker's layouts by hand, without its code for them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use schema::{Absent, Family, Field, Part, Role, Type};
use std::path::Path;
use velodrome::broker::batch::{BatchBuilder, BatchHeader};

#[path = "../../build/records/schema.rs"]
mod schema;

/// A log that has records of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Metadata,
    Offsets,
    Transaction,
    Share,
}

/// A log, its layouts, the name of its folder, and the option of `kafka-dump-log` that decodes it.
#[derive(Debug)]
pub struct Layouts {
    pub log: Log,
    text: &'static str,
    pub folder: &'static str,
    pub decoder: &'static str,
}

pub const FAMILIES: &[Layouts] = &[
    Layouts {
        log: Log::Metadata,
        text: include_str!("../../src/broker/records/schemas/metadata.txt"),
        folder: "__cluster_metadata-0",
        decoder: "--cluster-metadata-decoder",
    },
    Layouts {
        log: Log::Offsets,
        text: include_str!("../../src/broker/records/schemas/offsets.txt"),
        folder: "__consumer_offsets-0",
        decoder: "--offsets-decoder",
    },
    Layouts {
        log: Log::Transaction,
        text: include_str!("../../src/broker/records/schemas/transaction.txt"),
        folder: "__transaction_state-0",
        decoder: "--transaction-log-decoder",
    },
    Layouts {
        log: Log::Share,
        text: include_str!("../../src/broker/records/schemas/share.txt"),
        folder: "__share_group_state-0",
        decoder: "--share-group-state-decoder",
    },
];

/// A record.
#[derive(Debug, Clone)]
pub struct Example {
    pub name: String,
    pub kind: i16,
    pub version: i16,
    /// Empty in the metadata log.
    pub key: Vec<u8>,
    pub key_json: String,
    pub value: Vec<u8>,
    pub json: String,
}

/// What an example says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Something in every field.
    Everything,
    /// Only what must be said.
    Nothing,
    /// Something in every field, but null where that may be.
    Null,
}

/// Every record of a log, in every version, three times.
pub fn examples(layouts: &Layouts) -> Vec<Example> {
    let family = schema::parse(layouts.text).unwrap();
    let mut examples = Vec::new();
    for part in &family.parts {
        let (kind, value) = match part.role {
            Role::Record(kind) => (kind, part),
            Role::Key(kind) => (kind, find(&family, &part.name, Role::Value)),
            Role::Value | Role::Struct => continue,
        };
        for version in value.versions.0..=value.versions.1 {
            for says in [Says::Everything, Says::Nothing, Says::Null] {
                examples.push(example(&family, part, value, kind, version, says));
            }
        }
    }
    examples
}

fn find<'a>(family: &'a Family, name: &str, role: Role) -> &'a Part {
    let mut parts = family.parts.iter();
    parts.find(|part| part.name == name && part.role == role).unwrap()
}

fn example(family: &Family, part: &Part, value: &Part, kind: i16, version: i16, says: Says) -> Example {
    let (mut key, mut key_json) = (Vec::new(), String::new());
    let mut bytes = Vec::new();
    if family.keyed {
        key.extend(kind.to_be_bytes());
        key_json = Layout::new(family, 0, false, Says::Everything).part(part, &mut key);
        bytes.extend(version.to_be_bytes());
    } else {
        uvarint(1, &mut bytes);
        uvarint(kind as usize, &mut bytes);
        uvarint(version as usize, &mut bytes);
    }
    let flexible = value.flexible.is_some_and(|first| version >= first);
    let data = Layout::new(family, version, flexible, says).part(value, &mut bytes);
    let json = match family.keyed {
        true => data,
        false => format!(
            "{{\"type\":\"{}_RECORD\",\"version\":{version},\"data\":{data}}}",
            upper_snake(&part.name)
        ),
    };
    Example {
        name: format!("{} in version {version}, {says:?}", value.type_name()),
        kind,
        version,
        key,
        key_json,
        value: bytes,
        json,
    }
}

/// `NoOp` is `NO_OP`.
fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_uppercase());
    }
    out
}

/// `topic_id` is `topicId`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap().to_owned();
    for word in words {
        out.push_str(&word[..1].to_uppercase());
        out.push_str(&word[1..]);
    }
    out
}

fn uvarint(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Layout<'a> {
    family: &'a Family,
    version: i16,
    flexible: bool,
    says: Says,
    /// Rises with every value, so that no two are alike.
    count: i64,
}

impl<'a> Layout<'a> {
    fn new(family: &'a Family, version: i16, flexible: bool, says: Says) -> Self {
        Layout {
            family,
            version,
            flexible,
            says,
            count: 2,
        }
    }

    /// Adds a part's bytes; returns its JSON.
    fn part(&mut self, part: &Part, out: &mut Vec<u8>) -> String {
        let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut members = Vec::new();
        for field in &part.fields {
            if !self.has(field) {
                continue;
            }
            let mut bytes = Vec::new();
            let json = match field.tag {
                None => self.field(field, &mut bytes),
                Some(_) if self.says == Says::Nothing || self.is_absent_as_null(field) => continue,
                Some(tag) => {
                    let json = self.field(field, &mut bytes);
                    tagged.push((tag, std::mem::take(&mut bytes)));
                    json
                }
            };
            out.extend(bytes);
            members.push(format!("\"{}\":{json}", camel(&field.name)));
        }
        if self.flexible {
            tagged.sort();
            uvarint(tagged.len(), out);
            for (tag, content) in tagged {
                uvarint(tag as usize, out);
                uvarint(content.len(), out);
                out.extend(content);
            }
        }
        format!("{{{}}}", members.join(","))
    }

    fn has(&self, field: &Field) -> bool {
        match field.only {
            Some(only) => self.version == only,
            None => field.since.is_none_or(|since| self.version >= since),
        }
    }

    /// A tagged field that is null is not written where that is what its absence says.
    fn is_absent_as_null(&self, field: &Field) -> bool {
        self.says == Says::Null && field.nullable && field.absent == Absent::Nothing
    }

    fn field(&mut self, field: &Field, out: &mut Vec<u8>) -> String {
        if field.nullable && self.says != Says::Everything {
            self.null(field, out);
            return "null".to_owned();
        }
        if field.nullable && matches!(field.kind, Type::Struct(_)) {
            out.push(1);
        }
        if field.kind == Type::Bytes {
            return self.bytes(&field.name, out);
        }
        if field.name == "protocol_type" && self.says == Says::Everything {
            // Tools look into what the members of such groups hand each other.
            self.length("consumer".len(), true, out);
            out.extend(b"consumer");
            return "\"consumer\"".to_owned();
        }
        match (&field.absent, self.says) {
            (Absent::Value(value), Says::Nothing) => self.number(&field.kind, value, out),
            (Absent::Value(value), _) if value == "true" => self.number(&field.kind, "false", out),
            _ => self.value(&field.kind, out),
        }
    }

    fn null(&self, field: &Field, out: &mut Vec<u8>) {
        match &field.kind {
            Type::Struct(_) if field.tag.is_some() => out.push(0),
            Type::Struct(_) => out.push(0xff),
            _ if self.flexible => out.push(0),
            Type::String => out.extend([0xff; 2]),
            _ => out.extend([0xff; 4]),
        }
    }

    fn length(&self, length: usize, short: bool, out: &mut Vec<u8>) {
        match (self.flexible, short) {
            (true, _) => uvarint(length + 1, out),
            (false, true) => out.extend((length as i16).to_be_bytes()),
            (false, false) => out.extend((length as i32).to_be_bytes()),
        }
    }

    /// The next number, which fits into a byte; 0 where nothing is to be said.
    fn next(&mut self) -> i64 {
        self.count = self.count % 100 + 1;
        if self.says == Says::Nothing { 0 } else { self.count }
    }

    fn value(&mut self, kind: &Type, out: &mut Vec<u8>) -> String {
        match kind {
            Type::Plain(name) => {
                let number = self.next();
                let text = match name.as_str() {
                    "bool" => (number != 0).to_string(),
                    "f64" => format!("{number}.5"),
                    _ => number.to_string(),
                };
                self.number(kind, &text, out)
            }
            Type::Uuid => {
                let bytes = [self.next() as u8; 16];
                out.extend(bytes);
                format!("\"{}\"", URL_SAFE_NO_PAD.encode(bytes))
            }
            Type::String => {
                let text = match self.next() {
                    0 => String::new(),
                    number => format!("text-{number}"),
                };
                self.length(text.len(), true, out);
                out.extend(text.as_bytes());
                format!("\"{text}\"")
            }
            Type::Struct(name) => {
                let part = find(self.family, name, Role::Struct);
                self.part(part, out)
            }
            Type::Array(inner) => {
                let count = if self.says == Says::Nothing { 0 } else { 2 };
                self.length(count, false, out);
                let items: Vec<String> = (0..count).map(|_| self.value(inner, out)).collect();
                format!("[{}]", items.join(","))
            }
            Type::Bytes => self.bytes("", out),
        }
    }

    /// Subscription and assignment of a classic member are messages of their own.
    fn bytes(&mut self, name: &str, out: &mut Vec<u8>) -> String {
        let bytes = match (name, self.says) {
            (_, Says::Nothing) => Vec::new(),
            ("subscription", _) => b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff".to_vec(),
            ("assignment", _) => b"\0\0\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\x05\xff\xff\xff\xff".to_vec(),
            _ => vec![self.next() as u8; 5],
        };
        self.length(bytes.len(), false, out);
        out.extend(&bytes);
        format!("\"{}\"", STANDARD.encode(&bytes))
    }

    fn number(&self, kind: &Type, text: &str, out: &mut Vec<u8>) -> String {
        let Type::Plain(name) = kind else {
            panic!("{kind:?} is no number")
        };
        match name.as_str() {
            "bool" => out.push((text == "true").into()),
            "i8" => out.extend(text.parse::<i8>().unwrap().to_be_bytes()),
            "i16" => out.extend(text.parse::<i16>().unwrap().to_be_bytes()),
            "u16" => out.extend(text.parse::<u16>().unwrap().to_be_bytes()),
            "i32" => out.extend(text.parse::<i32>().unwrap().to_be_bytes()),
            "i64" => out.extend(text.parse::<i64>().unwrap().to_be_bytes()),
            "f64" => out.extend(text.parse::<f64>().unwrap().to_be_bytes()),
            other => panic!("{other} is no number"),
        }
        text.to_owned()
    }
}

/// Writes a segment of all examples of a log, a batch each, into its folder; returns its path.
pub fn write_segment(root: &Path, layouts: &Layouts) -> String {
    let mut content = Vec::new();
    for (offset, example) in (0..).zip(examples(layouts)) {
        let mut batch = BatchBuilder::default();
        let key = (!example.key.is_empty()).then_some(example.key.as_slice());
        batch.push(key, Some(&example.value));
        let header = BatchHeader {
            base_offset: offset,
            leader_epoch: 1,
            ..BatchHeader::of_broker(1_700_000_000_000)
        };
        content.extend(&batch.build(header).unwrap().bytes);
    }
    let folder = root.join(layouts.folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("00000000000000000000.log");
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}
