//! A person, as the course's records have it.

use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};

/// A person. Names and order of the fields are those of the records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Given name and surnames.
    pub nombre: String,
    /// Age in years, 18 to 80.
    pub edad: u8,
    /// Street and number.
    pub calle: String,
    /// Town.
    pub ciudad: String,
    /// Province or département.
    pub provincia: String,
    /// Postcode: five digits, the first of which may be 0.
    pub cp: String,
    /// Degrees east of Greenwich.
    pub longitud: f64,
    /// Degrees north of the equator.
    pub latitud: f64,
}

impl Person {
    /// The record's value.
    ///
    /// # Errors
    /// When a number has no JSON; none of the generator's is such.
    pub fn to_json(&self) -> Outcome<String> {
        serde_json::to_string(self)
            .map_err(|error| Failure::request("cannot write a person as JSON").because(error))
    }
}
