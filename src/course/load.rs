//! Finds and reads lessons: those in the binary, or those in a folder that an author works in.

use super::beliefs::{self, Belief};
use super::model::Lesson;
use super::prose::Prose;
use crate::bom;
use crate::failure::{Failure, Outcome};
use crate::i18n::{Lang, Words};
use crate::nearest::nearest;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files under `lessons/`, as `build.rs` has packed them.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lessons.gz"));

/// Where lessons come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The binary itself.
    Embedded,
    /// A folder laid out like `lessons/`, or one lesson's folder.
    Folder(PathBuf),
}

/// The file that orders the lessons.
const COURSE: &str = "course.toml";

/// The file of what learners commonly believe.
const BELIEFS: &str = "beliefs.toml";

/// What `course.toml` says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Course {
    #[serde(rename = "lesson")]
    lessons: Vec<Place>,
}

/// A lesson's place in the course.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    id: String,
    /// The lessons that it builds on.
    #[serde(default)]
    after: Vec<String>,
}

/// A file of a lesson: path with `/` between its parts, and content.
type Files = BTreeMap<String, String>;

impl Source {
    /// Every lesson, in the order of `course.toml`; without one, in the order of the folders' numbers.
    ///
    /// # Errors
    /// When a file cannot be read, or a `lesson.toml` or `course.toml` says something that means nothing; the failure
    /// names file and line.
    pub fn lessons(&self) -> Outcome<Vec<Lesson>> {
        let files = self.files()?;
        let mut folders: Vec<&str> = files
            .keys()
            .filter_map(|path| path.strip_suffix("lesson.toml"))
            .collect();
        folders.dedup();
        if folders.is_empty() {
            return Err(Failure::request("no lesson found")
                .because("no folder there has a lesson.toml")
                .hint("docs/lessons.md says how a lesson is laid out"));
        }
        let lessons: Outcome<Vec<Lesson>> = folders.into_iter().map(|folder| read(&files, folder)).collect();
        let lessons = match files.get(COURSE) {
            Some(text) => in_order(lessons?, text)?,
            None => lessons?,
        };
        match files.get(BELIEFS) {
            Some(text) => with_beliefs(lessons, text),
            None => Ok(lessons),
        }
    }

    /// The lesson of this name; its number or a beginning that only one has is enough.
    ///
    /// # Errors
    /// When there is none; the failure suggests the nearest name.
    pub fn lesson(&self, name: &str, words: &Words) -> Outcome<Lesson> {
        let mut lessons = self.lessons()?;
        let position = lessons
            .iter()
            .position(|lesson| lesson.id == name)
            .or_else(|| only(&lessons, |lesson| lesson.id.starts_with(name)));
        position.map(|at| lessons.swap_remove(at)).ok_or_else(|| {
            let failure = Failure::usage(words.fill("error.no-such-lesson", &[("name", name)]));
            match nearest(name, lessons.iter().map(|lesson| lesson.id.as_str())) {
                Some(near) => failure.hint(words.fill("error.did-you-mean", &[("name", near)])),
                None => failure.hint("velo lesson list"),
            }
        })
    }

    /// What learners commonly believe, as `beliefs.toml` says.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn beliefs(&self) -> Outcome<Vec<Belief>> {
        match self.files()?.get(BELIEFS) {
            Some(text) => beliefs_in(text),
            None => Ok(Vec::new()),
        }
    }

    fn files(&self) -> Outcome<Files> {
        match self {
            Source::Embedded => unpack(PACKED).map_err(|error| {
                Failure::request("the lessons in this program cannot be read")
                    .because(error)
                    .hint("install this program again, or give a folder of lessons: velo lesson --lessons DIR list")
            }),
            Source::Folder(folder) => {
                let mut files = Files::new();
                collect(folder, "", &mut files)?;
                Ok(files)
            }
        }
    }
}

fn unpack(packed: &[u8]) -> std::io::Result<Files> {
    let text = std::io::read_to_string(GzDecoder::new(packed))?;
    let mut words = text.split_terminator('\0').map(str::to_owned);
    Ok(std::iter::from_fn(|| words.next().zip(words.next())).collect())
}

