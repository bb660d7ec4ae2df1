//! Files and streams from Windows, which begin with a byte order mark: it is no part of what is read.

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::velo::Home;
use std::fs;
use std::path::{Path, PathBuf};

const MARK: &str = "\u{feff}";

fn file(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::write(&path, format!("{MARK}{text}")).unwrap();
    path
}

/// Adds a mark to a file that is there.
fn mark(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, format!("{MARK}{text}")).unwrap();
}

on_both_clusters! {
    fn lines_to_produce_begin_behind_it(cluster) {
        let user = User::at(cluster);
        let home = Home::new();
        for (lines, options, expected) in [
            ("a\r\nb\r\n", &[][..], "a\nb\n"),
            ("k:a\n", &["--key-separator", ":"], "a\n"),
            ("{\"value\":\"a\"}\n", &["--jsonl"], "a\n"),
        ] {
            let topic = user.topic(1);
            user.writes(&topic, &format!("{MARK}{lines}"), options);
            assert_eq!(user.reads(&topic, &[]), expected);
            let path = file(&home, "lines", lines);
            let from = [&["--file", path.to_str().unwrap()], options].concat();
            user.writes(&topic, "", &from);
            assert_eq!(user.reads(&topic, &[]), expected.repeat(2));
        }
        // Within the stream it is a letter like any other.
        let topic = user.topic(1);
        user.writes(&topic, &format!("a\n{MARK}b\n"), &[]);
        assert_eq!(user.reads(&topic, &[]), format!("a\n{MARK}b\n"));
    }

    fn offsets_and_settings_are_read_behind_it(cluster) {
        let user = User::at(cluster);
        let home = Home::new();
        let topic = user.topic(1);
        user.writes(&topic, "a\nb\n", &[]);
        let offsets = file(&home, "offsets.csv", &format!("{topic},0,1\r\n"));
        let settings = file(&home, "client.properties", "security.protocol=PLAINTEXT\r\n");
        let group = cluster.name("marked");
        let said = user.velo(&["group", "reset", &group, "--from-file", offsets.to_str().unwrap(), "--execute",
            "--command-config", settings.to_str().unwrap()]).succeeds();
        assert!(said.stdout.contains(&topic), "{}", said.stdout);
    }
}

#[test]
fn what_powershell_writes_with_a_redirection_is_read() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let units = "\u{feff}security.protocol=PLAINTEXT\r\n".encode_utf16();
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let path = home.path().join("client.properties");
    fs::write(&path, bytes).unwrap();
    let config = ["--command-config", path.to_str().unwrap()];
    home.velo(
        &[
            &["topic", "list", "--bootstrap-server", cluster.bootstrap()],
            &config[..],
        ]
        .concat(),
    )
    .succeeds();
}

#[test]
fn contexts_and_progress_are_read_behind_it() {
    let home = Home::new();
    home.velo(&["context", "add", "here", "--bootstrap-server", "127.0.0.1:1"])
        .succeeds();
    let mut marked = 0;
    for entry in walk(home.path()) {
        if entry.extension().is_some_and(|extension| extension == "toml") {
            mark(&entry);
            marked += 1;
        }
    }
    assert_eq!(marked, 1);
    let said = home.velo(&["context", "list"]).succeeds();
    assert!(said.stdout.contains("here"), "{}", said.stdout);
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}

#[test]
fn a_lesson_written_on_windows_is_read_and_the_answer_of_a_pipe_too() {
    let home = Home::new();
    let lessons = home.path().join("lessons");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/01-hello-kafka");
    fs::create_dir_all(lessons.join("01-hello-kafka")).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
        let to = lessons.join("01-hello-kafka").join(path.file_name().unwrap());
        fs::write(to, format!("{MARK}{text}")).unwrap();
    }
    let listed = [
        "lesson",
        "--lessons",
        lessons.to_str().unwrap(),
        "list",
        "--output",
        "plain",
        "--lang",
        "en",
    ];
    let said = home.velo(&listed).succeeds();
    assert!(said.stdout.starts_with("hello-kafka\t"), "{}", said.stdout);
    let quiz = home
        .command(&["quiz", "hello-kafka", "--lang", "en"])
        .write_stdin(format!("{MARK}1\nq\n"))
        .output()
        .unwrap();
    let said = String::from_utf8(quiz.stdout).unwrap();
    assert!(said.contains("of 1"), "{said}");
}

#[test]
fn a_file_of_an_ingest_that_an_editor_has_marked_is_written_on() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let home = Home::new();
    let topic = user.topic(1);
    user.writes(&topic, "{\"n\":1}\n", &[]);
    let path = home.path().join("people.jsonl");
    let ingest = [
        "mongo",
        "ingest",
        "--topic",
        &topic,
        "--to",
        path.to_str().unwrap(),
        "--exit-at-end",
    ];
    user.velo(&ingest).succeeds();
    mark(&path);
    user.writes(&topic, "{\"n\":2}\n", &[]);
    user.velo(&ingest).succeeds();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with(MARK) && text.ends_with("\"n\":2}\n"), "{text}");
}
