//! `velo cluster`

use crate::support::velo::Home;

#[test]
fn a_cluster_starts_detached_says_where_it_is_and_stops() {
    let home = Home::new();
    let said = home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    assert!(
        said.stderr.contains("The cluster serves at localhost:"),
        "{}",
        said.stderr
    );
    let again = home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    assert!(again.stderr.contains("already runs"), "{}", again.stderr);
    assert!(again.said().ends_with(&said.said()), "{}", again.stderr);
    let status = home.velo(&["cluster", "status", "--output", "json"]).succeeds();
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["running"], true);
    assert_eq!(
        home.velo(&["cluster", "stop"]).succeeds().said(),
        "The cluster has stopped.\n"
    );
    let status = home.velo(&["cluster", "status"]).fails_with(1);
    assert_eq!(
        status.stderr,
        "error: no cluster runs\nhint: velo cluster start\n"
    );
    assert_eq!(
        home.velo(&["cluster", "stop"]).succeeds().stderr,
        "No cluster runs.\n"
    );
}

#[test]
fn a_killed_cluster_is_recognised_and_starts_again_with_its_topics_and_port() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let bootstrap = home.bootstrap();
    home.velo(&["topic", "create", "kept", "--bootstrap-server", &bootstrap])
        .succeeds();
    home.velo(&["cluster", "stop", "--kill"]).succeeds();
    let status = home.velo(&["cluster", "status"]).fails_with(1);
    assert!(
        status.stderr.contains("ended without a clean stop"),
        "{}",
        status.stderr
    );
    home.velo(&["cluster", "restart"]).succeeds();
    assert_eq!(home.bootstrap(), bootstrap);
    let listed = home
        .velo(&[
            "topic",
            "list",
            "--output",
            "plain",
            "--bootstrap-server",
            &bootstrap,
        ])
        .succeeds();
    assert!(listed.stdout.starts_with("kept"), "{}", listed.stdout);
}

#[test]
fn two_processes_never_share_a_folder() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let second = home
        .velo(&["cluster", "start", "--foreground", "--port", "0"])
        .fails_with(1);
    assert!(
        second.stderr.starts_with("error: a cluster already runs on "),
        "{}",
        second.stderr
    );
}

#[test]
fn a_port_in_use_is_said_with_its_owner_and_a_free_port() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let home = Home::new();
    let said = home.velo(&["cluster", "start", "--port", &port]).fails_with(1);
    assert!(
        said.stderr
            .starts_with(&format!("error: port {port} is in use\n  why: ")),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains(&format!("(process {})", std::process::id())),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("hint: velo cluster start --port "),
        "{}",
        said.stderr
    );
}

#[test]
fn a_setting_that_cannot_be_used_is_wrong_usage() {
    let home = Home::new();
    let said = home
        .velo(&["cluster", "start", "--port", "0", "--set", "num.partitions=many"])
        .fails_with(2);
    assert!(said.stderr.contains("num.partitions"), "{}", said.stderr);
    let said = home
        .velo(&["cluster", "start", "--port", "0", "--set", "num.partitions"])
        .fails_with(2);
    assert!(said.stderr.contains("has no value"), "{}", said.stderr);
    home.velo(&["cluster", "status"]).fails_with(1);
}

#[test]
fn reset_deletes_the_data_of_a_stopped_cluster_only_with_a_yes() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    home.velo(&["topic", "create", "gone", "--bootstrap-server", &home.bootstrap()])
        .succeeds();
    let running = home.velo(&["cluster", "reset", "--yes"]).fails_with(1);
    assert!(
        running.stderr.contains("hint: velo cluster stop"),
        "{}",
        running.stderr
    );
    home.velo(&["cluster", "stop"]).succeeds();
    home.velo(&["cluster", "reset"]).fails_with(2);
    home.velo(&["cluster", "reset", "--yes"]).succeeds();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let listed = home
        .velo(&[
            "topic",
            "list",
            "--output",
            "plain",
            "--bootstrap-server",
            &home.bootstrap(),
        ])
        .succeeds();
    assert_eq!(listed.stdout, "");
}

#[test]
fn the_log_tells_that_it_serves() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let port = home.bootstrap().rsplit_once(':').unwrap().1.to_owned();
    let log = home.velo(&["cluster", "logs"]).succeeds();
    assert!(log.stdout.contains(&port), "{}", log.stdout);
}

#[test]
fn localhost_is_served_on_both_loopback_addresses() {
    let home = Home::new();
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    let port = home.bootstrap().rsplit_once(':').unwrap().1.to_owned();
    let mut served = vec!["127.0.0.1"];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        served.push("[::1]");
    }
    for host in served {
        home.velo(&["topic", "list", "--bootstrap-server", &format!("{host}:{port}")])
            .succeeds();
    }
}

