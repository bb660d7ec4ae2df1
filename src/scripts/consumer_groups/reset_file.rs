//! The CSV file of `--reset-offsets --from-file`.

use super::{error, trouble};
use crate::kafka::TopicPartition;
use crate::scripts::Ending;
use crate::scripts::java_format::split;
use crate::scripts::options::Parsed;
use std::fs;

/// Of an empty line.
const NOTHING: &str = "com.fasterxml.jackson.databind.exc.MismatchedInputException: No content to map due to \
                       end-of-input\n at [Source: (StringReader); line: UNKNOWN, column: UNKNOWN]";

/// What the file says of a group: `topic,partition,offset` lines when one group was named and the first line is such a
/// one, else `group,topic,partition,offset`. A group that the file does not know goes nowhere, which is told.
pub(super) fn offsets(
    parsed: &Parsed,
    group: &str,
    path: &str,
) -> Result<Vec<(TopicPartition, i64)>, Ending> {
    let text = fs::read_to_string(path)
        .map_err(|_| trouble(format!("java.io.IOException: Unable to read file {path}")))?;
    let lines = split(&text, '\n');
    if lines.iter().any(|line| line.trim().is_empty()) {
        return Err(trouble(NOTHING));
    }
    let lines: Vec<Vec<String>> = lines.into_iter().map(cells).collect();
    let of_one =
        parsed.values("group").len() == 1 && lines.first().is_some_and(|cells| entry(cells).is_some());
    let mut offsets: Vec<(TopicPartition, i64)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let (owner, rest) = match line.as_slice() {
            rest if of_one => (group, rest),
            [owner, rest @ ..] => (owner.as_str(), rest),
            [] => continue,
        };
        let entry = entry(rest).ok_or_else(|| unreadable(path, index + 1, of_one))?;
        if owner == group {
            offsets.retain(|(partition, _)| *partition != entry.0);
            offsets.push(entry);
        }
    }
    if offsets.is_empty() {
        error(format!("No reset plan for group {group} found.")).print();
    }
    Ok(offsets)
}

/// A number that is left out is 0, as Kafka's tool reads it.
fn entry(cells: &[String]) -> Option<(TopicPartition, i64)> {
    let [topic, numbers @ ..] = cells else {
        return None;
    };
    let number = |index: usize| numbers.get(index).map_or("0", |text| text.trim());
    if numbers.len() > 2 {
        return None;
    }
    Some((
        TopicPartition::new(topic, number(0).parse().ok()?),
        number(1).parse().ok()?,
    ))
}

fn unreadable(path: &str, line: usize, of_one: bool) -> Ending {
    let columns = if of_one {
        "topic,partition,offset"
    } else {
        "group,topic,partition,offset"
    };
    trouble(format!("line {line} of {path} is not {columns}"))
}

/// The cells of a line; a quoted one may have commas, and quotes that are doubled.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                push(&mut cells, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            '\r' => {}
            other => push(&mut cells, other),
        }
    }
    cells
}

fn push(cells: &mut [String], character: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_keep_their_commas() {
        assert_eq!(cells("\"a,\"\"b\"\"\",1,2\r"), ["a,\"b\"", "1", "2"]);
    }
}
