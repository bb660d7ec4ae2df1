//! What producers write when the brokers do not answer: nothing twice, and nothing less for it.

use crate::support::cluster::{Classroom, Cluster};
use crate::support::ending::{Paused, ended};
use crate::support::records::User;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn classroom(cluster: &Cluster) -> &Classroom {
    match cluster {
        Cluster::Classroom(classroom) => classroom,
        Cluster::Apache(_) => unreachable!("a cluster of this test alone"),
    }
}

/// A producer at work, which reads lines as they are typed.
struct Typing<'a> {
    user: &'a User<'a>,
    topic: String,
    process: Child,
    log: tempfile::NamedTempFile,
}

impl<'a> Typing<'a> {
    /// Its first line is written when this returns.
    fn start(user: &'a User<'a>, topic: &str, arguments: &[&str]) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let process = user
            .process(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut typing = Typing {
            user,
            topic: topic.to_owned(),
            process,
            log,
        };
        typing.line("before");
        let count = ["consume", topic, "--from-beginning", "--count", "1"];
        assert_eq!(user.velo(&count).succeeds().stdout, "before\n");
        typing
    }

    fn line(&mut self, line: &str) {
        let stdin = self.process.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits until stderr holds this.
    #[track_caller]
    fn says(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let said = std::fs::read_to_string(self.log.path()).unwrap();
            if said.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{words:?} is not in {said:?}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// No more lines: the exit code, and what was said.
    fn end(&mut self) -> (Option<i32>, String) {
        drop(self.process.stdin.take());
        let code = ended(&mut self.process).code();
        (code, std::fs::read_to_string(self.log.path()).unwrap())
    }

    /// The lines that are in the topic.
    fn written(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .user
            .reads(&self.topic, &[])
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }
}

impl Drop for Typing<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Settings with which a batch would be given up after two tries of 0.2 s.
const SHORT: &str = "retries=1\nrequest.timeout.ms=200\nretry.backoff.ms=10\nlinger.ms=10\n";

fn settings(more: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{SHORT}{more}")).unwrap();
    file
}

/// The command lines of those who write lines: the script with options of its own, and ours.
fn producers<'a>(bootstrap: &'a str, topic: &'a str, file: &'a str) -> [Vec<&'a str>; 2] {
    let script = [
        "kafka-console-producer",
        "--bootstrap-server",
        bootstrap,
        "--topic",
        topic,
        "--command-config",
        file,
        "--message-send-max-retries",
        "1",
        "--request-timeout-ms",
        "200",
        "--timeout",
        "10",
    ];
    let ours = ["produce", topic, "--command-config", file];
    [script.to_vec(), ours.to_vec()]
}

#[test]
fn lines_without_an_answer_are_not_given_up_after_a_few_tries_and_are_written_once() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    for index in 0..2 {
        let topic = user.topic(3);
        let file = settings("");
        let lines = producers(cluster.bootstrap(), &topic, file.path().to_str().unwrap());
        let mut typing = Typing::start(&user, &topic, &lines[index]);
        let paused = Paused::stop(classroom(&cluster).pid());
        let mut expected = vec!["before".to_owned()];
        for number in 0..20 {
            // The pace of the one who types.
            std::thread::park_timeout(Duration::from_millis(100));
            let line = format!("line-{number:02}");
            typing.line(&line);
            expected.push(line);
        }
        drop(paused);
        let (code, said) = typing.end();
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(typing.written(), expected, "{said}");
    }
}

/// How often a line was written; of those given up, what was under way may have been, but never twice.
#[track_caller]
fn assert_written(typing: &Typing<'_>, once: &[&str]) {
    let found = typing.written();
    let mut others = found.clone();
    others.retain(|line| !once.contains(&line.as_str()));
    let kept = found.len() - others.len();
    assert_eq!(kept, once.len(), "{found:?}");
    others.dedup();
    assert_eq!(others.len() + kept, found.len(), "{found:?}");
}

#[test]
fn what_the_script_gives_up_is_told_and_what_follows_is_written_once() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let topic = user.topic(3);
    let file = settings("delivery.timeout.ms=1500\n");
    let [script, _] = producers(cluster.bootstrap(), &topic, file.path().to_str().unwrap());
    let mut typing = Typing::start(&user, &topic, &script);
    let paused = Paused::stop(classroom(&cluster).pid());
    typing.line("lost-1");
    typing.line("lost-2");
    typing.says("not acknowledged in time");
    drop(paused);
    typing.line("after");
    let (code, said) = typing.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        said.matches("Error when sending message to topic").count(),
        2,
        "{said}"
    );
    assert_written(&typing, &["before", "after"]);
}

#[test]
fn what_velo_produce_gives_up_ends_it_with_an_error() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let topic = user.topic(3);
    let file = settings("delivery.timeout.ms=1500\n");
    let [_, ours] = producers(cluster.bootstrap(), &topic, file.path().to_str().unwrap());
    let mut typing = Typing::start(&user, &topic, &ours);
    let paused = Paused::stop(classroom(&cluster).pid());
    typing.line("lost-1");
    typing.line("lost-2");
    let (code, said) = typing.end();
    drop(paused);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("2 records were not written"), "{said}");
    assert_written(&typing, &["before"]);
}
