//! `docs/cli.md` says what `velo --help` says.

use clap::{Command, CommandFactory};
use std::fmt::Write;
use std::path::Path;
use velodrome::cli::Cli;

const HEAD: &str = "# The command line

Generated from the program's own help by `VELO_UPDATE_DOCS=1 cargo test --test suite reference`; do not edit by hand.
The options under `velo` can be given to every command. What each prints with `--output json` is in [json.md](json.md).
";

#[test]
fn the_reference_is_what_the_program_says() {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut text = HEAD.to_owned();
    describe(&root, "velo", &mut text);
    let file = Path::new("docs/cli.md");
    if std::env::var_os("VELO_UPDATE_DOCS").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == text,
        "docs/cli.md is out of date; write it anew with: VELO_UPDATE_DOCS=1 cargo test --test suite reference\n{}",
        first_difference(&written, &text)
    );
}

fn describe(command: &Command, path: &str, text: &mut String) {
    // What the environment of the writer holds must not get into the reference, and the options that all commands
    // take stand under `velo` alone.
    let inner = path != "velo";
    let help = command
        .clone()
        .mut_args(|argument| {
            let everywhere =
                argument.is_global_set() || ["help", "version"].contains(&argument.get_id().as_str());
            argument.hide_env_values(true).hide(inner && everywhere)
        })
        .render_long_help()
        .to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        text,
        "\n## `{path}`\n\n```text\n{}\n```\n",
        lines.join("\n").trim_end()
    )
    .unwrap();
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        describe(inner, &format!("{path} {}", inner.get_name()), text);
    }
}

fn first_difference(written: &str, text: &str) -> String {
    let at = written
        .lines()
        .zip(text.lines())
        .position(|(one, other)| one != other);
    let at = at.unwrap_or_else(|| written.lines().count().min(text.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
    format!("line {}:\n- {}\n+ {}", at + 1, line(written), line(text))
}
