//! Chance: new ids, and what nobody shall foresee.

use parking_lot::Mutex;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::RangeInclusive;
use std::sync::Arc;
use uuid::Uuid;

/// Where chance comes from. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Dice(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    /// The machine's.
    #[default]
    System,
    /// The same again for the same seed.
    Seeded(Arc<Mutex<ChaCha8Rng>>),
}

impl Dice {
    /// Dice that fall the same way whenever they have that seed.
    pub fn seeded(seed: u64) -> Self {
        Dice(Source::Seeded(Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(
            seed,
        )))))
    }

    /// A new id.
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            Source::System => Uuid::new_v4(),
            Source::Seeded(chance) => {
                let mut bytes = [0; 16];
                chance.lock().fill_bytes(&mut bytes);
                uuid::Builder::from_random_bytes(bytes).into_uuid()
            }
        }
    }

    /// A new id of a cluster, a folder or a topic. As Kafka's, none starts with a dash in its text form: tools would take it
    /// for an option.
    pub fn id(&self) -> Uuid {
        loop {
            let id = self.uuid();
            // The first six bits give the first letter; 62 is the dash of base64url.
            if id.as_bytes()[0] >> 2 != 62 {
                return id;
            }
        }
    }

    /// A number out of a range.
    pub fn number(&self, range: RangeInclusive<i32>) -> i32 {
        match &self.0 {
            Source::System => rand::random_range(range),
            Source::Seeded(chance) => chance.lock().random_range(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_dice_fall_the_same_way_again() {
        let thrown = |seed| {
            let dice = Dice::seeded(seed);
            (dice.uuid(), dice.id(), dice.number(1..=i32::MAX))
        };
        assert_eq!(thrown(7), thrown(7));
        assert_ne!(thrown(7), thrown(8));
        assert_eq!(thrown(7).0.get_version_num(), 4);
    }
}
