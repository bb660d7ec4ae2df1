//! Where people go: to a topic, or to files.

use super::Person;
use crate::failure::{Failure, Outcome};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::{Connection, RecordProducer};
use serde::Serialize;
use std::fs;
use std::path::PathBuf;

/// Where people go.
pub enum Sink {
    /// One record a person.
    Topic {
        /// Writes them.
        producer: RecordProducer,
        /// The topic.
        topic: String,
    },
    /// One file a batch, in this folder.
    Files(PathBuf),
}

/// What a file holds.
#[derive(Serialize)]
struct Batch<'a> {
    records: &'a [Person],
}

impl Sink {
    /// A topic on that cluster.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn topic(connection: &Connection, topic: String) -> Outcome<Self> {
        Ok(Sink::Topic {
            producer: RecordProducer::connect(connection)?,
            topic,
        })
    }

    /// A folder, made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder(folder: PathBuf) -> Outcome<Self> {
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::request(format!("cannot make {}", folder.display())).because(error))?;
        Ok(Sink::Files(folder))
    }

    /// Whether it is all one in how many batches people come; each is a file of its own.
    pub fn takes_bits(&self) -> bool {
        matches!(self, Sink::Topic { .. })
    }

    /// Writes a batch and says where to. When this returns, the cluster has acknowledged each record, or the file stands.
    ///
    /// # Errors
    /// When a record is refused or a file cannot be written.
    pub fn write(&self, people: &[Person]) -> Outcome<String> {
        match self {
            Sink::Topic { producer, topic } => {
                for person in people {
                    producer.send(Outgoing {
                        topic,
                        value: Some(person.to_json()?.as_bytes()),
                        ..Outgoing::default()
                    })?;
                }
                producer.flush()?;
                Ok(topic.clone())
            }
            Sink::Files(folder) => {
                let path = free_name(folder);
                let failed = |error: &dyn std::fmt::Display| {
                    Failure::request(format!("cannot write {}", path.display())).because(error)
                };
                let text =
                    serde_json::to_string(&Batch { records: people }).map_err(|error| failed(&error))?;
                // Whoever watches the folder never sees half a file.
                let half = path.with_extension("json.part");
                fs::write(&half, text)
                    .and_then(|()| fs::rename(&half, &path))
                    .map_err(|error| failed(&error))?;
                Ok(path.display().to_string())
            }
        }
    }
}

/// `datosClientes<date>_<i>.json`, with the first number from 0 that is free.
fn free_name(folder: &std::path::Path) -> PathBuf {
    let date = jiff::Zoned::now().date().strftime("%Y%m%d").to_string();
    let mut number = 0_u64;
    loop {
        let path = folder.join(format!("datosClientes{date}_{number}.json"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}
