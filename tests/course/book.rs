//! The course as pages: well-formed, complete, and with every link leading somewhere.

use crate::support::velo::Home;
use std::collections::{BTreeMap, BTreeSet};
use velodrome::course::book::Book;
use velodrome::course::load::Source;
use velodrome::course::model::Lesson;
use velodrome::i18n::{Lang, Words};

/// Elements that have no end.
const EMPTY: [&str; 3] = ["meta", "br", "!DOCTYPE"];

/// Elements that stand in the text of a line, and so in none that has blocks.
const INLINE: [&str; 5] = ["a", "code", "strong", "em", "span"];

/// What the checker has read of a page.
#[derive(Default)]
struct Read {
    faults: Vec<String>,
    ids: BTreeSet<String>,
    links: Vec<String>,
    elements: BTreeMap<String, usize>,
    text: String,
}

/// The attributes of a tag's inside, each with its value between quotation marks.
fn attributes(mut inside: &str, faults: &mut Vec<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    loop {
        inside = inside.trim_start();
        if inside.is_empty() {
            return found;
        }
        let parts = inside.split_once("=\"").and_then(|(name, rest)| {
            let (value, rest) = rest.split_once('"')?;
            Some((name, value, rest))
        });
        let Some((name, value, rest)) = parts else {
            faults.push(format!("`{inside}` is no attribute"));
            return found;
        };
        if name.contains(char::is_whitespace) || found.insert(name.to_owned(), value.to_owned()).is_some() {
            faults.push(format!("attribute `{name}` is odd, or stands twice"));
        }
        inside = rest;
    }
}

/// Text outside of tags: no sign that has a meaning stands by itself.
fn text_faults(text: &str, faults: &mut Vec<String>) {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
        if !known.iter().any(|entity| text[at..].starts_with(entity)) {
            faults.push(format!(
                "a bare `&`: {}",
                &text[at..].chars().take(30).collect::<String>()
            ));
        }
    }
    if text.contains('>') {
        faults.push(format!("a bare `>`: {text}"));
    }
}

/// Reads a page of HTML and says what is wrong with it.
fn read(page: &str) -> Read {
    let mut read = Read::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some((text, after)) = rest.split_once('<') {
        // What styles say is no text.
        if open.last().is_none_or(|last| last != "style") {
            text_faults(text, &mut read.faults);
            read.text.push_str(text);
        }
        let Some((tag, after)) = after.split_once('>') else {
            read.faults.push("a tag has no end".to_owned());
            return read;
        };
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                read.faults.push(format!("</{name}> ends nothing"));
            }
            continue;
        }
        let (name, inside) = tag.split_once(' ').unwrap_or((tag, ""));
        *read.elements.entry(name.to_owned()).or_default() += 1;
        if name == "!DOCTYPE" {
            continue;
        }
        let found = attributes(inside, &mut read.faults);
        if let Some(id) = found.get("id")
            && !read.ids.insert(id.clone())
        {
            read.faults.push(format!("id {id} stands twice"));
        }
        if found.contains_key("src") || ["script", "link", "img", "iframe"].contains(&name) {
            read.faults
                .push(format!("<{tag}> needs something from elsewhere"));
        }
        read.links.extend(found.get("href").cloned());
        let within = open.last().map_or("", String::as_str);
        let is_line = INLINE.contains(&within) || ["p", "h1", "h2", "h3"].contains(&within);
        if is_line && !INLINE.contains(&name) {
            read.faults.push(format!("<{name}> stands in <{within}>"));
        }
        if ["ul", "ol"].contains(&within) != (name == "li") {
            read.faults.push(format!("<{name}> stands in <{within}>"));
        }
        if !EMPTY.contains(&name) {
            open.push(name.to_owned());
        }
    }
    if !open.is_empty() || !rest.trim().is_empty() {
        read.faults
            .push(format!("at the end, {open:?} are open and {rest:?} is left"));
    }
    read
}

#[test]
fn the_checker_finds_faults() {
    for (page, fault) in [
        ("<p>a</em></p>", "ends nothing"),
        ("<p>a", "are open"),
        ("<p>a & b</p>", "a bare `&`"),
        ("<p id=\"a\"></p><p id=\"a\"></p>", "stands twice"),
        ("<p id=a></p>", "is no attribute"),
        ("<p><pre></pre></p>", "<pre> stands in <p>"),
        ("<ul><p></p></ul>", "<p> stands in <ul>"),
        ("<img src=\"a\">", "from elsewhere"),
    ] {
        let faults = read(page).faults.join("; ");
        assert!(faults.contains(fault), "{page}: {faults}");
    }
    assert_eq!(
        read("<ul><li>a <code>&lt;b</code></li></ul>").faults,
        Vec::<String>::new()
    );
}

