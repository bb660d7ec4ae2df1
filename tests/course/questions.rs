//! The three kinds of question: chosen, typed, put in order.

use super::fake::{Do, Fake, Learner};
use super::lessons::lint_after;
use crate::support::velo::Home;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use velodrome::course::dress::Dress;
use velodrome::course::facts::Group;
use velodrome::course::load::Source;
use velodrome::course::model::Lesson;
use velodrome::course::progress::Progress;
use velodrome::course::question::mixed;
use velodrome::course::render::Page;
use velodrome::course::report;
use velodrome::course::runner::Runner;
use velodrome::i18n::{Lang, Words};

const SEED: u64 = 5;

/// A lesson that is taken from a step on, on a cluster in memory.
pub(super) struct Class {
    lesson: Lesson,
    words: Words,
    pub(super) cluster: Fake,
    folder: TempDir,
}

impl Class {
    pub(super) fn at(lesson: &str, step: &str) -> Self {
        let words = Words::of(Lang::En);
        let class = Class {
            lesson: Source::Embedded.lesson(lesson, &words).unwrap(),
            words,
            cluster: Fake::default(),
            folder: tempfile::tempdir().unwrap(),
        };
        let mut progress = Progress::default();
        progress.lesson(lesson).at = Some(step.to_owned());
        progress.save(&class.file()).unwrap();
        class
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("progress.toml")
    }

    pub(super) fn take(&self, script: impl IntoIterator<Item = Do>) -> String {
        let mut learner = Learner::new(script);
        let runner = Runner {
            lesson: &self.lesson,
            words: &self.words,
            facts: &self.cluster,
            dress: Dress::new(&self.lesson, "", "localhost:9092").shuffled_by(SEED),
            page: Page::plain(200),
            file: self.file(),
            next: None,
            own_data: None,
            class: None,
        };
        runner.run(&mut learner).unwrap();
        learner.heard
    }

    /// What the report says of a step.
    pub(super) fn report(&self, step: &str) -> serde_json::Value {
        let progress = Progress::load(&self.file()).unwrap();
        let lessons = std::slice::from_ref(&self.lesson);
        let report = report::json(lessons, &progress, &self.words);
        found(&report["lessons"][0]["steps"], "step", step)
    }

    /// What the report says of a question.
    fn mark(&self, step: &str, question: &str) -> serde_json::Value {
        found(&self.report(step)["questions"], "question", question)
    }
}

/// The object of a list that has this under a key.
fn found(list: &serde_json::Value, key: &str, id: &str) -> serde_json::Value {
    let mut all = list.as_array().unwrap().iter();
    all.find(|one| one[key] == id).unwrap().clone()
}

fn makes(cluster: &Fake, topic: &'static str, records: &'static [i64]) -> Do {
    let cluster = cluster.clone();
    Do::Act(Box::new(move || cluster.put(topic, records)))
}

#[test]
fn a_typed_number_stands_beside_what_the_cluster_says() {
    for (typed, right, told) in [
        ("1", true, "You said 1, and it is 1."),
        ("12", false, "You said 12; it is 1."),
    ] {
        let class = Class::at("partitions", "each");
        class.cluster.put("iabd-topic-p3", &[0, 0, 0]);
        let heard = class.take([
            Do::Type("2"),
            // What is no number is no answer.
            Do::Type("one"),
            Do::Type(typed),
            Do::Type(""),
            makes(&class.cluster, "iabd-topic-p3", &[1, 1, 1]),
            Do::Type("q"),
        ]);
        assert!(heard.contains("Type the number you expect"), "{heard}");
        assert_eq!(heard.matches("Noted.").count(), 2, "{heard}");
        let place = heard.find("Well done").unwrap_or_else(|| panic!("{heard}"));
        assert!(heard.split_at(place).1.contains(told), "{told} is not in {heard}");
        let mark = class.mark("each", "and-the-next");
        assert_eq!(mark["kind"], "type");
        assert_eq!(mark["right"], right);
        assert_eq!(mark["answer"], 1);
        assert_eq!(mark["given"].to_string(), typed);
    }
}

#[test]
fn what_counts_is_the_learners_own_cluster() {
    let class = Class::at("partitions", "each");
    class.cluster.put("iabd-topic-p3", &[0, 0, 0]);
    class.take([
        Do::Type("2"),
        Do::Type("3"),
        Do::Type(""),
        makes(&class.cluster, "iabd-topic-p3", &[1, 3, 1]),
        Do::Type("q"),
    ]);
    let mark = class.mark("each", "and-the-next");
    assert_eq!(mark["right"], true);
    // Looking again later changes nothing: the cluster goes on.
    class.cluster.put("iabd-topic-p3", &[1, 9, 1]);
    class.take([Do::Type("b"), Do::Type(""), Do::Type("q")]);
    assert_eq!(class.mark("each", "and-the-next")["answer"], 3);
}

