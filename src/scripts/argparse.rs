//! How Apache Kafka's argparse4j tools read their command lines: `--name value`, `--name=value`, unambiguous beginnings,
//! options that exclude each other, subcommands, and argparse4j's own messages when something is wrong.

use super::ending::Ending;
use super::fill::{indented, wrapped};
use std::collections::{BTreeMap, BTreeSet};

/// The columns that argparse4j fills when it does not know the terminal.
const WIDTH: usize = 75;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any text.
    Text,
    /// Java's `Integer`.
    Int,
    /// Java's `Long`.
    Long,
    /// Java's `Double`.
    Double,
    /// One of these numbers.
    IntAmong(&'static [&'static str]),
    /// One of these words.
    Among(&'static [&'static str]),
}

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// One value; the last one given counts.
    One(Type),
    /// One value or more; those given last count.
    Many(Type),
    /// One value each time it is given; all count.
    Each(Type),
}

/// An option of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    /// Its names with dashes; it is asked for by the first without them.
    pub flags: &'static [&'static str],
    /// What follows it.
    pub takes: Takes,
    /// What its value is called in the usage.
    pub metavar: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// The name of the group of options that exclude each other that it is in, if any.
    pub group: &'static str,
    /// Its value when it is not given.
    pub default: Option<&'static str>,
    /// What it does, in our words.
    pub help: &'static str,
}

impl Arg {
    /// An option with a value that need not be given.
    pub const fn new(
        flags: &'static [&'static str],
        takes: Takes,
        metavar: &'static str,
        help: &'static str,
    ) -> Self {
        Arg {
            flags,
            takes,
            metavar,
            required: false,
            group: "",
            default: None,
            help,
        }
    }

    /// An option without a value.
    pub const fn flag(flags: &'static [&'static str], help: &'static str) -> Self {
        Arg::new(flags, Takes::Nothing, "", help)
    }

    /// The same, which must be given.
    pub const fn required(self) -> Self {
        Arg {
            required: true,
            ..self
        }
    }

    /// The same, in a group.
    pub const fn of(self, group: &'static str) -> Self {
        Arg { group, ..self }
    }

    /// The same, with a default.
    pub const fn or(self, default: &'static str) -> Self {
        Arg {
            default: Some(default),
            ..self
        }
    }

    fn key(&self) -> &'static str {
        self.flags.first().map_or("", |flag| flag.trim_start_matches('-'))
    }

    fn names(&self) -> String {
        self.flags.join("/")
    }

    /// `--topic TOPIC`
    fn syntax(&self) -> String {
        let flag = self.flags.first().copied().unwrap_or_default();
        match self.values() {
            values if values.is_empty() => flag.to_owned(),
            values => format!("{flag} {values}"),
        }
    }

    fn values(&self) -> String {
        match self.takes {
            Takes::Nothing => String::new(),
            Takes::One(_) | Takes::Each(_) => self.metavar.to_owned(),
            Takes::Many(_) => format!("{0} [{0} ...]", self.metavar),
        }
    }

    /// `[--topic TOPIC]`
    fn bracketed(&self) -> String {
        if self.required {
            self.syntax()
        } else {
            format!("[{}]", self.syntax())
        }
    }

    fn title(&self) -> String {
        let values = self.values();
        let one = |flag: &&str| match values.as_str() {
            "" => (*flag).to_owned(),
            values => format!("{flag} {values}"),
        };
        self.flags.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Options that exclude each other.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The name that its options refer to.
    pub name: &'static str,
    /// Its heading in the help, if any.
    pub title: &'static str,
    /// What it is for, if it has a part of its own in the help.
    pub about: &'static str,
    /// Whether one of them must be given.
    pub required: bool,
}

/// A subcommand.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does, in our words.
    pub help: &'static str,
    /// Its options.
    pub args: &'static [Arg],
    /// Those that exclude each other.
    pub groups: &'static [Group],
}

/// The options and subcommands of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Parser {
    /// The tool's name in usage and errors.
    pub prog: &'static str,
    /// What it does, in our words.
    pub about: &'static str,
    /// Its options, in Kafka's order; `-h` is added.
    pub args: &'static [Arg],
    /// Those that exclude each other.
    pub groups: &'static [Group],
    /// Its subcommands, in Kafka's order.
    pub commands: &'static [Command],
}

const HELP: Arg = Arg::flag(&["-h", "--help"], "show this help message and exit");

