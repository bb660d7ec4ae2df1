//! `velo lesson book`: the course as pages to hand out.

use super::{Desk, files};
use crate::course::book::Book;
use crate::failure::{Failure, Outcome};
use crate::kafka::Connection;
use clap::Args;
use std::path::PathBuf;

/// Options of `velo lesson book`; the language is `--lang`'s.
#[derive(Debug, Args)]
pub(super) struct BookArgs {
    /// Where to; made when it is missing
    dir: PathBuf,
    /// With hints, solutions, answers and explanations, as for a teacher
    #[arg(long)]
    solutions: bool,
    /// As Markdown instead of HTML
    #[arg(long)]
    markdown: bool,
    /// Overwrite pages that are there and differ
    #[arg(long)]
    force: bool,
}

pub(super) fn run(desk: &Desk<'_>, args: &BookArgs) -> Outcome {
    let lessons = desk.source.lessons()?;
    let bootstrap = match desk.context.address.is_named() {
        true => desk.context.connection.bootstrap(),
        false => Connection::DEFAULT_BOOTSTRAP,
    };
    let book = Book {
        lessons: &lessons,
        words: &desk.words,
        bootstrap,
        solutions: args.solutions,
    };
    let pages = if args.markdown {
        book.markdown()
    } else {
        book.html()
    };
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| Failure::request(format!("cannot make {}", args.dir.display())).because(error))?;
    let mut first = None;
    for page in &pages {
        let path = args.dir.join(&page.name);
        files::write(&path, &page.text, args.force, &desk.words)?;
        desk.context.ui.line(path.display().to_string())?;
        first.get_or_insert(path);
    }
    let first = first.unwrap_or_default().display().to_string();
    let said = [("n", pages.len().to_string()), ("first", first)];
    let said = said.each_ref().map(|(name, value)| (*name, value.as_str()));
    desk.context.ui.say(desk.words.fill("book.made", &said));
    Ok(())
}
