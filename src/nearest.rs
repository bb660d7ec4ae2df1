//! Did you mean …?

/// How alike two names must be for one to be offered in place of the other (1 is the same).
const ALIKE: f64 = 0.8;

/// Among `names`, the one that `wrong` was most likely meant to be.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| {
            (
                strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()),
                name,
            )
        })
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let names = ["velib-stations", "trips", "iabd-topic"];
        assert_eq!(nearest("velib-station", names), Some("velib-stations"));
        assert_eq!(nearest("iabd_topic", names), Some("iabd-topic"));
        assert_eq!(nearest("people", names), None);
    }
}
