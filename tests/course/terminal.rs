//! The runner on a terminal, as a learner sits at it, with a second terminal beside.

use crate::support::cluster::Cluster;
use crate::support::terminal::Terminal;
use crate::support::velo::Home;
use expectrl::Regex;
use std::process::Command;

on_both_clusters! {
    fn the_runner_notices_what_happens_in_another_terminal(cluster) {
        a_learner_makes_a_topic(cluster);
    }
}

fn a_learner_makes_a_topic(cluster: &Cluster) {
    let home = Home::new();
    let prefix = format!("{}-", cluster.name("terminal"));
    let topic = format!("{prefix}iabd-topic");
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["lesson", "start", "hello-kafka", "--prefix", &prefix])
        .args(at)
        .env("VELO_HOME", home.path())
        .env("NO_COLOR", "1");
    let mut terminal = Terminal::on(command);
    terminal.expect("Is anybody there?");
    terminal.expect("Keys here: Enter go on");
    terminal.send_line("");
    terminal.expect("A topic of your own");
    terminal.expect("I am watching the cluster");
    // Its first letter is a key, and the line is a command all the same.
    terminal.send_line("kafka-topics.sh --help");
    terminal.expect("--bootstrap-server");
    // At once: no Enter.
    terminal.send("h");
    terminal.expect("Hint 1 of 3");

    let create = [&["topic", "create", &topic, "--partitions", "1"], &at[..]].concat();
    home.velo(&create).succeeds();
    terminal.expect("exists");
    terminal.expect("Well done");
    terminal.expect("Enter goes on");
    terminal.send("q");
    terminal.expect("Your place is kept");
    terminal.rest();

    let status = home
        .velo(&["lesson", "status", "--lang", "en", "--output", "plain"])
        .succeeds()
        .stdout;
    assert!(status.contains("create\tA topic of your own\tpassed"), "{status}");

    home.velo(&["lesson", "reset", "hello-kafka", "--yes"]).succeeds();
    let topics = home
        .velo(&[&["topic", "list"], &at[..]].concat())
        .succeeds()
        .stdout;
    assert!(!topics.contains(&topic), "{topics}");
}

on_both_clusters! {
    fn one_terminal_is_enough_for_a_lesson_with_several_consumers(cluster) {
        a_learner_consumes_in_the_background(cluster);
    }
}

/// The end of what the keys do, however the terminal's width has broken the line.
fn menu() -> Regex<&'static str> {
    Regex(r"q\s+quit")
}

fn a_learner_consumes_in_the_background(cluster: &Cluster) {
    let home = Home::new();
    let prefix = format!("{}-", cluster.name("jobs"));
    let topic = format!("{prefix}iabd-topic-group");
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["lesson", "start", "groups", "--prefix", &prefix])
        .args(at)
        .env("VELO_HOME", home.path())
        .env("NO_COLOR", "1");
    let mut terminal = Terminal::on(command);
    terminal.expect(menu());
    terminal.send_line(format!("velo topic create {topic} --partitions 3"));
    terminal.expect("Enter goes on");
    terminal.send_line("");
    terminal.expect("Your answer, 1 to 3");
    terminal.send("2");
    terminal.expect(menu());
    let consume = format!("kafka-console-consumer.sh --topic {topic} --group {prefix}iabd-app1");
    terminal.send_line(format!("{consume} --bootstrap-server {}", cluster.bootstrap()));
    terminal.expect("[1] runs in the background");
    terminal.expect("Enter goes on");
    terminal.send_line("");
    terminal.expect("Your answer, 1 to 3");
    terminal.send("3");
    terminal.expect(menu());
    // What arrives for a program in the background is shown here.
    let produce = [&["produce", &topic], &at[..]].concat();
    terminal.expect_of("[1] from afar", || {
        let written = home.command(&produce).write_stdin("from afar\n").output();
        assert!(written.unwrap().status.success());
    });
    terminal.send_line("end");
    terminal.expect("Ended: [1]");
    terminal.send("q");
    terminal.rest();
    home.velo(&["lesson", "reset", "groups", "--yes"]).succeeds();
}

on_both_clusters! {
    fn a_learner_who_kills_a_program_is_told_what_it_had_been_taken_for(cluster) {
        a_learner_kills_a_clerk(cluster);
    }
}

