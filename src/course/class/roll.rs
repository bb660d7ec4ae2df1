//! Reads the class's topic: once, or as its records come.

use super::TOPIC;
use super::board::Board;
use crate::failure::Outcome;
use crate::kafka::consumer::{Arrival, Consumer, Isolation, Start};
use crate::kafka::{Admin, Connection, topic_reader};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How often to look for a topic that is not there yet, or for a cluster that is away.
const AGAIN: Duration = Duration::from_secs(1);

/// Reads all there is now.
///
/// # Errors
/// When no broker answers, or reading is refused.
pub fn read(connection: &Connection) -> Outcome<Board> {
    let mut board = Board::default();
    topic_reader::read_to_end(connection, TOPIC, |record| {
        board.take(record.key.as_deref(), record.value.as_deref(), record.timestamp);
    })?;
    Ok(board)
}

/// How the cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// It has a class.
    Class,
    /// Nobody has written anything there yet.
    Nobody,
    /// It does not answer.
    Away,
}

/// Reads on, for as long as there is a board to be shown.
pub struct Roll {
    connection: Connection,
    reader: Option<Consumer>,
    signal: Signal,
    looked: Option<Instant>,
}

impl Roll {
    /// Reads the class of this cluster.
    pub fn of(connection: &Connection) -> Self {
        Roll {
            connection: connection.clone(),
            reader: None,
            signal: Signal::Nobody,
            looked: None,
        }
    }

    /// Takes what has come since the last time. A cluster that is away is waited for, and so is a class that has not begun.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn read(&mut self, board: &mut Board) -> Outcome<Signal> {
        if self.reader.is_none() || self.signal == Signal::Away {
            self.look()?;
        }
        let Some(reader) = &self.reader else {
            return Ok(self.signal);
        };
        let mut gone = false;
        reader.serve(Duration::ZERO, |arrival| {
            match arrival {
                Arrival::Record(record) => {
                    let at = record.timestamp().map(|(at, _)| at);
                    board.take(record.key(), record.value(), at);
                }
                Arrival::Trouble(trouble) => gone |= trouble.is_unknown_topic(),
                Arrival::End { .. } => {}
            }
            ControlFlow::Continue(())
        });
        if gone {
            // Deleted: another one of that name is another class.
            board.clear();
            self.reader = None;
            self.signal = Signal::Nobody;
        } else if !reader.troubles().is_empty() {
            self.signal = Signal::Away;
        }
        Ok(self.signal)
    }

    /// Looks, now and then, whether the cluster answers and has a class.
    fn look(&mut self) -> Outcome {
        if self.looked.is_some_and(|looked| looked.elapsed() < AGAIN) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let found = Admin::connect(&self.connection).and_then(|admin| admin.find_topic(TOPIC));
        let found = match found {
            Err(failure) if failure.kind() == crate::failure::Kind::Unreachable => {
                self.signal = Signal::Away;
                return Ok(());
            }
            found => found?,
        };
        if found.is_none() {
            self.signal = Signal::Nobody;
            return Ok(());
        }
        self.signal = Signal::Class;
        if self.reader.is_none() {
            let mut reader = Consumer::open(&self.connection, Isolation::ReadUncommitted, None)?;
            let partitions = reader.partitions(&[TOPIC.to_owned()], None)?;
            for span in reader.spans(&partitions, Start::Beginning)? {
                reader.start(&span)?;
            }
            self.reader = Some(reader);
        }
        Ok(())
    }
}
