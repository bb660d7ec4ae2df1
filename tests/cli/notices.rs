//! What `velo consume` says to a person who waits: no more than is known.

use crate::support::cluster::Cluster;
use crate::support::records::User;
use crate::support::terminal::Terminal;

/// Like Apache Kafka's own default, so that a group can be seen joining.
const PATIENT: &str = "group.initial.rebalance.delay.ms=3000";

/// `velo` on a terminal.
fn terminal(user: &User<'_>, arguments: &[&str]) -> Terminal {
    let mut command = user.process(arguments);
    command.env("NO_COLOR", "1");
    Terminal::on(command)
}

/// What it said until its end.
fn all_of(mut terminal: Terminal) -> String {
    terminal.rest().replace('\r', "")
}

#[test]
fn a_group_that_is_joining_is_not_said_to_find_nothing() {
    let cluster = Cluster::classroom_with(&[PATIENT]);
    let user = User::at(&cluster);
    let topic = user.topic(2);
    user.writes(&topic, "a\nb\n", &["--partition", "0"]);
    let read = [
        "consume",
        &topic,
        "--group",
        "new",
        "--from-beginning",
        "--exit-at-end",
    ];
    let said = all_of(terminal(&user, &read));
    assert!(
        said.starts_with("joining group new …\n") && said.ends_with("a\nb\n2 records read\n"),
        "{said}"
    );
    assert!(
        !said.contains("is empty") && !said.contains("already read"),
        "{said}"
    );
    let said = all_of(terminal(&user, &read));
    assert!(
        said.contains("Nothing yet: group new has already read what is there")
            && said.contains(&format!(
                "velo group reset new --topic {topic} --to earliest --execute"
            )),
        "{said}"
    );
    let empty = user.topic(1);
    let read = [
        "consume",
        &empty,
        "--group",
        "other",
        "--from-beginning",
        "--exit-at-end",
    ];
    let said = all_of(terminal(&user, &read));
    assert!(
        said.contains(&format!("Nothing yet: {empty} is empty.")),
        "{said}"
    );
}

#[test]
fn a_reader_s_notice_is_about_where_it_started() {
    let cluster = Cluster::classroom();
    let user = User::at(&cluster);
    let topic = user.topic(1);
    let mut reader = terminal(&user, &["consume", &topic]);
    reader.expect("is empty. To write to it");
    user.writes(&topic, "a\n", &[]);
    reader.expect("a\r\n");
    drop(reader);
    let mut reader = terminal(&user, &["consume", &topic]);
    reader.expect("started at the end of");
    drop(reader);
    let mut member = terminal(&user, &["consume", &topic, "--group", "new"]);
    member.expect("group new is new and starts at the end");
    member.expect_of("b\r\n", || drop(user.writes(&topic, "b\n", &[])));
}
