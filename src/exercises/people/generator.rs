//! People by chance: the same seed gives the same people.

use super::{Person, french, spanish};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Where the people live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Locale {
    /// Spain: two surnames, 52 provinces
    #[value(name = "es_ES", alias = "es")]
    Spain,
    /// France
    #[value(name = "fr_FR", alias = "fr")]
    France,
}

/// An endless row of people.
#[derive(Debug, Clone)]
pub struct People {
    locale: Locale,
    rng: ChaCha8Rng,
}

impl People {
    /// Those of this seed.
    pub fn new(locale: Locale, seed: u64) -> Self {
        People {
            locale,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }
}

impl Iterator for People {
    type Item = Person;

    fn next(&mut self) -> Option<Person> {
        Some(match self.locale {
            Locale::Spain => spanish::person(&mut self.rng),
            Locale::France => french::person(&mut self.rng),
        })
    }
}
