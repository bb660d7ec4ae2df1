//! A real Apache Storm: `velo storm bolt` and `velo storm spout` as processes of its workers, by ShellBolt and by Flux.

use super::*;
use crate::exercises::storm_support::{Event, Seen, a_day, event as of_tuple, expected};
use crate::exercises::velib_support::{connection, create, lag};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::ChildStdin;
use std::sync::{Arc, Mutex};
use velodrome::kafka::RecordProducer;
use velodrome::kafka::record_producer::Outgoing;

/// A Storm with one topology, until the value goes.
struct Storm {
    process: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<String>>>,
    log: tempfile::NamedTempFile,
    /// Where a LocalCluster has its data, tens of megabytes of it, and leaves them.
    _temporary: tempfile::TempDir,
}

impl Storm {
    fn start(arguments: &[&str]) -> Self {
        let folder = peers_folder().join("storm");
        let place = |name: &str| folder.join(name).display().to_string();
        let path = [place("classes"), place("libs/*"), place("flux/*")].join(":");
        let log = tempfile::NamedTempFile::new().unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let mut process = jvm("-Xmx512m", temporary.path())
            .arg("-Dstorm.jar=none.jar")
            .arg(format!(
                "-Dlog4j.configurationFile={}",
                program("storm/log4j2.xml").display()
            ))
            .args(["-cp", &path, "Stations"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        let stdout = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Storm {
            process,
            stdin,
            lines,
            log,
            _temporary: temporary,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// The events so far: those that the bolt of our program prints, and those that Flux's logs.
    fn events(&self) -> Vec<Event> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter_map(|line| event(line)).collect()
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        drop(self.stdin.take());
        ending::ended(&mut self.process);
    }
}

/// `EVENT contract number event last_update` with tabs, or a tuple as Storm's LogInfoBolt prints it:
/// `… id: {…}, ["Toulouse",5,"station is empty",1463949010000] …`
fn event(line: &str) -> Option<Event> {
    if let Some(fields) = line.strip_prefix("EVENT\t") {
        let mut fields = fields.split('\t').skip(1);
        let number = fields.next()?.parse().ok()?;
        return Some((number, fields.next()?.to_owned(), fields.next()?.parse().ok()?));
    }
    let (_, told) = line.strip_prefix("LOGGED source: empties")?.split_once("}, ")?;
    let mut values = serde_json::Deserializer::from_str(told).into_iter();
    Some(of_tuple(&values.next()?.ok()?))
}

/// A topic with a day of stations, keyed; its name, and the records.
fn stations(cluster: &Cluster) -> (String, Vec<Seen>) {
    let topic = cluster.name("stations");
    create(cluster, &topic, 2);
    let day = a_day(1_500, 31);
    let producer = RecordProducer::connect(&connection(cluster)).unwrap();
    let send = |number: &str, value: &str| {
        let (key, value) = (Some(number.as_bytes()), Some(value.as_bytes()));
        producer
            .send(Outgoing {
                topic: &topic,
                key,
                value,
                headers: &[],
            })
            .unwrap();
    };
    for (place, seen) in day.iter().enumerate() {
        send(&seen.number.to_string(), &seen.json().to_string());
        if place % 200 == 100 {
            send("5", "no station");
        }
    }
    producer.flush().unwrap();
    (topic, day)
}

/// Waits until the spouts have committed everything; answers what was told. A Storm takes its time on a busy machine.
fn told(cluster: &Cluster, storm: &Storm, group: &str, topic: &str) -> Vec<Event> {
    let deadline = Instant::now() + ending::LIMIT;
    while lag(cluster, group, topic) != 0 {
        let so_far = || format!("{}{:?}", storm.log(), storm.lines.lock().unwrap());
        assert!(Instant::now() < deadline, "not read to the end: {}", so_far());
        std::thread::park_timeout(Duration::from_secs(1));
    }
    storm.events()
}

fn flux(cluster: &Cluster, topic: &str, group: &str, more: &[&str]) -> tempfile::NamedTempFile {
    let home = crate::support::velo::Home::new();
    let arguments = [
        "--bootstrap-server",
        cluster.bootstrap(),
        "storm",
        "flux",
        "--topic",
        topic,
        "--group",
        group,
    ];
    let yaml = home.velo(&[&arguments[..], more].concat()).succeeds().stdout;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), yaml).unwrap();
    file
}

fn once(events: &[Event]) -> BTreeSet<Event> {
    events.iter().cloned().collect()
}

/// Makes a test for our cluster and one for Apache Kafka, both of which need Storm.
macro_rules! beside_storm {
    ($(fn $name:ident($cluster:ident) $body:block)*) => { $(
        mod $name {
            use super::*;

            fn body($cluster: &Cluster) $body

            #[test]
            #[cfg_attr(not(peer = "storm"), ignore = "Apache Storm is not here: scripts/dev/test fetches it")]
            fn on_the_classroom_cluster() {
                body(&Cluster::classroom());
            }

            #[test]
            #[cfg_attr(not(all(peer = "storm", peer = "kafka")), ignore = "Apache Storm and Kafka are not here: scripts/dev/test fetches them")]
            fn on_apache_kafka() {
                body(&Cluster::apache());
            }
        }
    )* };
}

beside_storm! {
    fn a_shell_bolt_tells_every_event_although_a_bolt_behind_it_fails_a_third_of_them(cluster) {
        let (topic, day) = stations(cluster);
        let group = cluster.name("storm");
        let velo = env!("CARGO_BIN_EXE_velo");
        let storm = Storm::start(&["shell", cluster.bootstrap(), &topic, &group, "0.33", velo, "storm", "bolt"]);
        assert_eq!(once(&told(cluster, &storm, &group, &topic)), expected(&day));
        assert!(storm.log().contains("no station"), "poison is named in Storm's log: {}", storm.log());
    }

    fn the_file_of_velo_storm_flux_runs_with_kafka_s_spout(cluster) {
        let (topic, day) = stations(cluster);
        let group = cluster.name("storm");
        let file = flux(cluster, &topic, &group, &["--tick", "1"]);
        let storm = Storm::start(&["flux", file.path().to_str().unwrap()]);
        let told = told(cluster, &storm, &group, &topic);
        assert_eq!(once(&told), expected(&day), "{}", storm.log());
    }

    fn the_file_of_velo_storm_flux_runs_with_velo_s_spout(cluster) {
        let (topic, day) = stations(cluster);
        let group = cluster.name("storm");
        let file = flux(cluster, &topic, &group, &["--spout", "shell", "--spouts", "2", "--parallelism", "3"]);
        let storm = Storm::start(&["flux", file.path().to_str().unwrap()]);
        let told = told(cluster, &storm, &group, &topic);
        assert_eq!(once(&told), expected(&day), "{}", storm.log());
    }
}
