//! The runner, on a cluster in memory.

use super::fake::{Do, Fake, Learner};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use velodrome::course::check;
use velodrome::course::dress::Dress;
use velodrome::course::facts::{ClusterFacts, Group, Member};
use velodrome::course::load::Source;
use velodrome::course::look::Look;
use velodrome::course::model::Lesson;
use velodrome::course::progress::{Progress, State};
use velodrome::course::render::Page;
use velodrome::course::runner::Runner;
use velodrome::course::snapshot::{Patience, Removal, Snapshot};
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
            lesson: Source::Embedded
                .lesson("hello-kafka", &Words::of(Lang::En))
                .unwrap(),
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
            next: Some("velib".to_owned()),
            own_data: None,
            class: None,
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
    assert!(heard.contains("✓ topic iabd-topic exists"), "{heard}");
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
        heard.contains("Created topic iabd-topic")
            || class.cluster.topics.borrow().contains_key("iabd-topic")
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
        heard.contains("✗ topic alice-iabd-topic exists: not yet"),
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
        for finding in check::all(&look(&class.cluster), checks).unwrap() {
            lines.push(finding.line(&class.words));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    ✓ topic iabd-topic exists
    ✓ partitions of iabd-topic: 1
    ✗ records ever written to iabd-topic: 2 (wanted: at least 3)
    ✗ offsets committed by any one group in iabd-topic: 0 (wanted: at least 3)
    ✗ topic iabd-topic is deleted: not yet
    ");
}

fn look(cluster: &Fake) -> Look<'_> {
    Look::at(cluster, BTreeSet::new())
}

#[test]
fn all_checks_of_a_look_see_one_moment_and_ask_for_each_thing_once() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[2]);
    let checks: Vec<_> = ["create", "produce", "more", "delete"]
        .iter()
        .flat_map(|step| class.lesson.step(step).unwrap().checks.clone())
        .collect();
    let look = look(&class.cluster);
    check::all(&look, &checks[..1]).unwrap();
    class.cluster.remove_topics(&["iabd-topic".to_owned()]).unwrap();
    let findings = check::all(&look, &checks).unwrap();
    assert!(findings[0].passed, "{findings:?}");
    // Brokers and topics, and the offsets of the one topic.
    assert_eq!(class.cluster.asked.get(), 2, "{findings:?}");
}

#[test]
fn a_reset_removes_only_what_the_lesson_made() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[5]);
    class.cluster.put("somebody-elses", &[1]);
    let dress = Dress::new(&class.lesson, "", "localhost:9092");
    let before = Snapshot::take(&class.cluster).unwrap();
    assert_eq!(before.foreign_topics(&class.lesson, &dress), ["iabd-topic"]);
    assert_eq!(
        removed(&before, &class, Duration::ZERO).0,
        Removal::Done(Vec::new())
    );
    let removed = removed(&Snapshot::default(), &class, Duration::ZERO).0;
    assert_eq!(removed, Removal::Done(vec!["iabd-topic".to_owned()]));
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

/// What a removal makes of the lesson's things, and how often it said that it waits.
fn removed(before: &Snapshot, class: &Class, bound: Duration) -> (Removal, usize) {
    let dress = Dress::new(&class.lesson, "", "localhost:9092");
    let mut said = 0;
    let mut patience = Patience {
        bound,
        say: &mut |groups, _| {
            assert_eq!(groups, ["iabd-readers"]);
            said += 1;
        },
    };
    let removal = before
        .remove_made(&class.cluster, &class.lesson, &dress, &mut patience)
        .unwrap();
    (removal, said)
}

#[test]
fn a_group_in_use_is_waited_for_with_a_word_and_a_bound_and_nothing_is_removed_under_it() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[5]);
    let member = Member::default();
    let group = Group {
        members: vec![member],
        ..Group::default()
    };
    let readers = "iabd-readers".to_owned();
    class.cluster.groups.borrow_mut().insert(readers.clone(), group);
    let (removal, said) = removed(&Snapshot::default(), &class, Duration::from_millis(1_200));
    assert_eq!((removal, said), (Removal::InUse(vec![readers.clone()]), 1));
    assert!(class.cluster.topics.borrow().contains_key("iabd-topic"));

    class
        .cluster
        .groups
        .borrow_mut()
        .get_mut(&readers)
        .unwrap()
        .members
        .clear();
    let (removal, said) = removed(&Snapshot::default(), &class, Duration::from_secs(60));
    assert_eq!(
        (removal, said),
        (Removal::Done(vec!["iabd-topic".to_owned(), readers]), 0)
    );
}

