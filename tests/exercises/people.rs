//! `velo people produce`

use super::velib_support::{Running, create, eventually, records, velo};
use crate::support::velo::Home;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use velodrome::exercises::people::town::{NEAR, Town};
use velodrome::exercises::people::{Locale, People, Person, french, spanish_towns};

/// Half of the last digit of a place.
const ROUNDING: f64 = 1e-6;

/// The town that a person says to live in.
fn town<'a>(person: &Person, towns: &'a [Town]) -> &'a Town {
    towns
        .iter()
        .find(|town| town.name == person.ciudad)
        .unwrap_or_else(|| panic!("no town {}", person.ciudad))
}

/// Whether what a person says fits together.
fn assert_coherent(person: &Person, towns: &[Town]) {
    let town = town(person, towns);
    assert_eq!(person.provincia, town.province);
    assert_eq!(person.cp.len(), 5);
    let postcode: u32 = person.cp.parse().unwrap();
    assert!(
        (town.postcodes.0..=town.postcodes.1).contains(&postcode),
        "{person:?}"
    );
    assert!((18..=80).contains(&person.edad), "{person:?}");
    assert!(
        (person.longitud - town.longitude).abs() <= NEAR + ROUNDING,
        "{person:?}"
    );
    assert!(
        (person.latitud - town.latitude).abs() <= NEAR + ROUNDING,
        "{person:?}"
    );
    assert!(
        person.calle.chars().any(|letter| letter.is_ascii_digit()),
        "{person:?}"
    );
}

