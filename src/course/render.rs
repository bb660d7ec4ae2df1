//! Text for a terminal: Markdown paragraphs folded to its width, code left as it is. The screen is never cleared.

use super::picture;
use crate::ui::fold::fold;
use crate::ui::foreign::harmless;

/// How wide prose is at most: longer lines are hard to read.
const WIDEST: usize = 92;

/// How far code and pictures are set in.
const MARGIN: usize = 4;

/// Where text is shown.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    width: usize,
    colour: bool,
    /// Pictures are told by their sentences.
    told: bool,
}

impl Page {
    /// The standard output as it is: its width, and colours when it is a terminal and `NO_COLOR` is not set. A terminal that
    /// cannot draw, and one that is too narrow for a picture, gets the picture's sentence.
    pub fn of_stdout() -> Self {
        let term = console::Term::stdout();
        let width = term
            .size_checked()
            .map_or(WIDEST, |(_, columns)| usize::from(columns));
        Page {
            width: width.clamp(40, WIDEST),
            colour: console::colors_enabled(),
            told: width < MARGIN + picture::WIDEST
                || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
        }
    }

    /// Without colour, of a given width.
    pub fn plain(width: usize) -> Self {
        Page {
            width,
            colour: false,
            told: width < MARGIN + picture::WIDEST,
        }
    }

    /// The same; when `told`, each picture is told by its sentence, for those who cannot see it.
    #[must_use]
    pub fn telling_pictures(mut self, told: bool) -> Self {
        self.told |= told;
        self
    }

    /// A Markdown text, folded.
    pub fn markdown(self, text: &str) -> String {
        let text = harmless(text);
        let mut out = String::new();
        let mut paragraph = String::new();
        let mut in_code = false;
        let mut left_out = false;
        for line in text.lines() {
            if line.starts_with("```") {
                self.flush(&mut out, &mut paragraph);
                in_code = !in_code;
                left_out = false;
                if let Some(sentence) = picture::sentence(line).filter(|_| in_code && self.told) {
                    left_out = true;
                    paragraph.push_str(sentence);
                    self.flush(&mut out, &mut paragraph);
                }
            } else if in_code && left_out {
                // Its sentence stands in its place.
            } else if in_code {
                out.push_str(&" ".repeat(MARGIN));
                out.push_str(&self.paint(line, console::Style::new().cyan()));
                out.push('\n');
            } else if line.trim().is_empty() {
                self.flush(&mut out, &mut paragraph);
                out.push('\n');
            } else {
                if is_item(line) {
                    self.flush(&mut out, &mut paragraph);
                }
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim_end());
            }
        }
        self.flush(&mut out, &mut paragraph);
        out.trim_end().to_owned()
    }

    /// A heading, ruled to the width.
    pub fn rule(self, text: &str) -> String {
        let text = harmless(text);
        let used = console::measure_text_width(&text) + 4;
        let line = format!("── {text} {}", "─".repeat(self.width.saturating_sub(used)));
        self.paint(&line, console::Style::new().bold())
    }

    /// A command as it is typed, after a prompt.
    pub fn typed(self, prompt: &str, command: &str) -> String {
        format!(
            "{prompt}{}",
            self.paint(&harmless(command), console::Style::new().bold().cyan())
        )
    }

    /// What a check's line looks like: green or red, besides its mark; folded under its own words.
    pub fn verdict(self, passed: bool, line: &str) -> String {
        let style = console::Style::new();
        let line = harmless(line);
        let text = line.trim_start();
        let indent = " ".repeat(line.len() - text.len());
        let folded = fold(text, self.width.saturating_sub(indent.len()), 2);
        self.paint(
            &format!("{indent}{}", folded.join(&format!("\n{indent}"))),
            if passed { style.green() } else { style.red() },
        )
    }

    /// Quieter than the rest.
    pub fn faint(self, line: &str) -> String {
        self.paint(line, console::Style::new().dim())
    }

    fn paint(self, text: &str, style: console::Style) -> String {
        if self.colour {
            style.force_styling(true).apply_to(text).to_string()
        } else {
            text.to_owned()
        }
    }

    fn flush(self, out: &mut String, paragraph: &mut String) {
        if paragraph.is_empty() {
            return;
        }
        let hanging = if is_item(paragraph) {
            paragraph.find(' ').map_or(0, |at| at + 1)
        } else {
            0
        };
        for line in fold(&without_stars(paragraph), self.width, hanging) {
            out.push_str(&line);
            out.push('\n');
        }
        paragraph.clear();
    }
}

/// `- item` or `1. item`
fn is_item(line: &str) -> bool {
    line.starts_with("- ")
        || line
            .split_once(". ")
            .is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

/// A text without the stars of `*emphasis*`; those in code between backticks stay.
fn without_stars(text: &str) -> String {
    let mut in_code = false;
    text.chars()
        .filter(|letter| {
            in_code ^= *letter == '`';
            in_code || *letter != '*'
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_stays_with_its_word() {
        let text = Page::plain(20).markdown("Un cluster répond-il\u{a0}? Oui\u{a0}: c’est lui.");
        assert_eq!(text, "Un cluster\nrépond-il\u{a0}? Oui\u{a0}:\nc’est lui.");
    }

    #[test]
    fn a_picture_is_told_where_it_cannot_be_seen() {
        let text = "Look:\n```picture A writes, B reads.\n  A ──▶ B\n```\nSo.";
        assert_eq!(Page::plain(80).markdown(text), "Look:\n      A ──▶ B\nSo.");
        let told = "Look:\nA writes, B reads.\nSo.";
        assert_eq!(Page::plain(60).markdown(text), told);
        assert_eq!(Page::plain(80).telling_pictures(true).markdown(text), told);
    }

    #[test]
    fn prose_is_folded_and_code_is_not() {
        let text = Page::plain(20).markdown("One two three four five\nsix.\n\n- an item that goes on\n```\na  long line of code that stays whole\n```");
        assert_eq!(
            text,
            "One two three four\nfive six.\n\n- an item that goes\n  on\n    a  long line of code that stays whole"
        );
    }
}
