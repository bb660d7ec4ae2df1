//! A class: what the runner tells it, on a cluster in memory and on real ones, and what the teacher sees.

use super::fake::{Do, Fake, Learner};
use crate::support::cluster::Cluster;
use crate::support::ending::{self, LIMIT, Limit};
use crate::support::velo::{Ended, Home};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use velodrome::course::class::standing::{Presence, Standing};
use velodrome::course::class::{Notice, Register};
use velodrome::course::dress::Dress;
use velodrome::course::load::Source;
use velodrome::course::render::Page;
use velodrome::course::runner::Runner;
use velodrome::failure::Failure;
use velodrome::i18n::{Lang, Words};

/// A class that keeps what it is told, and may refuse it.
#[derive(Default)]
struct Told {
    standings: RefCell<Vec<Standing>>,
    trouble: Cell<Option<Failure>>,
}

impl Register for Told {
    fn note(&self, standing: Standing) {
        let mut standings = self.standings.borrow_mut();
        if standings.last() != Some(&standing) {
            standings.push(standing);
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.trouble.take().map(Notice::Refused)
    }
}

/// Takes `hello-kafka` in a class with names that begin with `ana-`, and answers what was heard.
fn take(class: &Told, cluster: &Fake, script: impl IntoIterator<Item = Do>) -> String {
    let folder: TempDir = tempfile::tempdir().unwrap();
    let words = Words::of(Lang::En);
    let lesson = Source::Embedded.lesson("hello-kafka", &words).unwrap();
    let mut learner = Learner::new(script);
    Runner {
        lesson: &lesson,
        words: &words,
        facts: cluster,
        dress: Dress::new(&lesson, "ana-", "localhost:9092"),
        page: Page::plain(80),
        file: folder.path().join("progress.toml"),
        next: None,
        own_data: None,
        class: Some(class),
    }
    .run(&mut learner)
    .unwrap();
    learner.heard
}

fn puts(cluster: &Fake, topic: &'static str) -> Do {
    let cluster = cluster.clone();
    Do::Act(Box::new(move || cluster.put(topic, &[0])))
}

fn idle() -> Do {
    Do::Act(Box::new(|| ()))
}

#[test]
fn the_class_is_told_where_a_learner_is_what_hangs_and_what_helped() {
    let (class, cluster) = (Told::default(), Fake::default());
    let script = [
        Do::Type(""),
        idle(),
        Do::Type("h"),
        idle(),
        puts(&cluster, "ana-iabd-topic"),
        idle(),
        Do::Type("q"),
    ];
    take(&class, &cluster, script);
    let standings = class.standings.take();
    let first = &standings[0];
    assert_eq!((first.number, first.of, first.presence), (1, 7, Presence::Here));
    let hangs = standings
        .iter()
        .find(|standing| standing.stuck.is_some())
        .unwrap();
    assert_eq!(hangs.step.as_deref(), Some("create"));
    assert_eq!(hangs.stuck.as_ref().unwrap().check, "exists");
    let last = standings.last().unwrap();
    assert!(last.done && last.stuck.is_none(), "{last:?}");
    let create = last.steps.iter().find(|step| step["step"] == "create").unwrap();
    assert_eq!(
        (&create["state"], &create["hints"]),
        (&"passed".into(), &1.into())
    );
}

#[test]
fn a_class_that_cannot_be_told_is_named_once_and_the_lesson_goes_on() {
    let (class, cluster) = (Told::default(), Fake::default());
    class
        .trouble
        .set(Some(Failure::request("cannot create topic `velo-class`")));
    let script = [
        Do::Type(""),
        idle(),
        puts(&cluster, "ana-iabd-topic"),
        idle(),
        Do::Type("q"),
    ];
    let heard = take(&class, &cluster, script);
    assert_eq!(heard.matches("Your teacher cannot follow").count(), 1, "{heard}");
    assert!(heard.contains("Well done"), "{heard}");
}

#[test]
fn nothing_of_other_students_is_shown() {
    let (class, cluster) = (Told::default(), Fake::default());
    let others =
        ["eva-iabd-topic", "anna-iabd-topic", "iabd-topic", "NAME"].map(|topic| puts(&cluster, topic));
    let script = [Do::Type("")].into_iter().chain(others).chain([idle()]);
    let own = [puts(&cluster, "ana-iabd-topik"), idle(), Do::Type("q")];
    let heard = take(&class, &cluster, script.chain(own)).replace('`', "");
    for topic in ["eva-iabd-topic", "anna-iabd-topic", "iabd-topic"] {
        assert!(!heard.contains(&format!("There is a topic {topic},")), "{heard}");
    }
    assert!(!heard.contains("There is a topic called NAME"), "{heard}");
    assert!(heard.contains("There is a topic ana-iabd-topik, but"), "{heard}");
}

/// A student at a runner whose input stays open, so that nothing ends before it is seen.
struct Student {
    home: Rc<Home>,
    process: Child,
    said: BufReader<ChildStdout>,
    heard: String,
}

impl Student {
    /// Takes a lesson in the class of a cluster.
    fn takes(lesson: &[&str], cluster: &Cluster, name: &str) -> Self {
        let class = [
            "--student",
            name,
            "--class",
            "--bootstrap-server",
            cluster.bootstrap(),
        ];
        Self::starts(&Rc::new(Home::new()), &[lesson, &class].concat())
    }

