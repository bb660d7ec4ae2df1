//! Command lines of `velo` in texts: found, filled in, and parsed by the program's own parser.

use clap::error::ErrorKind;
use velodrome::cli::Cli;
use velodrome::course::program::split;
use velodrome::i18n::Labels;
use velodrome::scripts::table;

/// Where a line ends in running text, whatever follows.
const ENDS: [&str; 6] = ["\n", "`", "  ", ", ", "; ", ")"];

/// What stands for a value in a text, and a value.
const PLACEHOLDERS: [(&str, &str); 7] = [
    ("WHERE", "earliest"),
    ("N", "3"),
    ("ID", "7"),
    ("-N", "-3"),
    ("LANG", "fr"),
    ("KIND", "topic"),
    ("COMMAND", "topic"),
];

/// How strictly a line is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It is to be typed as it stands.
    Line,
    /// It may only name a command: what that needs is left out.
    Mention,
}

/// All lines of a text that begin with `velo`, without what follows them. In running text a line stands in backticks, or
/// ends before two blanks, a comma, a semicolon, or the line's own end.
pub fn lines(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("velo ") {
        let (before, line) = rest.split_at(at);
        let is_word = !before.ends_with(|last: char| last.is_alphanumeric() || "-_/.~".contains(last));
        let end = ENDS
            .iter()
            .filter_map(|end| line.find(end))
            .min()
            .unwrap_or(line.len());
        if is_word {
            found.push(line.get(..end).unwrap_or(line).trim_end());
        }
        rest = rest.split_at(at + "velo ".len()).1;
    }
    found
}

/// Why `velo` would not take a line, if so. What stands in `{}` is anything that makes it right.
pub fn mistake(line: &str, reading: Reading) -> Option<String> {
    const FILLINGS: [&str; 6] = ["orders", "7", "topic", "", " --data DIR", "'*'"];
    let mut last = None;
    for filling in FILLINGS {
        match parse(&filled(line, filling), reading) {
            Ok(()) => return None,
            Err(why) => last = last.or(Some(why)),
        }
        if !line.contains('{') {
            break;
        }
    }
    last
}

/// Fails when a hint that was printed cannot be typed.
#[track_caller]
pub fn assert_typeable(said: &str) {
    let hints = said
        .lines()
        .filter_map(|line| Labels::split(line, |labels| labels.hint));
    for line in hints.map(|(_, hint)| hint).flat_map(lines) {
        let wrong = mistake(line, Reading::Line);
        assert!(wrong.is_none(), "`{line}` cannot be typed: {wrong:?}\n{said}");
    }
}

fn filled(line: &str, filling: &str) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or_default();
        filled.push_str(before);
        filled.push_str(match name {
            "whose" => "topic orders",
            _ => filling,
        });
        rest = after;
    }
    filled + rest
}

fn parse(line: &str, reading: Reading) -> Result<(), String> {
    let mut words = split(line)?;
    for word in &mut words {
        if let Some((_, value)) = PLACEHOLDERS.iter().find(|(name, _)| name == word) {
            (*value).clone_into(word);
        }
    }
    if words.get(1).is_some_and(|word| table::find(word).is_some()) {
        return Ok(());
    }
    let error = match (Cli::typed(&words), reading) {
        (Ok(_), _) => return Ok(()),
        (Err(error), Reading::Line) => error,
        // An option may be named without its value.
        (Err(error), Reading::Mention) => match error.kind() {
            ErrorKind::InvalidValue if with_any_value(&words) => return Ok(()),
            _ => error,
        },
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(()),
        _ if reading == Reading::Mention && only_named(error.kind()) => Ok(()),
        _ => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
    }
}

/// Whether some value makes the line right, as far as its last option goes.
fn with_any_value(words: &[String]) -> bool {
    ["orders", "7"].iter().any(|value| {
        let words: Vec<String> = words.iter().cloned().chain([(*value).to_owned()]).collect();
        Cli::typed(&words).map_or_else(|error| only_named(error.kind()), |_| true)
    })
}

/// Whether a command is named without all that it needs.
fn only_named(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}
