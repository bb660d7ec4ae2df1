//! Languages of the course, and the program's words in each.

mod labels;
mod words;

pub use labels::Labels;
pub use words::Words;

/// A language of the course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// French
    Fr,
    /// Spanish
    Es,
    /// English
    En,
}

impl Lang {
    /// All of them, in the order of `--lang`.
    pub const ALL: [Lang; 3] = [Lang::Fr, Lang::Es, Lang::En];

    /// The two letters of file names and `--lang`.
    pub fn code(self) -> &'static str {
        match self {
            Lang::Fr => "fr",
            Lang::Es => "es",
            Lang::En => "en",
        }
    }

    /// The language of two letters, if it is one of ours.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// The language of the user's locale, English when it is none of ours.
    pub fn from_locale() -> Self {
        let locale = sys_locale::get_locale().unwrap_or_default().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|lang| locale.starts_with(lang.code()))
            .unwrap_or(Lang::En)
    }
}
