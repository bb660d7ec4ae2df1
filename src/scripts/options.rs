//! How Apache Kafka's jopt-simple tools read their command lines: `--name value`, `--name=value`, `-name`, repeats,
//! words that belong to no option ignored, and jopt-simple's own messages when something is wrong.

use super::ending::Ending;
use std::collections::BTreeMap;

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing; a value given with `=` is ignored, as jopt-simple does.
    Nothing,
    /// One value, described for `--help` as `String: topic`.
    Value(&'static str),
    /// A value if the next word is not an option, described likewise.
    MaybeValue(&'static str),
}

/// An option of a script.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// Its names without dashes; the first is its own, the others are synonyms.
    pub names: &'static [&'static str],
    /// What follows it.
    pub takes: Takes,
    /// What it does, in our words; one sentence or more.
    pub help: &'static str,
}

/// An option without a value.
pub const fn flag(names: &'static [&'static str], help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::Nothing,
        help,
    }
}

/// An option with a value.
pub const fn value(names: &'static [&'static str], describes: &'static str, help: &'static str) -> Opt {
    Opt {
        names,
        takes: Takes::Value(describes),
        help,
    }
}

/// The options of a script, and how it introduces itself.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The first line of its help.
    pub about: &'static str,
    /// All options, `--help` and `--version` included.
    pub all: &'static [Opt],
    /// Whether an unambiguous beginning of a name is taken for it.
    pub abbreviations: bool,
}

/// `--help`, of every tool.
pub const HELP: Opt = flag(&["help"], "Print usage information.");
/// `--version`, of every tool.
pub const VERSION: Opt = flag(&["version"], "Display Kafka version.");

/// A command line that was read.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    given: BTreeMap<&'static str, Vec<String>>,
    /// The options in the order given, without dashes, each by its first name.
    pub order: Vec<&'static str>,
    /// Words that belong to no option.
    pub words: Vec<String>,
    /// No argument at all was given.
    pub empty: bool,
}

