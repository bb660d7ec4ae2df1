//! What is wrong with a lesson, as far as its files tell: the author's first reader.

use super::facts::Fact;
use super::lint_questions;
use super::model::{Act, BrokerAct, Lesson, Step};
use super::needs;
use super::picture;
use super::program::split;
use super::prose::{Prose, StepProse, code_blocks};
use super::question::Question;
use crate::i18n::{Lang, Words};
use crate::ui::units::count;
use std::collections::BTreeSet;

/// How many hints a step has at most.
const MOST_HINTS: usize = 3;

/// Says why a command line cannot be typed, if so. The words begin with `velo`.
pub type Typeable<'a> = &'a dyn Fn(&[String]) -> Option<String>;

/// Everything that is wrong with a lesson, a sentence each; none when all is well.
pub fn lesson(lesson: &Lesson, typeable: Typeable<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for step in &lesson.steps {
        if !ids.insert(&step.id) {
            wrong.push(format!("step `{}` stands twice", step.id));
        }
        let mut found = Vec::new();
        structure(lesson, step, typeable, &mut found);
        for lang in &lesson.languages {
            let lang = *lang;
            let text = lesson
                .prose(lang)
                .steps
                .get(&step.id)
                .cloned()
                .unwrap_or_default();
            for sentence in step_text(step, &text) {
                found.push(format!("{}: {sentence}", lang.code()));
            }
        }
        wrong.extend(
            found
                .into_iter()
                .map(|sentence| format!("step `{}`: {sentence}", step.id)),
        );
    }
    for lang in lesson.languages.iter().copied() {
        let prose = lesson.prose(lang);
        wrong.extend(
            whole_text(lesson, prose)
                .into_iter()
                .map(|sentence| format!("{}.md: {sentence}", lang.code())),
        );
    }
    wrong.extend(languages_agree(lesson));
    wrong.extend(lint_questions::beliefs(lesson));
    wrong
}

