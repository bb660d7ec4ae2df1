//! Made-up people, for the exercise that carries them through Kafka into a database.

pub mod french;
pub mod generator;
pub mod person;
pub mod producer;
pub mod sink;
pub mod spanish;
pub mod spanish_towns;
pub mod town;

pub use generator::{Locale, People};
pub use person::Person;

/// The topic of the people.
pub const PEOPLE_TOPIC: &str = "iabd-python-topic";
