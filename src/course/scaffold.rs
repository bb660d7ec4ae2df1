//! A new lesson for an author to go on from: one step, in one language or three, with nothing wrong in it.

use super::model::Lesson;
use crate::i18n::Lang;

/// The files of a new lesson, by name; `ID` in the templates is its id.
pub fn files(id: &str, languages: &[Lang]) -> Vec<(String, String)> {
    let mut structure = STRUCTURE.to_owned();
    if languages.len() < Lang::ALL.len() {
        let codes: Vec<String> = languages
            .iter()
            .map(|lang| format!("\"{}\"", lang.code()))
            .collect();
        let line = format!("groups = []\nlanguages = [{}]\n", codes.join(", "));
        structure = structure.replace("groups = []\n", &line);
    }
    let mut files = vec![("lesson.toml".to_owned(), structure)];
    for lang in languages {
        let text = match lang {
            Lang::Fr => FR,
            Lang::Es => ES,
            Lang::En => EN,
        };
        files.push((format!("{}.md", lang.code()), text.to_owned()));
    }
    files
        .into_iter()
        .map(|(name, text)| (name, text.replace("ID", id)))
        .collect()
}

/// The id that a folder's name stands for: `20-velib` is `velib`. `None` when no lesson may be called so.
pub fn id(folder: &str) -> Option<&str> {
    let id = match folder.split_once('-') {
        Some((number, rest)) if number.chars().all(|letter| letter.is_ascii_digit()) => rest,
        _ => folder,
    };
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    (!id.is_empty() && id.chars().all(fits)).then_some(id)
}

/// Whether a lesson of this id is there already.
pub fn is_taken(id: &str, lessons: &[Lesson]) -> bool {
    lessons.iter().any(|lesson| lesson.id == id)
}

const STRUCTURE: &str = include_str!("scaffold/lesson.toml");
const EN: &str = include_str!("scaffold/en.md");
const FR: &str = include_str!("scaffold/fr.md");
const ES: &str = include_str!("scaffold/es.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_s_number_is_no_part_of_the_id() {
        for (folder, is) in [
            ("20-velib", Some("velib")),
            ("hello-kafka", Some("hello-kafka")),
            ("My lesson", None),
            ("20-", None),
        ] {
            assert_eq!(id(folder), is, "{folder}");
        }
    }
}
