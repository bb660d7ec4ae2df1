//! Pages of HTML: styles inside, no script, nothing from elsewhere.

use super::{Book, Form, text};
use crate::course::model::Lesson;
use crate::course::picture;
use crate::i18n::Lang;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// The page of contents.
pub(super) fn contents(book: &Book<'_>) -> String {
    let words = book.words;
    let mut rows = String::new();
    for (number, lesson) in book.lessons.iter().enumerate() {
        let before = lesson.after.iter().filter_map(|id| book.named(id));
        let before: Vec<String> = before.map(|lesson| link(lesson, &escaped(&lesson.id))).collect();
        let title = link(lesson, &escaped(book.title(lesson)));
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{title} <code>{}</code></td><td>{}</td></tr>",
            number + 1,
            escaped(&lesson.id),
            before.join(", ")
        );
    }
    let title = escaped(words.say("book.course"));
    let [lesson, builds] = ["book.lesson", "book.builds-on"].map(|key| escaped(words.say(key)));
    let body = format!(
        "<main>\n<h1>{title}</h1>\n<table>\n<thead><tr><th>#</th><th>{lesson}</th><th>{builds}</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n</main>\n"
    );
    page(words.lang(), &title, &body)
}

/// The page of a lesson; `at` is its place among the others.
pub(super) fn lesson(book: &Book<'_>, at: usize, lesson: &Lesson) -> String {
    let words = book.words;
    let way = |lesson: Option<&Lesson>, key: &str| {
        lesson.map_or(String::new(), |lesson| {
            let text = words.fill(key, &[("title", book.title(lesson))]);
            format!("<span>{}</span>\n", link(lesson, &escaped(&text)))
        })
    };
    let before = at.checked_sub(1).and_then(|at| book.lessons.get(at));
    let contents = escaped(words.say("book.contents"));
    let ways = format!(
        "<nav>\n{}<span><a href=\"{}\">{contents}</a></span>\n{}</nav>\n",
        way(before, "book.previous"),
        Form::Html.contents(),
        way(book.lessons.get(at + 1), "book.next"),
    );
    let text = rendered(&text::lesson(book, lesson));
    let body = format!("{ways}<main>\n{text}</main>\n{ways}");
    page(book.lang(lesson), &escaped(book.title(lesson)), &body)
}

/// A link to a lesson's page, with this HTML in it.
fn link(lesson: &Lesson, text: &str) -> String {
    format!("<a href=\"{}\">{text}</a>", escaped(&Form::Html.page(&lesson.id)))
}

/// A page with this title and body, both in HTML.
fn page(lang: Lang, title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{body}</body>\n</html>\n",
        lang.code()
    )
}

/// A Markdown text as lessons are written in: headings, paragraphs, lists, blocks of code and pictures.
fn rendered(markdown: &str) -> String {
    let mut writer = Writer::default();
    for line in markdown.lines() {
        writer.line(line);
    }
    if writer.block.is_some() {
        writer.in_block("```");
    }
    writer.end();
    writer.out
}

/// What is being written.
#[derive(Default)]
struct Writer {
    out: String,
    paragraph: String,
    /// The list that is open, and its item.
    list: Option<(&'static str, String)>,
    /// A blank line has come since the last item.
    blank: bool,
    /// The block that is open: the sentence of a picture, or none of a block of code.
    block: Option<(Option<String>, String)>,
    sections: usize,
}

impl Writer {
    fn line(&mut self, line: &str) {
        if self.block.is_some() {
            return self.in_block(line);
        }
        if line.starts_with("```") {
            self.end();
            self.block = Some((picture::sentence(line).map(str::to_owned), String::new()));
        } else if let Some((level, title)) = heading(line) {
            self.end();
            self.heading(level, title);
        } else if line.trim().is_empty() {
            self.end_paragraph();
            self.blank = true;
        } else if let Some((kind, text)) = item(line) {
            self.item(kind, text);
        } else if self.list.is_some() && !self.blank {
            if let Some((_, item)) = &mut self.list {
                item.push(' ');
                item.push_str(line.trim());
            }
        } else {
            self.end_list();
            if !self.paragraph.is_empty() {
                self.paragraph.push(' ');
            }
            self.paragraph.push_str(line.trim());
        }
    }

    fn in_block(&mut self, line: &str) {
        if !line.starts_with("```") {
            if let Some((_, text)) = &mut self.block {
                text.push_str(line);
                text.push('\n');
            }
            return;
        }
        let Some((sentence, text)) = self.block.take() else {
            return;
        };
        let text = escaped(&text);
        let _ = match sentence {
            Some(sentence) => {
                let said = escaped(&sentence);
                writeln!(
                    self.out,
                    "<figure>\n<pre role=\"img\" aria-label=\"{said}\">{text}</pre>\n<figcaption>{said}</figcaption>\n</figure>"
                )
            }
            None if is_typed(&text) => writeln!(self.out, "<pre class=\"typed\"><code>{text}</code></pre>"),
            None => writeln!(self.out, "<pre><code>{text}</code></pre>"),
        };
    }

    fn heading(&mut self, level: usize, title: &str) {
        let title = inline(title);
        let _ = if level == 2 {
            self.sections += 1;
            writeln!(self.out, "<h2 id=\"s{}\">{title}</h2>", self.sections)
        } else {
            writeln!(self.out, "<h{level}>{title}</h{level}>")
        };
    }