#[test]
fn keys_act_at_a_question_too() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[0]);
    // To the step `look`, which asks.
    let to = ["", "", ""].map(Do::Type);
    let heard = class.take("", to.into_iter().chain(["h", "s", "x", "2", "q"].map(Do::Type)));
    for part in [
        "Hint 1 of 3.",
        "velo topic describe iabd-topic",
        "Your answer, 1 to 3",
        "Noted.",
    ] {
        assert!(heard.contains(part), "{part} is not in\n{heard}");
    }
    let heard = class.take("", [Do::Type("b"), Do::Type("q")]);
    assert!(heard.contains("2/7"), "{heard}");
}

#[test]
fn a_command_typed_into_the_runner_is_run_or_told_where_it_belongs() {
    let class = Class::hello();
    let mut learner = Learner::new(
        [
            "",
            "velo topic list",
            "kafka-topics.sh --list",
            "velo produce iabd-topic",
            "velo lesson hint",
            "q",
        ]
        .map(Do::Type),
    );
    class.runner("").run(&mut learner).unwrap();
    assert_eq!(learner.ran, ["velo topic list", "velo kafka-topics --list"]);
    let heard = learner.heard;
    assert!(
        heard.contains("in another terminal:\n    velo produce iabd-topic"),
        "{heard}"
    );
    assert!(heard.contains("Hint 1 of 3."), "{heard}");
}

#[test]
fn near_misses_are_named_once_with_what_to_type() {
    for (prefix, made, partitions, told, typed) in [
        (
            "",
            "NAME",
            1,
            "There is a topic called NAME",
            "velo topic create iabd-topic --partitions 1",
        ),
        (
            "",
            "iabd_topic",
            1,
            "There is a topic iabd_topic, but",
            "velo topic delete iabd_topic --yes",
        ),
        (
            "",
            "iabd-topic",
            3,
            "iabd-topic has 3 partitions",
            "velo topic delete iabd-topic --yes",
        ),
        (
            "al-",
            "iabd-topic",
            1,
            "without your prefix",
            "velo topic create al-iabd-topic --partitions 1",
        ),
    ] {
        let class = Class::hello();
        let cluster = class.cluster.clone();
        let make = Do::Act(Box::new(move || cluster.put(made, &vec![0; partitions])));
        let idle = || Do::Act(Box::new(|| ()));
        let heard = class.take(prefix, [Do::Type(""), make, idle(), idle(), Do::Type("q")]);
        let plain = heard.replace('`', "");
        assert_eq!(plain.matches(told).count(), 1, "{made}: {heard}");
        assert!(plain.contains(typed), "{made}: {heard}");
    }
}

#[test]
fn what_an_earlier_step_should_have_left_is_named_in_hint_and_solution() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[0]);
    let mut progress = Progress::default();
    progress.lesson("hello-kafka").at = Some("consume".to_owned());
    progress.save(&class.file()).unwrap();
    let heard = class.take("", ["", "h", "s", "", "q"].map(Do::Type));
    let missing = "This step builds on “Three lines”:\n✗ records ever written to iabd-topic: 0";
    let plain = heard.replace("\n  ✗", "\n✗");
    assert_eq!(plain.matches(missing).count(), 4, "{heard}");
    assert!(heard.contains("    velo produce iabd-topic"), "{heard}");
}

