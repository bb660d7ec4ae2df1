//! The shipped lessons, and what an author is told about others.

use crate::support::cluster::Cluster;
use crate::support::velo::Home;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use velodrome::course::program::split;
use velodrome::scripts::table;

/// All of them, in the order of the course.
const LESSONS: [&str; 17] = [
    "queues",
    "hello-kafka",
    "partitions",
    "keys",
    "groups",
    "lag",
    "delivery",
    "velib",
    "python",
    "replication",
    "acks",
    "discovery",
    "kraft",
    "storm",
    "trips",
    "people-mongodb",
    "final",
];

#[test]
fn the_shipped_lessons_have_nothing_wrong_in_structure_texts_and_languages() {
    let ended = Home::new()
        .velo(&["lesson", "lint", "--texts", "--lang", "en"])
        .succeeds();
    assert_eq!(ended.stdout, "");
    for lesson in LESSONS {
        assert!(
            ended.stderr.contains(&format!(
                "{lesson}: nothing wrong in structure, texts and languages."
            )),
            "{}",
            ended.stderr
        );
    }
}

/// Every line in the lessons' texts that begins like this: between back quotes, or a line of a block.
pub(super) fn lines_in_texts(begins: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for lesson in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons")).unwrap() {
        for language in ["en.md", "es.md", "fr.md"] {
            let text = fs::read_to_string(lesson.as_ref().unwrap().path().join(language)).unwrap_or_default();
            let pieces = text.lines().flat_map(|line| match line.starts_with(begins) {
                true => vec![line],
                false => line.split('`').skip(1).step_by(2).collect(),
            });
            found.extend(
                pieces
                    .filter(|piece| piece.starts_with(begins))
                    .map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn every_line_for_velo_in_a_text_is_one_that_velo_takes() {
    let home = Home::new();
    let lines = lines_in_texts("velo ");
    assert!(lines.len() > 30, "{lines:?}");
    for line in lines {
        // What is wrong in front of --help is told in place of the help.
        let typed = split(&line).unwrap();
        // A script's line is for the script to read.
        if table::find(&typed[1]).is_some() {
            continue;
        }
        let words: Vec<&str> = typed
            .iter()
            .skip(1)
            .map(String::as_str)
            .chain(["--help"])
            .collect();
        let ended = home.velo(&words);
        assert_eq!(ended.code, 0, "{line}: {}", ended.stderr);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// What lint says about a lesson after `change` to one of its files.
pub(super) fn lint_after(lesson: &str, file: &str, change: impl Fn(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons").join(lesson);
    let lesson = folder.path().join(lesson);
    copy(&shipped, &lesson);
    let path = lesson.join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "the change changes nothing");
    fs::write(&path, after).unwrap();
    let folder = folder.path().to_str().unwrap();
    let ended = Home::new()
        .velo(&["lesson", "lint", folder, "--texts"])
        .fails_with(1);
    ended.stdout
}

#[test]
fn lint_finds_what_an_author_gets_wrong() {
    for (file, from, to, told) in [
        (
            "fr.md",
            "velo topic list\n",
            "velo topics list\n",
            "fr.md: step `cluster` has other code blocks than en.md",
        ),
        (
            "es.md",
            "## step: look",
            "## step: regard",
            "es.md: its steps are not those of lesson.toml, in the same order",
        ),
        (
            "en.md",
            "### why\nDeleting",
            "### because\nDeleting",
            "en.md: heading `### because` means nothing",
        ),
        (
            "en.md",
            "  producer ──writes──▶ ",
            "  producer ──writes them all──▶ ",
            "en.md: a picture is 80 columns wide, 74 at most are wanted: producer",
        ),
        (
            "es.md",
            "```picture Un productor",
            "```picture\n  Un productor",
            "es.md: a picture has no sentence that says the same",
        ),
        (
            "lesson.toml",
            "needs = [\"create/exists\"]",
            "needs = [\"delete\"]",
            "step `look`: it needs `delete`, which no step before it checks",
        ),
        (
            "lesson.toml",
            "fails = \"exists\"",
            "fails = \"existed\"",
            "wrong attempt `misspelt` fails on `existed`, which is no check",
        ),
        (
            "lesson.toml",
            "velo = \"velo topic list\"",
            "velo = \"velo topix list\"",
            "`velo topix list` cannot be typed",
        ),
        (
            "lesson.toml",
            "answer = 2",
            "answer = 7",
            "question `how-many`: answer 7 of 3",
        ),
        (
            "lesson.toml",
            "topics = [\"iabd-topic\"]",
            "topics = []",
            "`iabd-topic` is checked, but is not among the lesson's topics and groups",
        ),
    ] {
        let said = lint_after("01-hello-kafka", file, |text| text.replacen(from, to, 1));
        assert!(said.contains(told), "{told}\nis not in\n{said}");
    }
}

#[test]
fn a_name_that_is_checked_must_stand_in_the_text() {
    let said = lint_after("01-hello-kafka", "fr.md", |text| {
        text.replace("iabd-topic", "mon-topic")
    });
    assert!(
        said.contains("step `create`: fr: `iabd-topic` is checked, but does not stand in the text"),
        "{said}"
    );
}

#[test]
fn a_lesson_file_that_cannot_be_understood_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("x")).unwrap();
    fs::write(folder.path().join("x/lesson.toml"), "id = \"x\"\ntopic = 3\n").unwrap();
    let folder = folder.path().to_str().unwrap();
    let ended = Home::new()
        .velo(&["lesson", "--lessons", folder, "list"])
        .fails_with(1);
    assert!(ended.stderr.contains("x/lesson.toml"), "{}", ended.stderr);
    assert!(ended.stderr.contains("line 2"), "{}", ended.stderr);
}

#[test]
fn a_misspelt_lesson_is_answered_with_the_nearest() {
    let ended = Home::new().velo(&["lesson", "start", "velob"]).fails_with(2);
    assert!(
        ended.stderr.contains("velo lesson start velib"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_failure_is_announced_in_the_learner_s_language() {
    let home = Home::new();
    for (lang, said) in [
        (
            "fr",
            ["erreur\u{a0}: aucune leçon", "\npiste\u{a0}: velo lesson start"],
        ),
        ("es", ["error: ", "\npista: velo lesson start"]),
        ("en", ["error: ", "\nhint: velo lesson start"]),
    ] {
        let failed = home.velo(&["lesson", "check", "--lang", lang]).fails_with(1);
        assert!(failed.stderr.starts_with(said[0]), "{}", failed.stderr);
        assert!(failed.stderr.contains(said[1]), "{}", failed.stderr);
    }
}

#[test]
fn the_list_and_the_report_tell_how_far_one_is() {
    let home = Home::new();
    let list = home.velo(&["lesson", "list", "--lang", "en"]).succeeds().stdout;
    assert!(list.contains("hello-kafka") && list.contains("0/7"), "{list}");
    let report = home.velo(&["lesson", "report", "--json"]).succeeds().stdout;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let lessons = report["lessons"].as_array().unwrap();
    let ids: Vec<&str> = lessons
        .iter()
        .map(|lesson| lesson["lesson"].as_str().unwrap())
        .collect();
    assert_eq!(ids, LESSONS);
    assert_eq!(lessons[0]["steps"][1]["state"], "open");
}

#[test]
fn the_quiz_says_right_and_wrong_and_why() {
    let home = Home::new();
    let output = home
        .command(&["quiz", "hello-kafka", "--lang", "en"])
        .write_stdin("2\n1\n")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in [
        "Right: 2.",
        "No, it is 2.",
        "replication factor is 1",
        "1 of 2 answered correctly.",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn what_was_missed_in_a_lesson_or_in_the_quiz_is_asked_again_when_it_is_due() {
    let home = Home::new();
    let quiz = |arguments: &[&str], answers: &str| {
        let all = [&["quiz"], arguments, &["--lang", "en"]].concat();
        let output = home
            .command(&all)
            .write_stdin(answers.to_owned())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8(said).unwrap()
    };
    assert!(quiz(&["--due"], "").contains("Nothing is due today"));
    let folder = home.path().join("state/course");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("progress.toml");
    let missed = "[lesson.hello-kafka.step.consume.answers]\nagain = 1\n";
    fs::write(&file, missed).unwrap();
    let asked = quiz(&["--due"], "1\n");
    assert!(asked.contains("0 of 1 answered correctly"), "{asked}");
    assert!(
        asked.contains("Many take `--from-beginning` for an order"),
        "{asked}"
    );
    // Due tomorrow.
    assert!(quiz(&["--due"], "").contains("Nothing is due today"));
    let noted = fs::read_to_string(&file).unwrap();
    let due = noted.lines().find(|line| line.starts_with("due = ")).unwrap();
    fs::write(&file, noted.replace(due, "due = \"2020-01-01\"")).unwrap();
    assert!(quiz(&["--due"], "2\n").contains("1 of 1 answered correctly"));
    assert!(fs::read_to_string(&file).unwrap().contains("stage = 1"));
}

#[test]
fn a_new_lesson_has_nothing_wrong_in_one_language_or_three() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    for (name, languages, texts) in [("10-mine", &[][..], 3), ("only-spanish", &["--in", "es"][..], 1)] {
        let place = folder.path().join(name);
        let at = [
            &["lesson", "new", place.to_str().unwrap()],
            languages,
            &["--lang", "en"],
        ]
        .concat();
        let made = home.velo(&at).succeeds();
        assert_eq!(made.stdout.lines().count(), texts + 1, "{}", made.stdout);
        let lint = [
            "lesson",
            "lint",
            "--texts",
            place.to_str().unwrap(),
            "--lang",
            "en",
        ];
        let linted = home.velo(&lint).succeeds();
        assert!(linted.stderr.contains("nothing wrong"), "{}", linted.stderr);
        // Nothing is written over.
        home.velo(&at).fails_with(1);
    }
    let odd = folder.path().join("My lesson");
    home.velo(&["lesson", "new", odd.to_str().unwrap()]).fails_with(2);
}

#[test]
fn a_certificate_has_lessons_and_marks_and_is_for_who_has_finished() {
    let home = Home::new();
    let ask = ["lesson", "certificate", "--name", "Ana", "--lang", "en"];
    let refused = home.velo(&ask).fails_with(1).stderr;
    assert!(refused.contains("lesson final is not finished"), "{refused}");
    let folder = home.path().join("state/course");
    fs::create_dir_all(&folder).unwrap();
    let mut text = String::new();
    for step in ["create", "consumers", "records", "stopped", "explain"] {
        text.push_str(&format!(
            "[lesson.final.step.{step}]\nstate = \"passed\"\nrevision = 1\n"
        ));
    }
    text.push_str("[lesson.final.step.explain.answers]\ncurrent-offset = 3\nthe-lag = 1\n");
    fs::write(folder.join("progress.toml"), text).unwrap();
    let said = home.velo(&ask).succeeds().stdout;
    let finished = format!("Lessons finished: 1 of {}", LESSONS.len());
    for part in [
        "Name: Ana",
        &finished,
        "final  5/5 steps, 1/7 answers right",
        "Marks: 1",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn a_lesson_can_be_read_without_a_cluster_in_each_language() {
    let home = Home::new();
    for lesson in LESSONS {
        for (lang, end) in [("en", "The end"), ("es", "Fin"), ("fr", "Fin")] {
            let said = home
                .velo(&["lesson", "show", lesson, "--lang", lang])
                .succeeds()
                .stdout;
            assert!(
                said.contains(end) && said.contains("1/"),
                "{lesson} {lang}: {said}"
            );
        }
    }
    assert!(!home.path().join("state/course/progress.toml").exists());
}

#[test]
fn one_who_jumps_to_a_step_finds_what_the_ones_before_would_have_left() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let jump = [&["lesson", "start", "lag", "--at", "behind"], &at[..]].concat();
    let output = home.command(&jump).write_stdin("end\n").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("3/7 Falling behind") && said.contains("Ended: [2]"),
        "{said}"
    );
    let status = home
        .velo(&["lesson", "status", "--lang", "en", "-o", "plain"])
        .succeeds()
        .stdout;
    assert!(
        status.contains("read\tA group that keeps up\tskipped"),
        "{status}"
    );
    let unknown = [&["lesson", "start", "lag", "--at", "behint"], &at[..]].concat();
    let refused = home.velo(&unknown).fails_with(2).stderr;
    assert!(refused.contains("velo lesson start lag --at behind"), "{refused}");
}

#[test]
fn a_lessons_files_are_written_and_never_overwrite_what_the_learner_changed() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mine");
    let at = ["lesson", "files", "velib", place.to_str().unwrap()];
    let written = home.velo(&at).succeeds().stdout;
    let monitor = place.join("velib-monitor-stations.py");
    assert!(written.contains(monitor.to_str().unwrap()), "{written}");
    home.velo(&at).succeeds();
    fs::write(&monitor, "print('mine')\n").unwrap();
    let refused = home.velo(&at).fails_with(1).stderr;
    assert!(
        refused.contains("is there and differs") && refused.contains("--force"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&monitor).unwrap(), "print('mine')\n");
    home.velo(&[&at[..], &["--force"]].concat()).succeeds();
    assert!(fs::read_to_string(&monitor).unwrap().contains("KafkaConsumer"));
}

#[test]
fn a_lesson_without_files_says_so() {
    let ended = Home::new()
        .velo(&["lesson", "files", "hello-kafka"])
        .fails_with(1);
    assert!(ended.stderr.contains("has no files"), "{}", ended.stderr);
}

#[test]
fn a_course_that_contradicts_itself_is_told_how() {
    for (course, why) in [
        ("[[lesson]]\nid = \"hello\"\n", "no folder has the lesson `hello`"),
        (
            "[[lesson]]\nid = \"hello-kafka\"\nafter = [\"velib\"]\n",
            "`hello-kafka` builds on `velib`, which does not stand before it",
        ),
        ("lesson = []\n", "the lesson `hello-kafka` does not stand in it"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/01-hello-kafka"),
            &folder.path().join("01-hello-kafka"),
        );
        fs::write(folder.path().join("course.toml"), course).unwrap();
        let folder = folder.path().to_str().unwrap();
        let ended = Home::new()
            .velo(&["lesson", "--lessons", folder, "list"])
            .fails_with(1);
        assert!(ended.stderr.contains(why), "{why}\nis not in\n{}", ended.stderr);
    }
}

/// A learner in the middle of a lesson, or behind its end.
fn at(home: &Home, lesson: &str, bootstrap: &str, states: &[(&str, &str)]) {
    let folder = home.path().join("state/course");
    fs::create_dir_all(&folder).unwrap();
    let mut text = format!("current = \"{lesson}\"\n[lesson.{lesson}]\nbootstrap = \"{bootstrap}\"\n");
    for (step, state) in states {
        text.push_str(&format!(
            "[lesson.{lesson}.step.{step}]\nstate = \"{state}\"\nrevision = 1\n"
        ));
    }
    fs::write(folder.join("progress.toml"), text).unwrap();
}

#[test]
fn a_command_does_not_give_away_what_the_lesson_asks() {
    let cluster = Cluster::classroom();
    let server = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let create = [&["topic", "create", "velib-stations"], &server[..]].concat();
    Home::new().velo(&create).succeeds();
    let set = ["config", "set", "topic", "velib-stations", "retention.ms=4s"];
    let set = [&set[..], &server[..]].concat();
    let told = Home::new().velo(&set).succeeds().stderr;
    assert!(told.contains("segment.ms"), "{told}");
    let learner = Home::new();
    at(&learner, "velib", cluster.bootstrap(), &[("topic", "passed")]);
    let told = learner.velo(&set).succeeds().stderr;
    assert!(!told.contains("segment"), "{told}");
}

#[test]
fn after_a_finished_lesson_the_next_is_begun_and_nothing_of_the_old_one_is_made_again() {
    let cluster = Cluster::classroom();
    let steps = [
        "cluster", "create", "look", "produce", "consume", "more", "delete",
    ];
    let home = Home::new();
    at(
        &home,
        "hello-kafka",
        cluster.bootstrap(),
        &steps.map(|step| (step, "passed")),
    );
    let start = |arguments: &[&str]| {
        let server = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
        let all = [&["lesson", "start"], arguments, &server[..]].concat();
        let output = home.command(&all).write_stdin("").output().unwrap();
        let told = [output.stderr, output.stdout].concat();
        String::from_utf8(told).unwrap()
    };
    let told = start(&["hello-kafka"]);
    assert!(told.contains("You have finished lesson hello-kafka"), "{told}");
    let told = start(&[]);
    assert!(told.contains("Next comes partitions: Partitions."), "{told}");
    assert!(told.contains("1/6"), "{told}");
    let list = ["topic", "list", "--bootstrap-server", cluster.bootstrap()];
    assert_eq!(home.velo(&list).succeeds().stdout.trim(), "");
}

#[test]
fn pictures_are_told_in_words_to_those_who_ask() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let said = |arguments: &[&str]| {
        let server = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
        let all = [&["lesson", "start", "hello-kafka"], arguments, &server[..]].concat();
        let output = home.command(&all).write_stdin("").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = said(&["--no-pictures"]);
    assert!(
        told.contains("any number of consumers") && !told.contains('┌'),
        "{told}"
    );
    let drawn = said(&[]);
    assert!(
        drawn.contains('┌') && !drawn.contains("any number of consumers"),
        "{drawn}"
    );
}

#[test]
fn a_lesson_whose_cluster_is_gone_is_told_how_to_start_it_again() {
    let home = Home::new();
    at(&home, "velib", "localhost:1", &[("topic", "passed")]);
    let ended = home.velo(&["lesson", "check", "--lang", "es"]).fails_with(3);
    let told = ended.stderr;
    assert!(
        told.contains("el clúster de la lección, localhost:1, no responde"),
        "{told}"
    );
    assert!(told.contains("velo cluster start --port 1"), "{told}");
}