/// Where each line of the ordering of the lesson `lag` is shown, and the one that does not belong.
fn shown() -> [String; 4] {
    let shown = mixed(4, SEED, "once-more");
    [1, 2, 3, 4].map(|line| (shown.iter().position(|at| *at == line).unwrap() + 1).to_string())
}

fn caught_up(cluster: &Fake) -> Do {
    let groups = cluster.groups.clone();
    Do::Act(Box::new(move || {
        let committed = [
            (("iabd-topic-lag".to_owned(), 0), 10),
            (("iabd-topic-lag".to_owned(), 1), 0),
        ];
        let group = Group {
            committed: committed.into(),
            ..Group::default()
        };
        groups.borrow_mut().insert("iabd-app-lag".to_owned(), group);
    }))
}

#[test]
fn lines_are_put_in_order_one_by_one_or_at_once_and_the_stray_one_shows_a_belief() {
    let [one, two, three, stray] = shown();
    let once = [Do::Say([one.as_str(), &two, &three].join(" "))];
    let slowly = [&stray, "0", &one, &two, &stray].map(|line| Do::Say(line.to_owned()));
    let believed = "Many take --from-beginning for an order";
    for (script, right, order) in [
        (once.into_iter().collect::<Vec<Do>>(), true, [1, 2, 3]),
        (slowly.into_iter().collect(), false, [1, 2, 4]),
    ] {
        let class = Class::at("lag", "catch-up");
        class.cluster.put("iabd-topic-lag", &[10, 0]);
        let rest = [
            Do::Type("2"),
            Do::Type(""),
            caught_up(&class.cluster),
            Do::Type("q"),
        ];
        let heard = class.take([Do::Type("2")].into_iter().chain(script).chain(rest));
        assert!(heard.contains("Their numbers in order, 3 of them"), "{heard}");
        assert!(heard.contains("--from-beginning"), "{heard}");
        let place = heard.find("Well done").unwrap_or_else(|| panic!("{heard}"));
        let (_, after) = heard.split_at(place);
        let lines: Vec<&str> = after
            .lines()
            .filter(|line| line.starts_with("    velo group reset") || line.starts_with("    velo consume"))
            .collect();
        assert!(
            lines[0].ends_with("--to earliest") && lines[1].ends_with("--execute"),
            "{after}"
        );
        let mark = class.mark("catch-up", "once-more");
        assert_eq!(mark["right"], right, "{mark}");
        assert_eq!(mark["given"], serde_json::json!(order));
        assert_eq!(mark["answer"], serde_json::json!([1, 2, 3]));
        let told = after.replace('`', "").contains(believed);
        assert_eq!(told, !right, "{after}");
        assert_eq!(mark["belief"].is_null(), right);
    }
}