fn a_learner_kills_a_clerk(cluster: &Cluster) {
    let home = Home::new();
    let prefix = format!("{}-", cluster.name("clerk"));
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["lesson", "start", "delivery", "--prefix", &prefix])
        .args(at)
        .env("VELO_HOME", home.path())
        .env("NO_COLOR", "1");
    let mut terminal = Terminal::on(command);
    terminal.expect(menu());
    let orders = format!("{prefix}iabd-orders");
    terminal.send_line(format!("velo topic create {orders} --partitions 1"));
    terminal.expect("Created topic");
    let produce = [&["produce", &orders, "--repeat", "4300"], &at[..]].concat();
    let written = home
        .command(&produce)
        .write_stdin("a bike for an hour\n")
        .output();
    assert!(written.unwrap().status.success());
    terminal.expect("Enter goes on");
    terminal.send_line("");
    terminal.expect(menu());
    let clerk = format!(
        "velo lesson clerk {orders} --to {prefix}iabd-after --group {prefix}iabd-clerk-after --commit after"
    );
    terminal.send_line(format!("{clerk} --die-at 4265"));
    terminal.expect("dies at order 4265");
    terminal.expect("Enter goes on");
    terminal.send_line("");
    terminal.expect("Your answer, 1 to 3");
    terminal.send("1");
    terminal.expect(menu());
    terminal.send_line(clerk);
    terminal.expect("begins at order 4263");
    terminal.expect("Many take the committed offset");
    terminal.expect("Enter goes on");
    terminal.send("q");
    terminal.rest();
    home.velo(&["lesson", "reset", "delivery", "--yes"]).succeeds();
}

/// Takes a lesson below a shell, ends it with `keys`, and has the shell tell whether the terminal is as it was before.
fn terminal_after(keys: &str) -> String {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let take = format!(
        "trap : INT; before=$(stty -g); {} lesson start hello-kafka --lang en; \
         [ \"$before\" = \"$(stty -g)\" ] && echo unchanged || stty -a",
        env!("CARGO_BIN_EXE_velo")
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", &take])
        .env("VELO_HOME", home.path())
        .env("VELO_BOOTSTRAP_SERVER", cluster.bootstrap())
        .env("NO_COLOR", "1");
    let mut terminal = Terminal::on(command);
    terminal.expect("Keys here: Enter go on");
    terminal.send(keys);
    terminal.rest()
}

#[test]
fn the_terminal_is_left_as_it_was() {
    for keys in ["q", "\u{3}", "\u{4}"] {
        let told = terminal_after(keys);
        assert!(told.contains("unchanged"), "{keys:?}: {told}");
    }
}

on_both_clusters! {
    fn the_language_a_lesson_was_begun_in_is_that_of_the_other_terminal(cluster) {
        let home = Home::new();
        let velo = |arguments: &[&str], variables: &[(&str, &str)]| {
            let mut command = home.command(&[arguments, &["-b", cluster.bootstrap()]].concat());
            let output = command.env("LC_ALL", "C").envs(variables.iter().copied()).output().unwrap();
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
        };
        let prefix = format!("{}-", cluster.name("lang"));
        let begun = velo(&["lesson", "start", "hello-kafka", "--prefix", &prefix, "--lang", "fr"], &[]);
        assert!(begun.contains("Leçon hello-kafka"), "{begun}");
        for command in [&["lesson", "hint"][..], &["lesson", "status"], &["lesson", "list"], &["lesson", "next"]] {
            let kept = velo(command, &[]);
            let french = velo(command, &[("VELO_LANG", "fr")]);
            let english = velo(&[command, &["--lang", "en"]].concat(), &[]);
            if command != ["lesson", "hint"] && command != ["lesson", "next"] {
                assert_eq!(kept, french, "{command:?}");
            }
            assert_ne!(kept, english, "{command:?}");
        }
        let spanish = velo(&["lesson", "list"], &[("VELO_LANG", "es")]);
        assert!(spanish.contains("LECCIÓN"), "{spanish}");
        // The one asked for last is kept, by whichever way it was asked for.
        velo(&["lesson", "start", "hello-kafka"], &[("VELO_LANG", "es")]);
        assert_eq!(velo(&["lesson", "list"], &[]), spanish);
    }
}

#[test]
fn a_number_of_two_digits_waits_for_enter_and_lines_are_chosen_by_single_keys() {
    let home = Home::new();
    let file = home.path().join("own.toml");
    let own = "[[question]]\nid = \"many\"\ntext = \"How many?\"\nnumber = 12\nwhy = \"A dozen.\"\n\
        [[question]]\nid = \"order\"\ntext = \"Which order?\"\nwhy = \"So.\"\n\
        order = [\"velo topic create a\", \"velo topic list\"]\nstray = \"velo topic delete a\"\n";
    std::fs::write(&file, own).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_velo"));
    command
        .args(["quiz", "--lang", "en", "--seed", "1", "--questions"])
        .arg(&file)
        .env("VELO_HOME", home.path())
        .env("NO_COLOR", "1");
    let mut terminal = Terminal::on(command);
    terminal.expect("The number, then Enter");
    terminal.send("1");
    terminal.send("2\r");
    terminal.expect("You said 12, and it is 12.");
    terminal.expect("Their numbers in order");
    terminal.send("1");
    terminal.expect("so far: 1");
    terminal.send("0");
    terminal.expect("so far:");
    terminal.send("2");
    terminal.expect("so far: 2");
    terminal.send("3");
    terminal.expect("of 2 answered correctly");
    terminal.rest();
}
