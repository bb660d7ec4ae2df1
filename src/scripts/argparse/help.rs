//! Usage and help, as argparse4j lays them out.

use super::level::Level;
use super::{Arg, Group, HELP, Takes, width};
use crate::scripts::fill::{indented, wrapped};

impl Level<'_> {
    /// `usage: …`
    pub(super) fn usage(&self) -> String {
        let mut parts = Vec::new();
        if let Some(command) = self.command {
            let tool = self.parser.level(None);
            parts.extend(tool.syntaxes(|arg| arg.required, |group| group.required));
            parts.push(command.name.to_owned());
        }
        parts.extend(self.syntaxes(|_| true, |_| true));
        if self.command.is_none() && !self.parser.commands.is_empty() {
            parts.push(self.commands_name());
            parts.push("...".to_owned());
        }
        usage_of(self.parser.prog, &parts)
    }

    fn commands_name(&self) -> String {
        let names: Vec<&str> = self.parser.commands.iter().map(|command| command.name).collect();
        match self.parser.command_metavar {
            "" => format!("{{{}}}", names.join(",")),
            metavar => metavar.to_owned(),
        }
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

    /// The whole help.
    pub(super) fn help(&self) -> String {
        let about = self.command.map_or(self.parser.about, |command| command.help);
        let mut text = format!("{}\n\n{}\n", self.usage(), wrapped(about, width(), 0, ""));
        if self.command.is_none() && !self.parser.commands.is_empty() {
            text.push_str(&format!("\npositional arguments:\n  {}\n", self.commands_name()));
            for command in self.parser.commands {
                text.push_str(&indented(command.name, command.help, width()));
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
            text.push_str(&format!("  {}\n\n", wrapped(group.about, width(), 2, "  ")));
            text.extend(self.within(group).map(|arg| row(arg)));
        }
        text.trim_end().to_owned()
    }
}

fn row(arg: &Arg) -> String {
    match arg.default {
        Some(default) => indented(
            &arg.title(),
            &format!("{} (default: {default})", arg.help),
            width(),
        ),
        None if matches!(arg.takes, Takes::Nothing) && arg.key() != HELP.key() => {
            indented(&arg.title(), &format!("{} (default: false)", arg.help), width())
        }
        None => indented(&arg.title(), arg.help, width()),
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
    let mut filled = if indent == 6 { 12 } else { indent };
    for (index, part) in parts.iter().enumerate() {
        if index > 0 && filled + part.len() + 1 > width() {
            text.push_str(&format!("\n{:indent$}", ""));
            filled = indent;
        }
        text.push(' ');
        text.push_str(part);
        filled += part.len() + 1;
    }
    text
}
