//! The simulated city: what it keeps and what it does.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use velodrome::exercises::velib::Simulation;
use velodrome::exercises::velib::station::{CLOSED, Station, snapshot};

fn bikes(city: &Simulation) -> i64 {
    city.parked() + i64::try_from(city.under_way()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bikes_are_conserved_and_stations_hold_what_they_can(
        seed in any::<u64>(),
        steps in prop::collection::vec(1u64..400_000, 1..12),
    ) {
        let before = snapshot().unwrap();
        let mut city = Simulation::toulouse(seed).unwrap();
        let bikes_at_first = bikes(&city);
        for milliseconds in steps {
            let earlier = city.stations().to_vec();
            city.advance(Duration::from_millis(milliseconds));
            prop_assert_eq!(bikes(&city), bikes_at_first);
            for ((now, then), real) in city.stations().iter().zip(&earlier).zip(&before) {
                prop_assert!(now.available_bikes >= 0 && now.available_bike_stands >= 0);
                prop_assert_eq!(
                    now.available_bikes + now.available_bike_stands,
                    real.available_bikes + real.available_bike_stands
                );
                prop_assert!(now.last_update >= then.last_update);
                prop_assert!(now.last_update <= Some(city.now_ms()));
                if now.available_bikes != then.available_bikes || now.status != then.status {
                    prop_assert!(now.last_update > then.last_update);
                }
            }
        }
    }

    #[test]
    fn the_same_seed_rides_the_same_trips_however_time_is_cut(seed in any::<u64>(), cut in 1u64..900_000) {
        let mut whole = Simulation::toulouse(seed).unwrap();
        let mut parts = Simulation::toulouse(seed).unwrap();
        whole.advance(Duration::from_millis(900_000));
        parts.advance(Duration::from_millis(cut));
        parts.advance(Duration::from_millis(900_000 - cut));
        prop_assert_eq!(whole.stations(), parts.stations());
        let mut other = Simulation::toulouse(seed.wrapping_add(1)).unwrap();
        other.advance(Duration::from_secs(900));
        prop_assert_ne!(whole.stations(), other.stations());
    }
}

#[test]
fn within_twenty_minutes_stations_run_empty_and_full_and_some_close_and_reopen() {
    let mut city = Simulation::toulouse(0).unwrap();
    let (mut emptied, mut filled, mut closed, mut reopened) = (0, 0, BTreeSet::new(), BTreeSet::new());
    for _ in 0..1_200 {
        let before = city.stations().to_vec();
        city.advance(Duration::from_secs(1));
        for (then, now) in before.iter().zip(city.stations()) {
            emptied += i32::from(then.available_bikes > 0 && now.available_bikes == 0);
            filled += i32::from(then.available_bike_stands > 0 && now.available_bike_stands == 0);
            if then.is_open() && now.status == CLOSED {
                closed.insert(Station::id(now));
            }
            if then.status == CLOSED && now.is_open() {
                reopened.insert(Station::id(now));
            }
        }
    }
    assert!(emptied >= 5, "{emptied} ran empty");
    assert!(filled >= 5, "{filled} ran full");
    assert!(!closed.is_empty());
    assert!(!reopened.is_empty() && reopened.is_subset(&closed));
}
