//! Help, for those who do not know yet what to ask.

use crate::support::velo::Home;

#[test]
fn half_a_command_prints_help_whatever_the_environment_says() {
    let home = Home::new();
    for words in [
        &[][..],
        &["topic"],
        &["cluster"],
        &["lesson"],
        &["context"],
        &["velib"],
    ] {
        let plain = home.velo(words).fails_with(2);
        assert!(
            plain.stderr.contains("Usage: velo"),
            "{words:?}: {}",
            plain.stderr
        );
        let variables = [
            ("VELO_BOOTSTRAP_SERVER", "localhost:9092"),
            ("VELO_LANG", "fr"),
            ("VELO_COMMAND_CONFIG", "client.properties"),
            ("VELO_CONTEXT", "there"),
            ("VELO_LESSONS", "lessons"),
        ];
        for (name, value) in variables {
            let output = home.command(words).env(name, value).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{words:?} {name}: {said}");
            assert_eq!(said, plain.stderr, "{words:?} {name}");
        }
    }
}

#[test]
fn velo_alone_begins_with_how_to_begin() {
    let said = Home::new().velo(&[]).fails_with(2);
    assert!(
        said.stderr.starts_with("To begin:\n  velo cluster start "),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("velo lesson start"), "{}", said.stderr);
}

#[test]
fn help_is_a_word_too() {
    let home = Home::new();
    for (words, same) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "topic"], &["topic", "--help"]),
        (&["help", "topic", "create"], &["topic", "create", "--help"]),
        (&["topic", "help"], &["topic", "--help"]),
        (&["topic", "help", "create"], &["topic", "create", "--help"]),
        (&["help", "consume"], &["consume", "--help"]),
        (&["help", "kafka-topics"], &["kafka-topics", "--help"]),
    ] {
        let asked = home.velo(words);
        let wanted = home.velo(same);
        assert_eq!(
            (asked.code, &asked.stdout),
            (wanted.code, &wanted.stdout),
            "{words:?}"
        );
        assert!(!(asked.stdout.is_empty() && asked.stderr.is_empty()), "{words:?}");
    }
    // A topic may be called so.
    let consume = home.velo(&["consume", "help", "-b", "127.0.0.1:1"]).fails_with(3);
    assert!(consume.stderr.contains("127.0.0.1:1"), "{}", consume.stderr);
}