#[test]
fn a_cluster_that_stops_is_waited_for_and_started_again_by_a_command_with_its_port() {
    let class = Class::hello();
    let away = |is: bool| {
        let cluster = class.cluster.clone();
        Do::Act(Box::new(move || cluster.away.set(is)))
    };
    let idle = || Do::Act(Box::new(|| ()));
    let heard = class.take(
        "",
        [
            Do::Type(""),
            away(true),
            idle(),
            Do::Type(""),
            Do::Type("h"),
            away(false),
            Do::Type("q"),
        ],
    );
    assert_eq!(heard.matches("does not answer any more").count(), 1, "{heard}");
    assert!(heard.contains("    velo cluster start --port 9092"), "{heard}");
    assert!(heard.contains("The cluster answers again."), "{heard}");
    assert!(heard.contains("Your place is kept"), "{heard}");
}

#[test]
fn a_finished_lesson_makes_nothing_again_and_names_the_next() {
    let class = Class::hello();
    let mut progress = Progress::default();
    for step in &class.lesson.steps {
        progress
            .lesson("hello-kafka")
            .set(step, State::Passed, "2026-01-01T00:00:00Z");
    }
    progress.save(&class.file()).unwrap();
    let heard = class.take("", []);
    assert!(heard.contains("You have finished lesson hello-kafka"), "{heard}");
    assert!(heard.contains("Next: `velo lesson start velib`"), "{heard}");
    // A place noted by an earlier version, at the step that deletes.
    progress.lesson("hello-kafka").at = Some("delete".to_owned());
    progress.save(&class.file()).unwrap();
    class.take("", [Do::Type("q")]);
    assert!(class.cluster.topics.borrow().is_empty());
}

#[test]
fn a_common_belief_is_named_when_an_answer_shows_it() {
    let class = Class::hello();
    class.cluster.put("iabd-topic", &[3]);
    let mut progress = Progress::default();
    progress.lesson("hello-kafka").at = Some("consume".to_owned());
    progress.save(&class.file()).unwrap();
    let reads = || {
        let groups = class.cluster.groups.clone();
        Do::Act(Box::new(move || {
            let group = Group {
                committed: [(("iabd-topic".to_owned(), 0), 3)].into(),
                ..Group::default()
            };
            groups.borrow_mut().insert("iabd-readers".to_owned(), group);
        }))
    };
    let believed = "Many take `--from-beginning` for an order";
    let heard = class.take("", [Do::Type("1"), reads(), Do::Type("q")]);
    assert!(
        heard.contains("No, it is 2.") && heard.contains(believed),
        "{heard}"
    );

    let class = Class::hello();
    class.cluster.put("iabd-topic", &[3]);
    progress.save(&class.file()).unwrap();
    let heard = class.take("", [Do::Type("2"), Do::Type("q")]);
    assert!(!heard.contains(believed), "{heard}");
}

#[test]
fn who_takes_over_must_not_have_been_there_when_the_step_began() {
    let lesson = Source::Embedded
        .lesson("people-mongodb", &Words::of(Lang::En))
        .unwrap();
    let class = Class {
        lesson,
        ..Class::hello()
    };
    class.cluster.put("iabd-python-topic", &[3_000, 0, 0]);
    let ingest = |id: &str| Group {
        members: vec![Member {
            id: id.to_owned(),
            owns: vec![("iabd-python-topic".to_owned(), 0)],
        }],
        committed: [(("iabd-python-topic".to_owned(), 0), 3_000)].into(),
        ..Group::default()
    };
    let groups = class.cluster.groups.clone();
    groups
        .borrow_mut()
        .insert("iabd-personas".to_owned(), ingest("first"));
    let mut progress = Progress::default();
    progress.lesson("people-mongodb").at = Some("kill".to_owned());
    progress.save(&class.file()).unwrap();
    let second = ingest("second");
    let killed = Do::Act(Box::new(move || {
        groups.borrow_mut().insert("iabd-personas".to_owned(), second);
    }));
    let heard = class.take("", [Do::Type("3"), Do::Type(""), killed, Do::Type("q")]);
    let not_yet = heard
        .find("taken over its partitions: 0")
        .unwrap_or_else(|| panic!("{heard}"));
    let passed = heard.find("Well done").unwrap_or_else(|| panic!("{heard}"));
    assert!(not_yet < passed, "{heard}");
}