fn book<'a>(lessons: &'a [Lesson], words: &'a Words, solutions: bool) -> Book<'a> {
    Book {
        lessons,
        words,
        bootstrap: "localhost:9092",
        solutions,
    }
}

#[test]
fn every_page_is_well_formed_and_every_link_leads_somewhere() {
    let lessons = Source::Embedded.lessons().unwrap();
    for lang in Lang::ALL {
        let words = Words::of(lang);
        for solutions in [false, true] {
            let pages = book(&lessons, &words, solutions).html();
            assert_eq!(pages.len(), lessons.len() + 1);
            let names: BTreeSet<&str> = pages.iter().map(|page| page.name.as_str()).collect();
            for page in &pages {
                let place = format!("{} in {}", page.name, lang.code());
                let read = read(&page.text);
                assert_eq!(read.faults, Vec::<String>::new(), "{place}");
                assert!(
                    page.text.contains(&format!("<html lang=\"{}\">", lang.code())),
                    "{place}"
                );
                for one in ["html", "head", "title", "body", "main", "h1", "style"] {
                    assert_eq!(read.elements.get(one), Some(&1), "{place}: <{one}>");
                }
                assert!(!read.links.is_empty(), "{place}");
                for link in &read.links {
                    assert!(names.contains(link.as_str()), "{place} links to {link}");
                }
                assert!(
                    !read.text.contains("```") && !read.text.contains("**"),
                    "{place}: Markdown is left"
                );
            }
        }
    }
}

#[test]
fn solutions_and_explanations_are_for_the_teacher() {
    let lessons = Source::Embedded.lessons().unwrap();
    let words = Words::of(Lang::En);
    let of = |solutions: bool| {
        let pages = book(&lessons, &words, solutions).html();
        pages
            .into_iter()
            .find(|page| page.name == "hello-kafka.html")
            .unwrap()
            .text
    };
    let lesson = lessons.iter().find(|lesson| lesson.id == "hello-kafka").unwrap();
    let (handout, teacher) = (read(&of(false)), read(&of(true)));
    // Every step, and as many options as the questions have, are in both.
    for step in &lesson.steps {
        let title = &lesson.prose(Lang::En).steps[&step.id].title;
        let title = title.replace('`', "").replace('"', "&quot;");
        assert!(
            handout.text.contains(&title) && teacher.text.contains(&title),
            "{title}"
        );
    }
    assert!(handout.text.contains("Predict:") && handout.elements["ol"] >= 1);
    for only in [
        "Hint 1 of 3.",
        "Answer 2.",
        "kafka-topics.sh --create --topic iabd-topic --partitions 1",
    ] {
        assert!(!handout.text.contains(only), "{only}");
        assert!(teacher.text.contains(only), "{only}");
    }
    assert!(handout.elements["figure"] >= 1 && handout.elements["figcaption"] == handout.elements["figure"]);
}

#[test]
fn the_book_is_written_as_html_or_markdown_and_never_over_what_is_somebody_s() {
    let home = Home::new();
    let folder = home.path().join("handout");
    let dir = folder.to_str().unwrap();
    let book = |options: &[&str]| {
        let command = [&["lesson", "book", dir, "--lang", "fr"], options].concat();
        home.velo(&command)
    };
    let made = book(&[]).succeeds();
    assert!(
        made.stdout.contains("index.html") && made.stdout.contains("groups.html"),
        "{}",
        made.stdout
    );
    let page = std::fs::read_to_string(folder.join("groups.html")).unwrap();
    assert!(page.contains("<nav>") && page.contains("Suivante"), "{page}");
    // The same once more is no harm; what somebody changed is kept.
    book(&[]).succeeds();
    std::fs::write(folder.join("groups.html"), "mine").unwrap();
    let refused = book(&[]).fails_with(1);
    assert!(refused.stderr.contains("groups.html"), "{}", refused.stderr);
    book(&["--force", "--solutions", "-b", "classroom:9092"]).succeeds();
    let page = std::fs::read_to_string(folder.join("groups.html")).unwrap();
    assert!(
        page.contains("classroom:9092") && !page.contains("localhost:9092"),
        "the class's address"
    );
    book(&["--markdown", "--solutions"]).succeeds();
    let contents = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for link in contents.split("](").skip(1) {
        let link = link.split(')').next().unwrap();
        let text = std::fs::read_to_string(folder.join(link)).unwrap();
        assert_eq!(text.matches("```").count() % 2, 0, "{link}");
        assert!(!text.contains("```picture"), "{link}");
    }
    assert!(contents.matches("](").count() > 10, "{contents}");
}