fn only(lessons: &[Lesson], fits: impl Fn(&Lesson) -> bool) -> Option<usize> {
    let mut found = lessons.iter().enumerate().filter(|(_, lesson)| fits(lesson));
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) -> Outcome {
    let unreadable =
        |path: &Path, error| Failure::request(format!("cannot read {}", path.display())).because(error);
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = format!(
            "{prefix}{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if name.ends_with(".toml") || name.ends_with(".md") || folder.ends_with("files") {
            let text = bom::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            files.insert(name, text);
        }
    }
    Ok(())
}

fn read(files: &Files, folder: &str) -> Outcome<Lesson> {
    let path = format!("{folder}lesson.toml");
    let text = files.get(&path).map_or("", String::as_str);
    let mut lesson: Lesson = toml::from_str(text).map_err(|error| {
        Failure::request(format!("lesson file {path} cannot be understood"))
            .because(error.to_string().trim_end())
    })?;
    lesson.complete();
    for lang in Lang::ALL {
        if let Some(text) = files.get(&format!("{folder}{}.md", lang.code())) {
            lesson.prose.insert(lang, Prose::parse(text));
        }
    }
    lesson.files = files
        .iter()
        .filter_map(|(path, text)| {
            let name = path.strip_prefix(folder)?.strip_prefix("files/")?;
            Some((name.to_owned(), text.clone()))
        })
        .collect();
    Ok(lesson)
}

fn beliefs_failed(why: String) -> Failure {
    Failure::request(format!("{BELIEFS} cannot be understood")).because(why)
}

fn beliefs_in(text: &str) -> Outcome<Vec<Belief>> {
    beliefs::read(text).map_err(beliefs_failed)
}

/// The lessons, each with what its questions may show.
fn with_beliefs(mut lessons: Vec<Lesson>, text: &str) -> Outcome<Vec<Lesson>> {
    for belief in beliefs_in(text)? {
        for shows in &belief.shows {
            if !lessons.iter().any(|lesson| lesson.id == shows.lesson) {
                return Err(beliefs_failed(format!(
                    "`{}` is shown by the lesson `{}`, which there is not",
                    belief.id, shows.lesson
                )));
            }
        }
        for lesson in &mut lessons {
            if belief.shows.iter().any(|shows| shows.lesson == lesson.id) {
                lesson.beliefs.push(belief.clone());
            }
        }
    }
    for lesson in &lessons {
        if let Some((attempt, belief)) = unrefuted(lesson) {
            return Err(beliefs_failed(format!(
                "`{belief}` is shown by the wrong attempt `{attempt}` of the lesson `{}`, and no question there refutes it",
                lesson.id
            )));
        }
    }
    Ok(lessons)
}

/// A wrong attempt of a lesson, and the belief that it shows, where no question of the lesson refutes that: the quiz would have
/// nothing to ask.
fn unrefuted(lesson: &Lesson) -> Option<(&str, &str)> {
    let attempts = lesson.steps.iter().flat_map(|step| &step.wrong);
    let mut named = attempts.filter_map(|attempt| Some((attempt.name.as_str(), attempt.belief.as_deref()?)));
    named.find(|(_, id)| !lesson.beliefs.iter().any(|belief| belief.id == *id))
}

/// The lessons in the order of `course.toml`, each with what it builds on.
fn in_order(mut lessons: Vec<Lesson>, text: &str) -> Outcome<Vec<Lesson>> {
    let failed = |why: &str| Failure::request(format!("{COURSE} cannot be understood")).because(why);
    let course: Course = toml::from_str(text).map_err(|error| failed(error.to_string().trim_end()))?;
    let mut ordered: Vec<Lesson> = Vec::new();
    for Place { id, after } in course.lessons {
        let Some(at) = lessons.iter().position(|lesson| lesson.id == id) else {
            return Err(failed(&format!(
                "no folder has the lesson `{id}`, or it stands twice"
            )));
        };
        for before in &after {
            if !ordered.iter().any(|lesson| lesson.id == *before) {
                return Err(failed(&format!(
                    "`{id}` builds on `{before}`, which does not stand before it"
                )));
            }
        }
        let mut lesson = lessons.remove(at);
        lesson.after = after;
        ordered.push(lesson);
    }
    match lessons.first() {
        Some(lesson) => Err(failed(&format!(
            "the lesson `{}` does not stand in it",
            lesson.id
        ))),
        None => Ok(ordered),
    }
}
