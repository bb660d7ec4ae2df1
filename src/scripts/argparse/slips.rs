//! What a misspelt word was meant to be, as argparse4j guesses.

/// argparse4j's proposals for a misspelt word, those that need the fewest changes.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    const FAR: usize = 7;
    let body = word.trim_start_matches('-');
    if body.chars().count() < 2 && word.starts_with('-') {
        return String::new();
    }
    let mut near: Vec<(usize, &str)> = known
        .filter(|name| name.trim_start_matches('-').len() > 1)
        .map(|name| (distance(body, name.trim_start_matches('-')), name))
        .collect();
    near.sort_unstable();
    let Some((least, _)) = near.first().copied().filter(|(least, _)| *least < FAR) else {
        return String::new();
    };
    let names = near.iter().take_while(|(far, _)| *far == least);
    let lines: String = names.map(|(_, name)| format!("\n\t{name}")).collect();
    format!("\n\nDid you mean:{lines}")
}

/// How far apart two words are: exchanging neighbours is free, an addition costs 1, another letter 2, an omission 4.
fn distance(from: &str, to: &str) -> usize {
    if to.starts_with(from) {
        return 0;
    }
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for (i, a) in from.iter().enumerate() {
        // As argparse4j counts: an omission at the beginning costs 1, not 4.
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let other = rows[i][j] + if a == b { 0 } else { 2 };
            let mut least = other.min(rows[i][j + 1] + 4).min(row[j] + 1);
            if i > 0 && j > 0 && a != b && from[i - 1] == *b && *a == to[j - 1] {
                least = least.min(rows[i - 1][j - 1]);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