    /// Takes a lesson with these options.
    fn starts(home: &Rc<Home>, options: &[&str]) -> Self {
        let home = Rc::clone(home);
        let mut process = Command::new(env!("CARGO_BIN_EXE_velo"))
            .args([&["lesson", "start"], options, &["--lang", "en"]].concat())
            .env("VELO_HOME", home.path())
            .env_remove("VELO_BOOTSTRAP_SERVER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Student {
            home,
            process,
            said,
            heard: String::new(),
        }
    }

    fn types(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
    }

    /// Reads what the student is told, up to a line with this in it.
    fn hears(&mut self, part: &str) {
        let _limit = Limit::on(&self.process);
        loop {
            let mut line = String::new();
            let read = self.said.read_line(&mut line).unwrap();
            assert!(read > 0, "{part} is not in\n{}", self.heard);
            self.heard.push_str(&line);
            if line.contains(part) {
                return;
            }
        }
    }

    /// Leaves, and answers what was said to the student from first to last.
    fn leaves(mut self) -> String {
        self.types("q");
        drop(self.process.stdin.take());
        let _limit = Limit::on(&self.process);
        self.said.read_to_string(&mut self.heard).unwrap();
        assert!(ending::ended(&mut self.process).success(), "{}", self.heard);
        self.heard
    }
}

fn board(cluster: &Cluster, options: &[&str]) -> Ended {
    let words = [&["lesson", "board", "--lang", "en"], options].concat();
    let at = ["--bootstrap-server", cluster.bootstrap()];
    Home::new().velo(&[&words[..], &at].concat())
}

/// The line of a student on the board once it is as wanted.
fn until(cluster: &Cluster, student: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + LIMIT;
    loop {
        let rows = board(cluster, &["--json"]).succeeds().stdout;
        let rows: Value = serde_json::from_str(&rows).unwrap();
        let row = rows
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["student"] == student);
        if let Some(row) = row.filter(|row| is(row)) {
            return row.clone();
        }
        assert!(Instant::now() < deadline, "{rows:#}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

on_both_clusters! {
    fn a_teacher_sees_on_the_board_where_a_student_is(cluster) {
        a_student_is_followed(cluster);
    }
}

fn a_student_is_followed(cluster: &Cluster) {
    let name = cluster.name("Ana López");
    let begins = velodrome::course::class::prefix(&name);
    let mut ana = Student::takes(&["hello-kafka"], cluster, &name);
    ana.types("");
    let hangs = until(cluster, &name, |row| row["check"] == "exists");
    assert_eq!(
        (&hangs["lesson"], &hangs["step"]),
        (&"hello-kafka".into(), &"create".into())
    );
    assert_eq!(
        (&hangs["number"], &hangs["of"], &hangs["state"]),
        (&2.into(), &7.into(), &"working".into())
    );
    ana.types("h");
    until(cluster, &name, |row| row["hints"] == 1);

    let table = board(cluster, &[]).succeeds().stdout;
    let line = table.lines().find(|line| line.starts_with(&name)).unwrap();
    assert!(line.contains("2/7 create") && line.ends_with("exists"), "{line}");
    let one = board(cluster, &["--student", &name]).succeeds().stdout;
    assert!(
        one.starts_with(&format!("{name}: Hello, Kafka, 2/7 create")),
        "{one}"
    );
    let missing = format!("✗ topic {begins}iabd-topic exists: not yet");
    assert!(one.contains(&missing), "{one}");
    let unknown = board(cluster, &["--student", &name[..name.len() - 1]]).fails_with(1);
    assert!(unknown.stderr.contains(&name), "{}", unknown.stderr);

    // What it asks for, with the prefix that it was given.
    let topic = format!("{begins}iabd-topic");
    let at = ["--bootstrap-server", cluster.bootstrap()];
    let velo = |words: &[&str]| Home::new().velo(&[words, &at].concat());
    velo(&["topic", "create", &topic, "--partitions", "1"]).succeeds();
    until(cluster, &name, |row| row["state"] == "done" && row["passed"] == 2);
    let home = Rc::clone(&ana.home);
    let said = ana.leaves();
    let told = format!("Your teacher follows: as {name} you write how far you are");
    assert_eq!(said.matches(&told).count(), 1, "{said}");
    // Whether the cluster took the last record in time or not, it is no longer a step that hangs.
    let row = until(cluster, &name, |_| true);
    assert!(row["state"] == "left" || row["state"] == "done", "{row}");
    home.velo(&["lesson", "reset", "hello-kafka", "--yes"]).succeeds();

    let described = velo(&["topic", "describe", "velo-class", "-o", "json"])
        .succeeds()
        .stdout;
    assert!(described.contains("\"value\": \"compact\""), "{described}");
    let records = velo(&[
        "consume",
        "velo-class",
        "--from-beginning",
        "--exit-at-end",
        "-o",
        "json",
    ]);
    let key = format!("\"key\":\"{name}/hello-kafka\"");
    let records = records.succeeds().stdout.replace("\": \"", "\":\"");
    assert!(records.contains(&key), "{records}");
}

#[test]
fn a_cluster_that_refuses_holds_no_lesson_up() {
    // The class's topic cannot be made: two copies on one broker.
    let cluster = Cluster::classroom_with(&["default.replication.factor=2"]);
    let mut ana = Student::takes(&["hello-kafka", "--prefix", "a-"], &cluster, "ana");
    ana.types("");
    ana.hears("2/7");
    // Whoever was quicker.
    if !ana.heard.contains("cannot follow just now") {
        ana.hears("cannot follow just now");
    }
    ana.types("t");
    ana.hears("2/7");
    let said = ana.leaves();
    assert_eq!(said.matches("cannot follow just now").count(), 1, "{said}");
    let empty = board(&cluster, &[]).succeeds();
    assert_eq!(empty.stdout, "");
    assert!(empty.stderr.contains("Nobody takes a lesson"), "{}", empty.stderr);
    assert_eq!(board(&cluster, &["-o", "json"]).succeeds().stdout, "[]\n");
}

#[test]
fn two_of_one_name_are_told() {
    let cluster = Cluster::classroom();
    let first = Student::takes(&["hello-kafka"], &cluster, "ana");
    until(&cluster, "ana", |row| row["state"] == "working");
    let mut second = Student::takes(&["hello-kafka"], &cluster, "ana");
    second.hears("Somebody called like you");
    second.leaves();
    let said = first.leaves();
    assert!(!said.contains("Somebody called like you"), "{said}");
}

/// The brokers that a lesson has started for itself; they end with the value.
struct OwnBrokers {
    home: Rc<Home>,
}

impl Drop for OwnBrokers {
    fn drop(&mut self) {
        let data = self.home.path().join("data/course-cluster-101-102-103");
        let stop = ["cluster", "stop", "--kill", "--data", data.to_str().unwrap()];
        // Whatever it says: a test may be failing already.
        let _ = self.home.command(&stop).output();
    }
}

#[test]
fn a_lesson_that_stops_brokers_has_its_own_beside_the_class_s_cluster() {
    let cluster = Cluster::classroom();
    let home = Rc::new(Home::new());
    let _brokers = OwnBrokers {
        home: Rc::clone(&home),
    };
    let velo = |words: &[&str]| home.velo(&[words, &["--lang", "en"]].concat());
    velo(&["context", "join", cluster.bootstrap()]).succeeds();
    // The context in use has one broker: whether the teacher follows or not, the lesson has three of its own.
    for options in [&["--yes"][..], &["--class", "--student", "ana"]] {
        let mut ana = Student::starts(&home, &[&["replication"], options].concat());
        ana.hears("Lesson replication, cluster localhost:");
        assert!(!ana.heard.contains(cluster.bootstrap()), "{}", ana.heard);
        ana.types("");
        if options.contains(&"--class") {
            until(&cluster, "ana", |row| row["lesson"] == "replication");
        }
        // Other terminals are on the lesson's brokers too.
        let hint = velo(&["lesson", "hint"]).succeeds().stdout;
        assert!(hint.contains("Hint "), "{hint}");
        ana.leaves();
    }
}

#[test]
fn a_class_needs_a_name_and_remembers_it() {
    let home = Home::new();
    let start = [
        "lesson",
        "start",
        "hello-kafka",
        "--class",
        "--lang",
        "en",
        "-b",
        "127.0.0.1:1",
    ];
    let refused = home.velo(&start).fails_with(2);
    assert!(refused.stderr.contains("who are you?"), "{}", refused.stderr);
    let odd = home
        .velo(&[&start[..], &["--student", "a/b"]].concat())
        .fails_with(2);
    assert!(odd.stderr.contains("cannot be a student"), "{}", odd.stderr);
    // The name is good, the cluster is not there.
    home.velo(&[&start[..], &["--student", "Ana"]].concat())
        .fails_with(3);
    home.velo(&start).fails_with(3);
    let report = home.velo(&["lesson", "report", "--json"]).succeeds().stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["student"], "Ana");
    assert_eq!(report["date"].as_str().unwrap().len(), "2026-01-31".len());
    let other = home
        .velo(&["lesson", "report", "--student", "Eva"])
        .succeeds()
        .stdout;
    assert!(other.starts_with("Eva, 20"), "{other}");
}

#[cfg(unix)]
mod screen {
    use super::*;
    use expectrl::{Eof, Expect, Session};
    use velodrome::course::class::TOPIC;
    use velodrome::course::class::standing::Entry;
    use velodrome::kafka::record_producer::Outgoing;
    use velodrome::kafka::{Connection, RecordProducer};

    /// Writes that a student is at the second of seven steps.
    fn writes(producer: &RecordProducer, student: &str) {
        let entry = Entry {
            student: student.to_owned(),
            standing: Standing {
                lesson: "hello-kafka".to_owned(),
                prefix: String::new(),
                presence: Presence::Here,
                step: Some("create".to_owned()),
                number: 2,
                of: 7,
                done: false,
                stuck: None,
                steps: Vec::new(),
            },
            since: String::new(),
            when: String::new(),
            run: String::new(),
        };
        let value = serde_json::to_vec(&entry).unwrap();
        let key = entry.key();
        let record = Outgoing {
            topic: TOPIC,
            key: Some(key.as_bytes()),
            value: Some(&value),
            headers: &[],
        };
        producer.send(record).unwrap();
        producer.flush().unwrap();
    }

    #[test]
    fn thirty_students_are_two_pages_of_a_terminal_and_are_drawn_as_they_come() {
        let cluster = Cluster::classroom();
        let home = Home::new();
        let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
        command
            .args(["lesson", "board"])
            .args(at)
            .env("VELO_HOME", home.path())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        let mut terminal = Session::spawn(command).unwrap();
        terminal.set_expect_timeout(Some(LIMIT));
        terminal.get_process_mut().set_window_size(80, 24).unwrap();
        // Before there is a class, it waits for one.
        terminal.expect("Nobody takes a lesson").unwrap();
        home.velo(&[&["topic", "create", TOPIC, "--partitions", "1"], &at[..]].concat())
            .succeeds();
        let producer = RecordProducer::connect(&Connection::new(cluster.bootstrap(), None).unwrap()).unwrap();
        for number in 1..=30 {
            writes(&producer, &format!("student-{number:02}"));
        }
        terminal.expect("30 students, 30 working").unwrap();
        let shown = terminal.expect("Page 1 of 2").unwrap();
        let shown = String::from_utf8_lossy(shown.as_bytes()).into_owned();
        assert!(
            shown.contains("student-20") && !shown.contains("student-21"),
            "{shown}"
        );
        assert!(shown.lines().count() <= 24, "{shown}");
        terminal.send("n").unwrap();
        terminal.expect("student-21").unwrap();
        terminal.expect("Page 2 of 2").unwrap();
        writes(&producer, "zoe");
        terminal.expect("31 students").unwrap();
        terminal.expect("zoe").unwrap();
        terminal.expect("Page 2 of 2").unwrap();
        terminal.send("p").unwrap();
        terminal.expect("student-01").unwrap();
        terminal.send("q").unwrap();
        terminal.expect(Eof).unwrap();
    }
}
