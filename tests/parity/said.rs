//! What a script said, with what no two runs share put under a name.

use super::java::Raw;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Stands for the help text.
pub const HELP: &str = "<options>";
/// In seconds. Ours wait ten for a cluster that is not there, Java's at least sixty.
const SLOW: f64 = 30.0;

/// A normalised answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    pub code: i32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stdout: String,
    /// Without hints, log lines and stack traces.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stderr: String,
    /// The messages of a stack trace that stood on stderr.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<String>,
    /// The options that a help text names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// It took longer than [`SLOW`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub slow: bool,
    /// It gave hints.
    #[serde(skip)]
    pub hints: bool,
}

/// Where it ran: what the names stand for.
pub struct Place<'a> {
    pub group: &'a str,
    pub dir: &'a str,
    pub logs: &'a str,
    pub sorted: bool,
    pub only_mine: bool,
    pub numbers: bool,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
    };
}

pattern!(
    SERVER,
    r"(?:localhost|127\.0\.0\.1)(?:/127\.0\.0\.1)?:\d+((?: +\(\d+\))?)( *)"
);
pattern!(
    UUID,
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
);
pattern!(
    ID,
    r"(TopicId: |[Tt]opic [Ii][Dd] |Cluster ID: |ClusterId: +)[A-Za-z0-9_-]{22}"
);
pattern!(EPOCH, r"\b(Epoch: )\d+");
pattern!(MOMENT, r"\b1[78]\d{11}\b");
pattern!(OBJECT, r"@[0-9a-f]{5,8}\b");
pattern!(
    LOG_LINE,
    r"^(SLF4J: |\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d+\] (TRACE|DEBUG|INFO|WARN|ERROR) )"
);
pattern!(
    TRACE_LINE,
    r"^(\s+at [a-zA-Z]|\s+\.\.\. \d+ more|Caused by: |\s+Suppressed: )"
);
pattern!(
    OPTION,
    r"(?m)^ {0,4}(?:-\w(?: [A-Z-]+)?, )?(--[a-z][a-z0-9.-]*(?:, --?[a-z][a-z0-9.-]*)*)"
);
pattern!(
    EXCEPTION,
    r#"^(?:Exception in thread "main" )?(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:: |$)"#
);
pattern!(
    SET,
    r"(?m)((?:takes one of these options|takes the following options|Valid states are|Valid types are): )(.*)$"
);
pattern!(
    LISTED,
    r"\[(\[[a-z-]+\](?:, \[[a-z-]+\])+|[A-Z_]+(?:, [A-Z_]+)+)\]"
);
pattern!(SETTINGS, r"(?m)(\tConfigs: )(.*)$");
pattern!(
    PASSWORDS,
    r"(?m)^(SCRAM credential configs for user-principal '[^']*' are )(.*)$"
);
pattern!(ATTEMPTS, r"Call\(callName=(\S+), deadlineMs=.*? attempt\(s\)");
// Of 16 random bytes: none that stands in a case is without small and great letters or digits.
pattern!(RANDOM_ID, r"\b[A-Za-z0-9_-]{21}[AQgw]\b");
pattern!(NUMBER, r"-?\b\d+(?:\.\d+)?(?:E-?\d+)?\b|\bNaN\b|\bInfinity\b");
pattern!(SPACES, r" +(\t|\n|$)?|\t");
pattern!(NAME, r"--?[a-z][a-z0-9.-]*");

impl Said {
    /// Reads a raw answer.
    pub fn of(raw: &Raw, place: &Place<'_>) -> Self {
        let mut said = Said {
            code: raw.code,
            slow: raw.seconds > SLOW,
            ..Said::default()
        };
        let stdout = said.without_help(&common(&raw.stdout, place));
        let stderr = said.without_help(&common(&raw.stderr, place));
        let stdout = said.without_frames(stdout);
        said.stdout = ordered(&stdout, place);
        let lines: Vec<&str> = stderr.lines().collect();
        said.hints = lines.iter().any(|line| line.starts_with("hint: "));
        let lines = lines
            .into_iter()
            .filter(|line| !LOG_LINE.is_match(line) && !line.starts_with("hint: "))
            .collect();
        said.stderr = said.without_traces(lines).join("\n");
        said
    }

