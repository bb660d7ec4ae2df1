//! The simulation: whole nodes and clients in one thread, in a time of their own, where a seed decides what goes wrong.
//! How to run it and to read what it says: `docs/simulation.md`.

mod board;
mod client;
mod cluster;
mod deals;
mod events;
#[cfg(feature = "sim-faults")]
mod faults;
mod history;
mod invariants;
mod ledger;
mod run;
mod workloads;

use std::time::{Duration, Instant};

/// Runs a seed; what broke, with the last events in words.
fn failure(seed: u64) -> Option<String> {
    let outcome = run::run(seed);
    let broken = outcome.broken?;
    let last = outcome.history.len().saturating_sub(lines_told());
    let events = outcome.history[last..].join("\n");
    Some(format!(
        "{events}\n\nseed {seed}: {broken}\nAgain: scripts/dev/sim --seed {seed}"
    ))
}

/// How many of the last events are told.
fn lines_told() -> usize {
    number("VELO_SIM_LINES").map_or(60, |lines| usize::try_from(lines).unwrap())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn a_seed_runs_again_the_same() {
    for seed in 1..=3 {
        let (first, second) = (run::run(seed), run::run(seed));
        let parted = first
            .history
            .iter()
            .zip(&second.history)
            .position(|(one, other)| one != other);
        if let Some(at) = parted {
            panic!(
                "seed {seed} parts at\n{}\n{}\nafter\n{}",
                first.history[at],
                second.history[at],
                first.history[at.saturating_sub(10)..at].join("\n")
            );
        }
        assert_eq!(first.history.len(), second.history.len(), "seed {seed}");
        assert!(first.acknowledged > 0, "seed {seed} did nothing");
        assert!(first.deals > 0, "seed {seed} made no transaction");
    }
}

/// Seeds that have found something (`docs/simulation.md`).
const KEPT: [u64; 10] = [6, 10, 15, 22, 33, 54, 55, 2000, 2002, 20_444];

fn holds(seed: u64) {
    if let Some(failure) = failure(seed) {
        panic!("{failure}");
    }
}

#[test]
fn nothing_is_lost_whatever_goes_wrong() {
    (1_000..1_040).for_each(holds);
}

#[test]
fn what_was_found_once_is_mended() {
    KEPT.into_iter().for_each(holds);
}

/// For as many seconds as `VELO_SIM_SECONDS` says, from seed `VELO_SIM_FROM` on; or one seed, `VELO_SIM_SEED`.
#[test]
#[ignore = "scripts/dev/sim runs it, for as long as one likes"]
fn for_a_time() {
    if let Some(seed) = number("VELO_SIM_SEED") {
        let failure = failure(seed);
        assert!(failure.is_none(), "{}", failure.unwrap());
        return;
    }
    let seconds = number("VELO_SIM_SECONDS").unwrap_or(60);
    let first = number("VELO_SIM_FROM").unwrap_or(1);
    let (began, mut failed) = (Instant::now(), Vec::new());
    let mut seed = first;
    while began.elapsed() < Duration::from_secs(seconds) {
        if let Some(failure) = failure(seed) {
            println!("{failure}\n");
            failed.push(seed);
        }
        seed += 1;
    }
    println!("seeds {first} to {}: {} failed", seed - 1, failed.len());
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}