    fn item(&mut self, kind: &'static str, text: &str) {
        self.end_paragraph();
        match self.list.take() {
            Some((open, item)) if open == kind => self.out.push_str(&listed(&item)),
            Some((open, item)) => {
                let _ = write!(self.out, "{}</{open}>\n<{kind}>\n", listed(&item));
            }
            None => {
                let _ = writeln!(self.out, "<{kind}>");
            }
        }
        self.list = Some((kind, text.to_owned()));
        self.blank = false;
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if !paragraph.is_empty() {
            let _ = writeln!(self.out, "<p>{}</p>", inline(&paragraph));
        }
    }

    fn end_list(&mut self) {
        if let Some((kind, item)) = self.list.take() {
            let _ = writeln!(self.out, "{}</{kind}>", listed(&item));
        }
    }

    fn end(&mut self) {
        self.end_list();
        self.end_paragraph();
        self.blank = false;
    }
}

/// Whether a block is of commands, whose lines may be broken where they do not fit; columns may not.
fn is_typed(block: &str) -> bool {
    let mut programs = block.lines().filter_map(|line| line.split_whitespace().next());
    programs.any(|program| program == "velo" || program.starts_with("kafka-"))
}

fn listed(item: &str) -> String {
    format!("<li>{}</li>\n", inline(item))
}

/// `## Title` → 2 and `Title`
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|letter| *letter == '#').count();
    let title = line.trim_start_matches('#').strip_prefix(' ')?;
    (1..=3).contains(&level).then_some((level, title.trim()))
}

/// `- item` or `1. item`, as the kind of its list and its text.
fn item(line: &str) -> Option<(&'static str, &str)> {
    if let Some(text) = line.strip_prefix("- ") {
        return Some(("ul", text.trim()));
    }
    let (number, text) = line.split_once(". ")?;
    let is_number = !number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit());
    is_number.then_some(("ol", text.trim()))
}

/// The text of a line: `code`, **strong** and *emphasis*. What is not closed is closed at its end, and a star that opens nothing
/// is a star.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    let mut open: Vec<&str> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let last = number + 1 == parts.len();
        if number % 2 == 0 {
            starred(&escaped(part), last, &mut open, &mut out);
        } else if last {
            let _ = write!(out, "`{}", escaped(part));
        } else {
            let _ = write!(out, "<code>{}</code>", escaped(part));
        }
    }
    while let Some(tag) = open.pop() {
        let _ = write!(out, "</{tag}>");
    }
    out
}

/// A piece of a line without code; `open` is what the pieces before have opened.
fn starred(piece: &str, last: bool, open: &mut Vec<&str>, out: &mut String) {
    let mut rest = piece;
    while let Some((before, after)) = rest.split_once('*') {
        out.push_str(before);
        let (tag, stars, after) = match after.strip_prefix('*') {
            Some(after) => ("strong", "**", after),
            None => ("em", "*", after),
        };
        let opens_nothing = after.starts_with(' ') || (after.is_empty() && last);
        if open.last() == Some(&tag) {
            open.pop();
            let _ = write!(out, "</{tag}>");
        } else if opens_nothing || open.contains(&tag) {
            out.push_str(stars);
        } else {
            open.push(tag);
            let _ = write!(out, "<{tag}>");
        }
        rest = after;
    }
    out.push_str(rest);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lessons_are_written_in_becomes_html() {
        for (markdown, html) in [
            ("One\ntwo.\n\nThree.", "<p>One two.</p>\n<p>Three.</p>\n"),
            ("## 1. A topic", "<h2 id=\"s1\">1. A topic</h2>\n"),
            (
                "- one\n  goes on\n- two\n\nNext",
                "<ul>\n<li>one goes on</li>\n<li>two</li>\n</ul>\n<p>Next</p>\n",
            ),
            ("1. one\n2. two", "<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"),
            (
                "So:\n```\na < b  *c*\n```",
                "<p>So:</p>\n<pre><code>a &lt; b  *c*\n</code></pre>\n",
            ),
            (
                "```\nvelo topic list\n```",
                "<pre class=\"typed\"><code>velo topic list\n</code></pre>\n",
            ),
            (
                "**Predict:** is `a*b*` *so*?",
                "<p><strong>Predict:</strong> is <code>a*b*</code> <em>so</em>?</p>\n",
            ),
            (
                "```picture A writes to B.\nA ──▶ B\n```",
                "<figure>\n<pre role=\"img\" aria-label=\"A writes to B.\">A ──▶ B\n</pre>\n\
                 <figcaption>A writes to B.</figcaption>\n</figure>\n",
            ),
        ] {
            assert_eq!(rendered(markdown), html, "{markdown}");
        }
    }

    #[test]
    fn markup_that_is_not_closed_is_closed() {
        assert_eq!(inline("**a *b"), "<strong>a <em>b</em></strong>");
        assert_eq!(inline("2 * 3 `a"), "2 * 3 `a");
        assert_eq!(
            inline("**The `acks` of** it*"),
            "<strong>The <code>acks</code> of</strong> it*"
        );
        assert!(rendered("```\na").ends_with("a\n</code></pre>\n"));
    }
}