    /// Cuts the help's table of options out of a text and keeps the options' names.
    fn without_help(&mut self, text: &str) -> String {
        let start = text
            .lines()
            .position(|line| line.starts_with("Option ") && line.trim_end().ends_with("Description"));
        let usage = text.lines().position(|line| line.starts_with("usage: "));
        if let Some(start) = start {
            let before: Vec<&str> = text.lines().take(start).collect();
            self.note_options(text);
            return [before.as_slice(), &[HELP]].concat().join("\n");
        }
        let Some(usage) = usage else {
            return text.to_owned();
        };
        let before: Vec<&str> = text.lines().take(usage).collect();
        let rest: Vec<&str> = text.lines().skip(usage).collect();
        let error = rest.iter().position(|line| line.contains("error:"));
        match error {
            // argparse4j folds its message to the width of the terminal.
            Some(at) => {
                let message: String = rest[at..].concat().split_whitespace().collect();
                [before.as_slice(), &["<usage>", &message]].concat().join("\n")
            }
            None => {
                self.note_options(text);
                [before.as_slice(), &[HELP]].concat().join("\n")
            }
        }
    }

    fn note_options(&mut self, text: &str) {
        for found in OPTION.captures_iter(text) {
            let names = NAME.find_iter(found.get(1).unwrap().as_str());
            self.options.extend(names.map(|name| name.as_str().to_owned()));
        }
        self.options.sort();
        self.options.dedup();
    }

    /// Cuts the stack traces out of stdout, where some tools print them below their message.
    fn without_frames(&mut self, text: String) -> String {
        if !text.lines().any(|line| TRACE_LINE.is_match(line)) {
            return self.without_repetition(text);
        }
        let mut kept: Vec<&str> = Vec::new();
        for line in text.lines() {
            if !TRACE_LINE.is_match(line) {
                kept.push(line);
            } else if let Some(start) = kept.iter().rposition(|line| EXCEPTION.is_match(line)) {
                // Its message may have several lines.
                self.trace.extend(kept.drain(start..).next().map(message));
            }
        }
        kept.join("\n").trim_end().to_owned() + "\n"
    }

    /// Cuts an exception of Kafka's own that is printed without frames, below the line that tells its message.
    fn without_repetition(&mut self, text: String) -> String {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let [before @ .., told, exception] = lines.as_slice() else {
            return text;
        };
        let repeated = message(exception);
        if !EXCEPTION.is_match(exception) || repeated.is_empty() || !told.ends_with(&repeated) {
            return text;
        }
        self.trace.push(repeated);
        [before, &[told, ""]].concat().join("\n")
    }

    /// Cuts stack traces and the line above each, whose messages are kept.
    fn without_traces(&mut self, lines: Vec<&str>) -> Vec<String> {
        let mut kept: Vec<String> = Vec::new();
        let mut inside = false;
        for line in lines {
            if TRACE_LINE.is_match(line) {
                if !inside {
                    self.trace.extend(kept.pop().as_deref().map(message));
                }
                if let Some(cause) = line.strip_prefix("Caused by: ") {
                    self.trace.push(message(cause));
                }
                inside = true;
            } else if EXCEPTION.is_match(line) {
                // Kafka's own exceptions are printed without frames.
                self.trace.push(message(line));
                inside = true;
            } else {
                inside = false;
                kept.push(line.to_owned());
            }
        }
        self.trace.dedup();
        while !self.trace.is_empty() && kept.last().is_some_and(|line| line.is_empty()) {
            kept.pop();
        }
        kept
    }

    /// Whether `ours` says the same as this answer of Java's: the same stdout and code; on stderr the same lines, and in
    /// place of a stack trace at most one line. What the trace's message says must stand somewhere.
    pub fn agrees_with(&self, ours: &Said) -> bool {
        if (self.code, &self.stdout) != (ours.code, &ours.stdout) {
            return false;
        }
        let names_all = self.options.iter().all(|option| ours.options.contains(option));
        names_all && self.stderr_agrees_with(ours)
    }

