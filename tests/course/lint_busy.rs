//! Lint on a machine that is so busy that a group misses members that live.

use super::fake::Fake;
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use velodrome::course::dress::Dress;
use velodrome::course::facts::{Group, Member};
use velodrome::course::lint_live;
use velodrome::course::load::Source;
use velodrome::course::program::Programs;
use velodrome::course::stage::Stage;
use velodrome::i18n::{Lang, Words};

const TOPIC: &str = "iabd-python-topic";

/// The ingest's group with such members, and what it has committed.
fn group(members: &[&str], committed: i64) -> Group {
    let member = |id: &&str| Member {
        id: (*id).to_owned(),
        owns: vec![(TOPIC.to_owned(), 0)],
    };
    Group {
        members: members.iter().map(member).collect(),
        committed: [((TOPIC.to_owned(), 0), committed)].into(),
        ..Group::default()
    }
}

/// What lint finds wrong with a step of the people's lesson of which no command is run, while the group becomes that.
fn found(step: &str, becoming: impl Into<VecDeque<Group>>) -> Vec<String> {
    let words = Words::of(Lang::En);
    let mut lesson = Source::Embedded.lesson("people-mongodb", &words).unwrap();
    lesson.steps.retain(|known| known.id == step);
    for step in &mut lesson.steps {
        step.acts.clear();
        step.wrong.iter_mut().for_each(|wrong| wrong.acts.clear());
    }
    let cluster = Fake::default();
    cluster.put(TOPIC, &[3_000, 0, 0]);
    *cluster.next_groups.borrow_mut() = becoming.into();
    let folder = tempfile::tempdir().unwrap();
    let velo = PathBuf::from(env!("CARGO_BIN_EXE_velo"));
    let mut stage = Stage {
        facts: &cluster,
        dress: Dress::new(&lesson, "", "localhost:9092"),
        programs: Programs::new(velo, folder.path().to_owned(), Vec::new()),
        interrupted: &|| false,
        words: &words,
        began: BTreeSet::new(),
        own_brokers: false,
    };
    let found = lint_live::lesson(&lesson, &mut stage, &|_| ()).unwrap();
    assert!(cluster.next_groups.borrow().is_empty());
    found
}

#[test]
fn who_is_to_be_taken_over_is_waited_for_and_who_joins_again_has_not_taken_over() {
    let becoming = [
        // The step begins: it is just being missed.
        group(&[], 0),
        group(&["first"], 0),
        // Nothing is done, and then nobody is killed; meanwhile it is missed again.
        group(&["first"], 0),
        group(&["second"], 0),
        // Once more.
        group(&["second"], 0),
        group(&["second"], 0),
        // The solution.
        group(&["third"], 3_000),
    ];
    assert_eq!(found("kill", becoming), [""; 0]);
}

#[test]
fn a_mistake_that_passes_twice_passes() {
    let becoming = [
        group(&["first"], 0),
        group(&["first"], 0),
        group(&["second"], 0),
        group(&["second"], 0),
        group(&["third"], 0),
        group(&["fourth"], 3_000),
    ];
    let said = "step `kill`: wrong attempt `nobody-killed` passes check `taken-over`";
    assert_eq!(found("kill", becoming), [said]);
}

#[test]
fn who_has_ended_without_a_goodbye_is_no_member_some_time_later() {
    let becoming = [
        group(&["of the step before"], 0),
        group(&[], 0),
        group(&["of this step"], 3_000),
    ];
    assert_eq!(found("stream", becoming), [""; 0]);
}