impl Options {
    /// Reads a command line.
    ///
    /// # Errors
    /// jopt-simple's message for an unknown option or a missing value; exit code 1.
    pub fn parse(&self, arguments: &[String]) -> Result<Parsed, Ending> {
        let mut parsed = Parsed {
            empty: arguments.is_empty(),
            ..Parsed::default()
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                parsed.words.extend(rest.cloned());
                break;
            } else if let Some(long) = argument.strip_prefix("--") {
                let (name, value) = split(long);
                self.take(&mut parsed, self.named(name)?, value, &mut rest)?;
            } else if argument.starts_with('-') && argument.len() > 1 {
                self.take_short(&mut parsed, &argument[1..], &mut rest)?;
            } else {
                parsed.words.push(argument.clone());
            }
        }
        Ok(parsed)
    }

    /// One dash: a whole name, or a cluster of one-letter options.
    fn take_short(
        &self,
        parsed: &mut Parsed,
        text: &str,
        rest: &mut std::slice::Iter<'_, String>,
    ) -> Result<(), Ending> {
        let (name, value) = split(text);
        if let Ok(option) = self.named(name) {
            return self.take(parsed, option, value, rest);
        }
        let first: String = text.chars().take(1).collect();
        let option = self.named(&first)?;
        let joined = &text[first.len()..];
        self.take(
            parsed,
            option,
            Some(joined).filter(|value| !value.is_empty()),
            rest,
        )
    }

    fn named(&self, name: &str) -> Result<&'static Opt, Ending> {
        if let Some(found) = self.all.iter().find(|option| option.names.contains(&name)) {
            return Ok(found);
        }
        let mut begun = self
            .all
            .iter()
            .filter(|option| option.names.iter().any(|own| own.starts_with(name)));
        match (begun.next(), begun.next()) {
            (Some(only), None) if self.abbreviations && !name.is_empty() => Ok(only),
            _ => Err(Ending::failure(format!("{name} is not a recognized option"))),
        }
    }

    fn take(
        &self,
        parsed: &mut Parsed,
        option: &'static Opt,
        inline: Option<&str>,
        rest: &mut std::slice::Iter<'_, String>,
    ) -> Result<(), Ending> {
        parsed.order.push(option.names[0]);
        let values = parsed.given.entry(option.names[0]).or_default();
        match (option.takes, inline) {
            (Takes::Nothing, _) => {}
            (_, Some(value)) => values.push(value.to_owned()),
            (Takes::Value(_), None) => match rest.next() {
                Some(value) => values.push(value.clone()),
                None => {
                    return Err(Ending::failure(format!(
                        "Option {} requires an argument",
                        joined(option.names)
                    )));
                }
            },
            (Takes::MaybeValue(describes), None) => {
                // A number may be negative; what is none is no value of such an option.
                let number = describes.starts_with("Integer") || describes.starts_with("Long");
                let is_value = |next: &&String| match number {
                    true => next.parse::<i64>().is_ok(),
                    false => !next.starts_with('-'),
                };
                if let Some(value) = rest.as_slice().first().filter(is_value) {
                    values.push(value.clone());
                    rest.next();
                }
            }
        }
        Ok(())
    }

    /// A mistake that Kafka answers with the message and the help on stderr, exit code 1.
    pub fn misuse(&self, message: impl Into<String>) -> Ending {
        Ending::failure(format!("{}\n{}", message.into(), self.help()))
    }

    /// `--help` or no argument at all: the help on stderr, exit code 1; `--version`: the version, exit code 0.
    ///
    /// # Errors
    /// The ending, when one was asked for.
    pub fn help_or_version(&self, parsed: &Parsed) -> Result<(), Ending> {
        if parsed.empty || parsed.has("help") {
            return Err(self.misuse(self.about));
        }
        if parsed.has("version") {
            return Err(Ending::success(super::KAFKA_VERSION));
        }
        Ok(())
    }

    /// Checks that all of these were given.
    ///
    /// # Errors
    /// `Missing required argument "[name]"` with the help, as Kafka prints it.
    pub fn require(&self, parsed: &Parsed, names: &[&'static str]) -> Result<(), Ending> {
        match names.iter().find(|name| !parsed.has(name)) {
            Some(missing) => Err(self.misuse(format!(
                "Missing required argument \"{}\"",
                self.bracketed(missing)
            ))),
            None => Ok(()),
        }
    }

    /// Checks that none of `others` was given along with `used`.
    ///
    /// # Errors
    /// `Option "[a]" can't be used with option "[b]"` with the help, as Kafka prints it.
    pub fn forbid(&self, parsed: &Parsed, used: &'static str, others: &[&'static str]) -> Result<(), Ending> {
        match others.iter().find(|other| parsed.has(used) && parsed.has(other)) {
            Some(other) => Err(self.misuse(format!(
                "Option \"{}\" can't be used with option \"{}\"",
                self.bracketed(used),
                self.bracketed(other)
            ))),
            None => Ok(()),
        }
    }

    fn bracketed(&self, name: &str) -> String {
        let names = self
            .all
            .iter()
            .find(|option| option.names.contains(&name))
            .map_or(&[][..], |option| option.names);
        format!("[{}]", names.join(", "))
    }

    /// The table of options, sorted by name, two columns.
    pub fn help(&self) -> String {
        let mut rows: Vec<(String, &str)> = self
            .all
            .iter()
            .map(|option| (option.title(), option.help))
            .collect();
        rows.sort();
        two_columns(&rows)
    }
}

impl Opt {
    fn title(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| format!("--{name}")).collect();
        let names = names.join(", ");
        match self.takes {
            Takes::Nothing => names,
            Takes::Value(describes) => format!("{names} <{describes}>"),
            Takes::MaybeValue(describes) => format!("{names} [{describes}]"),
        }
    }
}

