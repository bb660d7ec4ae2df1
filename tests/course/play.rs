//! The lessons play by themselves, on our cluster and on Apache Kafka, and leave nothing behind.

use crate::peers::NO_DEPRECATION;
use crate::support::cluster::Cluster;
use crate::support::ending::{self, Limit};
use crate::support::velo::Home;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use velodrome::course::dress::Dress;
use velodrome::course::live::Live;
use velodrome::course::load::Source;
use velodrome::course::play::Play;
use velodrome::course::program::Programs;
use velodrome::course::render::Page;
use velodrome::course::scaffold;
use velodrome::course::stage::Stage;
use velodrome::i18n::{Lang, Words};
use velodrome::kafka::{Admin, Connection};

fn plays(cluster: &Cluster, lesson: &str, wanted: &[&str]) {
    plays_with(None, cluster, lesson, wanted);
}

/// With the interpreter for the lesson's Python programs.
fn plays_with(python: Option<PathBuf>, cluster: &Cluster, lesson: &str, wanted: &[&str]) -> String {
    let home = Home::new();
    let prefix = format!("{}-", cluster.name("play"));
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let mut play = home.command(&[&["lesson", "play", lesson, "--prefix", &prefix], &at[..]].concat());
    if let Some(python) = python {
        play.env("VELO_PYTHON", python)
            .env("PYTHONWARNINGS", NO_DEPRECATION);
    }
    let output = play.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in wanted {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(!said.contains('✗'), "{said}");
    let topics = home
        .velo(&[&["topic", "list"], &at[..]].concat())
        .succeeds()
        .stdout;
    assert!(!topics.contains(&prefix), "left behind:\n{topics}");
    said
}

/// People get into a file: by the ingest each once, by the naive loop some more than once.
fn the_people_play(cluster: &Cluster) {
    let python = crate::peers::peers_folder().join("python/bin/python");
    let wanted = ["people-mongodb: 11 steps", "1 dead"];
    let said = plays_with(Some(python), cluster, "people-mongodb", &wanted);
    let counts: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("more than once, 0 missing"))
        .collect();
    let [naive, ours] = counts[..] else {
        panic!("{said}");
    };
    assert!(!naive.contains(": 0 more than once"), "{naive}");
    assert!(ours.contains(": 0 more than once"), "{ours}");
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn the_people_play_to_their_end_on_the_classroom_cluster() {
    the_people_play(&Cluster::classroom());
}

#[test]
#[cfg_attr(
    not(all(peer = "kafka", peer = "python")),
    ignore = "Apache Kafka or Python's clients are not here: scripts/dev/test fetches them"
)]
fn the_people_play_to_their_end_on_apache_kafka() {
    the_people_play(&Cluster::apache());
}

on_both_clusters! {
    fn the_queues_play_to_their_end(cluster) {
        plays(cluster, "queues", &["9200", "queues: 5 steps"]);
    }

    fn hello_kafka_plays_to_its_end(cluster) {
        plays(cluster, "hello-kafka", &["Bonjour", "hello-kafka: 7 steps"]);
    }

    fn the_partitions_play_to_their_end(cluster) {
        plays(cluster, "partitions", &["Wednesday", "partitions: 6 steps"]);
    }

    fn the_keys_play_to_their_end(cluster) {
        plays(cluster, "keys", &["clave1 -> valor3", "keys: 6 steps"]);
    }

    fn the_groups_play_to_their_end(cluster) {
        plays(cluster, "groups", &["twelve", "groups: 8 steps"]);
    }

    fn the_lag_plays_to_its_end(cluster) {
        plays(cluster, "lag", &["NEW-OFFSET", "lag: 7 steps"]);
    }

    fn the_city_bikes_play_to_their_end(cluster) {
        plays(cluster, "velib", &["Produced 280 station records", "No bike left", "velib: 8 steps"]);
    }
}

/// Plays a lesson in a language on a cluster of the classroom, up to the last of its words.
fn plays_in(lang: &str, lesson: &str, end: &str) {
    let cluster = Cluster::classroom();
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", lang];
    let said = Home::new()
        .velo(&[&["lesson", "play", lesson], &at[..]].concat())
        .succeeds()
        .stdout;
    assert!(said.contains(end) && !said.contains('✗'), "{said}");
}

