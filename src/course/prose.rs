//! The text of a lesson in one language, read from Markdown.
//!
//! ```text
//! # Title
//! Introduction
//! ## step: id — Title of the step
//! What to do and why
//! ### question: id
//! The question
//! 1. an answer
//! 2. another
//! #### answer
//! Why the right one is right
//! ### hint           (up to three)
//! ### why            (after success)
//! ## end
//! Last words
//! ```

use super::picture;
use std::collections::BTreeMap;

/// The text of a lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    /// The lesson's title.
    pub title: String,
    /// What comes before the first step.
    pub intro: String,
    /// Per step id.
    pub steps: BTreeMap<String, StepProse>,
    /// The steps' ids in the order of the file.
    pub order: Vec<String>,
    /// What comes after the last step.
    pub end: String,
    /// Headings that mean nothing here, for `lint`.
    pub unknown: Vec<String>,
}

/// The text of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepProse {
    /// Its title.
    pub title: String,
    /// What to do.
    pub body: String,
    /// Up to three, each saying more.
    pub hints: Vec<String>,
    /// Shown after success.
    pub why: String,
    /// Per question id.
    pub questions: BTreeMap<String, QuestionProse>,
}

/// The text of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionProse {
    /// What is asked.
    pub text: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// Why the right one is right.
    pub answer: String,
}

/// Where the lines being read belong.
enum Part {
    Intro,
    End,
    Body,
    Hint,
    Why,
    Question(String),
    Answer(String),
    Unknown,
}

impl Prose {
    /// The text of a lesson that has none.
    pub const EMPTY: Prose = Prose {
        title: String::new(),
        intro: String::new(),
        steps: BTreeMap::new(),
        order: Vec::new(),
        end: String::new(),
        unknown: Vec::new(),
    };

    /// Reads a Markdown text. Headings that mean nothing are kept in `unknown`; nothing fails.
    pub fn parse(markdown: &str) -> Self {
        let mut reader = Reader {
            prose: Prose::default(),
            step: None,
            part: Part::Intro,
        };
        let mut in_code = false;
        for line in markdown.lines() {
            in_code ^= line.starts_with("```");
            if in_code || !line.starts_with('#') {
                reader.text(line);
            } else {
                reader.heading(line);
            }
        }
        reader.finish()
    }

    /// Every text of the lesson, for searching.
    pub fn everything(&self) -> String {
        let mut all = format!("{}\n{}\n", self.title, self.intro);
        for step in self.steps.values() {
            all.push_str(&step.everything());
        }
        all.push_str(&self.end);
        all
    }
}

impl StepProse {
    /// Every text of the step, for searching.
    pub fn everything(&self) -> String {
        let mut all = format!(
            "{}\n{}\n{}\n{}\n",
            self.title,
            self.body,
            self.hints.join("\n"),
            self.why
        );
        for question in self.questions.values() {
            all.push_str(&format!(
                "{}\n{}\n{}\n",
                question.text,
                question.options.join("\n"),
                question.answer
            ));
        }
        all
    }
}

struct Reader {
    prose: Prose,
    step: Option<String>,
    part: Part,
}

impl Reader {
    fn heading(&mut self, line: &str) {
        let level = line.chars().take_while(|c| *c == '#').count();
        let text = line.trim_start_matches('#').trim();
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        self.part = match (level, word.trim()) {
            (1, _) => {
                self.prose.title = text.to_owned();
                Part::Intro
            }
            (2, "step") => {
                let (id, title) = rest.split_once('—').unwrap_or((rest, ""));
                let id = id.trim().to_owned();
                self.prose.order.push(id.clone());
                self.prose.steps.entry(id.clone()).or_default().title = title.trim().to_owned();
                self.step = Some(id);
                Part::Body
            }
            (2, "end") => Part::End,
            (3, "hint") => {
                if let Some(step) = self.current() {
                    step.hints.push(String::new());
                }
                Part::Hint
            }
            (3, "why") => Part::Why,
            (3, "question") => Part::Question(rest.trim().to_owned()),
            (4, "answer") => match std::mem::replace(&mut self.part, Part::Unknown) {
                Part::Question(id) => Part::Answer(id),
                _ => self.lost(line),
            },
            _ => self.lost(line),
        };
    }

