//! What learners commonly believe, and which answers show it: `lessons/beliefs.toml`.

use super::question::Given;
use crate::i18n::Lang;
use serde::Deserialize;

/// Something that is commonly believed and is not so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Belief {
    /// Its name, for reports.
    pub id: String,
    /// The answers that show it.
    pub shows: Vec<Shows>,
    /// The findings of `velo why` that show it on a cluster.
    #[serde(default, rename = "finding")]
    pub findings: Vec<String>,
    fr: String,
    es: String,
    en: String,
}

/// Answers to a question that show a belief.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shows {
    /// The lesson of the question.
    pub lesson: String,
    /// Its step.
    pub step: String,
    /// The question's id.
    pub question: String,
    /// The numbers of the answers, from 1; where a number is typed, such numbers; of lines that are put in order, the one that
    /// does not belong, which comes after the last.
    pub answers: Vec<usize>,
}

impl Shows {
    /// Whether they are answers to this question.
    pub(super) fn is_about(&self, lesson: &str, step: &str, question: &str) -> bool {
        self.lesson == lesson && self.step == step && self.question == question
    }

    pub(super) fn is_shown_by(&self, given: &Given) -> bool {
        match given {
            Given::Number(number) => self.answers.contains(number),
            Given::Order(lines) => lines.iter().any(|line| self.answers.contains(line)),
        }
    }
}

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "belief")]
    beliefs: Vec<Belief>,
}

/// Reads the file.
///
/// # Errors
/// What about it cannot be understood.
pub fn read(text: &str) -> Result<Vec<Belief>, String> {
    let file: Result<File, toml::de::Error> = toml::from_str(text);
    file.map(|file| file.beliefs)
        .map_err(|error| error.to_string().trim_end().to_owned())
}

impl Belief {
    /// One sentence that names it without blame.
    pub fn sentence(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fr => &self.fr,
            Lang::Es => &self.es,
            Lang::En => &self.en,
        }
    }
}
