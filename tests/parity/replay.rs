//! Runs the cases on one cluster: by Java's tools to record them, by ours to compare.

use super::cases::{self, Case, Group, On, Script};
use super::java::{Java, Raw, Request};
use super::places::{Place, Prepared};
use super::recorded::{self, Recording};
use super::rows;
use super::said::{self, Said};
use crate::support::velo::Home;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

/// No script of ours may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long Apache Kafka's broker may take until it shows what its controller has acknowledged.
const SETTLES: Duration = Duration::from_secs(30);
/// How many groups of cases run at a time: most of their time they wait for answers.
const SIDE_BY_SIDE: usize = 4;

/// What came of a case on one cluster.
#[derive(Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub script: String,
    pub id: String,
    pub line: String,
    pub java: Option<Said>,
    pub ours: Said,
    pub verdict: Verdict,
    /// The rows of docs/parity.md that the case names.
    pub rows: Vec<String>,
    pub hints: bool,
}

/// Whether ours said what Java's says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The same.
    Same,
    /// Another thing, as a row of docs/parity.md has it.
    ByRow,
    /// Another thing.
    Different,
    /// The case names a row, but nothing differs any more.
    RowOutlived,
    /// Java's answer is not recorded, or for another command line.
    NotRecorded,
    /// Java's tool says something else today than what was recorded.
    RecordingOutlived,
}

impl Outcome {
    /// The case and both answers, for a failed test.
    pub fn told(&self) -> String {
        format!(
            "--- {:?}: {} {}\n    {}\n{}",
            self.verdict,
            self.script,
            self.id,
            self.line,
            difference(self.java.as_ref(), &self.ours)
        )
    }

    /// The rows of docs/parity.md that this shows.
    pub fn rows_shown(&self) -> Vec<String> {
        let mut rows = self.rows.clone();
        let java = self.java.clone().unwrap_or_default();
        let everywhere = [!java.trace.is_empty(), self.hints, !java.options.is_empty()];
        for (id, seen) in rows::EVERYWHERE.iter().zip(everywhere) {
            if seen {
                rows.push((*id).to_owned());
            }
        }
        if java.slow && !self.ours.slow {
            rows.push("unreachable".to_owned());
        }
        rows
    }
}

fn difference(java: Option<&Said>, ours: &Said) -> String {
    let Some(java) = java else {
        return "scripts/dev/record-parity records it".to_owned();
    };
    let mut text = String::new();
    let mut part = |name: &str, java: &str, ours: &str| {
        if java != ours {
            text.push_str(&format!("{name} of Java's:\n{java}\n{name} of ours:\n{ours}\n"));
        }
    };
    part("exit code", &java.code.to_string(), &ours.code.to_string());
    part("stdout", &java.stdout, &ours.stdout);
    let trace = java.trace.iter().map(|message| format!("\n(trace) {message}"));
    part(
        "stderr",
        &(java.stderr.clone() + &trace.collect::<String>()),
        &ours.stderr,
    );
    let missing: Vec<&str> = java
        .options
        .iter()
        .filter(|name| !ours.options.contains(name))
        .map(String::as_str)
        .collect();
    part("options missing", &missing.join(" "), "");
    text
}

/// The groups of all scripts that run on this cluster, those that want it empty first, and before the groups' own topic
/// is made.
fn in_order<'a>(scripts: &'a [Script], place: &Place) -> Vec<(&'a Script, &'a Group)> {
    let mut groups: Vec<(&Script, &Group)> = scripts
        .iter()
        .flat_map(|script| script.group.iter().map(move |group| (script, group)))
        .filter(|(_, group)| group.cluster != On::None || place.name == "velo")
        .filter(|(_, group)| group.on.as_deref().is_none_or(|on| on == place.name))
        .collect();
    groups.sort_by_key(|(_, group)| (group.cluster != On::Empty, !group.commits.is_empty()));
    groups
}

