//! `velo context`

use crate::support::velo::Home;

#[test]
fn a_remembered_cluster_is_used_until_an_option_says_otherwise() {
    let home = Home::new();
    home.velo(&["context", "add", "here", "--bootstrap-server", "127.0.0.1:1"])
        .succeeds();
    home.velo(&["context", "add", "there", "--bootstrap-server", "127.0.0.1:2"])
        .succeeds();
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        "* here  127.0.0.1:1\n  there  127.0.0.1:2\n"
    );
    let said = home.velo(&["topic", "list"]).fails_with(3);
    assert!(
        said.stderr
            .starts_with("error: no broker answers on 127.0.0.1:1\n"),
        "{}",
        said.stderr
    );
    home.velo(&["context", "use", "there"]).succeeds();
    let said = home.velo(&["topic", "list"]).fails_with(3);
    assert!(said.stderr.contains("127.0.0.1:2"), "{}", said.stderr);
    let said = home
        .velo(&["topic", "list", "--bootstrap-server", "127.0.0.1:3"])
        .fails_with(3);
    assert!(said.stderr.contains("127.0.0.1:3"), "{}", said.stderr);
    home.velo(&["context", "remove", "there"]).succeeds();
    assert_eq!(
        home.velo(&["context", "list"]).succeeds().stdout,
        "  here  127.0.0.1:1\n"
    );
}

#[test]
fn an_address_may_stand_beside_the_name() {
    let home = Home::new();
    let added = home
        .velo(&["context", "add", "here", "127.0.0.1:1,127.0.0.1:2"])
        .succeeds();
    assert_eq!(added.stderr, "Context `here` is 127.0.0.1:1,127.0.0.1:2.\n");
    let said = home.velo(&["topic", "list"]).fails_with(3);
    assert!(said.stderr.contains("127.0.0.1:1,127.0.0.1:2"), "{}", said.stderr);
    // Both, and the same.
    home.velo(&["context", "add", "two", "127.0.0.1:3", "-b", "127.0.0.1:3"])
        .succeeds();
    let refused = home
        .velo(&["context", "add", "three", "127.0.0.1:3", "-b", "127.0.0.1:4"])
        .fails_with(2);
    assert!(
        refused.stderr.contains("two addresses are named"),
        "{}",
        refused.stderr
    );
    // What the environment says is not typed, and gives way.
    let mut command = home.command(&["context", "add", "four", "127.0.0.1:5"]);
    let output = command
        .env("VELO_BOOTSTRAP_SERVER", "127.0.0.1:6")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        home.velo(&["context", "show", "four"])
            .stdout
            .contains("127.0.0.1:5")
    );
    home.velo(&["context", "add", "five", "here:not-a-port"])
        .fails_with(2);
}

#[test]
fn an_unknown_context_is_named_with_the_way_to_add_it() {
    let home = Home::new();
    let said = home.velo(&["context", "use", "nowhere"]).fails_with(1);
    assert_eq!(
        said.stderr,
        "error: there is no context `nowhere`\nhint: velo context list\n\
         hint: velo context add nowhere --bootstrap-server HOST:PORT\n"
    );
}

/// Where a command of this user goes that finds nobody there.
fn asked(home: &Home, variables: &[(&str, &str)], options: &[&str]) -> String {
    let output = home
        .command(&[&["topic", "list"], options].concat())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let found = said
        .split("127.0.0.1:")
        .nth(1)
        .unwrap_or_else(|| panic!("{options:?}: {said}"));
    found.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn what_was_meant_for_this_one_command_wins() {
    let home = Home::new();
    for (name, port) in [("one", "127.0.0.1:1"), ("two", "127.0.0.1:2")] {
        home.velo(&["context", "add", name, "-b", port]).succeeds();
    }
    let server = ("VELO_BOOTSTRAP_SERVER", "127.0.0.1:3");
    let named = ("VELO_CONTEXT", "two");
    for (variables, options, port) in [
        (&[][..], &[][..], "1"),
        (&[named], &[], "2"),
        (&[named], &["--context", "one"], "1"),
        (&[server], &[], "3"),
        (&[server, named], &[], "3"),
        // Typed for this one command, the context is what is meant, whatever the shell has in its environment.
        (&[server], &["--context", "two"], "2"),
        (&[server, named], &["-b", "127.0.0.1:4"], "4"),
        (&[("VELO_CONTEXT", "")], &[], "1"),
        (&[("VELO_BOOTSTRAP_SERVER", "")], &[], "1"),
    ] {
        assert_eq!(
            asked(&home, variables, options),
            port,
            "{variables:?} {options:?}"
        );
    }
    let both = home
        .velo(&["topic", "list", "--context", "one", "-b", "127.0.0.1:4"])
        .fails_with(2);
    assert!(both.stderr.contains("name two clusters"), "{}", both.stderr);
    // One command only.
    assert_eq!(asked(&home, &[], &[]), "1");
}

#[test]
fn an_empty_variable_is_none() {
    let variables = [
        "VELO_BOOTSTRAP_SERVER",
        "VELO_COMMAND_CONFIG",
        "VELO_CONTEXT",
        "VELO_LANG",
        "VELO_LESSONS",
        "VELO_NO_PICTURES",
    ];
    let home = Home::new();
    for command in [&["lesson", "list"], &["context", "list"], &["context", "show"]] {
        let mut command = home.command(command);
        let output = command.envs(variables.map(|name| (name, ""))).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}

#[test]
fn an_unknown_context_in_the_environment_stops_commands_but_not_its_own_mending() {
    let home = Home::new();
    let with = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("VELO_CONTEXT", "nowhere").output().unwrap()
    };
    let refused = with(&["topic", "list"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no context `nowhere`"));
    assert!(with(&["context", "list"]).status.success());
    assert!(
        with(&["context", "add", "nowhere", "-b", "127.0.0.1:1"])
            .status
            .success()
    );
    let shown = with(&["context", "show", "-o", "plain"]);
    assert_eq!(
        String::from_utf8_lossy(&shown.stdout),
        "nowhere\t127.0.0.1:1\t-\n"
    );
}

#[test]
fn a_context_is_shown_and_never_replaced_unasked() {
    let home = Home::new();
    let none = home.velo(&["context", "show", "-o", "plain"]).succeeds();
    assert_eq!(none.stdout, "-\tlocalhost:9092\t-\n");
    home.velo(&["context", "add", "class", "-b", "127.0.0.1:1"])
        .succeeds();
    // The same once more is no harm.
    home.velo(&["context", "add", "class", "-b", "127.0.0.1:1"])
        .succeeds();
    let refused = home
        .velo(&["context", "add", "class", "-b", "127.0.0.1:2"])
        .fails_with(1);
    assert!(
        refused
            .stderr
            .starts_with("error: there is a context `class` already\n  why: it is 127.0.0.1:1\n"),
        "{}",
        refused.stderr
    );
    let show = |words: &[&str]| {
        home.velo(&[&["context", "show", "-o", "plain"], words].concat())
            .succeeds()
            .stdout
    };
    assert_eq!(show(&[]), "class\t127.0.0.1:1\t-\n");
    let hint = refused
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("hint: velo "))
        .unwrap();
    home.velo(&hint.split(' ').collect::<Vec<_>>()).succeeds();
    assert_eq!(show(&["class"]), "class\t127.0.0.1:2\t-\n");
}
