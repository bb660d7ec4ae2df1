//! The runner, on a cluster in memory.

use super::fake::{Do, Fake, Learner};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use velodrome::course::check;
use velodrome::course::dress::Dress;
use velodrome::course::load::Source;
use velodrome::course::model::Lesson;
use velodrome::course::progress::{Progress, State};
use velodrome::course::render::Page;
use velodrome::course::runner::Runner;
use velodrome::course::snapshot::Snapshot;
use velodrome::i18n::{Lang, Words};

struct Class {
    lesson: Lesson,
    words: Words,
    cluster: Fake,
    folder: TempDir,
}

impl Class {
    fn hello() -> Self {
        Class {
            lesson: Source::Embedded.lesson("hello-kafka").unwrap(),
            words: Words::of(Lang::En),
            cluster: Fake::default(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("progress.toml")
    }

    fn take(&self, prefix: &str, script: impl IntoIterator<Item = Do>) -> String {
        let mut learner = Learner::new(script);
        self.runner(prefix).run(&mut learner).unwrap();
        learner.heard
    }

    fn runner(&self, prefix: &str) -> Runner<'_> {
        Runner {
            lesson: &self.lesson,
            words: &self.words,
            facts: &self.cluster,
            dress: Dress::new(&self.lesson, prefix, "localhost:9092"),
            page: Page::plain(80),
            file: self.file(),
        }
    }

    fn state(&self, step: &str) -> State {
        let mut progress = Progress::load(&self.file()).unwrap();
        progress
            .lesson("hello-kafka")
            .state(self.lesson.step(step).unwrap())
    }

    fn makes(&self, topic: &'static str, records: &'static [i64]) -> Do {
        let cluster = self.cluster.clone();
        Do::Act(Box::new(move || cluster.put(topic, records)))
    }
}

#[test]
fn a_success_in_another_terminal_is_noticed_and_the_learner_decides_when_to_go_on() {
    let class = Class::hello();
    let heard = class.take(
        "",
        [
            Do::Type(""),
            class.makes("other", &[0]),
            class.makes("iabd-topic", &[0]),
            Do::Type("q"),
        ],
    );
    assert!(
        heard.contains("✓ topic iabd-topic exists: wanted yes, is yes"),
        "{heard}"
    );
    assert!(heard.contains("Well done"), "{heard}");
    assert!(
        !heard.contains("3/7"),
        "it moved on without being told to:\n{heard}"
    );
    assert_eq!(class.state("create"), State::Passed);
}

#[test]
fn three_hints_come_before_the_solution_in_both_faces() {
    let class = Class::hello();
    let help = ["h", "h", "h", "h"].map(Do::Type);
    let heard = class.take("", [Do::Type("")].into_iter().chain(help).chain([Do::Type("q")]));
    let places: Vec<usize> = [
        "Hint 1 of 3.",
        "Hint 2 of 3.",
        "Hint 3 of 3.",
        "    velo topic create iabd-topic --partitions 1",
        "    kafka-topics.sh --create --topic iabd-topic",
    ]
    .iter()
    .map(|part| {
        heard
            .find(part)
            .unwrap_or_else(|| panic!("{part} is not in\n{heard}"))
    })
    .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn skipped_is_not_passed_and_the_next_step_gets_what_it_needs() {
    let class = Class::hello();
    let heard = class.take("", ["", "k", "", "k", "q"].map(Do::Type));
    assert_eq!(class.state("create"), State::Skipped);
    assert!(heard.contains("Step create is skipped. It stays open"), "{heard}");
    let heard = class.take("", ["", "q"].map(Do::Type));
    assert!(
        heard.contains("Made topic iabd-topic") || class.cluster.topics.borrow().contains_key("iabd-topic")
    );
}

#[test]
fn one_goes_back_and_comes_again_to_the_same_place() {
    let class = Class::hello();
    class.take("", ["", "b", "q"].map(Do::Type));
    let heard = class.take("", [Do::Type("q")]);
    assert!(heard.contains("1/7"), "{heard}");
}

#[test]
fn a_class_shares_a_cluster_by_prefixes() {
    let class = Class::hello();
    let heard = class.take(
        "alice-",
        [
            Do::Type(""),
            class.makes("iabd-topic", &[0]),
            Do::Type(""),
            class.makes("alice-iabd-topic", &[0]),
            Do::Type("q"),
        ],
    );
    assert!(
        heard.contains("✗ topic alice-iabd-topic exists: wanted yes, is no"),
        "{heard}"
    );
    assert!(heard.contains("Well done"), "{heard}");
    assert!(heard.contains("velo topic create alice-iabd-topic"), "{heard}");
}

#[test]
fn want_and_have_are_shown() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[2]);
    let mut lines = Vec::new();
    for step in ["create", "produce", "consume", "delete"] {
        let checks = &class.lesson.step(step).unwrap().checks;
        for finding in check::all(&class.cluster, checks).unwrap() {
            lines.push(finding.line(&class.words));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    ✓ topic iabd-topic exists: wanted yes, is yes
    ✓ partitions of iabd-topic: wanted 1, is 1
    ✗ records ever written to iabd-topic: wanted at least 3, is 2
    ✗ records of iabd-topic that some group has noted as read: wanted at least 3, is 0
    ✗ topic iabd-topic exists: wanted no, is yes
    ");
}

#[test]
fn a_reset_removes_only_what_the_lesson_made() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[5]);
    class.cluster.put("somebody-elses", &[1]);
    let dress = Dress::new(&class.lesson, "", "localhost:9092");
    let before = Snapshot::take(&class.cluster).unwrap();
    assert_eq!(before.foreign_topics(&class.lesson, &dress), ["iabd-topic"]);
    let removed = before
        .remove_made(&class.cluster, &class.lesson, &dress, Duration::ZERO)
        .unwrap();
    assert_eq!(removed, Vec::<String>::new());

    let removed = Snapshot::default()
        .remove_made(&class.cluster, &class.lesson, &dress, Duration::ZERO)
        .unwrap();
    assert_eq!(removed, ["iabd-topic"]);
    assert!(class.cluster.topics.borrow().contains_key("somebody-elses"));
}

#[test]
fn a_step_that_changed_since_it_was_passed_stays_passed_and_says_so() {
    let mut class = Class::hello();
    class.cluster.put("iabd-topic", &[0]);
    class.take("", ["", "", "q"].map(Do::Type));
    assert_eq!(class.state("create"), State::Passed);
    let step = class
        .lesson
        .steps
        .iter_mut()
        .find(|step| step.id == "create")
        .unwrap();
    step.revision += 1;
    let progress = class.runner("").progress().unwrap();
    let step = class.lesson.step("create").unwrap();
    assert_eq!(progress.state(step), State::Passed);
    assert!(progress.passed_an_older(step));
}