/// A command line that was read.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    given: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
    /// The subcommand.
    pub command: Option<&'static str>,
}

impl Parsed {
    /// Whether the option was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value of an option, or its default.
    pub fn value(&self, name: &str) -> Option<&str> {
        let given = self.given.get(name).and_then(|values| values.last());
        given
            .map(String::as_str)
            .or_else(|| self.defaults.get(name).copied())
    }

    /// The values of an option that takes several.
    pub fn values(&self, name: &str) -> &[String] {
        self.given.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of an option of a type that was checked when the line was read.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.value(name)
            .and_then(|text| text.trim().trim_end_matches(['d', 'D', 'f', 'F']).parse().ok())
    }
}

impl Parser {
    /// Reads a command line.
    ///
    /// # Errors
    /// With `-h` the help on stdout, else the usage and argparse4j's message on stderr; exit code 1.
    pub fn parse(&self, arguments: &[String]) -> Result<Parsed, Ending> {
        let mut parsed = Parsed::default();
        let mut words = Words {
            rest: arguments,
            separated: false,
        };
        let missing = self.level(None).parse(&mut words, &mut parsed, None)?;
        missing.map_or(Ok(parsed), Err)
    }

    /// The help, for stdout.
    pub fn help(&self) -> String {
        self.level(None).help()
    }

    /// The usage and this error on stderr, exit code 1.
    pub fn error(&self, message: &str) -> Ending {
        self.level(None).error(message)
    }

    /// The same of one of its subcommands.
    pub fn error_of(&self, command: Option<&str>, message: &str) -> Ending {
        let command = self.commands.iter().find(|known| Some(known.name) == command);
        self.level(command).error(message)
    }

    fn level<'a>(&'a self, command: Option<&'a Command>) -> Level<'a> {
        Level {
            parser: self,
            command,
            args: std::iter::once(&HELP)
                .chain(command.map_or(self.args, |command| command.args))
                .collect(),
            groups: command.map_or(self.groups, |command| command.groups),
        }
    }
}

/// The words still to be read.
struct Words<'a> {
    rest: &'a [String],
    /// `--` was seen: no option follows.
    separated: bool,
}

impl Words<'_> {
    fn take(&mut self) -> Option<String> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first.clone())
    }

    /// The next word, if it is no option.
    fn take_value(&mut self) -> Option<String> {
        let next = self.rest.first()?;
        if self.is_option(next) {
            return None;
        }
        self.take()
    }

    fn is_option(&self, word: &str) -> bool {
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        !self.separated
            && word
                .strip_prefix('-')
                .is_some_and(|text| !text.is_empty() && !number(text))
    }
}

/// The tool itself, or one of its subcommands.
struct Level<'a> {
    parser: &'a Parser,
    command: Option<&'a Command>,
    args: Vec<&'a Arg>,
    groups: &'a [Group],
}

/// The end of a line with a mistake that is told only when nothing else is wrong.
type Missing = Option<Ending>;

