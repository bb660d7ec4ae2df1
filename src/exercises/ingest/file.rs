//! The target that is a file: one document a line, with the same `_id` as in MongoDB, so that no server is needed.
//!
//! The file itself tells what it holds: each line names its record. A line that a crash cut short is taken away when the
//! file is opened, and a record that is in the file is not written again.

use super::document::{Wanted, record_id};
use crate::bom;
use crate::exercises::json::compact;
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::Received;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How each line begins.
const BEGIN: &str = "{\"_id\":\"";

/// A file of documents, which this process alone writes.
pub struct JsonFile {
    path: PathBuf,
    file: File,
    /// For each topic id and partition, the offsets of the records in the file.
    held: BTreeMap<String, BTreeMap<i32, Offsets>>,
}

impl JsonFile {
    /// Opens or makes the file, and reads how far it is.
    ///
    /// # Errors
    /// When it cannot be written, another process writes it, or it holds other things than documents of an ingest.
    pub fn open(path: &Path) -> Outcome<Self> {
        let failed = |error: std::io::Error| {
            Failure::request(format!("cannot write {}", path.display())).because(error)
        };
        // A device or a pipe may never end, or never begin.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Failure::request(format!("{} is no file", path.display()))
                .hint("--to FILE.jsonl, new or of an ingest before"));
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Failure::request(format!("{} is being written", path.display()))
                .because("another ingest has it open")
                .hint("--to ANOTHER.jsonl for each ingest of a group"),
            TryLockError::Error(error) => failed(error),
        })?;
        let mut opened = JsonFile {
            path: path.to_owned(),
            file,
            held: BTreeMap::new(),
        };
        opened.look_through()?;
        Ok(opened)
    }

    /// Reads every line's place, and cuts the file where the last whole line ends.
    fn look_through(&mut self) -> Outcome {
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        let mut number = 0u64;
        // What an editor may have put before the first line stays there.
        let begin = reader.fill_buf().map_err(|error| self.failed(error))?;
        let marked = begin.len() - bom::skip(begin).len();
        reader.consume(marked);
        let mut whole = marked as u64;
        // Whatever else it is may have no lines at all.
        let begin = reader.fill_buf().map_err(|error| self.failed(error))?;
        if !begin.starts_with(BEGIN.as_bytes()) && !BEGIN.as_bytes().starts_with(begin) {
            return Err(self.not_ours(1));
        }
        loop {
            line.clear();
            reader
                .read_until(b'\n', &mut line)
                .map_err(|error| self.failed(error))?;
            number += 1;
            if line.last() != Some(&b'\n') {
                if !line.starts_with(BEGIN.as_bytes()) && !BEGIN.as_bytes().starts_with(&line) {
                    return Err(self.not_ours(number));
                }
                break;
            }
            let Some((id, partition, offset)) = place(&line) else {
                return Err(self.not_ours(number));
            };
            hold(&mut self.held, id, partition, offset);
            whole += line.len() as u64;
        }
        self.file.set_len(whole).map_err(|error| self.failed(error))?;
        (&self.file)
            .seek(SeekFrom::End(0))
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn not_ours(&self, line: u64) -> Failure {
        Failure::request(format!("{} is no file of an ingest", self.path.display()))
            .because(format!(
                "line {line} does not begin with an _id of topic, partition and offset"
            ))
            .hint("--to another file: this one is left as it is")
    }

    fn failed(&self, error: std::io::Error) -> Failure {
        Failure::request(format!("cannot write {}", self.path.display()))
            .because(error)
            .hint("nothing of this batch is committed: it is read again when the ingest is started again")
    }

    /// Where it writes to, for messages.
    pub fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether the file holds any record of that topic.
    pub fn knows(&self, topic_id: &str) -> bool {
        self.held.contains_key(topic_id)
    }

    /// Whether the file holds that record.
    pub fn holds(&self, topic_id: &str, record: &Received) -> bool {
        let partition = self
            .held
            .get(topic_id)
            .and_then(|held| held.get(&record.partition));
        partition.is_some_and(|offsets| offsets.hold(record.offset))
    }

    /// Appends a batch and waits until the disk has it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&mut self, topic_id: &str, wanted: &[Wanted]) -> Outcome {
        let mut lines = Vec::new();
        for one in wanted {
            lines.extend_from_slice(BEGIN.as_bytes());
            lines.extend_from_slice(record_id(topic_id, &one.record).as_bytes());
            lines.push(b'"');
            let value = one.record.value.as_deref().unwrap_or_default();
            let members = compact(value);
            if members.get(1) != Some(&b'}') {
                lines.push(b',');
            }
            lines.extend_from_slice(members.get(1..).unwrap_or_default());
            lines.push(b'\n');
        }
        self.file
            .write_all(&lines)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| self.failed(error))?;
        for one in wanted {
            hold(&mut self.held, topic_id, one.record.partition, one.record.offset);
        }
        Ok(())
    }
}

/// Some offsets of a partition, as ranges: where each begins, and the offset after its last.
#[derive(Debug, Default)]
struct Offsets(BTreeMap<i64, i64>);

impl Offsets {
    fn hold(&self, offset: i64) -> bool {
        let before = self.0.range(..=offset).next_back();
        before.is_some_and(|(_, end)| offset < *end)
    }

    fn insert(&mut self, offset: i64) {
        if self.hold(offset) {
            return;
        }
        let end = self.0.remove(&(offset + 1)).unwrap_or(offset + 1);
        match self.0.range_mut(..offset).next_back() {
            Some((_, last)) if *last == offset => *last = end,
            _ => {
                self.0.insert(offset, end);
            }
        }
    }
}

fn hold(held: &mut BTreeMap<String, BTreeMap<i32, Offsets>>, topic_id: &str, partition: i32, offset: i64) {
    if !held.contains_key(topic_id) {
        held.insert(topic_id.to_owned(), BTreeMap::new());
    }
    if let Some(partitions) = held.get_mut(topic_id) {
        partitions.entry(partition).or_default().insert(offset);
    }
}

/// Topic id, partition and offset of a line's document.
fn place(line: &[u8]) -> Option<(&str, i32, i64)> {
    let rest = line.strip_prefix(BEGIN.as_bytes())?;
    let id = rest.split(|byte| *byte == b'"').next()?;
    let mut parts = std::str::from_utf8(id).ok()?.rsplitn(3, ':');
    let offset = parts.next()?.parse().ok()?;
    let offset = (0..i64::MAX).contains(&offset).then_some(offset)?;
    let partition = parts.next()?.parse().ok()?;
    Some((parts.next()?, partition, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_that_follow_each_other_are_one_range_in_whatever_order_they_come() {
        let mut offsets = Offsets::default();
        for offset in [7, 5, 6, 0, 9, 6] {
            offsets.insert(offset);
        }
        let held: Vec<i64> = (0..12).filter(|offset| offsets.hold(*offset)).collect();
        assert_eq!(held, [0, 5, 6, 7, 9]);
        assert_eq!(
            offsets.0.into_iter().collect::<Vec<_>>(),
            [(0, 1), (5, 8), (9, 10)]
        );
    }

    #[test]
    fn a_line_tells_where_its_record_stood() {
        assert_eq!(
            place(b"{\"_id\":\"Ab:-c:3:42\",\"a\":1}\n"),
            Some(("Ab:-c", 3, 42))
        );
        assert_eq!(place(b"{\"nombre\":\"Ana\"}\n"), None);
        assert_eq!(place(b"{\"_id\":\"Ab:3:9223372036854775807\",\"a\":1}\n"), None);
    }
}
