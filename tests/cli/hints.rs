//! Every `velo …` line in code and texts is one that `velo` takes.
//!
//! Code: all string literals of `src`, whether hint, notice or question, and the help in doc comments. Texts: docs, lessons
//! and the learner's words. Where `velo` is no command but the program's name, the words are listed here: a new sentence
//! about it must be added, so that no line can hide as one.

use crate::support::hints::{Reading, lines, mistake};
use std::fs;
use std::path::{Path, PathBuf};

/// Sentences in which `velo` is the program's name.
const PROSE: [&str; 14] = [
    "velo was built without",
    "velo ran into a mistake",
    "velo listens there",
    "velo on PATH",
    "velo is neither on PATH",
    "velo in \"$(command -v velo)\"",
    "velo is used",
    "velo {name}",
    "velo and then",
    "velo puis",
    "velo y luego",
    "velo {}, librdkafka {}",
    "velo >nul",
    "velo …",
];

/// Files whose literals only name commands: the scripts' friendlier twins.
const MENTIONS: [&str; 1] = ["src/scripts/table.rs"];

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A piece of a source file.
enum Piece {
    Literal(String),
    Help(String),
}

/// The string literals and doc comments of Rust code, with the lines they begin on.
fn pieces(code: &str) -> Vec<(usize, Piece)> {
    let mut pieces = Vec::new();
    let (mut rest, mut line) = (code, 1);
    while let Some(first) = rest.chars().next() {
        let (taken, piece) = if rest.starts_with("//") {
            let comment = rest.split('\n').next().unwrap();
            let help = comment
                .strip_prefix("/// ")
                .map(|help| Piece::Help(help.to_owned()));
            (comment.len(), help)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") && raw(rest).is_some() {
            let (taken, text) = raw(rest).unwrap();
            (taken, Some(Piece::Literal(text.to_owned())))
        } else if first == '"' {
            let (taken, text) = quoted(rest);
            (taken, Some(Piece::Literal(text)))
        } else if first == '\'' {
            (character(rest), None)
        } else {
            (first.len_utf8(), None)
        };
        let (gone, left) = rest.split_at(taken);
        if let Some(piece) = piece {
            pieces.push((line, piece));
        }
        line += gone.matches('\n').count();
        rest = left;
    }
    pieces
}

/// A raw literal at the beginning of `code`: its length and text.
fn raw(code: &str) -> Option<(usize, &str)> {
    let marks = code[1..].chars().take_while(|mark| *mark == '#').count();
    let text = code[1 + marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let length = text.find(&end)?;
    Some((2 + marks + length + end.len(), &text[..length]))
}

/// A literal with escapes: its length, and its text.
fn quoted(code: &str) -> (usize, String) {
    let mut text = String::new();
    let mut letters = code.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (at + 1, text),
            '\\' => match letters.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('\n') => while letters.next_if(|(_, blank)| blank.is_whitespace()).is_some() {},
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    panic!("a literal without end: {code:.80}");
}

/// The length of a character literal, or of what a lifetime begins with.
fn character(code: &str) -> usize {
    if let Some(escaped) = code.strip_prefix("'\\") {
        return 2
            + escaped
                .char_indices()
                .skip(1)
                .find(|(_, letter)| *letter == '\'')
                .unwrap()
                .0
            + 1;
    }
    let mut letters = code.char_indices().skip(2);
    match letters.next() {
        Some((at, '\'')) => at + 1,
        _ => 1,
    }
}

/// A file without its unit tests, which stand at its end.
fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod ").next().unwrap()
}

/// What is wrong with the lines of a text.
fn wrong(text: &str, reading: Reading) -> Vec<String> {
    let mut found = Vec::new();
    for line in lines(text) {
        if PROSE
            .iter()
            .any(|prose| line.starts_with(prose) || prose.starts_with(line) && text.contains(prose))
        {
            continue;
        }
        if let Some(why) = mistake(line, reading) {
            found.push(format!("`{line}`: {why}"));
        }
    }
    found
}

/// The lines in backticks, as far as each names a command: in `velo lesson next | check` the first.
fn mentioned(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|line| line.starts_with("velo "))
        .map(|line| line.split(" …").next().unwrap())
        .flat_map(|line| wrong(typed(line), Reading::Mention))
        .collect()
}

