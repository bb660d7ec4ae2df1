//! A number never stands before a plural that nobody chose: `1 partitions`.

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// What is counted somewhere.
const NOUNS: &str = "batches|brokers|changes|checks|committed offsets|documents|files|groups|hints|lessons|lines|mails|\
    members|messages|offsets|partitions|people|questions|records|replicas|rounds|scripts|segments|servers|settings|\
    stations|steps|things|topics";

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "rs" || ending == "toml")
        })
        .collect()
}

#[test]
fn every_counted_noun_agrees_with_its_number() {
    // A place to fill, and behind it a noun that is a plural whatever the place is filled with.
    let unchosen = Regex::new(&format!(
        r"\{{[a-z_.0-9]*\}} (more |active |different )?({NOUNS})\b"
    ))
    .unwrap();
    let folders = [
        "src/commands",
        "src/exercises",
        "src/course",
        "src/kafka",
        "src/ui",
        "lessons/ui",
    ];
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| sources(Path::new(folder))) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            // The spinner's own template, whose numbers are not ours to look at.
            if unchosen.is_match(line) && !line.contains("{human_pos}") {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "use ui::units::count, or {{n:one|others}}:\n{}",
        found.join("\n")
    );
}

on_both_clusters! {
    fn what_a_user_sees_of_one_thing_is_singular(cluster) {
        let user = crate::support::records::User::at(cluster);
        let topic = user.topic(1);
        let said = user.writes(&topic, "1\n", &[]).stderr;
        assert!(said.contains("1 record written") && said.contains("partition 0: 1 record, offset 0"), "{said}");
        let described = user.velo(&["topic", "describe", &topic]).succeeds().stdout;
        assert!(described.contains("1 partition, "), "{described}");
        let refused = user.velo(&["topic", "alter", &topic, "--partitions", "1"]).fails_with(1).stderr;
        assert!(refused.contains("cannot have 1 partition\n"), "{refused}");
        let read = user.velo(&["consume", &topic, "--from-beginning", "--count", "1"]).succeeds().stderr;
        assert!(read.contains("1 record read"), "{read}");
    }
}