#[test]
fn the_deliveries_play_to_their_end() {
    let counts = [
        "2 (4302 reported, 4300 real)",
        "35 (4265 reported, 4300 real)",
        "Ongoing",
        "delivery: 8 steps",
    ];
    plays(&Cluster::classroom(), "delivery", &counts);
}

#[test]
#[ignore = "takes minutes, and lint takes the same steps: cargo test --test suite play_in_every_language -- --ignored"]
fn the_deliveries_the_trips_and_the_storm_play_in_every_language() {
    for (lang, lesson, end) in [
        ("fr", "delivery", "8 étapes"),
        ("es", "delivery", "delivery: 8 pasos"),
        ("en", "trips", "trips: 8 steps"),
        ("fr", "trips", "8 étapes"),
        ("es", "trips", "trips: 8 pasos"),
        ("en", "storm", "storm: 7 steps"),
        ("fr", "storm", "7 étapes"),
        ("es", "storm", "storm: 7 pasos"),
    ] {
        plays_in(lang, lesson, end);
    }
}

/// A lesson of the folder `lessons/` on a cluster: it fails at its start and on each mistake, and passes by its solution.
fn is_sound(cluster: &Cluster, folder: &str) {
    let prefix = format!("{}-", cluster.name("lint"));
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    let folder = format!("{}/lessons/{folder}", env!("CARGO_MANIFEST_DIR"));
    let ended = Home::new()
        .velo(&[&["lesson", "lint", &folder, "--prefix", &prefix], &at[..]].concat())
        .succeeds();
    let well = "the start fails, wrong attempts fail, the solution passes.";
    assert!(ended.stderr.contains(well), "{}", ended.stderr);
}

macro_rules! are_sound {
    ($($name:ident: $folder:literal,)*) => {
        on_both_clusters! { $(
            fn $name(cluster) {
                is_sound(cluster, $folder);
            }
        )* }
    };
}

are_sound! {
    the_queues_are_sound: "00-queues",
    hello_kafka_is_sound: "01-hello-kafka",
    the_partitions_are_sound: "04-partitions",
    the_keys_are_sound: "06-keys",
    the_groups_are_sound: "08-groups",
    the_lag_is_sound: "10-lag",
    the_deliveries_are_sound: "12-delivery",
    the_city_bikes_are_sound: "20-velib",
}

#[test]
fn the_trips_are_sound() {
    is_sound(&Cluster::classroom(), "65-trips");
}

#[test]
fn the_storm_is_sound() {
    is_sound(&Cluster::classroom(), "62-storm");
}

#[test]
#[ignore = "takes minutes: scripts/dev/real-kafka cargo test --test suite sound_on_apache_kafka -- --ignored"]
fn the_trips_and_the_storm_are_sound_on_apache_kafka() {
    for folder in ["65-trips", "62-storm"] {
        is_sound(&Cluster::apache(), folder);
    }
}