#[test]
fn every_line_in_code_can_be_typed() {
    let mut mistakes = Vec::new();
    let mut seen = 0;
    for path in files("src", "rs") {
        let name = path
            .strip_prefix(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .display()
            .to_string();
        if name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        let reading = match MENTIONS.contains(&name.as_str()) {
            true => Reading::Mention,
            false => Reading::Line,
        };
        for (line, piece) in pieces(without_tests(&code)) {
            let found = match &piece {
                Piece::Literal(text) => {
                    seen += lines(text).len();
                    wrong(text, reading)
                }
                Piece::Help(text) => mentioned(text),
            };
            mistakes.extend(found.into_iter().map(|why| format!("{name}:{line}: {why}")));
        }
    }
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
    assert!(seen > 150, "only {seen} lines were found: they must have hidden");
}

/// Without what a shell does with the line.
fn typed(line: &str) -> &str {
    let ends = [" | ", " < ", " > ", " &", "  #", " <(", ";", ")", "    ", "`"];
    let end = ends.iter().filter_map(|end| line.find(end)).min();
    line[..end.unwrap_or(line.len())].trim_end()
}

/// What is wrong with a page: its blocks of commands are to be typed, its prose may name commands only.
fn wrong_on_page(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block = false;
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        block ^= fence;
        let wrong = if block && !fence {
            // A lesson's own line, in an example of its file.
            let line = line
                .strip_prefix("velo = \"")
                .map_or(line, |rest| rest.trim_end_matches('"'));
            let starts = ["velo ", "$ velo "];
            let commands = line.split(['|', '(']).map(str::trim_start);
            let commands = commands.filter(|command| starts.iter().any(|start| command.starts_with(start)));
            commands
                .map(|command| typed(command.trim_start_matches("$ ")))
                .filter_map(|command| Some(format!("`{command}`: {}", mistake(command, Reading::Line)?)))
                .collect()
        } else {
            mentioned(line)
        };
        found.extend(wrong.into_iter().map(|why| format!("{}: {why}", number + 1)));
    }
    found
}

#[test]
fn every_line_in_texts_can_be_typed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut mistakes = Vec::new();
    let mut pages = files("docs", "md");
    // The reference is made from the options themselves.
    pages.retain(|page| !page.ends_with("cli.md"));
    pages.extend(files("lessons", "md"));
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let page = page.strip_prefix(root).unwrap().display();
        mistakes.extend(
            wrong_on_page(&text)
                .into_iter()
                .map(|why| format!("{page}:{why}")),
        );
    }
    for page in files("lessons/ui", "toml") {
        let text: toml::Table = fs::read_to_string(&page).unwrap().parse().unwrap();
        let page = page.strip_prefix(root).unwrap().display();
        let words = text.values().filter_map(toml::Value::as_table).flatten();
        for (key, words) in words {
            let found = wrong(words.as_str().unwrap_or_default(), Reading::Line);
            mistakes.extend(found.into_iter().map(|why| format!("{page}: {key}: {why}")));
        }
    }
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn a_wrong_line_is_found_wherever_it_hides() {
    let code = r##"
        // velo nonsense in a comment is nobody's
        let quote = '"'; let other = '\''; let life: &'static str = "velo group reset {group} --to-earliest";
        let raw = r#"type "velo topics list""#;
        let long = "see\n  velo group \
                    resett g";
    "##;
    let found: Vec<String> = pieces(code)
        .into_iter()
        .flat_map(|(_, piece)| match piece {
            Piece::Literal(text) => wrong(&text, Reading::Line),
            Piece::Help(_) => Vec::new(),
        })
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(
        wrong("velo group reset {group} --to earliest", Reading::Line),
        Vec::<String>::new()
    );
    assert_eq!(
        wrong_on_page("Say `velo topic lst`.\n```\n$ velo topic create\n```\n").len(),
        2
    );
    assert_eq!(
        wrong_on_page("Say `velo topic create`.\n```\nvelo topic list | head\n```\n"),
        Vec::<String>::new()
    );
}