impl Level<'_> {
    fn parse(&self, words: &mut Words<'_>, parsed: &mut Parsed, before: Missing) -> Result<Missing, Ending> {
        let mut used = BTreeSet::new();
        let mut groups = BTreeMap::new();
        for arg in &self.args {
            if let Some(default) = arg.default {
                parsed.defaults.insert(arg.key(), default);
            }
        }
        while let Some(word) = words.take() {
            if word == "--" && !words.separated {
                words.separated = true;
            } else if words.is_option(&word) {
                let (arg, inline) = self.find(&word)?;
                self.exclude(arg, &mut groups)?;
                self.take(arg, inline, words, parsed)?;
                used.insert(arg.key());
            } else if !words.separated && self.command.is_none() && !self.parser.commands.is_empty() {
                let missing = before.or_else(|| self.missing(&used, &groups));
                let command = self.subcommand(&word)?;
                parsed.command = Some(command.name);
                return self.parser.level(Some(command)).parse(words, parsed, missing);
            } else {
                let rest: Vec<&str> = std::iter::once(word.as_str())
                    .chain(words.rest.iter().map(String::as_str))
                    .collect();
                return Err(self.error(&format!("unrecognized arguments: '{}'", rest.join(" "))));
            }
        }
        if self.command.is_none() && !self.parser.commands.is_empty() {
            return Err(self.error("too few arguments"));
        }
        Ok(before.or_else(|| self.missing(&used, &groups)))
    }

    /// The option that a word names, and the value in it.
    fn find(&self, word: &str) -> Result<(&Arg, Option<String>), Ending> {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        if let Some(arg) = self.args.iter().find(|arg| arg.flags.contains(&name)) {
            return Ok((arg, inline));
        }
        let mut begun: Vec<(&str, &Arg)> = self
            .args
            .iter()
            .flat_map(|arg| arg.flags.iter().map(move |flag| (*flag, *arg)))
            .filter(|(flag, _)| flag.starts_with(name))
            .collect();
        begun.sort_by_key(|(flag, _)| *flag);
        match begun.as_slice() {
            [] => self.find_short(word),
            [(_, only)] => Ok((only, inline)),
            several => {
                let flags: Vec<&str> = several.iter().map(|(flag, _)| *flag).collect();
                Err(self.error(&format!(
                    "ambiguous option: {name} could match {}",
                    flags.join(", ")
                )))
            }
        }
    }

    /// `-cFILE`
    fn find_short(&self, word: &str) -> Result<(&Arg, Option<String>), Ending> {
        let short: String = word.chars().take(2).collect();
        let found = self.args.iter().find(|arg| arg.flags.contains(&short.as_str()));
        match found {
            Some(arg) if !word.starts_with("--") => {
                let rest = word[short.len()..].to_owned();
                Ok((arg, Some(rest).filter(|rest| !rest.is_empty())))
            }
            _ => {
                let mut ending = self.error(&format!("unrecognized arguments: '{word}'"));
                let flags = self.args.iter().flat_map(|arg| arg.flags.iter().copied());
                ending.stderr.push_str(&did_you_mean(word, flags));
                Err(ending)
            }
        }
    }

    fn exclude<'b>(&self, arg: &'b Arg, groups: &mut BTreeMap<&'b str, &'b Arg>) -> Result<(), Ending> {
        if arg.group.is_empty() {
            return Ok(());
        }
        let first = groups.entry(arg.group).or_insert(arg);
        if first.key() == arg.key() {
            return Ok(());
        }
        Err(self.error_about(arg, &format!("not allowed with argument {}", first.names())))
    }

    fn take(
        &self,
        arg: &Arg,
        inline: Option<String>,
        words: &mut Words<'_>,
        parsed: &mut Parsed,
    ) -> Result<(), Ending> {
        let (kind, mut values) = match (arg.takes, inline) {
            (Takes::Nothing, Some(value)) => {
                return Err(self.error_about(arg, &format!("ignore implicit argument '{value}'")));
            }
            (Takes::Nothing, None) if arg.key() == HELP.key() => {
                return Err(Ending::on_stdout(1, self.help()));
            }
            (Takes::Nothing, None) => {
                parsed.given.entry(arg.key()).or_default();
                return Ok(());
            }
            (Takes::One(kind) | Takes::Each(kind) | Takes::Many(kind), Some(value)) => (kind, vec![value]),
            (Takes::One(kind) | Takes::Each(kind), None) => match words.take_value() {
                Some(value) => (kind, vec![value]),
                None => return Err(self.error_about(arg, "expected one argument")),
            },
            (Takes::Many(kind), None) => {
                let values: Vec<String> = std::iter::from_fn(|| words.take_value()).collect();
                if values.is_empty() {
                    return Err(self.error_about(arg, "expected 1 argument(s)"));
                }
                (kind, values)
            }
        };
        for value in &values {
            convert(kind, value).map_err(|why| self.error_about(arg, &why))?;
        }
        let given = parsed.given.entry(arg.key()).or_default();
        if matches!(arg.takes, Takes::Each(_)) {
            given.append(&mut values);
        } else {
            *given = values;
        }
        Ok(())
    }

    /// argparse4j names the last of several that are missing.
    fn missing(&self, used: &BTreeSet<&str>, groups: &BTreeMap<&str, &Arg>) -> Missing {
        let missing = self
            .args
            .iter()
            .rfind(|arg| arg.required && !used.contains(arg.key()));
        if let Some(arg) = missing {
            return Some(self.error(&format!("argument {} is required", arg.names())));
        }
        let group = self
            .groups
            .iter()
            .rfind(|group| group.required && !groups.contains_key(group.name))?;
        let names: String = self
            .within(group)
            .map(|arg| format!("{} ", arg.names()))
            .collect();
        Some(self.error(&format!("one of the arguments {names}is required")))
    }

    fn subcommand(&self, word: &str) -> Result<&'static Command, Ending> {
        let commands = self.parser.commands;
        if let Some(command) = commands.iter().find(|command| command.name == word) {
            return Ok(command);
        }
        let mut begun: Vec<&Command> = commands
            .iter()
            .filter(|command| !word.is_empty() && command.name.starts_with(word))
            .collect();
        begun.sort_by_key(|command| command.name);
        match begun.as_slice() {
            [only] => Ok(commands
                .iter()
                .find(|command| command.name == only.name)
                .unwrap_or(&commands[0])),
            [] => {
                let all: Vec<String> = commands
                    .iter()
                    .map(|command| format!("'{}'", command.name))
                    .collect();
                let mut ending = self.error(&format!(
                    "invalid choice: '{word}' (choose from {})",
                    all.join(", ")
                ));
                let names = commands.iter().map(|command| command.name);
                ending.stderr.push_str(&did_you_mean(word, names));
                Err(ending)
            }
            several => {
                let names: Vec<&str> = several.iter().map(|command| command.name).collect();
                Err(self.error(&format!(
                    "ambiguous command: {word} could match {}",
                    names.join(", ")
                )))
            }
        }
    }

    fn within<'b>(&'b self, group: &'b Group) -> impl Iterator<Item = &'b &'b Arg> {
        self.args.iter().filter(|arg| arg.group == group.name)
    }

    fn error_about(&self, arg: &Arg, message: &str) -> Ending {
        self.error(&format!("argument {}: {message}", arg.names()))
    }

    fn error(&self, message: &str) -> Ending {
        // argparse4j counts the end of the line, too.
        let message = format!("{}: error: {message}\n", self.parser.prog);
        let message = wrapped(&message, WIDTH, 0, "");
        Ending::failure(format!("{}\n{}", self.usage(), message.trim_end()))
    }

    fn usage(&self) -> String {
        let mut parts = Vec::new();
        if let Some(command) = self.command {
            let tool = self.parser.level(None);
            parts.extend(tool.syntaxes(|arg| arg.required, |group| group.required));
            parts.push(command.name.to_owned());
        }
        parts.extend(self.syntaxes(|_| true, |_| true));
        if self.command.is_none() && !self.parser.commands.is_empty() {
            let names: Vec<&str> = self.parser.commands.iter().map(|command| command.name).collect();
            parts.push(format!("{{{}}}", names.join(",")));
            parts.push("...".to_owned());
        }
        usage_of(self.parser.prog, &parts)
    }

    /// How options and groups are written in a usage.
    fn syntaxes(&self, which: impl Fn(&Arg) -> bool, groups: impl Fn(&Group) -> bool) -> Vec<String> {
        let alone = self.args.iter().filter(|arg| arg.group.is_empty() && which(arg));
        let mut parts: Vec<String> = alone.map(|arg| arg.bracketed()).collect();
        for group in self.groups.iter().filter(|group| groups(group)) {
            let (open, close) = if group.required { ("(", ")") } else { ("[", "]") };
            let mut syntaxes: Vec<String> = self.within(group).map(|arg| arg.syntax()).collect();
            match syntaxes.as_mut_slice() {
                [] => {}
                [only] if group.required => parts.push(only.clone()),
                [only] => parts.push(format!("[{only}]")),
                [first, .., last] => {
                    first.insert_str(0, open);
                    last.push_str(close);
                    for (index, syntax) in syntaxes.into_iter().enumerate() {
                        if index > 0 {
                            parts.push("|".to_owned());
                        }
                        parts.push(syntax);
                    }
                }
            }
        }
        parts
    }

    fn help(&self) -> String {
        let about = self.command.map_or(self.parser.about, |command| command.help);
        let mut text = format!("{}\n\n{}\n", self.usage(), wrapped(about, WIDTH, 0, ""));
        if self.command.is_none() && !self.parser.commands.is_empty() {
            let names: Vec<&str> = self.parser.commands.iter().map(|command| command.name).collect();
            text.push_str(&format!("\npositional arguments:\n  {{{}}}\n", names.join(",")));
            for command in self.parser.commands {
                text.push_str(&indented(command.name, command.help, WIDTH));
            }
        }
        let apart = |arg: &Arg| {
            let group = self.groups.iter().find(|group| group.name == arg.group);
            group.is_some_and(|group| !group.about.is_empty() || !group.title.is_empty())
        };
        text.push_str("\noptional arguments:\n");
        for arg in self.args.iter().filter(|arg| !apart(arg)) {
            text.push_str(&row(arg));
        }
        for group in self.groups {
            if group.about.is_empty() && group.title.is_empty() {
                continue;
            }
            text.push('\n');
            if !group.title.is_empty() {
                text.push_str(&format!("{}:\n", group.title));
            }
            text.push_str(&format!("  {}\n\n", wrapped(group.about, WIDTH, 2, "  ")));
            text.extend(self.within(group).map(|arg| row(arg)));
        }
        text.trim_end().to_owned()
    }
}

