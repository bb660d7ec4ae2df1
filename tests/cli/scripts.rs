//! `velo scripts list`

use crate::support::velo::Home;

#[test]
fn every_script_of_kafka_is_listed_and_how_much_of_it_is_here() {
    let home = Home::new();
    let list = home.velo(&["scripts", "list"]).succeeds().stdout;
    let line = |script: &str| {
        list.lines()
            .find(|line| line.starts_with(script))
            .unwrap()
            .to_owned()
    };
    assert!(line("kafka-topics.sh").contains("yes"), "{list}");
    assert!(line("kafka-topics.sh").contains("velo topic"), "{list}");
    assert!(line("connect-standalone.sh").contains("not here: "), "{list}");
    let json = home
        .velo(&["scripts", "list", "--output", "json"])
        .succeeds()
        .stdout;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let absent = rows.iter().find(|row| row["script"] == "trogdor").unwrap();
    assert_eq!(absent["complete"], false);
}

#[test]
fn a_script_that_is_not_here_says_so_and_what_to_type_instead() {
    let ended = Home::new()
        .velo(&["kafka-share-groups.sh", "--bootstrap-server", "h:1", "--list"])
        .fails_with(127);
    assert_eq!(
        ended.stderr,
        "kafka-share-groups.sh is not here: share groups are not spoken here yet\n\
         hint: kafka-consumer-groups.sh --bootstrap-server h:1 --list\n"
    );
}