#[test]
fn groups_of_a_class_start_at_once_unless_told_otherwise() {
    let home = Home::new();
    let delay = |home: &Home| {
        let name = "group.initial.rebalance.delay.ms";
        let get = home.velo(&["config", "get", "broker", "1", name, "--output", "json"]);
        let settings: serde_json::Value = serde_json::from_str(&get.succeeds().stdout).unwrap();
        settings[0]["value"].clone()
    };
    home.velo(&["cluster", "start", "--port", "0"]).succeeds();
    assert_eq!(delay(&home), "0");
    home.velo(&["cluster", "stop"]).succeeds();
    let set = ["--set", "group.initial.rebalance.delay.ms=3000"];
    home.velo(&[&["cluster", "start"][..], &set].concat()).succeeds();
    assert_eq!(delay(&home), "3000");
}

#[test]
fn settings_stay_over_a_stop_until_others_are_given() {
    let home = Home::new();
    let start = |options: &[&str]| home.velo(&[&["cluster", "start"], options].concat()).succeeds();
    let setting = |name: &str| {
        let get = home.velo(&["config", "get", "broker", "1", name, "--output", "json"]);
        let settings: serde_json::Value = serde_json::from_str(&get.succeeds().stdout).unwrap();
        settings[0]["value"].clone()
    };
    let stop = || home.velo(&["cluster", "stop"]).succeeds();
    start(&[
        "--port",
        "0",
        "--set",
        "num.partitions=2",
        "--set",
        "offsets.retention.minutes=5",
    ]);
    stop();
    let said = start(&[]).said();
    let kept = "As before, with --set num.partitions=2 --set offsets.retention.minutes=5\n";
    assert!(said.starts_with(kept), "{said}");
    assert_eq!(
        (setting("num.partitions"), setting("offsets.retention.minutes")),
        ("2".into(), "5".into())
    );
    stop();
    let said = start(&["--set", "num.partitions=3"]).said();
    assert!(
        said.starts_with("As before, with --set offsets.retention.minutes=5\n"),
        "{said}"
    );
    assert_eq!(
        (setting("num.partitions"), setting("offsets.retention.minutes")),
        ("3".into(), "5".into())
    );
}

#[test]
fn what_a_cluster_for_the_class_prints_is_what_its_clients_can_type() {
    let home = Home::new();
    let said = home
        .velo(&["cluster", "start", "--port", "0", "--listen-anyone"])
        .succeeds();
    let printed = said.stderr.lines().find_map(|line| {
        let line = line.strip_prefix("The class types: export VELO_BOOTSTRAP_SERVER=")?;
        line.split_whitespace().next()
    });
    let printed = printed.unwrap_or_else(|| panic!("{}", said.stderr)).to_owned();
    assert!(
        !printed.starts_with("127.") && !printed.starts_with("0.0.0.0"),
        "{printed}"
    );
    // A client that is told another address than the one it typed would not get through to create, write and read.
    let student = Home::new();
    let velo = |arguments: &[&str], input: &str| {
        let mut command = student.command(arguments);
        command
            .env("VELO_BOOTSTRAP_SERVER", &printed)
            .write_stdin(input.to_owned());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    velo(&["topic", "create", "class"], "");
    velo(&["produce", "class"], "hello\n");
    assert_eq!(
        velo(&["consume", "class", "--from-beginning", "--exit-at-end"], ""),
        "hello\n"
    );
    let cluster = velo(&["kafka-broker-api-versions", "--bootstrap-server", &printed], "");
    assert!(cluster.starts_with(&format!("{printed} (id: 1 ")), "{cluster}");
    let again = home
        .velo(&["cluster", "start", "--port", "0", "--listen-anyone"])
        .succeeds();
    assert!(again.stderr.contains(&printed), "{}", again.stderr);
    let status = home.velo(&["cluster", "status"]).succeeds();
    assert!(
        status.stdout.contains(&format!("class    {printed}\n")),
        "{}",
        status.stdout
    );
}

#[test]
fn another_address_for_the_class_is_taken_and_printed() {
    let home = Home::new();
    let start = ["cluster", "start", "--port", "0", "--listen-anyone", "--set"];
    let advertise = |address: &str| {
        home.velo(
            &[
                &start[..],
                &[&format!("advertised.listeners=PLAINTEXT://{address}")],
            ]
            .concat(),
        )
    };
    for nowhere in ["0.0.0.0:0", "[::]:0"] {
        let refused = advertise(nowhere).fails_with(2);
        assert!(
            refused.stderr.contains("nonroutable meta-address"),
            "{}",
            refused.stderr
        );
    }
    let said = advertise("localhost:0").succeeds();
    assert!(
        said.stderr.contains("VELO_BOOTSTRAP_SERVER=localhost:"),
        "{}",
        said.stderr
    );
}
