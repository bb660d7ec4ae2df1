//! `velo lesson files`: a lesson's programs, for the learner to read, run and change.

use super::Desk;
use crate::commands::candidates;
use crate::course::dress::Dress;
use crate::course::progress::Progress;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use clap::Args;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Options of `velo lesson files`.
#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    /// Which lesson
    #[arg(add = candidates::lessons())]
    lesson: String,
    /// Where to; made when it is missing
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Overwrite files that are there and differ
    #[arg(long)]
    force: bool,
}

pub(super) fn run(desk: &Desk<'_>, args: &FilesArgs) -> Outcome {
    let lesson = desk.source.lesson(&args.lesson, &desk.words)?;
    if lesson.files.is_empty() {
        let said = desk.words.fill("error.no-files", &[("lesson", &lesson.id)]);
        return Err(Failure::request(said)
            .because(desk.words.say("error.no-files-why"))
            .hint(format!("velo lesson start {}", lesson.id)));
    }
    let progress = Progress::load(&desk.file())?;
    let mine = progress.lessons.get(&lesson.id).cloned().unwrap_or_default();
    let bootstrap = if desk.context.address.is_named() || mine.bootstrap.is_empty() {
        desk.context.connection.servers()?;
        desk.context.connection.bootstrap()
    } else {
        &mine.bootstrap
    };
    let dress = Dress::new(&lesson, &mine.prefix, bootstrap);
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| Failure::request(format!("cannot make {}", args.dir.display())).because(error))?;
    for (name, text) in &lesson.files {
        let path = args.dir.join(name);
        write(&path, &dress.text(text), args.force, &desk.words)?;
        desk.context.ui.line(path.display().to_string())?;
    }
    Ok(())
}

/// Never overwrites what the learner may have changed, unless told to.
pub(super) fn write(path: &Path, text: &str, force: bool, words: &Words) -> Outcome {
    let failed = |error| Failure::request(format!("cannot write {}", path.display())).because(error);
    match std::fs::read(path) {
        Ok(there) if there == text.as_bytes() => return Ok(()),
        Ok(_) if !force => {
            let path = path.display().to_string();
            return Err(Failure::request(words.fill("error.differs", &[("path", &path)]))
                .because(words.say("error.differs-why"))
                .hint(words.say("error.differs-hint")));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    std::fs::write(path, text).map_err(failed)
}
