//! Towns: where people live, so that town, province, postcode and place belong together.

use rand::{Rng, RngExt};

/// How far from a town's middle its people live at most, in degrees: one or two kilometres.
pub const NEAR: f64 = 0.015;

/// A real town.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Town {
    /// Its province or département.
    pub province: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its first and last postcode; the last three digits only count within the province's two.
    pub postcodes: (u32, u32),
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// A town, in the order in which tables read best.
pub const fn town(
    province: &'static str,
    name: &'static str,
    postcodes: (u32, u32),
    latitude: f64,
    longitude: f64,
) -> Town {
    Town {
        province,
        name,
        postcodes,
        latitude,
        longitude,
    }
}

impl Town {
    /// One of its postcodes.
    pub fn postcode(&self, rng: &mut impl Rng) -> String {
        let (first, last) = self.postcodes;
        format!("{:05}", rng.random_range(first..=last))
    }

    /// A place in it: longitude and latitude, to a tenth of a metre or so.
    pub fn place(&self, rng: &mut impl Rng) -> (f64, f64) {
        let mut near = |middle: f64| {
            let degrees = middle + rng.random_range(-NEAR..NEAR);
            (degrees * 1e6).round() / 1e6
        };
        (near(self.longitude), near(self.latitude))
    }
}
