//! How Apache Kafka's argparse4j tools read their command lines: `--name value`, `--name=value`, unambiguous beginnings,
//! options that exclude each other, subcommands, and argparse4j's own messages when something is wrong.

mod help;
mod level;
mod slips;

use super::ending::Ending;
use console::Term;
use level::{Level, Words};
use std::collections::BTreeMap;

/// The columns that argparse4j fills: five less than the terminal has, 75 where there is none.
fn width() -> usize {
    let given = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    let columns = given.or_else(|| Term::stderr().size_checked().map(|(_, columns)| columns.into()));
    let filled = columns.and_then(|columns| columns.checked_sub(5));
    filled.filter(|filled| *filled > 0).unwrap_or(75)
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any text.
    Text,
    /// Java's `Integer`.
    Int,
    /// Java's `Short`.
    Short,
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
    /// What `--command-config` was called before; the tools say so when it is used.
    pub const fn old_command_config(flags: &'static [&'static str]) -> Self {
        let help = "(DEPRECATED) The old name of --command-config.";
        Self::new(flags, Takes::One(Type::Text), "CONFIG-FILE", help)
    }

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
    /// What usage and help call the subcommand; empty for all of them in braces.
    pub command_metavar: &'static str,
    /// What it makes of help and mistakes.
    pub manners: Manners,
}

/// What a tool makes of help that was asked for, and of mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// It leaves both to argparse4j: usage and message, and exit code 1 even for help.
    OrFail,
    /// The same, but help is success.
    HelpSucceeds,
    /// Help is success, and a mistake is told in one line without the usage.
    OneLine,
}

/// `-v`, for tools that have it.
pub const VERSION: Arg = Arg::flag(&["-v", "--version"], "show the version and exit");
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

    /// The same of a tool that shows its help, with success, to whoever says nothing.
    ///
    /// # Errors
    /// As [`Parser::parse`].
    pub fn parse_some(&self, arguments: &[String]) -> Result<Parsed, Ending> {
        if arguments.is_empty() {
            return Err(Ending::success(self.help()));
        }
        self.parse(arguments)
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