#[test]
fn the_same_seed_shows_lines_in_the_same_order_and_none_shows_them_as_they_belong() {
    let home = Home::new();
    let read = |seed: &str| {
        let said = home
            .velo(&["lesson", "show", "lag", "--lang", "en", "--seed", seed])
            .succeeds();
        let lines = said.stdout.lines();
        // Numbered; what the step itself tells to type is not.
        let numbered = |line: &&str| {
            line.trim_start()
                .starts_with(|first: char| first.is_ascii_digit())
        };
        let lines = lines.filter(|line| numbered(line) && line.contains("  velo group reset"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(read("5").len(), 2);
    assert_eq!(read("5"), read("5"));
    let orders: std::collections::BTreeSet<Vec<String>> =
        (0..8).map(|seed| read(&seed.to_string())).collect();
    assert!(orders.len() > 1, "{orders:?}");
}

#[test]
fn lint_finds_what_is_wrong_with_questions_of_each_kind() {
    for (lesson, file, from, to, told) in [
        (
            "04-partitions",
            "lesson.toml",
            "topic = \"iabd-topic-p3\"\npartition = 1",
            "topic = \"elsewhere\"\npartition = 1",
            "`elsewhere` is checked, but is not among the lesson's topics and groups",
        ),
        (
            "04-partitions",
            "en.md",
            "after `Tuesday`?\n",
            "after `Tuesday`?\n1. One.\n2. Two.\n",
            "question `and-the-next`: has answers to choose from, and wants none",
        ),
        (
            "04-partitions",
            "en.md",
            "One more than the last. In the table of `velo offsets`, END is just that: the offset of the next record, not of the last one.\n",
            "",
            "question `and-the-next`: has no explanation",
        ),
        (
            "10-lag",
            "lesson.toml",
            "stray = \"velo consume iabd-topic-lag",
            "stray = \"velo consum iabd-topic-lag",
            "cannot be typed",
        ),
        (
            "10-lag",
            "lesson.toml",
            "order = [\n",
            "order = [\n    \"velo topic list\",\n",
            "question `once-more`: `velo topic list` is no line of the solution after those before it",
        ),
    ] {
        let said = lint_after(lesson, file, |text| text.replacen(from, to, 1));
        assert!(said.contains(told), "{told}\nis not in\n{said}");
    }
}

const OWN: &str = "title = \"Class 2B\"\n\
    [[question]]\nid = \"which\"\ntext = \"Which one?\"\noptions = [\"this\", \"that\"]\nanswer = 2\nwhy = \"That one.\"\n\
    [[question]]\nid = \"many\"\ntext = \"How many?\"\nnumber = 12\nwhy = \"A dozen.\"\n";

#[test]
fn a_class_asks_its_own_questions_and_gets_marks_and_what_was_missed_again() {
    let home = Home::new();
    let file = home.path().join("2b.toml");
    fs::write(&file, OWN).unwrap();
    let quiz = |options: &[&str], answers: &str| {
        let own = ["quiz", "--questions", file.to_str().unwrap(), "--lang", "en"];
        let mut command = home.command(&[&own, options].concat());
        let output = command.write_stdin(answers.to_owned()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (marks, said) = quiz(&["--json"], "1\n12\n");
    assert!(
        said.contains("Which one?") && said.contains("1 of 2 answered"),
        "{said}"
    );
    let marks: serde_json::Value = serde_json::from_str(&marks).unwrap();
    assert_eq!((&marks["right"], &marks["given"]), (&1.into(), &2.into()));
    let first = &marks["questions"][0];
    assert_eq!(
        (&first["lesson"], &first["question"]),
        (&"2b".into(), &"which".into())
    );
    assert_eq!((&first["given"], &first["answer"]), (&1.into(), &2.into()));
    assert_eq!(
        (&first["right"], &first["kind"]),
        (&false.into(), &"choose".into())
    );
    assert_eq!(marks["questions"][1]["kind"], "type");
    // What was missed is due tomorrow, and then comes alone.
    assert!(quiz(&["--due"], "").1.contains("Nothing is due today"));
    let progress = home.path().join("state/course/progress.toml");
    let noted = fs::read_to_string(&progress).unwrap();
    let due = noted.lines().find(|line| line.starts_with("due = ")).unwrap();
    fs::write(&progress, noted.replace(due, "due = \"2020-01-01\"")).unwrap();
    let (again, _) = quiz(&["--due"], "2\n");
    assert!(
        again.contains("Which one?") && !again.contains("How many?"),
        "{again}"
    );
    fs::write(&file, OWN.replace("answer = 2", "answer = 3")).unwrap();
    let refused = home
        .velo(&["quiz", "--questions", file.to_str().unwrap()])
        .fails_with(1);
    assert!(refused.stderr.contains("answer 3 of 2"), "{}", refused.stderr);
}

#[test]
fn a_quiz_of_all_lessons_mixes_them_and_one_of_a_lesson_keeps_its_order() {
    let home = Home::new();
    let asked = |arguments: &[&str]| {
        let all = [&["quiz", "--json", "--lang", "en"], arguments].concat();
        let output = home
            .command(&all)
            .write_stdin("1\n2\n3\n4\n".repeat(60))
            .output()
            .unwrap();
        let marks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let questions = marks["questions"].as_array().unwrap().iter();
        questions
            .map(|one| one["lesson"].as_str().unwrap().to_owned())
            .collect::<Vec<String>>()
    };
    let mixed = asked(&["--seed", "3"]);
    let changes = mixed.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes > 5, "{mixed:?}");
    assert_eq!(mixed, asked(&["--seed", "3"]));
    let groups = asked(&["groups"]);
    assert!(groups.iter().all(|lesson| lesson == "groups"), "{groups:?}");
}

#[test]
fn the_self_assessment_of_the_groups_is_in_the_quiz() {
    let groups = Source::Embedded.lesson("groups", &Words::of(Lang::En)).unwrap();
    for (step, question, answer) in [
        ("second-group", "a-new-group", "All the records."),
        ("second-group", "the-same-again", "Nothing."),
        ("nobody", "where-are-they", "They lie in the topic"),
        (
            "back",
            "which-ones",
            "The three that came while nobody was there.",
        ),
    ] {
        let asked = groups
            .step(step)
            .unwrap()
            .questions
            .iter()
            .find(|asked| asked.id == question);
        let text = &groups.prose(Lang::En).steps[step].questions[question];
        let right = serde_json::to_value(asked.unwrap().answer(None)).unwrap();
        let right = usize::try_from(right.as_u64().unwrap()).unwrap();
        assert!(
            text.options[right - 1].starts_with(answer),
            "{question}: {:?}",
            text.options
        );
    }
}
