//! How the words are read: by the tool's own options, then by a subcommand's.

use super::slips::did_you_mean;
use super::{Arg, Command, Group, HELP, Manners, Parsed, Parser, Takes, Type, VERSION, width};
use crate::scripts::fill::wrapped;
use crate::scripts::java_format::parsed_double;
use crate::scripts::{Ending, KAFKA_COMMIT, KAFKA_VERSION};
use std::collections::{BTreeMap, BTreeSet};

/// The words still to be read.
pub(super) struct Words<'a> {
    pub rest: &'a [String],
    /// `--` was seen: no option follows.
    pub separated: bool,
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
pub(super) struct Level<'a> {
    pub parser: &'a Parser,
    pub command: Option<&'a Command>,
    pub args: Vec<&'a Arg>,
    pub groups: &'a [Group],
}

/// The end of a line with a mistake that is told only when nothing else is wrong.
pub(super) type Missing = Option<Ending>;

impl Level<'_> {
    pub(super) fn parse(
        &self,
        words: &mut Words<'_>,
        parsed: &mut Parsed,
        before: Missing,
    ) -> Result<Missing, Ending> {
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
                if self.parser.manners != Manners::OneLine {
                    let flags = self.args.iter().flat_map(|arg| arg.flags.iter().copied());
                    ending.stderr.push_str(&did_you_mean(word, flags));
                }
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
                let code = u8::from(self.parser.manners == Manners::OrFail);
                return Err(Ending::on_stdout(code, self.help()));
            }
            (Takes::Nothing, None) if arg.flags == VERSION.flags => {
                return Err(Ending::success(format!(
                    "{KAFKA_VERSION} (Commit:{KAFKA_COMMIT})"
                )));
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
                if self.parser.manners != Manners::OneLine {
                    let names = commands.iter().map(|command| command.name);
                    ending.stderr.push_str(&did_you_mean(word, names));
                }
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

    pub(super) fn within<'b>(&'b self, group: &'b Group) -> impl Iterator<Item = &'b &'b Arg> {
        self.args.iter().filter(|arg| arg.group == group.name)
    }

    fn error_about(&self, arg: &Arg, message: &str) -> Ending {
        self.error(&format!("argument {}: {message}", arg.names()))
    }

    pub(super) fn error(&self, message: &str) -> Ending {
        if self.parser.manners == Manners::OneLine {
            return Ending::failure(format!("Command line error: {message}. Type --help for help."));
        }
        // argparse4j counts the end of the line, too.
        let message = format!("{}: error: {message}\n", self.parser.prog);
        let message = wrapped(&message, width(), 0, "");
        Ending::failure(format!("{}\n{}", self.usage(), message.trim_end()))
    }
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
        Type::Short => match value.parse::<i64>() {
            Ok(number) if i16::try_from(number).is_ok() => Ok(()),
            Ok(_) => not_a("Short", format!("Value out of range. Value:\"{value}\" Radix:10")),
            Err(_) => not_a("Short", input()),
        },
        Type::Long if value.parse::<i64>().is_err() => not_a("Long", input()),
        Type::Double if value.trim().is_empty() => not_a("Double", "empty String".to_owned()),
        Type::Double if parsed_double(value).is_none() => not_a("Double", input()),
        Type::IntAmong(choices) | Type::Among(choices) => among(choices),
        Type::Int | Type::Long | Type::Double => Ok(()),
    }
}