/// Runs every case by Java's tools and writes down what they say.
pub fn record(place: &Place) {
    let scripts = cases::load();
    let mut java = Java::start();
    let mut said: Vec<(&str, String, String, Said)> = Vec::new();
    let groups = in_order(&scripts, place);
    let (nowhere, somewhere): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, group)| group.cluster == On::None);
    for (script, group) in somewhere {
        let prepared = place.prepare(group);
        for case in &group.cases {
            let raw = java.run(&[request(script, group, case, &prepared)]).remove(0);
            let answer = read(&raw, group, case, &prepared);
            said.push((&script.script, case.id(group), line(case), answer));
        }
        if group.cluster == On::Empty {
            prepared.remove(group);
        }
    }
    // Java waits a minute or more for a cluster that is not there: all of them at once.
    let prepared: Vec<Prepared> = nowhere.iter().map(|(_, group)| place.prepare(group)).collect();
    let mut asked = Vec::new();
    let mut requests = Vec::new();
    for ((script, group), prepared) in nowhere.iter().zip(&prepared) {
        for case in &group.cases {
            asked.push((script, group, case, prepared));
            requests.push(request(script, group, case, prepared));
        }
    }
    for ((script, group, case, prepared), raw) in asked.iter().zip(java.run(&requests)) {
        let answer = read(&raw, group, case, prepared);
        said.push((&script.script, case.id(group), line(case), answer));
    }
    for script in &scripts {
        let own = said.iter().filter(|(name, ..)| *name == script.script);
        let own = own.map(|(_, id, line, said)| (id.clone(), line.clone(), said.clone()));
        let known = script.group.iter().flat_map(|group| {
            let cases = group.cases.iter();
            cases.map(|case| case.id(group))
        });
        recorded::save(&script.script, place.name, own.collect(), &known.collect());
    }
}

/// Runs every case by our scripts and compares with what is recorded: first the groups that want the cluster for
/// themselves, then the others side by side, beside those that wait for a cluster that is not there.
pub fn replay(place: &Place) -> Vec<Outcome> {
    let scripts = cases::load();
    let run = Run {
        place,
        home: Home::new(),
        java: Mutex::new(None),
        quiet: RwLock::new(()),
        outcomes: Mutex::new(Vec::new()),
    };
    let (nowhere, somewhere): (Vec<_>, Vec<_>) = in_order(&scripts, place)
        .into_iter()
        .partition(|(_, group)| group.cluster == On::None);
    let (alone, beside): (Vec<_>, Vec<_>) = somewhere
        .into_iter()
        .partition(|(_, group)| group.cluster == On::Empty);
    let next = Mutex::new(beside.into_iter());
    std::thread::scope(|threads| {
        for (script, group) in nowhere {
            for case in &group.cases {
                let run = &run;
                threads.spawn(move || run.case(script, group, case, &place.prepare(group)));
            }
        }
        for (script, group) in alone {
            run.group(script, group).remove(group);
        }
        for _ in 0..SIDE_BY_SIDE {
            threads.spawn(|| {
                loop {
                    let taken = next.lock().unwrap().next();
                    let Some((script, group)) = taken else { break };
                    run.group(script, group);
                }
            });
        }
    });
    run.outcomes.into_inner().unwrap()
}

/// A run of the cases by our scripts.
struct Run<'a> {
    place: &'a Place,
    home: Home,
    java: Mutex<Option<Java>>,
    /// Held for writing while a case looks at all that is on the cluster, so that nobody takes anything away meanwhile.
    quiet: RwLock<()>,
    outcomes: Mutex<Vec<Outcome>>,
}

