//! A class's own questions: one file, read as a lesson that is only asked.

use super::lint_questions;
use super::model::{Lesson, Step};
use super::prose::{Prose, QuestionProse, StepProse};
use super::question::Question;
use crate::bom;
use crate::failure::{Failure, Outcome};
use crate::i18n::Lang;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The only step of such a lesson.
const STEP: &str = "questions";

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the questions are remembered under; the file's name unless stated.
    id: Option<String>,
    title: Option<Said<String>>,
    #[serde(rename = "question")]
    questions: Vec<Own>,
}

/// A question with its text.
#[derive(Debug, Deserialize)]
struct Own {
    text: Said<String>,
    options: Option<Said<Vec<String>>>,
    why: Said<String>,
    /// How it is answered.
    #[serde(flatten)]
    rest: toml::Table,
}

/// Something said once, or in several languages (`{ fr = …, es = …, en = … }`).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said<T> {
    Once(T),
    Each(BTreeMap<String, T>),
}

impl<T: Clone> Said<T> {
    /// In a language; in another one where that one is lacking.
    fn in_lang(&self, lang: Lang) -> Option<T> {
        match self {
            Said::Once(said) => Some(said.clone()),
            Said::Each(each) => each.get(lang.code()).or_else(|| each.values().next()).cloned(),
        }
    }
}

/// Reads a file of questions.
///
/// # Errors
/// When it cannot be read or understood; the failure says where.
pub fn read(path: &Path) -> Outcome<Lesson> {
    let text = bom::read_to_string(path)
        .map_err(|error| Failure::request(format!("cannot read {}", path.display())).because(error))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    lesson(&text, &name).map_err(|why| {
        Failure::request(format!(
            "the questions in {} cannot be understood",
            path.display()
        ))
        .because(why)
        .hint("docs/lessons.md shows such a file")
    })
}

fn lesson(text: &str, name: &str) -> Result<Lesson, String> {
    let file: Result<File, toml::de::Error> = toml::from_str(text);
    let file = file.map_err(|error| error.to_string().trim_end().to_owned())?;
    let id = file.id.unwrap_or_else(|| name.to_owned());
    let mut questions: Vec<Question> = Vec::new();
    let mut texts: BTreeMap<Lang, BTreeMap<String, QuestionProse>> = BTreeMap::new();
    for Own {
        text,
        options,
        why,
        rest,
    } in file.questions
    {
        let question = Question::try_from(rest)?;
        if questions.iter().any(|known| known.id == question.id) {
            return Err(format!("question `{}` stands twice", question.id));
        }
        if question.fact().is_some() {
            return Err(format!(
                "question `{}`: no cluster is asked here; its `number` alone counts",
                question.id
            ));
        }
        for lang in Lang::ALL {
            let options = options.as_ref().and_then(|options| options.in_lang(lang));
            let prose = QuestionProse {
                text: text.in_lang(lang).unwrap_or_default(),
                options: options.unwrap_or_default(),
                answer: why.in_lang(lang).unwrap_or_default(),
            };
            if let Some(wrong) = lint_questions::one(&question, &prose).into_iter().next() {
                return Err(wrong);
            }
            texts.entry(lang).or_default().insert(question.id.clone(), prose);
        }
        questions.push(question);
    }
    let title = |lang| file.title.as_ref().and_then(|title| title.in_lang(lang));
    let prose = texts.into_iter().map(|(lang, questions)| {
        let step = StepProse {
            questions,
            ..StepProse::default()
        };
        let prose = Prose {
            title: title(lang).unwrap_or_else(|| id.clone()),
            steps: [(STEP.to_owned(), step)].into(),
            ..Prose::default()
        };
        (lang, prose)
    });
    Ok(asked_only(prose.collect(), questions, id))
}

/// A lesson with nothing but questions.
fn asked_only(prose: BTreeMap<Lang, Prose>, questions: Vec<Question>, id: String) -> Lesson {
    let step = Step {
        id: STEP.to_owned(),
        revision: 1,
        setup: Vec::new(),
        needs: Vec::new(),
        acts: Vec::new(),
        checks: Vec::new(),
        wrong: Vec::new(),
        questions,
        api: Vec::new(),
    };
    Lesson {
        id,
        topics: Vec::new(),
        groups: Vec::new(),
        brokers: Vec::new(),
        languages: Lang::ALL.into(),
        steps: vec![step],
        prose,
        files: BTreeMap::new(),
        after: Vec::new(),
        beliefs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "title = { fr = \"Classe 2B\", en = \"Class 2B\" }\n\
        [[question]]\nid = \"which\"\ntext = \"Which?\"\noptions = [\"this\", \"that\"]\nanswer = 2\nwhy = \"That.\"\n\
        [[question]]\nid = \"many\"\ntext = { fr = \"Combien ?\", en = \"How many?\" }\nnumber = 12\nwhy = \"A dozen.\"\n\
        [[question]]\nid = \"order\"\ntext = \"Order?\"\norder = [\"velo topic list\", \"velo topic create x\"]\n\
        stray = \"velo topic delete x\"\nwhy = \"So.\"\n";

    #[test]
    fn a_file_has_questions_of_all_kinds_in_one_language_or_several() {
        let lesson = lesson(FILE, "2b").unwrap();
        assert_eq!(lesson.id, "2b");
        assert_eq!(lesson.prose(Lang::Fr).title, "Classe 2B");
        assert_eq!(lesson.steps[0].questions.len(), 3);
        let asked = |lang, id: &str| lesson.prose(lang).steps[STEP].questions[id].clone();
        assert_eq!(asked(Lang::Fr, "many").text, "Combien ?");
        assert_eq!(asked(Lang::En, "many").text, "How many?");
        assert_eq!(asked(Lang::Es, "which").options, ["this", "that"]);
        // What is not said in Spanish is said in another language.
        assert!(!asked(Lang::Es, "many").text.is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        for (from, to, told) in [
            ("answer = 2", "answer = 3", "question `which`: answer 3 of 2"),
            (
                "why = \"That.\"",
                "why = \"\"",
                "question `which`: has no explanation",
            ),
            ("id = \"many\"", "id = \"which\"", "question `which` stands twice"),
            ("number = 12", "", "question `many`: it needs one of"),
            (
                "number = 12",
                "number = 12\nfact = \"written\"\ntopic = \"t\"",
                "no cluster is asked here",
            ),
            (
                "[[question]]\nid = \"which\"",
                "[[question]]\nid = 3",
                "invalid type",
            ),
            ("text = \"Which?\"", "txt = \"Which?\"", "missing field `text`"),
            (
                "text = \"Order?\"",
                "text = \"Order?\"\noptions = [\"a\"]",
                "has answers to choose from",
            ),
        ] {
            let text = FILE.replacen(from, to, 1);
            let said = lesson(&text, "2b").unwrap_err();
            assert!(said.contains(told), "{told} is not in {said}");
        }
    }
}
