//! What learners commonly believe: each belief is named when it shows, and not when it does not.

use super::fake::{Do, Fake, Learner};
use super::lessons::lint_after;
use super::questions::Class;
use crate::support::velo::Home;
use std::collections::BTreeSet;
use std::fs;
use velodrome::course::beliefs::{Belief, Shows};
use velodrome::course::facts::{Group, Member};
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

/// The beliefs that lessons find on a cluster while a check fails. That each shows after its mistake, and not before, lint tries
/// on the clusters themselves.
const SEEN: [&str; 9] = [
    "a-silent-consumer-is-broken",
    "a-stopped-broker-takes-its-partitions-along",
    "acks-all-means-all-replicas",
    "everyone-in-a-group-gets-everything",
    "from-beginning-always-reads-again",
    "more-consumers-are-faster",
    "more-partitions-keep-keys-in-place",
    "no-key-means-round-robin",
    "what-has-expired-is-gone",
];

#[test]
fn what_a_cluster_can_show_is_among_the_mistakes_of_the_lessons() {
    let lessons = Source::Embedded.lessons().unwrap();
    let attempts = lessons
        .iter()
        .flat_map(|lesson| &lesson.steps)
        .flat_map(|step| &step.wrong);
    let seen: BTreeSet<&str> = attempts.filter_map(|attempt| attempt.belief.as_deref()).collect();
    assert_eq!(seen, BTreeSet::from(SEEN));
}

const SILENT: &str = "A silent consumer is often taken for a broken one";

/// The group of the lesson has so many members, who share its three partitions.
fn has_members(cluster: &Fake, members: usize) -> Do {
    let groups = cluster.groups.clone();
    Do::Act(Box::new(move || {
        let member = |number: usize| Member {
            id: format!("m{number}"),
            owns: (0..3)
                .filter(|partition| partition % members == number)
                .map(|partition| ("iabd-topic-group".to_owned(), i32::try_from(partition).unwrap()))
                .collect(),
        };
        let group = Group {
            state: "Stable".to_owned(),
            members: (0..members).map(member).collect(),
            ..Group::default()
        };
        groups.borrow_mut().insert("iabd-app1".to_owned(), group);
    }))
}

/// A learner at the step where a first consumer is started, and a second one is too many.
fn at_the_first_consumer() -> Class {
    let class = Class::at("groups", "one");
    class.cluster.put("iabd-topic-group", &[0, 0, 0]);
    class
}

#[test]
fn a_belief_is_named_once_when_the_cluster_shows_it_while_a_check_fails() {
    let class = at_the_first_consumer();
    let two = || has_members(&class.cluster, 2);
    let heard = class.take([Do::Type("2"), two(), two(), Do::Type("c"), Do::Type("q")]);
    assert_eq!(heard.matches(SILENT).count(), 1, "{heard}");
    assert!(!heard.contains("Well done"), "{heard}");
    let named = serde_json::json!(["a-silent-consumer-is-broken"]);
    assert_eq!(class.report("one")["beliefs"], named);
    // Whoever comes again has heard it.
    let heard = class.take([two(), Do::Type("c"), Do::Type("q")]);
    assert!(!heard.contains(SILENT), "{heard}");
    // It is no answer, and it keeps nobody from passing.
    let heard = class.take([has_members(&class.cluster, 1), Do::Type("q")]);
    assert!(heard.contains("Well done"), "{heard}");
    assert_eq!(class.report("one")["beliefs"], named);
}

#[test]
fn a_belief_is_not_named_where_all_goes_as_it_should_or_it_was_so_before() {
    let class = at_the_first_consumer();
    let heard = class.take([Do::Type("2"), has_members(&class.cluster, 1), Do::Type("q")]);
    assert!(heard.contains("Well done") && !heard.contains(SILENT), "{heard}");
    assert_eq!(class.report("one")["beliefs"], serde_json::json!([]));

    // Two consumers that somebody has left running are no mistake of this step.
    let class = at_the_first_consumer();
    if let Do::Act(act) = has_members(&class.cluster, 2) {
        act();
    }
    let two = || has_members(&class.cluster, 2);
    let heard = class.take([Do::Type("2"), two(), Do::Type("c"), Do::Type("q")]);
    assert!(!heard.contains(SILENT) && !heard.contains("Well done"), "{heard}");
}

#[test]
fn the_quiz_asks_what_refutes_a_belief_that_the_cluster_has_shown_and_nothing_else() {
    let home = Home::new();
    let folder = home.path().join("state/course");
    fs::create_dir_all(&folder).unwrap();
    let shown = "[lesson.groups.step.two]\nbeliefs = [\"more-consumers-are-faster\"]\n";
    fs::write(folder.join("progress.toml"), shown).unwrap();
    // Any answers, as many as there may be questions.
    let asked = |answers: String| {
        let mut command = home.command(&["quiz", "--due", "--json", "--lang", "en"]);
        let output = command.write_stdin(answers).output().unwrap();
        let marks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let questions = marks["questions"].as_array().unwrap().iter();
        let name = |mark: &serde_json::Value| format!("{}/{}", mark["lesson"], mark["question"]);
        questions.map(name).collect::<BTreeSet<String>>()
    };
    let both = ["\"groups\"/\"how-many-idle\"", "\"groups\"/\"the-fourth\""];
    assert_eq!(asked("1\n".repeat(9)), BTreeSet::from(both.map(str::to_owned)));
    // They come again on another day.
    assert_eq!(asked("1\n".repeat(9)), BTreeSet::new());
}

#[test]
fn lint_finds_a_belief_that_nothing_shows_or_refutes() {
    let belief = "belief = \"a-silent-consumer-is-broken\"\n";
    let said = lint_after("08-groups", "lesson.toml", |text| text.replacen(belief, "", 1));
    assert!(
        said.contains("needs both a `belief` and how it is `seen`"),
        "{said}"
    );
    let seen = |group: &str| format!("fact = \"in-group\"\ngroup = \"{group}\"\nat-least = 2");
    let said = lint_after("08-groups", "lesson.toml", |text| {
        text.replacen(&seen("iabd-app1"), &seen("elsewhere"), 1)
    });
    assert!(said.contains("`elsewhere` is checked"), "{said}");

    // A lesson that shows what none of its questions refutes.
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("08-groups");
    fs::create_dir(&place).unwrap();
    for file in ["lesson.toml", "en.md", "es.md", "fr.md"] {
        let shipped = format!("{}/lessons/08-groups/{file}", env!("CARGO_MANIFEST_DIR"));
        fs::copy(shipped, place.join(file)).unwrap();
    }
    let other = "[[belief]]\nid = \"other\"\nfr = \"a.\"\nes = \"a.\"\nen = \"a.\"\n\
        shows = [{ lesson = \"groups\", step = \"one\", question = \"silent\", answers = [1] }]\n";
    fs::write(folder.path().join("beliefs.toml"), other).unwrap();
    let lint = [
        "lesson",
        "lint",
        "--texts",
        folder.path().to_str().unwrap(),
        "--lang",
        "en",
    ];
    let refused = Home::new().velo(&lint).fails_with(1).stderr;
    assert!(
        refused.contains("`one-more-because-the-first-is-silent`")
            && refused.contains("no question there refutes it"),
        "{refused}"
    );
}
