//! The scripts beside Apache Kafka's own: every case of `cases/` by Java's tool and by ours, on Apache Kafka and on our
//! cluster. Java's answers are recorded (`scripts/dev/record-parity`); what may differ stands in `docs/parity.md`.
//!
//! `VELO_PARITY_ONLY=kafka-topics,kafka-configs` runs the cases of these scripts alone.

mod cases;
mod java;
mod places;
mod recorded;
mod replay;
mod report;
mod rows;
mod said;

use places::Place;
use replay::{Outcome, Verdict};
use std::collections::BTreeSet;

/// How many cases there must be at least.
const CASES: usize = 400;

fn recording() -> bool {
    std::env::var_os("VELO_RECORD_PARITY").is_some()
}

fn all_scripts() -> bool {
    std::env::var_os("VELO_PARITY_ONLY").is_none()
}

fn run_on(place: &Place) -> Vec<Outcome> {
    if recording() {
        replay::record(place);
        return Vec::new();
    }
    let outcomes = replay::replay(place);
    report::save(place.name, &outcomes);
    report::summarise(place.name, &outcomes);
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.verdict.is_fine())
        .map(Outcome::told)
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ; target/parity.html has all\n{}",
        wrong.len(),
        outcomes.len(),
        wrong.join("\n")
    );
    outcomes
}

#[test]
fn our_scripts_say_on_our_cluster_what_kafkas_say() {
    let outcomes = run_on(&Place::ours());
    if all_scripts() && !recording() {
        every_row_is_shown(&outcomes);
    }
}

#[test]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka is not here: scripts/dev/test starts it"
)]
fn our_scripts_say_on_apache_kafka_what_kafkas_say() {
    run_on(&Place::apache());
}

#[test]
fn kafkas_scripts_see_no_difference_between_the_clusters() {
    let rows = rows::load();
    let mut wrong = Vec::new();
    for script in cases::load() {
        let recording = recorded::load(&script.script);
        for group in &script.group {
            for case in &group.cases {
                let id = case.id(group);
                let Some(answers) = recording.get(&id) else {
                    continue;
                };
                let (Some(apache), Some(ours)) = (answers.on("apache"), answers.on("velo")) else {
                    continue;
                };
                let same =
                    (apache.code, &apache.stdout, &apache.stderr) == (ours.code, &ours.stdout, &ours.stderr);
                let allowed = case.clusters_differ.iter().all(|row| rows.contains_key(row));
                if same != case.clusters_differ.is_empty() || !allowed {
                    wrong.push(format!(
                        "{}: {id}\nApache Kafka: {apache:#?}\nours: {ours:#?}",
                        script.script
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn there_are_enough_cases_and_each_is_another() {
    let scripts = cases::load();
    assert_eq!(cases::faults(&scripts), Vec::<String>::new());
    let count: usize = scripts
        .iter()
        .flat_map(|script| &script.group)
        .map(|group| group.cases.len())
        .sum();
    assert!(!all_scripts() || count >= CASES, "only {count} cases");
    let rows = rows::load();
    for script in &scripts {
        for case in script.group.iter().flat_map(|group| &group.cases) {
            for id in &case.differs {
                let row = rows
                    .get(id)
                    .unwrap_or_else(|| panic!("docs/parity.md has no row {id}"));
                assert!(
                    row.is_about(&script.script),
                    "row {id} does not speak of {}",
                    script.script
                );
            }
        }
    }
}

fn every_row_is_shown(outcomes: &[Outcome]) {
    let mut shown: BTreeSet<String> = outcomes.iter().flat_map(Outcome::rows_shown).collect();
    let cases = cases::load();
    for case in cases
        .iter()
        .flat_map(|script| &script.group)
        .flat_map(|group| &group.cases)
    {
        shown.extend(case.clusters_differ.iter().cloned());
        if case.on.as_deref() == Some("apache") {
            shown.extend(case.differs.iter().cloned());
        }
    }
    for (id, row) in rows::load() {
        match row.has_its_test() {
            Some(there) => assert!(there, "docs/parity.md: row {id}: no test {}", row.shown_by),
            None => assert!(shown.contains(&id), "docs/parity.md: no case shows row {id}"),
        }
    }
}

impl Verdict {
    fn is_fine(&self) -> bool {
        matches!(self, Verdict::Same | Verdict::ByRow)
    }
}