fn row(arg: &Arg) -> String {
    match arg.default {
        Some(default) => indented(&arg.title(), &format!("{} (default: {default})", arg.help), WIDTH),
        None if matches!(arg.takes, Takes::Nothing) && arg.key() != HELP.key() => {
            indented(&arg.title(), &format!("{} (default: false)", arg.help), WIDTH)
        }
        None => indented(&arg.title(), arg.help, WIDTH),
    }
}

fn usage_of(prog: &str, parts: &[String]) -> String {
    const LONGEST: usize = 30;
    let mut text = format!("usage: {prog}");
    let mut indent = text.len();
    if indent > LONGEST {
        indent = 6;
        text.push_str(&format!("\n{:indent$}", ""));
    }
    let mut width = if indent == 6 { 12 } else { indent };
    for (index, part) in parts.iter().enumerate() {
        if index > 0 && width + part.len() + 1 > WIDTH {
            text.push_str(&format!("\n{:indent$}", ""));
            width = indent;
        }
        text.push(' ');
        text.push_str(part);
        width += part.len() + 1;
    }
    text
}

/// Java's conversion of a value.
fn convert(kind: Type, value: &str) -> Result<(), String> {
    let not_a = |name: &str, why: String| Err(format!("could not convert '{value}' to {name} ({why})"));
    let input = || format!("For input string: \"{value}\"");
    let among = |choices: &[&str]| match choices.contains(&value) {
        true => Ok(()),
        false => Err(format!(
            "invalid choice: '{value}' (choose from {{{}}})",
            choices.join(",")
        )),
    };
    match kind {
        Type::Text => Ok(()),
        Type::Int | Type::IntAmong(_) if value.parse::<i32>().is_err() => not_a("Integer", input()),
        Type::Long if value.parse::<i64>().is_err() => not_a("Long", input()),
        Type::Double if value.trim().is_empty() => not_a("Double", "empty String".to_owned()),
        Type::Double if !is_double(value) => not_a("Double", input()),
        Type::IntAmong(choices) | Type::Among(choices) => among(choices),
        Type::Int | Type::Long | Type::Double => Ok(()),
    }
}

