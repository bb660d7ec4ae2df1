//! What others wrote, on a terminal: none of it may be obeyed. Through a pipe it stays as it is.

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::terminal::Terminal;

/// Codes that clear the screen, set the window's title and ring; the second form of the first as a single character; and
/// what would overwrite the line.
const CODES: &str = "a\u{1b}[2Jb\u{1b}]0;title\u{7}\u{9b}31mc\rd";
const SPELT_OUT: &str = "a\\u001b[2Jb\\u001b]0;title\\u0007\\u009b31mc\\u000dd";

/// Runs a command line on a terminal to its end, and answers all that the terminal got.
fn on_a_terminal(user: &User<'_>, arguments: &[&str]) -> String {
    let mut command = user.process(arguments);
    command.env("NO_COLOR", "1").env("COLUMNS", "400");
    Terminal::on(command).rest()
}

#[track_caller]
fn is_harmless(shown: &str, about: &str) {
    // A terminal's driver ends lines with CR LF.
    let lines = shown.replace("\r\n", "\n");
    let code = lines
        .chars()
        .find(|letter| letter.is_control() && !matches!(letter, '\n' | '\t'));
    assert_eq!(code, None, "{about}: {shown:?}");
}

on_both_clusters! {
    fn records_are_spelt_out_in_every_format(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        let line = serde_json::json!({
            "key": CODES, "value": CODES, "headers": [{"name": CODES, "value": CODES}],
        });
        user.writes(&topic, &format!("{line}\n"), &["--jsonl"]);
        let read = ["consume", &topic, "--from-beginning", "--exit-at-end"];
        for options in [
            &[][..],
            &["--output", "pretty"],
            &["--output", "jsonl"],
            &["--format", "%k %h %v"],
            &["--key-separator", "="],
            &["--tail", "1"],
        ] {
            let arguments = match options {
                ["--tail", _] => [&read[..2], options].concat(),
                _ => [&read[..], options].concat(),
            };
            let shown = on_a_terminal(&user, &arguments);
            is_harmless(&shown, &format!("{options:?}"));
            assert!(shown.contains("\\u001b[2Jb"), "{options:?}: {shown}");
        }
        // Through a pipe: to the byte.
        assert_eq!(user.reads(&topic, &[]), format!("{CODES}\n"));
        assert_eq!(user.reads(&topic, &["--format", "%k %h %v"]), format!("{CODES} {CODES}={CODES} {CODES}\n"));
        // The pattern's own codes are the user's.
        let own = [&read[..], &["--format", "\\x1b[1m%v"]].concat();
        let shown = on_a_terminal(&user, &own);
        assert!(shown.contains(&format!("\u{1b}[1m{SPELT_OUT}")), "{shown:?}");
    }

    fn names_from_the_cluster_are_spelt_out_in_tables_notices_and_errors(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(1);
        user.writes(&topic, "a\n", &[]);
        let group = format!("{}{CODES}", cluster.name("g"));
        user.velo(&["consume", &topic, "--group", &group, "--from-beginning", "--exit-at-end"]).succeeds();
        for arguments in [
            &["group", "list"][..],
            &["group", "list", "--output", "json"],
            &["group", "list", "--output", "plain"],
            &["group", "describe", &group],
            &["group", "members", &group],
            &["consume", &topic, "--group", &group, "--exit-at-end"],
            &["group", "describe", "no\u{1b}[2Jgroup"],
        ] {
            let shown = on_a_terminal(&user, arguments);
            is_harmless(&shown, &format!("{arguments:?}"));
        }
        let listed = user.velo(&["group", "list", "--output", "plain"]).succeeds();
        assert!(listed.stdout.contains(&group), "{:?}", listed.stdout);
    }
}

#[test]
fn what_a_server_answers_is_spelt_out() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let (topic, dead) = (user.topic(1), user.topic(1));
    // A field whose name cannot be kept is told with its record.
    user.writes(&topic, "{\"a\\u0000\\u001b[2J\":1}\n", &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.jsonl");
    let ingest = [
        "mongo",
        "ingest",
        "--topic",
        &topic,
        "--to",
        file.to_str().unwrap(),
        "--dead-letter",
        &dead,
        "--exit-at-end",
    ];
    is_harmless(&on_a_terminal(&user, &ingest), "ingest");
    let api = crate::exercises::velib_support::FakeApi::start(vec![
        crate::exercises::velib_support::Answer::Status(401, format!("no {CODES}")),
    ]);
    let produce = ["velib", "produce", "--topic", &topic, "--url", &api.url];
    let shown = on_a_terminal(&user, &produce);
    is_harmless(&shown, "produce");
    assert!(
        shown.contains(&format!(
            "it answered 401: no {}",
            SPELT_OUT.replace("\\u000d", " ")
        )),
        "{shown}"
    );
}