proptest! {
    #[test]
    fn spaniards_live_where_they_say_and_have_two_surnames(seed: u64) {
        for person in People::new(Locale::Spain, seed).take(50) {
            assert_coherent(&person, spanish_towns::TOWNS);
            assert!((3..=5).contains(&person.nombre.split(' ').count()), "{person:?}");
        }
    }

    #[test]
    fn the_french_live_where_they_say(seed: u64) {
        for person in People::new(Locale::France, seed).take(50) {
            assert_coherent(&person, french::TOWNS);
            assert!(person.nombre.split(' ').count() >= 2, "{person:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_people(seed: u64) {
        for locale in [Locale::Spain, Locale::France] {
            let some = || People::new(locale, seed).take(20).collect::<Vec<_>>();
            prop_assert_eq!(some(), some());
            let others: Vec<_> = People::new(locale, seed ^ 1).take(20).collect();
            prop_assert_ne!(some(), others);
        }
    }
}

#[test]
fn each_of_the_52_provinces_has_its_own_postcode_prefix() {
    let mut prefixes: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for town in spanish_towns::TOWNS {
        assert_eq!(town.postcodes.0 / 1000, town.postcodes.1 / 1000, "{town:?}");
        prefixes
            .entry(town.postcodes.0 / 1000)
            .or_default()
            .insert(town.province);
    }
    assert_eq!(
        prefixes.keys().copied().collect::<Vec<_>>(),
        (1..=52).collect::<Vec<_>>()
    );
    assert!(
        prefixes.values().all(|provinces| provinces.len() == 1),
        "{prefixes:?}"
    );
}

#[test]
fn no_two_towns_of_a_country_share_a_name_or_a_postcode() {
    for towns in [spanish_towns::TOWNS, french::TOWNS] {
        let names: BTreeSet<&str> = towns.iter().map(|town| town.name).collect();
        assert_eq!(names.len(), towns.len());
        let mut ranges: Vec<_> = towns.iter().map(|town| town.postcodes).collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }
}

/// Whether this is `{unix seconds} Produced {n} people to {place}`; n.
fn produced(line: &str, place: &str) -> Option<usize> {
    let (seconds, rest) = line.split_once(' ')?;
    seconds.parse::<u64>().ok()?;
    let counted = rest
        .strip_prefix("Produced ")?
        .strip_suffix(&format!(" to {place}"))?;
    let (number, people) = counted.split_once(' ')?;
    let wanted = if number == "1" { "person" } else { "people" };
    number.parse().ok().filter(|_| people == wanted)
}

on_both_clusters! {
    fn people_come_in_batches_one_record_each(cluster) {
        let topic = cluster.name("people");
        create(cluster, &topic, 1);
        let said = velo(cluster, &["people", "produce", "--topic", &topic, "--every", "0s", "--count", "100",
            "--seed", "3"]).succeeds();
        let batches: Vec<usize> = said.stdout.lines().map(|line| produced(line, &topic).unwrap()).collect();
        assert_eq!(batches.iter().sum::<usize>(), 100);
        let (_, whole) = batches.split_last().unwrap();
        assert!(whole.iter().all(|batch| (5..=20).contains(batch)), "{batches:?}");
        let wanted: Vec<String> = People::new(Locale::Spain, 3).take(100).map(|one| one.to_json().unwrap()).collect();
        let have: Vec<String> = records(cluster, &topic).into_iter()
            .map(|record| String::from_utf8(record.value.unwrap()).unwrap()).collect();
        assert_eq!(have, wanted);
        let fields: Vec<&str> = have[0].split('"').filter(|part| {
            ["nombre", "edad", "calle", "ciudad", "provincia", "cp", "longitud", "latitud"].contains(part)
        }).collect();
        assert_eq!(fields, ["nombre", "edad", "calle", "ciudad", "provincia", "cp", "longitud", "latitud"]);
    }

    fn ctrl_c_ends_it_with_130_and_every_line_told_is_in_the_topic(cluster) {
        let topic = cluster.name("people");
        create(cluster, &topic, 1);
        let mut producer = Running::start(cluster, &["people", "produce", "--topic", &topic, "--every", "20ms",
            "--batch", "10"]);
        eventually(|| producer.stdout().lines().count() > 3, || producer.stderr());
        assert_eq!(producer.interrupt(), 130);
        assert_eq!(records(cluster, &topic).len(), producer.stdout().lines().count() * 10);
    }

    fn a_rate_sends_all_of_them(cluster) {
        let topic = cluster.name("people");
        create(cluster, &topic, 1);
        let said = velo(cluster, &["people", "produce", "--topic", &topic, "--rate", "10000", "--count", "2500"])
            .succeeds();
        let told: usize = said.stdout.lines().map(|line| produced(line, &topic).unwrap()).sum();
        assert_eq!(told, 2500);
        assert_eq!(records(cluster, &topic).len(), 2500);
    }
}

#[test]
fn files_hold_the_same_people_and_overwrite_none() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("clientes");
    let make = |seed: &str| {
        home.velo(&[
            "people",
            "produce",
            "--to-files",
            place.to_str().unwrap(),
            "--every",
            "0s",
            "--batch",
            "7",
            "--count",
            "21",
            "--locale",
            "fr_FR",
            "--seed",
            seed,
        ])
        .succeeds()
        .stdout
    };
    let (first, second) = (make("5"), make("6"));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 6);
    for (said, seed) in [(first, 5), (second, 6)] {
        let mut people: Vec<Person> = Vec::new();
        for line in said.lines() {
            let path = line.split_once(" people to ").unwrap().1;
            let name = std::path::Path::new(path).file_name().unwrap().to_str().unwrap();
            assert!(
                name.starts_with("datosClientes20") && name.ends_with(".json"),
                "{name}"
            );
            let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            people.extend(serde_json::from_value::<Vec<Person>>(json["records"].clone()).unwrap());
        }
        assert_eq!(
            people,
            People::new(Locale::France, seed).take(21).collect::<Vec<_>>()
        );
    }
}

#[test]
fn at_a_rate_each_line_tells_its_own_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let rate = [
        "people",
        "produce",
        "--rate",
        "30",
        "--count",
        "40",
        "--to-files",
        place,
    ];
    let said = Home::new().velo(&rate).succeeds().stdout;
    let mut told = 0;
    for line in said.lines() {
        let path = line.split_once(" people to ").unwrap().1;
        let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let people = json["records"].as_array().unwrap().len();
        assert_eq!(produced(line, path), Some(people));
        told += people;
    }
    assert_eq!(told, 40);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), said.lines().count());
}

#[test]
fn a_batch_that_is_none_is_refused() {
    for batch in ["20..5", "0..3", "many"] {
        let ended = Home::new()
            .velo(&["people", "produce", "--batch", batch])
            .fails_with(2);
        assert!(
            ended.stderr.contains("5..20") || ended.stderr.contains("1 to 1000000"),
            "{}",
            ended.stderr
        );
    }
}