impl Parsed {
    /// Whether the option was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value of an option that may be given once.
    ///
    /// # Errors
    /// When it was given more than once.
    pub fn value(&self, name: &str) -> Result<Option<&str>, Ending> {
        match self.values(name) {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ => Err(Ending::failure(format!(
                "Found multiple arguments for option {name}, but you asked for only one"
            ))),
        }
    }

    /// All values of an option, in the order given.
    pub fn values(&self, name: &str) -> &[String] {
        self.given.get(name).map_or(&[], Vec::as_slice)
    }

    /// A value of a type that jopt-simple converts to.
    ///
    /// # Errors
    /// `Cannot parse argument 'x' of option name`.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Ending> {
        self.value(name)?.map(|text| converted(text, name)).transpose()
    }

    /// All values of such a type.
    ///
    /// # Errors
    /// The same.
    pub fn numbers<T: std::str::FromStr>(&self, name: &str) -> Result<Vec<T>, Ending> {
        let all = self.values(name).iter();
        all.map(|text| converted(text, name)).collect()
    }
}

fn converted<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, Ending> {
    text.parse()
        .map_err(|_| Ending::failure(format!("Cannot parse argument '{text}' of option {name}")))
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('=')
        .map_or((text, None), |(name, value)| (name, Some(value)))
}

fn joined(names: &[&str]) -> String {
    if let [only] = names {
        (*only).to_owned()
    } else {
        format!("[{}]", names.join(", "))
    }
}

/// Rows of a left and a wrapped right column, within 80 characters.
pub fn two_columns(rows: &[(String, &str)]) -> String {
    const LEFT: usize = 34;
    const RIGHT: usize = 44;
    let mut text = format!("{:LEFT$}  Description\n{:LEFT$}  -----------", "Option", "------");
    for (left, right) in rows {
        let mut lines = wrapped(right, RIGHT).into_iter();
        let first = lines.next().unwrap_or_default();
        if left.len() > LEFT {
            text.push_str(&format!("\n{left}\n{:LEFT$}  {first}", ""));
        } else {
            text.push_str(&format!("\n{left:LEFT$}  {first}"));
        }
        for line in lines {
            text.push_str(&format!("\n{:LEFT$}  {line}", ""));
        }
    }
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// A word as a shell needs it typed.
pub fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options {
        about: "A tool.",
        all: &[
            HELP,
            VERSION,
            flag(&["list"], "List."),
            value(&["topic"], "String: topic", "The topic."),
        ],
        abbreviations: false,
    };

    fn parse(words: &[&str]) -> Result<Parsed, Ending> {
        OPTIONS.parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    fn refusal(words: &[&str]) -> String {
        parse(words).unwrap_err().stderr
    }

    #[test]
    fn values_follow_or_are_joined_and_stray_words_are_kept_apart() {
        let parsed = parse(&["--topic=a", "-topic", "b", "stray", "--list=ignored"]).unwrap();
        assert_eq!(parsed.values("topic"), ["a", "b"]);
        assert!(parsed.has("list"));
        assert_eq!(parsed.words, ["stray"]);
        assert_eq!(
            parsed.value("topic").unwrap_err().stderr,
            "Found multiple arguments for option topic, but you asked for only one"
        );
    }

    #[test]
    fn mistakes_are_told_in_jopt_simples_words() {
        assert_eq!(refusal(&["--topix", "x"]), "topix is not a recognized option");
        assert_eq!(refusal(&["--topic"]), "Option topic requires an argument");
        assert_eq!(refusal(&["--li"]), "li is not a recognized option");
        assert_eq!(refusal(&["-x"]), "x is not a recognized option");
        let parsed = parse(&["--topic", "x"]).unwrap();
        assert_eq!(
            parsed.number::<i32>("topic").unwrap_err().stderr,
            "Cannot parse argument 'x' of option topic"
        );
    }
}
