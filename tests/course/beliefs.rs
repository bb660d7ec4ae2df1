//! What learners commonly believe: each belief is named when it shows, and not when it does not.

use super::fake::{Do, Learner};
use std::collections::BTreeSet;
use velodrome::course::beliefs::{Belief, Shows};
use velodrome::course::load::Source;
use velodrome::course::model::Lesson;
use velodrome::course::question::{Given, Kind, mixed};
use velodrome::course::quiz::{self, Place, Quiz};
use velodrome::course::render::Page;
use velodrome::i18n::{Lang, Words};

/// What every course on Kafka meets, in the order of the course's own list.
const KNOWN: [&str; 25] = [
    "the-bootstrap-address-is-the-one",
    "what-has-expired-is-gone",
    "from-beginning-always-reads-again",
    "a-silent-consumer-is-broken",
    "order-over-a-whole-topic",
    "more-partitions-keep-keys-in-place",
    "no-key-means-round-robin",
    "more-consumers-are-faster",
    "everyone-in-a-group-gets-everything",
    "reading-removes",
    "kafka-pushes",
    "acks-all-means-all-replicas",
    "acks-1-is-safe",
    "a-broker-can-hold-two-copies",
    "the-committed-offset-is-the-last-one-read",
    "auto-commit-is-at-least-once",
    "exactly-once-covers-my-database",
    "end-minus-start-is-a-count",
    "a-lag-that-stays-means-stuck",
    "compacted-means-one-record-a-key",
    "the-word-null-deletes",
    "committed-offsets-last-for-ever",
    "slow-work-ends-the-session",
    "kafka-needs-zookeeper",
    "a-share-group-is-a-queue",
];

const SEED: u64 = 11;

/// So wide that no sentence is folded.
const WIDE: usize = 2_000;

/// What a learner types who gives an answer: its number, or lines with the one that does not belong in front.
fn typed(place: &Place<'_>, given: &Given) -> String {
    let Given::Order(lines) = given else {
        return serde_json::to_string(given).unwrap();
    };
    let shown = mixed(lines.len() + 1, SEED, &place.question.id);
    let at = |line: &usize| (shown.iter().position(|shown| shown == line).unwrap() + 1).to_string();
    let lines: Vec<String> = lines.iter().map(at).collect();
    lines.join(" ")
}

/// What somebody hears who gives this answer in the quiz.
fn heard(place: &Place<'_>, given: &Given, lang: Lang) -> String {
    let words = Words::of(lang);
    let quiz = Quiz {
        words: &words,
        page: Page::plain(WIDE),
        seed: SEED,
    };
    let mut learner = Learner::new([Do::Say(typed(place, given))]);
    let mut answered = Vec::new();
    quiz.ask(std::slice::from_ref(place), &mut learner, &mut |_, given| {
        answered.push(given.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(answered, std::slice::from_ref(given), "{}", place.key());
    learner.heard
}

/// The wrong answers that show a belief.
fn wrong_answers(place: &Place<'_>, shows: &Shows) -> Vec<Given> {
    match &place.question.kind {
        Kind::Choose(_) | Kind::Type { .. } => shows.answers.iter().copied().map(Given::Number).collect(),
        // The line that does not belong in place of the last.
        Kind::Order { lines, .. } => {
            let order = (1..lines.len()).chain([lines.len() + 1]);
            vec![Given::Order(order.collect())]
        }
    }
}

fn named(belief: &Belief, place: &Place<'_>, given: &Given) -> [bool; 3] {
    Lang::ALL.map(|lang| {
        let sentence = Page::plain(WIDE).markdown(belief.sentence(lang));
        heard(place, given, lang).contains(&sentence)
    })
}

fn place<'a>(lessons: &'a [Lesson], shows: &Shows) -> Place<'a> {
    let found = quiz::questions(lessons).into_iter().find(|place| {
        place.lesson.id == shows.lesson && place.step.id == shows.step && place.question.id == shows.question
    });
    found.unwrap_or_else(|| panic!("there is no question {shows:?}"))
}

#[test]
fn each_belief_is_named_by_the_answers_that_show_it_and_not_by_the_right_one() {
    let lessons = Source::Embedded.lessons().unwrap();
    let beliefs = Source::Embedded.beliefs().unwrap();
    let ids: BTreeSet<&str> = beliefs.iter().map(|belief| belief.id.as_str()).collect();
    assert_eq!(ids.len(), beliefs.len(), "one stands twice");
    for known in KNOWN {
        assert!(ids.contains(known), "nothing is said of {known}");
    }
    for belief in &beliefs {
        assert!(!belief.shows.is_empty(), "no question refutes {}", belief.id);
        for shows in &belief.shows {
            let place = place(&lessons, shows);
            for given in wrong_answers(&place, shows) {
                let told = named(belief, &place, &given);
                assert_eq!(told, [true; 3], "{}: {} {given:?}", belief.id, place.key());
            }
            let right = place.question.answer(None);
            let told = named(belief, &place, &right);
            assert_eq!(told, [false; 3], "{}: {}", belief.id, place.key());
        }
    }
}

#[test]
fn a_belief_is_told_in_one_sentence_of_each_language() {
    for belief in Source::Embedded.beliefs().unwrap() {
        for lang in Lang::ALL {
            let sentence = belief.sentence(lang);
            let ends = sentence.matches(". ").count() + usize::from(sentence.ends_with('.'));
            assert_eq!(ends, 1, "{} in {lang:?}: {sentence}", belief.id);
        }
    }
}