    fn stderr_agrees_with(&self, ours: &Said) -> bool {
        if self.stderr == ours.stderr {
            let told_once = !ours.trace.is_empty() && self.trace.is_empty();
            return !told_once && (self.trace.is_empty() || self.is_told_by(ours));
        }
        let lines: Vec<&str> = ours.stderr.lines().collect();
        let without_one = (0..lines.len()).any(|out| {
            let rest: Vec<&str> = [&lines[..out], &lines[out + 1..]].concat();
            rest.join("\n") == self.stderr
        });
        !self.trace.is_empty() && without_one && self.is_told_by(ours)
    }

    fn is_told_by(&self, ours: &Said) -> bool {
        let mut messages = self.trace.iter().filter(|message| !message.is_empty());
        let told = |message: &String| {
            let in_trace = ours.trace.iter().any(|own| own.contains(message.as_str()));
            in_trace || ours.stdout.contains(message.as_str()) || ours.stderr.contains(message.as_str())
        };
        self.trace.iter().all(String::is_empty) || messages.any(told)
    }
}

/// An exception's words without its class and thread.
fn message(line: &str) -> String {
    let line = line.strip_prefix("Exception in thread \"main\" ").unwrap_or(line);
    match line.split_once(": ") {
        Some((class, rest)) if class.contains('.') && !class.contains(' ') => message(rest),
        None if line.contains('.') && !line.contains(' ') => String::new(),
        _ => line.to_owned(),
    }
}

fn common(text: &str, place: &Place<'_>) -> String {
    let text = text.replace("\r\n", "\n");
    let text = text.replace(place.dir, "{dir}");
    let text = if place.logs.is_empty() {
        text
    } else {
        text.replace(place.logs, "{logs}")
    };
    let text = SERVER.replace_all(&text, |found: &regex::Captures<'_>| {
        let space = if found[2].is_empty() { "" } else { " " };
        format!("SERVER{}{space}", &found[1])
    });
    let text = UUID.replace_all(&text, "UUID");
    let text = ID.replace_all(&text, "${1}ID");
    let text = EPOCH.replace_all(&text, "${1}EPOCH");
    // Java's immutable sets have another order in every process.
    let text = SET.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}{}", &found[1], sorted(&found[2], ", "))
    });
    let text = LISTED.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("[{}]", sorted(&found[1], ", "))
    });
    // The order of a hash over all settings, in which the broker's own order shows.
    let text = SETTINGS.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}{}", &found[1], sorted(&found[2], ","))
    });
    // The order of the broker's hash.
    let text = PASSWORDS.replace_all(&text, |found: &regex::Captures<'_>| {
        format!("{}{}", &found[1], sorted(&found[2], ", "))
    });
    let text = ATTEMPTS.replace_all(&text, "Timed out waiting for a node assignment. Call: $1");
    let text = MOMENT.replace_all(&text, "MOMENT");
    let text = OBJECT.replace_all(&text, "@OBJECT");
    if !place.numbers {
        return text.into_owned();
    }
    let text = text.replace("127.0.0.1", "localhost");
    let text = RANDOM_ID.replace_all(&text, "ID");
    let text = NUMBER.replace_all(&text, "N");
    // Columns are as wide as what stands in them.
    SPACES
        .replace_all(&text, |found: &regex::Captures<'_>| match found.get(1) {
            Some(end) if end.as_str() != "\t" => end.as_str().to_owned(),
            _ => " ".to_owned(),
        })
        .into_owned()
}

fn sorted(list: &str, between: &str) -> String {
    let mut items: Vec<&str> = list.split(between).collect();
    items.sort_unstable();
    items.join(between)
}

fn ordered(text: &str, place: &Place<'_>) -> String {
    if !place.sorted && !place.only_mine {
        return text.to_owned();
    }
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !place.only_mine || line.contains(place.group))
        .collect();
    if place.sorted {
        lines.sort_unstable();
    }
    lines.join("\n")
}
