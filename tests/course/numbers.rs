//! What the course promises of each lesson: how many steps, mistakes, questions and hints, how long the beginning takes to read,
//! and that every line in it is one that the program takes.

use super::lessons::lines_in_texts;
use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use std::collections::BTreeSet;
use std::fs;
use velodrome::course::load::Source;
use velodrome::course::model::{Act, Lesson, Step};
use velodrome::course::program::split;
use velodrome::course::prose::{QuestionProse, StepProse};
use velodrome::course::question::MOST_LINES;
use velodrome::i18n::Lang;
use velodrome::scripts::table;

/// How many words of the beginning are read in a minute.
const WORDS_A_MINUTE: usize = 200;

/// Lessons that have more steps than eight: each of them is short.
const LONG: [(&str, usize); 1] = [("people-mongodb", 11)];

fn lessons() -> Vec<Lesson> {
    Source::Embedded.lessons().unwrap()
}

fn named<'a>(lesson: &'a Lesson, step: &'a Step) -> String {
    format!("{}/{}", lesson.id, step.id)
}

#[test]
fn a_lesson_has_five_to_eight_steps_three_mistakes_and_two_questions_or_more() {
    for lesson in lessons() {
        let most = LONG
            .iter()
            .find(|(id, _)| *id == lesson.id)
            .map_or(8, |(_, most)| *most);
        let steps = lesson.steps.len();
        assert!((5..=most).contains(&steps), "{}: {steps} steps", lesson.id);
        let names: Vec<&str> = lesson
            .steps
            .iter()
            .flat_map(|step| &step.wrong)
            .map(|wrong| wrong.name.as_str())
            .collect();
        assert!(names.len() >= 3, "{}: {names:?}", lesson.id);
        let questions: usize = lesson.steps.iter().map(|step| step.questions.len()).sum();
        assert!(questions >= 2, "{}: {questions} questions", lesson.id);
        for step in &lesson.steps {
            let mine: BTreeSet<&str> = step.wrong.iter().map(|wrong| wrong.name.as_str()).collect();
            assert_eq!(mine.len(), step.wrong.len(), "{}", named(&lesson, step));
            let asked = step.questions.len();
            assert!(asked <= 5, "{} asks {asked} questions", named(&lesson, step));
        }
    }
}

#[test]
fn a_step_has_three_hints_and_what_it_checks_a_command_and_what_that_asks_of_kafka() {
    for lesson in lessons() {
        for step in &lesson.steps {
            let at = named(&lesson, step);
            for lang in Lang::ALL {
                let hints = lesson.prose(lang).steps[&step.id].hints.len();
                assert_eq!(hints, 3, "{at} in {lang:?}");
            }
            if step.checks.is_empty() {
                continue;
            }
            assert!(step.acts.iter().any(|act| act.command().is_some()), "{at}");
            assert!(!step.api.is_empty(), "{at}: the third way is missing");
        }
    }
}

/// The words that are read, without blocks and pictures.
fn words(text: &str) -> usize {
    let mut in_block = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        in_block ^= fence;
        !fence && !in_block
    });
    let words = lines.flat_map(str::split_whitespace);
    words.filter(|word| word.contains(char::is_alphanumeric)).count()
}

fn read_at_first(step: &StepProse) -> usize {
    let asked = |question: &QuestionProse| {
        let options: usize = question.options.iter().map(|option| words(option)).sum();
        words(&question.text) + options
    };
    words(&step.title) + words(&step.body) + step.questions.values().map(asked).sum::<usize>()
}

#[test]
fn the_first_step_of_a_lesson_is_reached_and_read_within_a_minute() {
    for lesson in lessons() {
        for lang in Lang::ALL {
            let prose = lesson.prose(lang);
            let first = read_at_first(&prose.steps[&prose.order[0]]);
            let all = words(&prose.title) + words(&prose.intro) + first;
            assert!(all <= WORDS_A_MINUTE, "{} in {lang:?}: {all} words", lesson.id);
        }
    }
}

