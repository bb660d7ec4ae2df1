//! The course as pages to hand out: one file a lesson and one of contents, as HTML or as Markdown.
//!
//! Each lesson is written once, as Markdown (`text`); the pages of HTML (`html`) are made of that.

mod html;
mod text;

use super::model::Lesson;
use crate::i18n::{Lang, Words};

/// What the pages are made of.
pub struct Book<'a> {
    /// The lessons, in their order.
    pub lessons: &'a [Lesson],
    /// The language; a lesson that is not written in it is there in the first that it has.
    pub words: &'a Words,
    /// Where the cluster is, in texts and commands.
    pub bootstrap: &'a str,
    /// Whether hints, solutions, answers and explanations are there too.
    pub solutions: bool,
}

/// A file of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// As what the pages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Html,
    Markdown,
}

impl Form {
    /// The name of the page of contents.
    fn contents(self) -> &'static str {
        match self {
            Form::Html => "index.html",
            Form::Markdown => "README.md",
        }
    }

    /// The name of a lesson's page.
    fn page(self, lesson: &str) -> String {
        match self {
            Form::Html => format!("{lesson}.html"),
            Form::Markdown => format!("{lesson}.md"),
        }
    }
}

impl Book<'_> {
    /// Its pages in HTML, the contents first. Each stands by itself: it asks no network for anything.
    pub fn html(&self) -> Vec<Page> {
        let mut pages = vec![Page {
            name: Form::Html.contents().to_owned(),
            text: html::contents(self),
        }];
        pages.extend(self.lessons.iter().enumerate().map(|(at, lesson)| Page {
            name: Form::Html.page(&lesson.id),
            text: html::lesson(self, at, lesson),
        }));
        pages
    }

    /// Its pages in Markdown, the contents first.
    pub fn markdown(&self) -> Vec<Page> {
        let mut pages = vec![Page {
            name: Form::Markdown.contents().to_owned(),
            text: text::contents(self),
        }];
        pages.extend(self.lessons.iter().map(|lesson| Page {
            name: Form::Markdown.page(&lesson.id),
            text: text::plain(&text::lesson(self, lesson)),
        }));
        pages
    }

    /// The language in which a lesson is there.
    fn lang(&self, lesson: &Lesson) -> Lang {
        let lang = self.words.lang();
        let first = lesson.languages.first().copied();
        match lesson.languages.contains(&lang) {
            true => lang,
            false => first.unwrap_or(lang),
        }
    }

    /// The title of a lesson.
    fn title<'l>(&self, lesson: &'l Lesson) -> &'l str {
        &lesson.prose(self.lang(lesson)).title
    }

    /// The lesson of an id, which others build on.
    fn named(&self, id: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.id == id)
    }
}
