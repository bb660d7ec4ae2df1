//! `--decode protobuf`: values as JSON, by a message of a `.proto` file.

use crate::commands::select::typed;
use crate::failure::{Failure, Outcome};
use crate::kafka::consumer::Record;
use crate::nearest::nearest;
use crate::ui::Ui;
use crate::ui::units::count;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, SerializeOptions, Value,
};
use protox::Compiler;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use std::path::{Path, PathBuf};

/// How values are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A message of --proto FILE that --message NAME names; shown as JSON, with the file's own names and 64-bit numbers as
    /// numbers
    Protobuf,
}

/// Reads values as messages of one kind.
#[derive(Debug)]
pub struct Decoder {
    message: MessageDescriptor,
}

impl Decoder {
    /// The message of that name, with or without its package, in a `.proto` file. What the file imports is looked for in
    /// its folder and in the one that the command was started in.
    ///
    /// # Errors
    /// When the file cannot be read or is none, and when it has no such message, or several.
    pub fn open(file: &Path, name: &str) -> Outcome<Self> {
        let messages = messages(file)?;
        let is_named = |message: &&MessageDescriptor| message.name() == name || message.full_name() == name;
        let mut named = messages.iter().filter(is_named);
        match (named.next(), named.next()) {
            (Some(message), None) => Ok(Decoder {
                message: message.clone(),
            }),
            (Some(one), Some(_)) => {
                Err(unclear(file, name, one.full_name()).because("it has several of that name"))
            }
            (None, _) => {
                let names: Vec<&str> = messages.iter().map(MessageDescriptor::full_name).collect();
                let failure = match nearest(name, names.iter().copied()).or(names.first().copied()) {
                    Some(near) => unclear(file, name, near),
                    None => no_message(file, name),
                };
                Err(failure.because(match names.is_empty() {
                    true => "it has no messages at all".to_owned(),
                    false => format!("it has {}", names.join(", ")),
                }))
            }
        }
    }

    /// The name of the message.
    pub fn name(&self) -> &str {
        self.message.full_name()
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// Why it is no such message: it is torn, or lacks a field that is required.
    pub fn decode(&self, value: &[u8]) -> Result<Box<RawValue>, String> {
        let message =
            DynamicMessage::decode(self.message.clone(), value).map_err(|error| error.to_string())?;
        if let Some(field) = missing(&message) {
            return Err(format!("`{field}` is missing, which is required"));
        }
        to_raw_value(&AsJson(&message)).map_err(|error| error.to_string())
    }
}

/// The names of a file's messages, with their packages.
///
/// # Errors
/// As [`Decoder::open`].
pub fn message_names(file: &Path) -> Outcome<Vec<String>> {
    let messages = messages(file)?;
    Ok(messages
        .iter()
        .map(|message| message.full_name().to_owned())
        .collect())
}

/// All messages of a file, those within others too, but none of what it imports.
fn messages(file: &Path) -> Outcome<Vec<MessageDescriptor>> {
    // How these errors print for debugging is `FILE:LINE:COLUMN: what is wrong`; else they do not say where.
    let wrong = |error: protox::Error| {
        Failure::usage(format!("cannot read messages from {}", file.display()))
            .because(format!("{error:?}"))
            .hint("--proto FILE, one in which `message NAME { … }` stands")
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let here = PathBuf::from(".");
    let folders = [folder.map_or(here.clone(), Path::to_owned), here];
    let mut compiler = Compiler::new(folders).map_err(wrong)?;
    compiler.open_file(file).map_err(wrong)?;
    let opened = compiler.files().find(|file| !file.is_import());
    let name = opened.map(|file| file.name().to_owned()).unwrap_or_default();
    let all = compiler.descriptor_pool();
    let all = all.all_messages();
    Ok(all
        .filter(|message| message.parent_file().name() == name && !message.is_map_entry())
        .collect())
}

fn no_message(file: &Path, name: &str) -> Failure {
    Failure::usage(format!("{} has no message `{name}`", file.display()))
}

fn unclear(file: &Path, name: &str, meant: &str) -> Failure {
    let path = typed(&[file.display().to_string()]);
    no_message(file, name).hint(format!(
        "velo consume TOPIC --decode protobuf --proto {path} --message {meant}"
    ))
}

/// The first field that is required and not there, by its path. The codec tells of none.
fn missing(message: &DynamicMessage) -> Option<String> {
    let descriptor = message.descriptor();
    let lacks =
        |field: &FieldDescriptor| field.cardinality() == Cardinality::Required && !message.has_field(field);
    if let Some(field) = descriptor.fields().find(lacks) {
        return Some(field.name().to_owned());
    }
    let within = |name: &str, value: &Value| Some(format!("{name}.{}", missing_within(value)?));
    message
        .fields()
        .find_map(|(field, value)| within(field.name(), value))
        .or_else(|| {
            message
                .extensions()
                .find_map(|(extension, value)| within(extension.json_name(), value))
        })
}

fn missing_within(value: &Value) -> Option<String> {
    match value {
        Value::Message(message) => missing(message),
        Value::List(values) => values.iter().find_map(missing_within),
        Value::Map(values) => values.values().find_map(missing_within),
        _ => None,
    }
}

/// A message as it is shown.
struct AsJson<'a>(&'a DynamicMessage);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

/// The values that could not be decoded. The first is told at once, with a line that shows it as it is.
#[derive(Debug)]
pub struct Undecodable {
    ui: Ui,
    count: u64,
    told: bool,
}

impl Undecodable {
    /// None so far.
    pub fn none(ui: Ui) -> Self {
        let (count, told) = (0, false);
        Undecodable { ui, count, told }
    }

    /// Counts from the beginning: records are read again.
    pub fn begin_again(&mut self) {
        self.count = 0;
    }

    /// Counts one.
    pub fn note(&mut self, record: &Record<'_>, decoder: &Decoder, why: &str) {
        self.count += 1;
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let (partition, offset) = (record.partition(), record.offset());
        let topic = typed(&[record.topic().to_owned()]);
        self.ui.say(format!(
            "{}-{partition} offset {offset} is no `{}`: {why}; such records are passed over and counted. As it is:\n  \
             velo consume {topic} --partition {partition} --offset {offset} --count 1 --output json",
            record.topic(),
            decoder.name(),
        ));
    }

    /// How many, for the last words, if there are any.
    pub fn in_words(&self) -> Option<String> {
        (self.count > 0).then(|| format!("{} passed over", count(self.count, "undecodable record")))
    }
}

#[cfg(test)]
mod tests;
