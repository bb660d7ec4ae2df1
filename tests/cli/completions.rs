//! `velo completions`

use crate::support::records::User;
use std::time::{Duration, Instant};

on_both_clusters! {
    fn tab_offers_the_topics_and_groups_of_the_live_cluster(cluster) {
        let user = User::at(cluster);
        let (topic, group) = (user.topic(1), cluster.name("tab"));
        user.velo(&["group", "reset", &group, "--to", "0", "--topic", &topic, "--execute"]).succeeds();
        for (words, offered) in [
            (&["velo", "topic", "describe", ""][..], topic.as_str()),
            (&["velo", "offsets", ""], &topic),
            (&["velo", "group", "members", ""], &group),
            (&["velo", "config", "set", "topic", "any", ""], "retention.ms="),
            (&["velo", "produce", ""], &topic),
            (&["velo", "consume", ""], &topic),
            (&["velo", "consume", "any", "--group", ""], &group),
            (&["velo", "consume", "any", "--proto", "lessons/65-trips/files/packet.proto", "--message", ""], "Packet"),
            (&["velo", "group", "reset", "any", "--topic", ""], &topic),
            (&["velo", "config", "get", "topic", ""], &topic),
            (&["velo", "config", "get", "group", ""], &group),
            (&["velo", "config", "get", "broker", ""], "1"),
            (&["velo", "config", "get", "broker", "1", ""], "num.partitions"),
            (&["velo", "velib", "monitor", "--topic", ""], &topic),
            (&["velo", "velib", "monitor", "--group", ""], &group),
            (&["velo", "mongo", "ingest", "--topic", ""], &topic),
            (&["velo", "people", "ingest", "--group", ""], &group),
            (&["kafka-topics.sh", "--describe", "--topic", ""], &topic),
            (&["kafka-topics", "--bootstrap-server", cluster.bootstrap(), "--topic", ""], &topic),
            (&["kafka-console-consumer.sh", "--group", ""], &group),
            (&["kafka-consumer-groups", "--describe", "--group", ""], &group),
            (&["/usr/local/bin/kafka-configs.sh", "--entity-type", ""], "topics"),
        ] {
            let deadline = Instant::now() + Duration::from_secs(60);
            loop {
                let candidates = pressed(&user, words);
                if candidates.lines().any(|line| line == offered) {
                    break;
                }
                assert!(Instant::now() < deadline, "{words:?}: {candidates}");
            }
        }
    }
}

#[test]
fn tab_offers_lessons_contexts_and_the_options_of_every_script() {
    let cluster = crate::support::cluster::Cluster::classroom();
    let user = User::at(&cluster);
    user.velo(&["context", "add", "classroom"]).succeeds();
    for (words, offered) in [
        (&["velo", "lesson", "start", ""][..], "velib"),
        (&["velo", "lesson", "play", ""], "hello-kafka"),
        (&["velo", "quiz", ""], "velib"),
        (&["velo", "context", "use", ""], "classroom"),
        (&["velo", "topic", "list", "--context", ""], "classroom"),
        (&["velo", "consume", "t", "-o", ""], "jsonl"),
        (&["velo", "lesson", "list", "--lang", ""], "es"),
        (&["kafka-topics.sh", "--cr"], "--create"),
        (&["kafka-producer-perf-test", "--num"], "--num-records"),
        (&["kafka-reassign-partitions.sh", "--ver"], "--verify"),
    ] {
        let candidates = pressed(&user, words);
        assert!(
            candidates.lines().any(|line| line.trim_end() == offered),
            "{words:?}: {candidates}"
        );
    }
    for script in velodrome::scripts::SCRIPTS {
        let help = user.velo(&[script.name, "--help"]);
        let has_options = [&help.stdout, &help.stderr]
            .iter()
            .any(|said| said.contains("\n--"));
        let offered = pressed(&user, &[script.name, "--"]);
        assert!(
            !has_options || offered.contains("--"),
            "{}: {offered}",
            script.name
        );
    }
}

/// bash itself, with what `velo completions bash` gives it.
#[test]
#[cfg(unix)]
fn bash_completes_velo_and_the_installed_scripts() {
    let home = crate::support::velo::Home::new();
    let script = home.velo(&["completions", "bash"]).succeeds().stdout;
    let file = home.path().join("velo.bash");
    std::fs::write(&file, script).unwrap();
    let velo = std::path::Path::new(env!("CARGO_BIN_EXE_velo")).parent().unwrap();
    let path = format!("{}:{}", velo.display(), std::env::var("PATH").unwrap_or_default());
    for (words, index, offered) in [
        ("velo lesson start vel", 3, "velib"),
        ("kafka-topics.sh --descr", 1, "--describe"),
    ] {
        let program = words.split(' ').next().unwrap();
        let asked = format!(
            "source '{}'; COMP_WORDS=({words}); COMP_CWORD={index}; COMP_TYPE=9; \
             complete -p {program} >&2; \
             _clap_complete_velo {program} \"${{COMP_WORDS[COMP_CWORD]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        let output = std::process::Command::new("bash")
            .args(["--norc", "-c", &asked])
            .env("PATH", &path)
            .env("VELO_HOME", home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let registered = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            registered.contains("-F _clap_complete_velo"),
            "{program}: {registered}"
        );
        assert!(
            said.lines().any(|line| line.trim_end() == offered),
            "{words}: {said}{registered}"
        );
    }
}

#[test]
fn every_shell_is_told_of_every_script_by_each_of_its_names() {
    let home = crate::support::velo::Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.velo(&["completions", shell]).succeeds().stdout;
        let words: Vec<&str> = script.split_whitespace().collect();
        for name in velodrome::scripts::install::command_names() {
            assert!(words.iter().any(|word| word.contains(&name)), "{shell}: {name}");
        }
    }
}

/// What a shell is offered when Tab is pressed behind the words.
fn pressed(user: &User<'_>, words: &[&str]) -> String {
    let asked = user
        .command(&[&["--"], words].concat())
        .env("VELO_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    String::from_utf8(asked.stdout).unwrap()
}
