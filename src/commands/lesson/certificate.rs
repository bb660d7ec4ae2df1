//! `velo lesson certificate`: name, date, lessons and marks, for whoever has finished the course.

use super::Desk;
use crate::course::certificate;
use crate::course::progress::Progress;
use crate::failure::{Failure, Outcome};
use crate::ui::foreign::harmless;
use clap::Args;

/// The lesson that ends with it.
const LAST: &str = "final";

/// Options of `velo lesson certificate`.
#[derive(Debug, Args)]
pub(super) struct CertificateArgs {
    /// Whose it is
    #[arg(long)]
    name: String,
}

pub(super) fn run(desk: &Desk<'_>, args: &CertificateArgs) -> Outcome {
    let progress = Progress::load(&desk.file())?;
    let last = desk.source.lesson(LAST, &desk.words)?;
    let mine = progress.lessons.get(&last.id);
    if mine.is_none_or(|mine| mine.passed(&last) != last.steps.len()) {
        return Err(Failure::request(desk.words.say("error.no-certificate"))
            .because(desk.words.fill("error.no-certificate-why", &[("lesson", LAST)]))
            .hint(format!("velo lesson start {LAST}")));
    }
    let lessons = desk.source.lessons()?;
    let today = jiff::Zoned::now().date().to_string();
    let name = harmless(args.name.trim());
    for line in certificate::lines(&name, &today, &lessons, &progress, &desk.words) {
        desk.context.ui.line(line)?;
    }
    Ok(())
}
