//! `velo lesson certificate`: name, date, lessons and marks, for whoever has finished the course.

use super::Desk;
use crate::course::certificate;
use crate::course::model::Lesson;
use crate::course::progress::Progress;
use crate::course::talk::Talk;
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
    if !has_passed(&progress, &last) {
        return Err(Failure::request(desk.words.say("error.no-certificate"))
            .because(desk.words.fill("error.no-certificate-why", &[("lesson", LAST)]))
            .hint(format!("velo lesson start {LAST}")));
    }
    for line in lines(desk, &args.name, &progress)? {
        desk.context.ui.line(line)?;
    }
    Ok(())
}

/// Shows it at the end of the lesson that ends with it, to a learner whose name is known.
pub(super) fn at_the_end(desk: &Desk<'_>, lesson: &Lesson, talk: &mut dyn Talk) -> Outcome {
    let progress = Progress::load(&desk.file())?;
    let earned = lesson.id == LAST && has_passed(&progress, lesson);
    let Some(name) = progress.student.as_deref().filter(|_| earned) else {
        return Ok(());
    };
    for line in lines(desk, name, &progress)? {
        talk.say(&line)?;
    }
    Ok(())
}

fn has_passed(progress: &Progress, lesson: &Lesson) -> bool {
    let mine = progress.lessons.get(&lesson.id);
    mine.is_some_and(|mine| mine.passed(lesson) == lesson.steps.len())
}

fn lines(desk: &Desk<'_>, name: &str, progress: &Progress) -> Outcome<Vec<String>> {
    let lessons = desk.source.lessons()?;
    let today = jiff::Zoned::now().date().to_string();
    let name = harmless(name.trim());
    Ok(certificate::lines(&name, &today, &lessons, progress, &desk.words))
}