/// A lesson that stops brokers, on a cluster of its own: sound, and played in a language.
fn stops_brokers(folder: &str, lesson: &str, lang: &str, wanted: &[&str]) {
    let home = Home::new();
    let scratch = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        let output = command.env("TMPDIR", scratch.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let place = format!("{}/lessons/{folder}", env!("CARGO_MANIFEST_DIR"));
    let sound = run(&["lesson", "lint", &place, "--lang", "en"]);
    assert!(sound.contains("the solution passes."), "{sound}");
    let said = run(&["lesson", "play", lesson, "--lang", lang]);
    for part in wanted {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    assert!(!said.contains('✗'), "{said}");
    assert!(is_empty(scratch.path()), "files are left");
    let all = home.velo(&["cluster", "status"]).stdout;
    assert!(!all.contains("102"), "a broker is left:\n{all}");
}

#[test]
fn the_copies_are_sound_and_play_to_their_end() {
    stops_brokers(
        "30-replication",
        "replication",
        "fr",
        &["nine", "velo cluster stop --broker 102"],
    );
}

#[test]
fn the_acks_are_sound_and_play_to_their_end() {
    stops_brokers(
        "32-acks",
        "acks",
        "es",
        &["precious", "velo cluster pause --broker 102"],
    );
}

#[test]
fn the_map_is_sound_and_plays_to_its_end() {
    stops_brokers(
        "34-discovery",
        "discovery",
        "en",
        &["LeaderId", "velo cluster start --broker 102"],
    );
}

#[test]
fn the_books_are_sound_and_play_to_their_end() {
    stops_brokers(
        "36-kraft",
        "kraft",
        "fr",
        &["Not controller", "cluster.id=MkU3OEVBNTcwNTJENDM2Qk"],
    );
}

#[test]
fn the_final_activity_is_sound_and_plays_to_its_end() {
    stops_brokers("90-final", "final", "es", &["clave1", "velo lesson certificate"]);
}

#[test]
fn a_lesson_that_needs_more_brokers_than_the_named_cluster_has_says_so() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    for verb in ["play", "start"] {
        let ended = home
            .velo(&[&["lesson", verb, "replication"], &at[..]].concat())
            .fails_with(1);
        assert!(
            ended.stderr.contains("needs 3 brokers, and this cluster has 1"),
            "{}",
            ended.stderr
        );
    }
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/30-replication");
    let ended = home
        .velo(&[&["lesson", "lint", place], &at[..]].concat())
        .succeeds();
    assert!(
        ended.stderr.contains("not played on a cluster"),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_cluster_it_makes_its_own_and_leaves_nothing() {
    let home = Home::new();
    let scratch = tempfile::tempdir().unwrap();
    let output = home
        .command(&["lesson", "play", "hello-kafka", "--lang", "fr"])
        .env("TMPDIR", scratch.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("Un cluster rien que pour nous"), "{said}");
    assert!(is_empty(scratch.path()), "files are left");
}

/// The vélib lesson on a cluster of its own, its files below `scratch`, and what it says line by line.
fn starts_to_play(home: &Home, scratch: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut play = Command::new(env!("CARGO_BIN_EXE_velo"))
        .args(["lesson", "play", "velib", "--lang", "en"])
        .env("VELO_HOME", home.path())
        .env_remove("VELO_BOOTSTRAP_SERVER")
        .env("TMPDIR", scratch)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(play.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    (play, lines)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_with_everything_it_started() {
    let home = Home::new();
    let scratch = tempfile::tempdir().unwrap();
    let (mut play, mut lines) = starts_to_play(&home, scratch.path());
    let _limit = Limit::on(&play);
    let own = lines
        .find(|line| line.starts_with("A cluster of our own at "))
        .unwrap();
    let bootstrap = own
        .split_whitespace()
        .nth(6)
        .unwrap()
        .trim_end_matches(',')
        .to_owned();
    assert!(lines.any(|line| line.contains("Produced 280 station records")));
    ending::interrupt(&play);
    lines.for_each(drop);
    assert_eq!(ending::ended(&mut play).code(), Some(130));
    assert!(is_empty(scratch.path()), "files are left");
    home.velo(&["topic", "list", "--bootstrap-server", &bootstrap])
        .fails_with(3);
}

#[test]
fn a_reader_who_leaves_ends_it_with_everything_it_started() {
    let home = Home::new();
    let scratch = tempfile::tempdir().unwrap();
    let (mut play, mut lines) = starts_to_play(&home, scratch.path());
    let _limit = Limit::on(&play);
    assert!(lines.any(|line| line.contains("Produced 280 station records")));
    drop(lines);
    assert_eq!(ending::ended(&mut play).code(), Some(0));
    assert!(is_empty(scratch.path()), "files are left");
}

#[test]
fn a_demonstration_touches_no_topic_it_did_not_make() {
    let cluster = Cluster::classroom();
    let home = Home::new();
    let at = ["--bootstrap-server", cluster.bootstrap(), "--lang", "en"];
    home.velo(&[&["topic", "create", "iabd-topic"], &at[..]].concat())
        .succeeds();
    let ended = home
        .velo(&[&["lesson", "play", "hello-kafka"], &at[..]].concat())
        .fails_with(1);
    assert!(ended.stderr.contains("--prefix"), "{}", ended.stderr);
    let topics = home
        .velo(&[&["topic", "list"], &at[..]].concat())
        .succeeds()
        .stdout;
    assert!(topics.contains("iabd-topic"), "{topics}");
}

#[test]
#[cfg_attr(
    not(peer = "python"),
    ignore = "Python's clients are not here: scripts/dev/test fetches them"
)]
fn the_python_lesson_plays_with_kafka_python() {
    let output = Home::new()
        .command(&["lesson", "play", "python", "--lang", "es"])
        .env(
            "VELO_PYTHON",
            crate::peers::peers_folder().join("python/bin/python"),
        )
        .env("PYTHONWARNINGS", NO_DEPRECATION)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("10 records sent") && said.contains("producer 0"),
        "{said}"
    );
}

#[test]
fn a_lesson_that_this_machine_cannot_play_is_reported_as_not_played() {
    let home = Home::new();
    let without = |arguments: &[&str]| {
        home.command(arguments)
            .env("VELO_PYTHON", home.path().join("no-python"))
            .output()
            .unwrap()
    };
    let played = without(&["lesson", "play", "python", "--lang", "en"]);
    let said = String::from_utf8_lossy(&played.stderr).into_owned();
    assert_eq!(played.status.code(), Some(1), "{said}");
    assert!(
        said.contains("no Python with kafka-python") && said.contains("pip install"),
        "{said}"
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/lessons/60-python");
    let linted = without(&["lesson", "lint", folder, "--lang", "en"]);
    let said = String::from_utf8_lossy(&linted.stderr).into_owned();
    assert_eq!(linted.status.code(), Some(0), "{said}");
    assert!(said.contains("python: not played on a cluster"), "{said}");
}

/// What an audience sees of a new lesson, with a mark at each wait.
fn shown_with_pauses(cluster: &Cluster) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in scaffold::files("mine", &[Lang::En]) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let words = Words::of(Lang::En);
    let source = Source::Folder(folder.path().to_owned());
    let lesson = source.lesson("mine", &words).unwrap();
    let connection = Connection::new(cluster.bootstrap(), None).unwrap();
    let facts = Live::new(Admin::connect(&connection).unwrap());
    let told = vec![("VELO_BOOTSTRAP_SERVER".to_owned(), cluster.bootstrap().to_owned())];
    let velo = PathBuf::from(env!("CARGO_BIN_EXE_velo"));
    let shown = RefCell::new(Vec::new());
    let say = |text: &str| {
        shown.borrow_mut().extend(text.lines().map(str::to_owned));
        Ok(())
    };
    let pause = || {
        shown.borrow_mut().push("PAUSE".to_owned());
        Ok(())
    };
    let stage = Stage {
        facts: &facts,
        dress: Dress::new(&lesson, "", cluster.bootstrap()),
        programs: Programs::new(velo, folder.path().to_owned(), told),
        interrupted: &|| false,
        words: &words,
        began: BTreeSet::new(),
        own_brokers: false,
    };
    let mut play = Play {
        lesson: &lesson,
        words: &words,
        stage,
        page: Page::plain(80),
        say: &say,
        pause: &pause,
    };
    play.run().unwrap();
    drop(play);
    shown.into_inner()
}

#[test]
fn a_projector_waits_before_each_command_after_it_and_after_each_step() {
    let shown = shown_with_pauses(&Cluster::classroom());
    let at = |part: &str| {
        let found = shown.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part}: {shown:#?}"))
    };
    let pauses: Vec<usize> = (0..shown.len()).filter(|line| shown[*line] == "PAUSE").collect();
    let typed = at("$ velo topic create mine-topic");
    let [before, after, end] = pauses[..] else {
        panic!("{shown:#?}");
    };
    assert_eq!(before, typed + 1, "{shown:#?}");
    assert!(
        before < at("Created topic") && at("Created topic") < after,
        "{shown:#?}"
    );
    assert!(
        after < at("What happened, and what") && at("What happened, and what") < end,
        "{shown:#?}"
    );
}

#[test]
fn a_new_lesson_is_sound_on_a_cluster_too() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("40-mine");
    let place = place.to_str().unwrap();
    home.velo(&["lesson", "new", place, "--in", "fr"]).succeeds();
    let linted = home.velo(&["lesson", "lint", place, "--lang", "en"]).succeeds();
    assert!(
        linted.stderr.contains("the solution passes."),
        "{}",
        linted.stderr
    );
    let shown = home
        .velo(&["lesson", "--lessons", place, "show", "mine", "--lang", "fr"])
        .succeeds();
    assert!(shown.stdout.contains("1/1 Un topic"), "{}", shown.stdout);
}
