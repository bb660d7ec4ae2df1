//! No files of the broker form a circle: each can be read, tested and moved with only what stands below it. Read from the
//! `use` lines; what a `mod.rs` hands on counts for the file that it comes from.

use super::{code_lines, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROOT: &str = "src/broker";

/// Circles that are there still, by one of their files. Do not add to them.
const KNOWN: &[&str] = &[
    "controller",
    "groups/expiry",
    "log/partition",
    "machine/shard",
    "replication/partition",
];

/// A module by its names below `crate::broker`.
type Module = Vec<String>;

struct Sources {
    /// Every module that is a file, and its code without tests.
    files: BTreeMap<Module, String>,
}

impl Sources {
    fn read() -> Self {
        let is_test = |path: &PathBuf| {
            path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
        };
        let paths = rust_files(Path::new(ROOT)).into_iter();
        let files = paths.filter(|path| !is_test(path)).map(|path| {
            let lines: Vec<String> = code_lines(&path).into_iter().map(|(_, line)| line).collect();
            let code = lines.join("\n");
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            (module(&path), code.to_owned())
        });
        Sources {
            files: files.collect(),
        }
    }

    /// The file that a path leads to, as far as it leads to one. What a module hands on stands elsewhere.
    fn file(&self, path: &[String]) -> Option<&Module> {
        let mut path = path.to_vec();
        let mut found = None;
        // Nothing is handed on more often.
        for _ in 0..4 {
            let file = self.nearest(&path)?;
            found = Some(file);
            let Some(name) = path.get(file.len()) else {
                break;
            };
            let handed_on = uses(&self.files[file], true);
            let Some(from) = handed_on.iter().find(|used| used.last() == Some(name)) else {
                break;
            };
            path = resolved(file, from);
        }
        found
    }

    fn nearest(&self, path: &[String]) -> Option<&Module> {
        let mut lengths = (1..=path.len()).rev();
        lengths.find_map(|length| {
            self.files
                .get_key_value(&path[..length])
                .map(|(module, _)| module)
        })
    }

    /// The files that a file uses.
    fn used_by(&self, module: &Module) -> BTreeSet<&Module> {
        let used = uses(&self.files[module], false).into_iter();
        used.filter_map(|used| self.file(&resolved(module, &used)))
            .filter(|used| *used != module)
            .collect()
    }
}

/// `src/broker/log/file.rs` is `log`, `file`; a `mod.rs` is its folder.
fn module(path: &Path) -> Module {
    let path = path.strip_prefix(ROOT).unwrap().with_extension("");
    let mut names: Module = path
        .components()
        .map(|name| name.as_os_str().to_string_lossy().into_owned())
        .collect();
    names.pop_if(|last| last == "mod");
    names
}

/// The paths of the `use` lines, or of those that hand on.
fn uses(code: &str, handed_on: bool) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for statement in code.split(';') {
        let line = statement.trim_start_matches(['\n', '}']);
        let line = line.lines().skip_while(|line| !is_use(line)).collect::<Vec<_>>();
        let line = line.join(" ");
        let Some((before, tree)) = line.split_once("use ") else {
            continue;
        };
        if before.trim().is_empty() != handed_on {
            expand(&[], tree, &mut paths);
        }
    }
    paths
}

fn is_use(line: &str) -> bool {
    line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ")
}

/// `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn expand(before: &[String], tree: &str, paths: &mut Vec<Vec<String>>) {
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, Some(&group[..group.rfind('}').unwrap_or(group.len())])),
        None => (tree, None),
    };
    let head = head.split(" as ").next().unwrap_or_default();
    let names = head.split("::").map(str::trim).filter(|name| !name.is_empty());
    let path: Vec<String> = before.iter().cloned().chain(names.map(str::to_owned)).collect();
    let Some(group) = group else {
        return paths.push(path);
    };
    let mut depth = 0;
    let split = group.split(|c: char| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for part in split.filter(|part| !part.trim().is_empty()) {
        expand(&path, part, paths);
    }
}

/// A path as it stands in a module, from `crate::broker` on; empty for what is elsewhere.
fn resolved(module: &[String], used: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = used;
    match rest.first().map(String::as_str) {
        Some("crate") if used.get(1).is_some_and(|name| name == "broker") => return used[2..].to_vec(),
        Some("crate") => return Vec::new(),
        Some("self") => rest = &rest[1..],
        _ => {}
    }
    while rest.first().is_some_and(|name| name == "super") {
        base.pop();
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    // `self` at the end of a group is the module itself.
    base.pop_if(|last| last == "self");
    base
}

/// All that can be reached from a file.
fn reached<'a>(from: &Module, uses: &BTreeMap<&'a Module, BTreeSet<&'a Module>>) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Module> = uses[from].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(uses[module].iter().copied());
        }
    }
    reached
}

#[test]
fn no_files_of_the_broker_form_a_circle() {
    let sources = Sources::read();
    let uses: BTreeMap<&Module, BTreeSet<&Module>> = sources
        .files
        .keys()
        .map(|module| (module, sources.used_by(module)))
        .collect();
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = uses
        .keys()
        .map(|module| (*module, reached(module, &uses)))
        .collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, from_it) in &reached {
        if from_it.contains(module) {
            let back = |other: &&&Module| reached[**other].contains(module);
            circles.insert(from_it.iter().filter(back).map(|one| one.join("/")).collect());
        }
    }
    let known = |circle: &Vec<String>| KNOWN.iter().any(|known| circle.iter().any(|one| one == known));
    let new: Vec<&Vec<String>> = circles.iter().filter(|circle| !known(circle)).collect();
    assert!(new.is_empty(), "files that form a circle: {new:#?}");
    let gone = KNOWN.iter().filter(|known| {
        !circles
            .iter()
            .any(|circle| circle.iter().any(|one| one == *known))
    });
    assert_eq!(gone.collect::<Vec<_>>(), [] as [&&str; 0], "no circles any more");
}

#[test]
fn uses_are_read_as_the_compiler_reads_them() {
    let code = "mod a;\npub use b::C;\nuse super::{d, e::{self, F as G}};\nuse crate::broker::h::I;\nuse std::fmt;\nfn f() {}";
    let module = ["x".to_owned(), "y".to_owned()];
    let read = |handed_on| {
        let used = uses(code, handed_on).into_iter();
        used.map(|used| resolved(&module, &used).join("/"))
            .collect::<Vec<_>>()
    };
    assert_eq!(read(false), ["x/d", "x/e", "x/e/F", "h/I", "x/y/std/fmt"]);
    assert_eq!(read(true), ["x/y/b/C"]);
}