/// Keys that a language of the program's own words lacks or has too many of.
pub fn words() -> Vec<String> {
    let english: BTreeSet<String> = Words::of(Lang::En).keys().map(str::to_owned).collect();
    Lang::ALL
        .into_iter()
        .flat_map(|lang| {
            let here: BTreeSet<String> = Words::of(lang).keys().map(str::to_owned).collect();
            here.symmetric_difference(&english)
                .map(|key| format!("ui/{}.toml: key `{key}` is not in every language", lang.code()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn structure(lesson: &Lesson, step: &Step, typeable: Typeable<'_>, wrong: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for check in &step.checks {
        if !names.insert(check.name.as_str()) {
            wrong.push(format!("check `{}` stands twice", check.name));
        }
    }
    for need in &step.needs {
        let before = lesson.steps.iter().take_while(|other| other.id != step.id);
        let found = needs::find(lesson, need).map(|(needed, _)| &needed.id);
        if found.is_none_or(|id| !before.map(|step| &step.id).any(|before| before == id)) {
            wrong.push(format!("it needs `{need}`, which no step before it checks"));
        }
    }
    for attempt in &step.wrong {
        if !names.contains(attempt.fails.as_str()) {
            wrong.push(format!(
                "wrong attempt `{}` fails on `{}`, which is no check",
                attempt.name, attempt.fails
            ));
        }
        if attempt.belief.is_some() == attempt.seen.is_empty() {
            wrong.push(format!(
                "wrong attempt `{}` needs both a `belief` and how it is `seen`, or neither",
                attempt.name
            ));
        }
    }
    let left = step.wrong.iter().flat_map(|attempt| {
        let around = attempt.until.iter().chain(&attempt.undone);
        around.chain(&attempt.seen).map(|check| &check.fact)
    });
    let about = facts(step)
        .chain(left)
        .flat_map(|fact| [fact.topic(), fact.group()]);
    let made: Vec<&str> = lesson
        .topics
        .iter()
        .chain(&lesson.groups)
        .map(String::as_str)
        .collect();
    for name in about.flatten().filter(|name| !made.contains(name)) {
        wrong.push(format!(
            "`{name}` is checked, but is not among the lesson's topics and groups"
        ));
    }
    let attempts = step
        .wrong
        .iter()
        .flat_map(|wrong| wrong.acts.iter().chain(&wrong.undo));
    for act in step.acts.iter().chain(attempts) {
        if let Some(id) = act
            .broker
            .map(BrokerAct::id)
            .filter(|id| !lesson.brokers.contains(id))
        {
            wrong.push(format!("broker {id} is not among the lesson's brokers"));
        }
        wrong.extend(command(lesson, act, typeable));
    }
    for question in &step.questions {
        wrong.extend(lint_questions::structure(lesson, question, typeable));
    }
    if !step.checks.is_empty() && step.acts.is_empty() {
        wrong.push("it has checks, but no command that solves it".to_owned());
    }
}

/// The facts that a step is about: those of its checks and of its questions.
fn facts(step: &Step) -> impl Iterator<Item = &Fact> {
    let checks = step.checks.iter().map(|check| &check.fact);
    checks.chain(step.questions.iter().filter_map(Question::fact))
}

/// Why a line for `velo` cannot be typed, in words, if so.
pub(super) fn untypeable(command: &str, typeable: Typeable<'_>) -> Option<String> {
    let why = match split(command) {
        Ok(words) if words.first().is_some_and(|word| word == "velo") => typeable(&words)?,
        Ok(_) => "it does not begin with `velo`".to_owned(),
        Err(why) => why,
    };
    Some(format!("`{command}` cannot be typed: {why}"))
}

fn command(lesson: &Lesson, act: &Act, typeable: Typeable<'_>) -> Option<String> {
    let Some(command) = act.command() else {
        return act
            .ends()
            .is_none()
            .then(|| "an act has neither `velo`, `python`, `broker`, `stop` nor `kill`".to_owned());
    };
    if act.velo.is_some() {
        return untypeable(command, typeable);
    }
    let why = match split(command) {
        Ok(words) => no_program(lesson, &words)?,
        Err(why) => why,
    };
    Some(format!("`{command}` cannot be typed: {why}"))
}

/// Why a command does not run one of the lesson's files with Python, if so.
fn no_program(lesson: &Lesson, words: &[String]) -> Option<String> {
    match words {
        [python, file, ..] if python == "python" => {
            (!lesson.files.contains_key(file)).then(|| format!("the lesson has no file `{file}`"))
        }
        _ => Some("it does not begin with `python` and a file".to_owned()),
    }
}

fn step_text(step: &Step, text: &StepProse) -> Vec<String> {
    let mut wrong = Vec::new();
    for (part, missing) in [
        ("title", text.title.is_empty()),
        ("body", text.body.is_empty()),
        ("why", text.why.is_empty()),
    ] {
        if missing {
            wrong.push(format!("has no {part}"));
        }
    }
    if text.hints.len() > MOST_HINTS || (text.hints.is_empty() && !step.checks.is_empty()) {
        wrong.push(format!(
            "has {}; one to three are wanted",
            count(text.hints.len(), "hint")
        ));
    }
    let everything = text.everything();
    let names = facts(step).flat_map(|fact| [fact.topic(), fact.group(), fact.config()]);
    let named: BTreeSet<&str> = names.flatten().collect();
    for name in named.into_iter().filter(|name| !everything.contains(name)) {
        wrong.push(format!("`{name}` is checked, but does not stand in the text"));
    }
    wrong.extend(lint_questions::texts(step, text));
    wrong
}

fn whole_text(lesson: &Lesson, prose: &Prose) -> Vec<String> {
    let mut wrong: Vec<String> = prose
        .unknown
        .iter()
        .map(|heading| format!("heading `{heading}` means nothing"))
        .collect();
    for (part, missing) in [
        ("title", prose.title.is_empty()),
        ("introduction", prose.intro.is_empty()),
        ("end", prose.end.is_empty()),
    ] {
        if missing {
            wrong.push(format!("has no {part}"));
        }
    }
    let texts = prose
        .steps
        .iter()
        .map(|(id, step)| (format!("step `{id}`: "), step.everything()));
    let around = [(String::new(), format!("{}\n{}", prose.intro, prose.end))];
    for (place, text) in texts.chain(around) {
        wrong.extend(
            picture::faults(&text)
                .into_iter()
                .map(|fault| format!("{place}{fault}")),
        );
    }
    if !prose.order.iter().eq(lesson.steps.iter().map(|step| &step.id)) {
        wrong.push("its steps are not those of lesson.toml, in the same order".to_owned());
    }
    wrong
}

/// Code blocks, and how many hints and answers there are, must be the same in all languages.
fn languages_agree(lesson: &Lesson) -> Vec<String> {
    let mut wrong = Vec::new();
    // English where there is one: what is compared is the same either way.
    let Some(model) = lesson.languages.iter().copied().max() else {
        return vec!["it is written in no language".to_owned()];
    };
    let english = lesson.prose(model);
    for lang in lesson.languages.iter().copied().filter(|lang| *lang != model) {
        let prose = lesson.prose(lang);
        let mut differs = |place: &str, what: &str| {
            wrong.push(format!(
                "{}.md: {place} has other {what} than {}.md",
                lang.code(),
                model.code()
            ));
        };
        if code_blocks(&prose.intro) != code_blocks(&english.intro)
            || code_blocks(&prose.end) != code_blocks(&english.end)
        {
            differs("the introduction or the end", "code blocks");
        }
        for (id, text) in &english.steps {
            let Some(other) = prose.steps.get(id) else {
                continue;
            };
            let place = format!("step `{id}`");
            if code_blocks(&text.everything()) != code_blocks(&other.everything()) {
                differs(&place, "code blocks");
            }
            if text.hints.len() != other.hints.len() {
                differs(&place, "hints");
            }
            let options = |text: &StepProse| -> Vec<usize> {
                text.questions
                    .values()
                    .map(|question| question.options.len())
                    .collect()
            };
            if options(text) != options(other) {
                differs(&place, "answers");
            }
        }
    }
    wrong
}
