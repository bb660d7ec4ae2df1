//! `velo velib empty`: each station that runs empty is told once, also by mail, also when the mail server is ill.

use super::velib_support::{create, records, station, velo, write};
use crate::support::cluster::Cluster;
use crate::support::velo::Ended;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A mail server that answers the first mails' `MAIL FROM` as told, then takes every mail and keeps it.
struct SmtpSink {
    address: String,
    mails: Arc<Mutex<Vec<String>>>,
}

impl SmtpSink {
    fn start(first_answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        let mut answers: Vec<String> = first_answers.iter().map(|answer| (*answer).to_owned()).collect();
        answers.reverse();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up in the middle has not sent its mail, and that is all.
                let _ = converse(&stream.unwrap(), &mut answers, &kept);
            }
        });
        SmtpSink { address, mails }
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

fn converse(
    stream: &TcpStream,
    answers: &mut Vec<String>,
    mails: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 sink\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "MAIL" => answers.pop().unwrap_or_else(|| "250 ok".to_owned()),
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let body: Vec<String> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| line != ".")
                    .collect();
                mails.lock().unwrap().push(body.join("\n"));
                "250 taken".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}

/// The names of one test's topics and groups.
struct Names {
    stations: String,
    empty: String,
    find: String,
    mail: String,
}

impl Names {
    /// New names, and a topic of stations in which station 2 ran empty.
    fn with_one_empty(cluster: &Cluster) -> Self {
        let names = Names {
            stations: cluster.name("stations"),
            empty: cluster.name("empty"),
            find: cluster.name("find"),
            mail: cluster.name("mail"),
        };
        create(cluster, &names.stations, 1);
        write(
            cluster,
            &names.stations,
            &[
                station(1, 19),
                station(2, 19),
                station(3, 20),
                station(2, 20),
                station(2, 20),
                station(3, 20),
            ],
        );
        names
    }

    fn find(&self, cluster: &Cluster, more: &[&str]) -> Ended {
        let Names {
            stations,
            empty,
            find,
            ..
        } = self;
        let arguments = [
            "velib",
            "empty",
            "--topic",
            stations,
            "--group",
            find,
            "--to",
            empty,
            "--exit-at-end",
        ];
        velo(cluster, &[&arguments, more].concat())
    }

    fn find_and_mail(&self, cluster: &Cluster, sink: &SmtpSink) -> Ended {
        self.find(
            cluster,
            &[
                "--mail-to",
                "mairie@example.org",
                "--smtp",
                &sink.address,
                "--mail-group",
                &self.mail,
            ],
        )
    }
}

on_both_clusters! {
    fn a_station_that_runs_empty_is_one_event_with_its_whole_record(cluster) {
        let names = Names::with_one_empty(cluster);
        assert_eq!(names.find(cluster, &[]).succeeds().stdout, "empty 2 RUE LEDUC (Toulouse)\n");
        assert_eq!(names.find(cluster, &[]).succeeds().stdout, "");
        let events = records(cluster, &names.empty);
        assert_eq!(events.len(), 1);
        let value: Value = serde_json::from_slice(events[0].value.as_deref().unwrap()).unwrap();
        assert_eq!(value, station(2, 20));
        assert_eq!(events[0].key.as_deref(), Some(&b"2"[..]));
    }

    fn the_monitor_writes_the_same_events_beside_its_lines(cluster) {
        let names = Names::with_one_empty(cluster);
        let said = velo(cluster, &["velib", "monitor", "--topic", &names.stations, "--group", &names.find,
            "--exit-at-end", "--empty-to", &names.empty]).succeeds();
        assert_eq!(said.stdout, "+1 2 RUE LEDUC (Toulouse)\n");
        let sink = SmtpSink::start(&[]);
        let said = velo(cluster, &["velib", "empty", "--mail-only", "--to", &names.empty, "--exit-at-end",
            "--mail-to", "mairie@example.org", "--smtp", &sink.address, "--mail-group", &names.mail]).succeeds();
        assert_eq!(said.stdout, "mailed 2 RUE LEDUC (Toulouse)\n");
        assert_eq!(sink.mails().len(), 1);
    }

    fn each_event_is_mailed_once(cluster) {
        let names = Names::with_one_empty(cluster);
        let sink = SmtpSink::start(&[]);
        let said = names.find_and_mail(cluster, &sink).succeeds();
        assert_eq!(said.stdout, "empty 2 RUE LEDUC (Toulouse)\nmailed 2 RUE LEDUC (Toulouse)\n");
        names.find_and_mail(cluster, &sink).succeeds();
        let mails = sink.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        assert!(mails[0].contains("Subject: No bike left: 2 RUE LEDUC (Toulouse)"), "{}", mails[0]);
        assert!(mails[0].contains("To: mairie@example.org"), "{}", mails[0]);
    }

    fn a_busy_mail_server_is_asked_again_and_the_user_told(cluster) {
        let names = Names::with_one_empty(cluster);
        let sink = SmtpSink::start(&["451 busy"]);
        let said = names.find_and_mail(cluster, &sink).succeeds();
        assert!(said.stderr.contains("nothing committed, trying again in 1 s"), "{}", said.stderr);
        assert_eq!(sink.mails().len(), 1);
    }

    fn a_mail_that_is_refused_stays_uncommitted_and_is_sent_the_next_time(cluster) {
        let names = Names::with_one_empty(cluster);
        let sink = SmtpSink::start(&["550 go away"]);
        let said = names.find_and_mail(cluster, &sink).fails_with(1);
        assert!(said.stderr.contains("the event is not committed"), "{}", said.stderr);
        assert!(sink.mails().is_empty());
        names.find_and_mail(cluster, &sink).succeeds();
        assert_eq!(sink.mails().len(), 1);
    }
}