    fn lost(&mut self, line: &str) -> Part {
        self.prose.unknown.push(line.to_owned());
        Part::Unknown
    }

    fn current(&mut self) -> Option<&mut StepProse> {
        let step = self.step.as_ref()?;
        self.prose.steps.get_mut(step)
    }

    fn text(&mut self, line: &str) {
        let part = std::mem::replace(&mut self.part, Part::Unknown);
        match &part {
            Part::Intro => push(&mut self.prose.intro, line),
            Part::End => push(&mut self.prose.end, line),
            Part::Unknown => {}
            Part::Body | Part::Hint | Part::Why | Part::Question(_) | Part::Answer(_) => {
                if let Some(step) = self.current() {
                    step_text(step, &part, line);
                }
            }
        }
        self.part = part;
    }

    fn finish(mut self) -> Prose {
        let prose = &mut self.prose;
        for text in [&mut prose.intro, &mut prose.end] {
            *text = text.trim_matches('\n').to_owned();
        }
        for step in prose.steps.values_mut() {
            let questions = step
                .questions
                .values_mut()
                .flat_map(|question| [&mut question.text, &mut question.answer]);
            for text in step
                .hints
                .iter_mut()
                .chain([&mut step.body, &mut step.why])
                .chain(questions)
            {
                *text = text.trim_matches('\n').to_owned();
            }
        }
        self.prose
    }
}

fn step_text(step: &mut StepProse, part: &Part, line: &str) {
    match part {
        Part::Body => push(&mut step.body, line),
        Part::Why => push(&mut step.why, line),
        Part::Hint => {
            if let Some(hint) = step.hints.last_mut() {
                push(hint, line);
            }
        }
        Part::Question(id) => {
            let question = step.questions.entry(id.clone()).or_default();
            match numbered(line) {
                Some(option) => question.options.push(option.to_owned()),
                None => push(&mut question.text, line),
            }
        }
        Part::Answer(id) => push(&mut step.questions.entry(id.clone()).or_default().answer, line),
        Part::Intro | Part::End | Part::Unknown => {}
    }
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// `2. text` → `text`
fn numbered(line: &str) -> Option<&str> {
    let (number, text) = line.split_once(". ")?;
    (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then(|| text.trim())
}

/// The code blocks of a text, in order, without their fences. Those marked as a `picture` hold words, which each language
/// has its own, so they are left out.
pub fn code_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        if line.starts_with("```") {
            match open.take() {
                Some((true, _)) => {}
                Some((false, block)) => blocks.push(block),
                None => open = Some((picture::sentence(line).is_some(), String::new())),
            }
        } else if let Some((_, block)) = &mut open {
            push(block, line);
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_text_to_steps_by_id() {
        let prose = Prose::parse(
            "# Vélib\nHello\n\n## step: topic — Un sujet\nDo it\n```\n# no heading\n```\n### question: q\nWhat?\n1. a\n2. b\n#### answer\nb\n### hint\nfirst\n### hint\nsecond\n### why\nBecause\n## end\nBye\n",
        );
        let step = &prose.steps["topic"];
        assert_eq!((prose.title.as_str(), prose.intro.as_str()), ("Vélib", "Hello"));
        assert_eq!(step.title, "Un sujet");
        assert_eq!(step.body, "Do it\n```\n# no heading\n```");
        assert_eq!(step.hints, ["first", "second"]);
        assert_eq!(step.questions["q"].options, ["a", "b"]);
        assert_eq!(step.questions["q"].answer, "b");
        assert_eq!((step.why.as_str(), prose.end.as_str()), ("Because", "Bye"));
        assert!(prose.unknown.is_empty());
    }
}
