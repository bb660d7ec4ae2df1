//! `velo lesson new`: a folder for an author to go on from.

use super::Desk;
use crate::course::scaffold;
use crate::failure::{Failure, Outcome};
use crate::i18n::Lang;
use clap::Args;
use std::path::PathBuf;

/// Options of `velo lesson new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The lesson's folder, such as lessons/40-storm; the lesson is called by what follows the number
    dir: PathBuf,
    /// Only in this language; may be repeated [default: all three]
    #[arg(long = "in", value_name = "LANG")]
    languages: Vec<Lang>,
}

pub(super) fn run(desk: &Desk<'_>, args: &NewArgs) -> Outcome {
    let folder = args.dir.file_name().unwrap_or_default().to_string_lossy();
    let Some(id) = scaffold::id(&folder) else {
        return Err(
            Failure::usage(desk.words.fill("error.lesson-id", &[("name", &folder)]))
                .because(desk.words.say("error.lesson-id-why"))
                .hint("velo lesson new lessons/40-storm"),
        );
    };
    if args.dir.exists() || scaffold::is_taken(id, &desk.source.lessons()?) {
        return Err(
            Failure::request(desk.words.fill("error.lesson-there", &[("name", id)]))
                .hint("velo lesson new lessons/40-another"),
        );
    }
    let mut languages = args.languages.clone();
    languages.sort_unstable();
    languages.dedup();
    let languages = if languages.is_empty() {
        Lang::ALL.to_vec()
    } else {
        languages
    };
    let failed = |path: &PathBuf, error: std::io::Error| {
        Failure::request(format!("cannot write {}", path.display())).because(error)
    };
    std::fs::create_dir_all(&args.dir).map_err(|error| failed(&args.dir, error))?;
    for (name, text) in scaffold::files(id, &languages) {
        let path = args.dir.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
        desk.context.ui.line(path.display().to_string())?;
    }
    let dir = args.dir.display().to_string();
    desk.context.ui.say(desk.words.fill("lint.new", &[("dir", &dir)]));
    Ok(())
}
