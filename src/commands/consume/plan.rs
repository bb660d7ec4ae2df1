//! From options to what is to be read and shown.

use super::ConsumeCommand;
use super::decode::{Decoder, Form};
use super::format::Pattern;
use super::output::Style;
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::kafka::consumer::{Isolation, Membership, Reset, Start};
use crate::ui::{OutputFormat, when};
use regex::bytes::Regex;

/// What to read, from where, until when, and how to show it.
pub struct Plan {
    /// The topics.
    pub topics: Vec<String>,
    /// One partition of each, or all.
    pub partition: Option<i32>,
    /// Where to start, without a group.
    pub start: Start,
    /// The group to join.
    pub group: Option<Membership>,
    /// Leave out records of this time or later, in ms since 1970-01-01 UTC.
    pub until: Option<i64>,
    /// End where the partitions end now.
    pub exit_at_end: bool,
    /// End after so many records.
    pub count: Option<u64>,
    /// Show only the last so many records.
    pub tail: Option<usize>,
    /// Which records of transactions.
    pub isolation: Isolation,
    /// Which records are shown.
    pub grep: Option<Regex>,
    /// How their values are read, when they are shown as something else than they are.
    pub decode: Option<Decoder>,
    /// How they are shown.
    pub style: Style,
}

/// Reads the options.
///
/// # Errors
/// When one is no offset, time, pattern or regular expression, or values cannot be decoded as asked.
pub fn of(command: ConsumeCommand, output: Option<OutputFormat>) -> Outcome<Plan> {
    let now = Clock::system().now_ms();
    let time = |text: &str| {
        when::parse_ms(text, now).map_err(|why| {
            Failure::usage(format!("`{text}` is not a time"))
                .because(why)
                .hint("velo consume TOPIC --from @-1h")
        })
    };
    let start = match (&command.offset, &command.from) {
        (Some(offset), _) => start_of(offset)?,
        (None, Some(from)) => Start::Time(time(from)?),
        (None, None) if command.from_beginning => Start::Beginning,
        // What was written before a time is asked for from the beginning, not from now on.
        (None, None) if command.until.is_some() => Start::Beginning,
        (None, None) => Start::End,
    };
    Ok(Plan {
        style: style(&command, output)?,
        decode: decode(&command)?,
        start,
        until: command.until.as_deref().map(time).transpose()?,
        grep: command.grep.as_deref().map(pattern).transpose()?,
        group: command.group.map(|group| Membership {
            group,
            reset: match command.from_beginning {
                true => Reset::Earliest,
                false => Reset::Latest,
            },
        }),
        topics: distinct(command.topics),
        partition: command.partition,
        exit_at_end: command.exit_at_end,
        count: command.count,
        tail: command.tail,
        isolation: command.isolation,
    })
}

fn decode(command: &ConsumeCommand) -> Outcome<Option<Decoder>> {
    match (&command.decode, &command.proto, &command.message) {
        (Some(Form::Protobuf), Some(file), Some(message)) => Decoder::open(file, message).map(Some),
        _ => Ok(None),
    }
}

fn distinct(topics: Vec<String>) -> Vec<String> {
    let mut seen = Vec::with_capacity(topics.len());
    for topic in topics {
        if !seen.contains(&topic) {
            seen.push(topic);
        }
    }
    seen
}

fn start_of(offset: &str) -> Outcome<Start> {
    match offset {
        "beginning" | "earliest" => return Ok(Start::Beginning),
        "end" | "latest" => return Ok(Start::End),
        _ => {}
    }
    let number: Option<i64> = offset.parse().ok();
    match number {
        Some(number) if offset.starts_with('-') => Ok(Start::BeforeEnd(number.saturating_neg())),
        Some(number) => Ok(Start::Offset(number)),
        None => Err(Failure::usage(format!("`{offset}` is not an offset"))
            .because("an offset is a number, -N for N before the end, `beginning` or `end`")
            .hint("velo consume TOPIC --offset -10")),
    }
}

fn pattern(text: &str) -> Outcome<Regex> {
    Regex::new(text).map_err(|error| {
        Failure::usage(format!("`{text}` is not a regular expression"))
            .because(error)
            .hint("velo consume TOPIC --grep 'status.*OPEN'")
    })
}

fn style(command: &ConsumeCommand, output: Option<OutputFormat>) -> Outcome<Style> {
    let given = [
        ("--format", command.format.is_some()),
        ("--key-separator", command.key_separator.is_some()),
    ];
    if let Some((other, _)) = given.iter().find(|(_, given)| *given && output.is_some()) {
        return Err(
            Failure::usage(format!("--output and {other} both say how records are printed"))
                .hint("leave one of them out"),
        );
    }
    if let Some(format) = &command.format {
        return Ok(Style::Pattern(Pattern::parse(format)?));
    }
    if let Some(separator) = &command.key_separator {
        return Ok(Style::Pattern(Pattern::key_and_value(separator)));
    }
    Ok(match output {
        // A record is first of all its value.
        None | Some(OutputFormat::Plain) => Style::Plain,
        Some(OutputFormat::Table) => Style::Pretty,
        Some(OutputFormat::Json | OutputFormat::Jsonl) => Style::Jsonl,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_as_numbers_from_either_end_or_words() {
        assert_eq!(start_of("7"), Ok(Start::Offset(7)));
        assert_eq!(start_of("-7"), Ok(Start::BeforeEnd(7)));
        assert_eq!(start_of("beginning"), Ok(Start::Beginning));
        assert_eq!(start_of("end"), Ok(Start::End));
        assert!(start_of("seven").is_err());
    }
}
