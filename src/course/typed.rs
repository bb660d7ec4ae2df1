//! What a learner types to the runner that is none of its keys: a command that belongs into another terminal, perhaps.

use super::program::split;

/// The keys that act at once on a terminal: hint, solution, skip, back, text again, quit, and the answers to a question.
pub const KEYS: &str = "hskbtq0123456789";

/// The same where a number is typed, which Enter ends.
pub const KEYS_BUT_DIGITS: &str = "hskbtq";

/// Verbs of ours that go on.
const LONG: [&str; 7] = ["consume", "velib", "people", "mongo", "storm", "trips", "watch"];

/// Kafka's scripts that go on.
const LONG_SCRIPTS: [&str; 3] = [
    "kafka-console-consumer",
    "kafka-server-start",
    "kafka-verifiable-consumer",
];

/// Kafka's script that asks for lines.
const ASKING_SCRIPT: &str = "kafka-console-producer";

/// Kafka's scripts that end by themselves.
const SHORT_SCRIPTS: [&str; 11] = [
    "kafka-acls",
    "kafka-broker-api-versions",
    "kafka-cluster",
    "kafka-configs",
    "kafka-consumer-groups",
    "kafka-features",
    "kafka-get-offsets",
    "kafka-groups",
    "kafka-leader-election",
    "kafka-log-dirs",
    "kafka-topics",
];

/// A line that is no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A command about the lesson itself, which is this key here.
    Key(&'static str),
    /// A command of ours that ends by itself; it begins with `velo`.
    Short(Vec<String>),
    /// A command of ours that asks for lines until it is told that there are no more; it begins with `velo`.
    Asks(Vec<String>),
    /// A command of ours that goes on; it begins with `velo`.
    Long(String),
    /// Ends what runs in the background: this one, or all.
    End(Option<String>),
    /// A command for another terminal.
    Elsewhere,
    /// Nothing that looks like a command.
    Other,
}

/// Reads a line.
pub fn read(line: &str) -> Typed {
    let Ok(words) = split(line) else {
        return Typed::Elsewhere;
    };
    let Some((program, rest)) = words.split_first() else {
        return Typed::Other;
    };
    let name = program_name(program);
    let as_ours = || {
        let run = ["velo", name].map(str::to_owned);
        run.into_iter().chain(rest.iter().cloned()).collect()
    };
    match name {
        "velo" => ours(line, rest),
        "end" if rest.len() < 2 => Typed::End(rest.first().cloned()),
        ASKING_SCRIPT => Typed::Asks(as_ours()),
        _ if SHORT_SCRIPTS.contains(&name) => Typed::Short(as_ours()),
        _ if LONG_SCRIPTS.contains(&name) => {
            // As it was typed, with our own program in front: it is split again where it is run.
            let after = line.trim_start().trim_start_matches(program.as_str());
            Typed::Long(format!("velo {name}{after}"))
        }
        _ if !rest.is_empty() || name.starts_with("kafka-") || program.contains(['/', '\\']) => {
            Typed::Elsewhere
        }
        _ => Typed::Other,
    }
}

fn ours(line: &str, rest: &[String]) -> Typed {
    let mut verbs = rest
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with('-'));
    let has = |option: &str| rest.iter().any(|word| word == option);
    match (verbs.next(), verbs.next()) {
        (Some("lesson"), Some("check" | "next")) => Typed::Key(""),
        (Some("lesson"), Some("hint")) => Typed::Key("h"),
        (Some("lesson"), Some("solution")) => Typed::Key("s"),
        (Some("lesson"), Some("skip")) => Typed::Key("k"),
        (Some("lesson"), Some("back")) => Typed::Key("b"),
        (
            Some("lesson"),
            Some("list" | "status" | "report" | "show" | "files" | "site" | "clerk" | "sketch"),
        )
        | (Some("velib"), Some("map"))
        | (Some("trips"), Some("send" | "topology"))
        | (Some("storm"), Some("flux" | "topology")) => Typed::Short(whole(rest)),
        (Some("lesson"), Some("mailbox")) => Typed::Long(line.to_owned()),
        (Some("lesson" | "quiz"), _) => Typed::Elsewhere,
        (Some(ASKING_SCRIPT), _) => Typed::Asks(whole(rest)),
        (Some(script), _) if LONG_SCRIPTS.contains(&script) => Typed::Long(line.to_owned()),
        (Some("cluster"), _) if has("--foreground") => Typed::Elsewhere,
        (Some("consume"), _) if ENDING.iter().any(|option| has(option)) => Typed::Short(whole(rest)),
        (Some("produce"), _) if has("--file") => Typed::Short(whole(rest)),
        (Some("produce"), _) => Typed::Asks(whole(rest)),
        (Some(verb), _) if LONG.contains(&verb) => Typed::Long(line.to_owned()),
        _ => Typed::Short(whole(rest)),
    }
}

/// Options with which a consumer ends by itself, or may.
const ENDING: [&str; 3] = ["--exit-at-end", "--tail", "--help"];

fn whole(rest: &[String]) -> Vec<String> {
    std::iter::once("velo".to_owned())
        .chain(rest.iter().cloned())
        .collect()
}

/// `./bin/kafka-topics.sh` and `.\bin\windows\kafka-topics.bat` are `kafka-topics`.
fn program_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    [".sh", ".bat", ".exe"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_by_itself_is_run_and_what_goes_on_belongs_elsewhere() {
        for (line, run) in [
            ("velo topic list", "velo topic list"),
            ("velo velib map", "velo velib map"),
            ("velo trips send 707 2/3", "velo trips send 707 2/3"),
            ("velo storm topology", "velo storm topology"),
            ("velo consume t --exit-at-end", "velo consume t --exit-at-end"),
            ("./bin/kafka-topics.sh --list", "velo kafka-topics --list"),
            (
                r".\bin\windows\kafka-topics.bat --list",
                "velo kafka-topics --list",
            ),
        ] {
            let words: Vec<String> = run.split(' ').map(str::to_owned).collect();
            assert_eq!(read(line), Typed::Short(words), "{line}");
        }
        for (line, run) in [
            ("velo consume t --group 'a b'", "velo consume t --group 'a b'"),
            ("velo velib produce", "velo velib produce"),
            (
                "velo kafka-server-start x.properties",
                "velo kafka-server-start x.properties",
            ),
            (
                "bin/kafka-console-consumer.sh --topic t",
                "velo kafka-console-consumer --topic t",
            ),
        ] {
            assert_eq!(read(line), Typed::Long(run.to_owned()), "{line}");
        }
        for line in ["velo produce t", "kafka-console-producer.sh --topic t"] {
            assert!(matches!(read(line), Typed::Asks(_)), "{line}");
        }
        assert_eq!(read("end"), Typed::End(None));
        assert_eq!(read("end 2"), Typed::End(Some("2".to_owned())));
        for line in [
            "velo lesson start velib",
            "velo cluster start --foreground",
            "python produce.py",
            "kill -9 42",
            "velo topic create 'x",
        ] {
            assert_eq!(read(line), Typed::Elsewhere, "{line}");
        }
        assert_eq!(read("velo lesson hint"), Typed::Key("h"));
        assert_eq!(read("what"), Typed::Other);
        assert_eq!(read(""), Typed::Other);
    }
}