#[test]
fn lines_that_are_put_in_order_can_be_chosen_by_a_digit() {
    for lesson in lessons() {
        for question in lesson.steps.iter().flat_map(|step| &step.questions) {
            let value = serde_json::to_value(question.answer(None)).unwrap();
            let lines = value.as_array().map_or(0, Vec::len);
            assert!(lines < MOST_LINES, "{}/{}", lesson.id, question.id);
        }
    }
}

#[test]
fn the_last_lesson_ends_with_the_certificate_of_a_learner_whose_name_is_known() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let folder = home.path().join("state/course");
    fs::create_dir_all(&folder).unwrap();
    // Taken on this cluster, up to its last step.
    let mut progress = format!("[lesson.final]\nbootstrap = \"{}\"\n", cluster.bootstrap());
    let last = lessons().into_iter().find(|lesson| lesson.id == "final").unwrap();
    for step in &last.steps {
        progress.push_str(&format!(
            "[lesson.final.step.{}]\nstate = \"passed\"\nrevision = 1\n",
            step.id
        ));
    }
    fs::write(folder.join("progress.toml"), progress).unwrap();
    let start = [
        "lesson",
        "start",
        "final",
        "--bootstrap-server",
        cluster.bootstrap(),
        "--lang",
        "en",
    ];
    let nameless = home.velo(&start).succeeds().stdout;
    assert!(!nameless.contains("Name:"), "{nameless}");
    let said = home
        .velo(&[&start[..], &["--student", "Ana"]].concat())
        .succeeds()
        .stdout;
    assert!(
        said.contains("Name: Ana") && said.contains("final  5/5 steps"),
        "{said}"
    );
}

/// Every line for one of Kafka's scripts: in the texts, and in the solutions, mistakes and their undoing.
fn lines_for_scripts() -> BTreeSet<String> {
    let mut lines = lines_in_texts("kafka-");
    // Others that begin like this are no scripts.
    lines.retain(|line| {
        [".sh", ".bat"]
            .iter()
            .any(|ending| line.split(' ').next().is_some_and(|word| word.ends_with(ending)))
    });
    let own = lines_in_texts("velo kafka-");
    lines.extend(
        own.iter()
            .filter_map(|line| line.strip_prefix("velo "))
            .map(str::to_owned),
    );
    for lesson in lessons() {
        let acts = |step: &Step| -> Vec<Act> {
            let wrong = step
                .wrong
                .iter()
                .flat_map(|wrong| wrong.acts.iter().chain(&wrong.undo));
            step.acts.iter().chain(wrong).cloned().collect()
        };
        for act in lesson.steps.iter().flat_map(acts) {
            lines.extend(act.kafka);
            let ours = act.velo.as_deref().and_then(|line| line.strip_prefix("velo "));
            lines.extend(ours.filter(|line| line.starts_with("kafka-")).map(str::to_owned));
        }
    }
    lines
}

#[test]
fn every_line_for_a_script_of_kafka_s_is_one_that_the_script_takes() {
    let home = Home::new();
    let lines = lines_for_scripts();
    assert!(lines.len() > 60, "{lines:?}");
    for line in lines {
        let typed = split(&line).unwrap();
        let script = typed[0].trim_end_matches(".sh").trim_end_matches(".bat");
        assert!(table::find(script).is_some(), "there is no script for {line}");
        // These two read no options before they act; a name alone is no line.
        if ["kafka-server-start", "kafka-server-stop"].contains(&script) || typed.len() == 1 {
            continue;
        }
        // What is wrong in front of an option that there is not is told in its place, and nothing is done.
        let rest = typed.iter().skip(1).map(String::as_str);
        let words: Vec<&str> = [script].into_iter().chain(rest).chain(["--no-such"]).collect();
        let ended = home.velo(&words);
        let said = [ended.stdout, ended.stderr].concat();
        let only_that = [
            "no-such is not a recognized option",
            "unrecognized arguments: '--no-such'",
        ];
        assert!(only_that.iter().any(|told| said.contains(told)), "{line}: {said}");
    }
}