impl Run<'_> {
    fn group(&self, script: &Script, group: &Group) -> Prepared {
        let prepared = self.place.prepare(group);
        for case in &group.cases {
            self.case(script, group, case, &prepared);
        }
        prepared
    }

    fn case(&self, script: &Script, group: &Group, case: &Case, prepared: &Prepared) {
        let recording = recorded::load(&script.script);
        let (_alone, _beside);
        if case.only_mine {
            _alone = self.quiet.write().unwrap();
        } else {
            _beside = self.quiet.read().unwrap();
        }
        let mut outcome = settled(case, || {
            let raw = ours(&self.home, script, group, case, prepared);
            let said = read(&raw, group, case, prepared);
            compare(script, group, case, said, &recording, self.place)
        });
        if case.live && cfg!(peer = "kafka") && outcome.verdict == Verdict::Same {
            let mut java = self.java.lock().unwrap();
            let java = java.get_or_insert_with(Java::start);
            let raw = java.run(&[request(script, group, case, prepared)]).remove(0);
            let mut now = read(&raw, group, case, prepared);
            now.slow = false;
            if outcome.java.as_ref() != Some(&now) {
                outcome.verdict = Verdict::RecordingOutlived;
                outcome.ours = now;
            }
        }
        self.outcomes.lock().unwrap().push(outcome);
    }
}

/// The answer; a script that only looks looks again while it still sees what was there before.
fn settled(case: &Case, answer: impl Fn() -> Outcome) -> Outcome {
    let looks = ["--describe", "--list"]
        .iter()
        .any(|option| case.line.contains(option));
    let mut outcome = answer();
    // Counted from the first answer, which a busy machine may have held up.
    let deadline = Instant::now() + SETTLES;
    while outcome.verdict == Verdict::Different && looks && Instant::now() < deadline {
        outcome = answer();
    }
    outcome
}

fn compare(
    script: &Script,
    group: &Group,
    case: &Case,
    ours: Said,
    recording: &Recording,
    place: &Place,
) -> Outcome {
    let id = case.id(group);
    let answers = recording.get(&id).filter(|answers| answers.line == line(case));
    let java = answers.and_then(|answers| answers.on(place.name));
    let here = case.on.as_deref().is_none_or(|on| on == place.name);
    let rows = if here { case.differs.clone() } else { Vec::new() };
    let verdict = match java {
        None => Verdict::NotRecorded,
        Some(java) => match (java.agrees_with(&ours), rows.is_empty()) {
            _ if ours.slow && !java.slow => Verdict::Different,
            (true, true) => Verdict::Same,
            (true, false) => Verdict::RowOutlived,
            (false, true) => Verdict::Different,
            (false, false) => Verdict::ByRow,
        },
    };
    Outcome {
        script: script.script.clone(),
        id,
        line: line(case),
        java: java.cloned(),
        verdict,
        rows,
        hints: ours.hints,
        ours,
    }
}

/// The line as it is written in the cases, with what is typed.
fn line(case: &Case) -> String {
    if case.stdin.is_empty() {
        case.line.clone()
    } else {
        format!("{} <<< {:?}", case.line, case.stdin)
    }
}

fn arguments(group: &Group, case: &Case, prepared: &Prepared) -> Vec<String> {
    cases::words(&prepared.fill(group, &case.line))
}

fn request(script: &Script, group: &Group, case: &Case, prepared: &Prepared) -> Request {
    Request {
        class: script.class.clone(),
        arguments: arguments(group, case, prepared),
        stdin: prepared.fill(group, &case.stdin),
    }
}

fn ours(home: &Home, script: &Script, group: &Group, case: &Case, prepared: &Prepared) -> Raw {
    let mut words = vec![script.script.clone()];
    words.extend(arguments(group, case, prepared));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let started = Instant::now();
    let output = home
        .command(&words)
        .current_dir(prepared.dir.path())
        .env("LANG", "C")
        .write_stdin(prepared.fill(group, &case.stdin))
        .timeout(PATIENCE)
        .output()
        .unwrap();
    Raw {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().unwrap_or(-1),
        seconds: started.elapsed().as_secs_f64(),
    }
}

fn read(raw: &Raw, group: &Group, case: &Case, prepared: &Prepared) -> Said {
    let place = said::Place {
        group: &group.id,
        dir: &prepared.dir.path().display().to_string(),
        logs: &prepared.logs,
        sorted: case.sorted,
        only_mine: case.only_mine,
        numbers: case.numbers,
    };
    let mut said = Said::of(raw, &place);
    // One look at the help is enough: it is the same after every mistake.
    if !case.line.starts_with("--help") {
        said.options.clear();
    }
    said
}
