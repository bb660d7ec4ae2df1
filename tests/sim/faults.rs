//! Mistakes put into the broker on purpose: the simulation must find each of them. Only built with the feature `sim-faults`.

use super::{failure, number, run};
use velodrome::broker::world::fault::{Fault, put_in};

/// Seeds that may go by before a mistake is found.
const SEEDS: u64 = 500;

/// What broke in a seed.
fn what_breaks(seed: u64, fault: Option<Fault>) -> Option<String> {
    put_in(fault);
    let broken = run::run(seed).broken;
    put_in(None);
    broken
}

/// The first seed that breaks by the mistake alone, and what broke.
fn first_to_find(fault: Fault, seeds: u64) -> Option<(u64, String)> {
    (1..=seeds).find_map(|seed| {
        let broken = what_breaks(seed, Some(fault))?;
        what_breaks(seed, None).is_none().then_some((seed, broken))
    })
}

/// The mistake that `VELO_SIM_FAULT` names, or `all` of them, within `VELO_SIM_SEEDS` seeds; or what it does in the one seed
/// `VELO_SIM_SEED`.
#[test]
#[ignore = "scripts/dev/sim --fault runs it"]
fn each_is_found() {
    let wanted = std::env::var("VELO_SIM_FAULT").unwrap_or("all".to_owned());
    let named: Vec<_> = Fault::ALL
        .into_iter()
        .filter(|(name, _)| wanted == "all" || wanted == *name)
        .collect();
    let names = Fault::ALL.map(|(name, _)| name).join(", ");
    assert!(!named.is_empty(), "{wanted} is none of {names}");
    let seeds = number("VELO_SIM_SEEDS").unwrap_or(SEEDS);
    let mut missed = Vec::new();
    for (name, fault) in named {
        if let Some(seed) = number("VELO_SIM_SEED") {
            put_in(Some(fault));
            println!("{}", failure(seed).unwrap_or("nothing breaks".to_owned()));
            continue;
        }
        match first_to_find(fault, seeds) {
            Some((seed, broken)) => println!("{name}: seed {seed}: {broken}"),
            None => missed.push(name),
        }
    }
    assert!(missed.is_empty(), "not found in {seeds} seeds: {missed:?}");
}