fn is_double(value: &str) -> bool {
    let text = value.trim();
    let text = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    text.parse::<f64>().is_ok()
}

/// argparse4j's proposals for a misspelt word, those that need the fewest changes.
fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    const FAR: usize = 7;
    let body = word.trim_start_matches('-');
    if body.chars().count() < 2 && word.starts_with('-') {
        return String::new();
    }
    let mut near: Vec<(usize, &str)> = known
        .filter(|name| name.trim_start_matches('-').len() > 1)
        .map(|name| (distance(body, name.trim_start_matches('-')), name))
        .collect();
    near.sort_unstable();
    let Some((least, _)) = near.first().copied().filter(|(least, _)| *least < FAR) else {
        return String::new();
    };
    let names = near.iter().take_while(|(far, _)| *far == least);
    let lines: String = names.map(|(_, name)| format!("\n\t{name}")).collect();
    format!("\n\nDid you mean:{lines}")
}

/// How far apart two words are: exchanging neighbours is free, an addition costs 1, another letter 2, an omission 4.
fn distance(from: &str, to: &str) -> usize {
    if to.starts_with(from) {
        return 0;
    }
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        // As argparse4j counts: an omission at the beginning costs 1, not 4.
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let other = rows[i][j] + if a == b { 0 } else { 2 };
            let mut least = other.min(rows[i][j + 1] + 4).min(row[j] + 1);
            if i > 0 && j > 0 && a != b && from[i - 1] == *b && *a == to[j - 1] {
                least = least.min(rows[i - 1][j - 1]);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
