//! The program's own words in the user's language, from `lessons/ui/*.toml`, which are in the binary.

use super::Lang;
use std::collections::BTreeMap;

const FR: &str = include_str!("../../lessons/ui/fr.toml");
const ES: &str = include_str!("../../lessons/ui/es.toml");
const EN: &str = include_str!("../../lessons/ui/en.toml");

/// The words of one language. Keys read `section.name`.
#[derive(Debug, Clone)]
pub struct Words {
    lang: Lang,
    table: BTreeMap<String, String>,
    english: BTreeMap<String, String>,
}

impl Words {
    /// The words of `lang`.
    pub fn of(lang: Lang) -> Self {
        Words {
            lang,
            table: table(source(lang)),
            english: table(EN),
        }
    }

    /// Which language these are.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The words of a key. A key that the language lacks gives the English words, one that nobody has gives the key
    /// itself: what a user sees is then odd, but never a panic (`velo lesson lint` and a test report it).
    pub fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.table
            .get(key)
            .or_else(|| self.english.get(key))
            .map_or(key, String::as_str)
    }

    /// The words of a key with each `{name}` replaced by its value, and each `{name:one|others}` by the words that go with
    /// that number in this language.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.say(key).to_owned(), |text, (name, value)| {
                self.agree(text, name, value)
                    .replace(&format!("{{{name}}}"), value)
            })
    }

    fn agree(&self, mut text: String, name: &str, value: &str) -> String {
        let begin = format!("{{{name}:");
        while let Some(at) = text.find(&begin) {
            let Some((choice, rest)) = text.split_at(at).1.split_once('}') else {
                break;
            };
            let words = choice.strip_prefix(&begin).unwrap_or_default();
            let (one, others) = words.split_once('|').unwrap_or((words, words));
            let chosen = if self.is_singular(value) { one } else { others };
            text = format!("{}{chosen}{rest}", text.split_at(at).0);
        }
        text
    }

    /// French counts nought as it counts one.
    fn is_singular(&self, number: &str) -> bool {
        number == "1" || (self.lang == Lang::Fr && number == "0")
    }

    /// Every key of this language, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.keys().map(String::as_str)
    }
}

fn source(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => FR,
        Lang::Es => ES,
        Lang::En => EN,
    }
}

/// `section.key` → words. A file that is no TOML has no words; the test below says so before a user can see it.
fn table(text: &str) -> BTreeMap<String, String> {
    let sections: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).unwrap_or_default();
    sections
        .into_iter()
        .flat_map(|(section, words)| {
            words
                .into_iter()
                .map(move |(key, value)| (format!("{section}.{key}"), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let mut found: Vec<String> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(place, _)| place.split(':').next().unwrap_or(place).to_owned())
            .collect();
        found.sort();
        // A language may need to choose its words more often than another.
        found.dedup();
        found
    }

    #[test]
    fn every_language_has_the_same_keys_with_the_same_places_to_fill() {
        let english = Words::of(Lang::En);
        assert!(english.keys().count() > 20, "en.toml cannot be read");
        for lang in Lang::ALL {
            let words = Words::of(lang);
            assert!(words.keys().eq(english.keys()), "{lang:?} has other keys");
            for key in english.keys() {
                assert_eq!(
                    places(words.say(key)),
                    places(english.say(key)),
                    "{key} in {lang:?}"
                );
            }
        }
    }

    #[test]
    fn words_agree_with_their_number_in_each_language() {
        for (lang, number, wanted) in [
            (Lang::En, "1", "1 of 1 step passed."),
            (Lang::En, "2", "2 of 2 steps passed."),
            (Lang::Fr, "1", "1 étape réussie sur 1."),
            (Lang::Fr, "0", "0 étape réussie sur 0."),
            (Lang::Es, "1", "1 paso superado de 1."),
            (Lang::Es, "0", "0 pasos superados de 0."),
        ] {
            let said = Words::of(lang).fill(
                "runner.end",
                &[("passed", number), ("steps", number), ("lesson", "x")],
            );
            assert!(said.starts_with(wanted), "{lang:?}: {said}");
        }
    }

    #[test]
    fn an_unknown_key_shows_itself_instead_of_panicking() {
        assert_eq!(Words::of(Lang::Fr).say("no.such"), "no.such");
    }
}
