//! Who may call whom, as the design says; read from the `use` lines and paths of the sources.

mod circles;

use std::fs;
use std::path::{Path, PathBuf};

/// For each layer, the words its files must not contain.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/broker",
        &[
            "crate::kafka",
            "rdkafka::",
            "crate::commands",
            "crate::course",
            "crate::exercises",
            "crate::ui",
            "crate::i18n",
            "crate::failure",
        ],
    ),
    // Inside the broker: log <- replication <- machine <- groups <- api.
    (
        "src/broker/machine",
        &[
            "broker::api",
            "broker::controller",
            "broker::groups",
            "broker::node",
        ],
    ),
    (
        // Pure: no file, no clock, no chance, no waiting.
        "src/broker/controller/plan",
        &[
            "std::fs",
            "crate::clock",
            "SystemTime",
            "Instant",
            "new_v4",
            "random_id",
            "tokio::",
            "parking_lot::",
        ],
    ),
    (
        "src/broker/groups",
        &["broker::api", "broker::controller", "broker::node"],
    ),
    (
        "src/kafka",
        &[
            "crate::broker",
            "crate::commands",
            "crate::course",
            "crate::exercises",
        ],
    ),
    (
        "src/course",
        &[
            "crate::broker",
            "crate::commands",
            "crate::exercises",
            "rdkafka::",
        ],
    ),
    (
        "src/exercises",
        &["crate::broker", "crate::commands", "crate::course", "rdkafka::"],
    ),
    (
        "src/ui",
        &[
            "crate::broker",
            "crate::kafka",
            "crate::commands",
            "crate::course",
            "crate::exercises",
        ],
    ),
    (
        "src/i18n",
        &[
            "crate::broker",
            "crate::kafka",
            "crate::commands",
            "crate::course",
            "crate::exercises",
        ],
    ),
    ("src/commands", &["rdkafka::"]),
    ("src/scripts", &["rdkafka::"]),
];

/// The modules of the broker that are seen outside of it, and by whom. All else is private, so that the compiler finds what
/// nobody calls.
const PUBLIC: &[(&str, &str)] = &[
    (
        "api",
        "the fuzz target of dispatch; the table of APIs in tests/peers",
    ),
    ("batch", "kafka-dump-log; tests that read and write logs"),
    ("config", "the scripts that start nodes and read their files"),
    ("error", "whoever starts a node"),
    ("frame", "the fuzz target of frames"),
    (
        "groups/subscription",
        "the fuzz target of what members say of themselves",
    ),
    ("leftovers", "the simulation"),
    ("log", "tests of the log"),
    ("log/checkpoint", "tests of the log"),
    ("log/inspect", "kafka-dump-log"),
    ("log/topic_id", "tests of the log"),
    ("memory", "the fuzz target of frames"),
    ("metadata", "the simulation; the fuzz target of what nodes answer"),
    ("peer", "the simulation; the fuzz target of what nodes answer"),
    ("records", "tests of the records"),
    ("records/metadata", "tests of the records"),
    ("records/offsets", "tests of the records"),
    ("records/share", "tests of the records"),
    ("records/transaction", "tests of the records"),
    ("security", "the fuzz target of dispatch"),
    ("storage", "kafka-storage"),
    ("world", "the simulation"),
    ("world/disk", "the simulation"),
    ("world/fault", "the simulation"),
    ("world/net", "the simulation"),
];

#[test]
fn no_more_of_the_broker_is_public_than_somebody_outside_needs() {
    let mut found: Vec<String> = Vec::new();
    for path in rust_files(Path::new("src/broker")) {
        let folder = path.parent().unwrap().strip_prefix("src/broker").unwrap();
        for (_, line) in code_lines(&path) {
            let module = line.trim_start().strip_prefix("pub mod ");
            found.extend(module.map(|module| {
                let name = module.trim_end_matches([';', '{', ' ']);
                folder.join(name).display().to_string()
            }));
        }
    }
    found.sort_unstable();
    let told: Vec<&str> = PUBLIC.iter().map(|(module, _)| *module).collect();
    assert_eq!(found, told, "a module that is public needs a reason");
}

/// The one file among the APIs that knows a node as a whole.
const DOORS: &str = "src/broker/api/doors.rs";

#[test]
fn handlers_are_given_what_they_use_and_no_node() {
    let mut found = Vec::new();
    for path in rust_files(Path::new("src/broker/api")) {
        for (number, line) in code_lines(&path) {
            let whole = ["broker::node", "broker::Node", "super::node"]
                .iter()
                .any(|name| line.contains(name));
            if whole && path != Path::new(DOORS) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "who answers says by its signature what it takes, see {DOORS}:\n{}",
        found.join("\n")
    );
}

/// Lines of code a file may have before it must be split.
const LONGEST_FILE: usize = 600;

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

fn code_lines(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

#[test]
fn no_layer_calls_one_it_must_not_know() {
    let mut broken = Vec::new();
    for (layer, words) in FORBIDDEN {
        for path in rust_files(Path::new(layer)) {
            for (number, line) in code_lines(&path) {
                for word in words.iter().filter(|word| line.contains(*word)) {
                    broken.push(format!("{}:{number}: {word}", path.display()));
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "layers that know too much:\n{}",
        broken.join("\n")
    );
}

/// What writes to stdout or stderr by itself.
const WRITERS: &[&str] = &["println!(", "print!(", "io::stdout()", "io::stderr()"];

#[test]
fn the_friendly_face_writes_through_the_one_place_that_guards_the_terminal() {
    let mut found = Vec::new();
    for folder in ["src/commands", "src/course", "src/exercises"] {
        for path in rust_files(Path::new(folder)) {
            for (number, line) in code_lines(&path) {
                let writes = WRITERS.iter().any(|writer| line.contains(writer));
                if writes && !line.contains("is_terminal()") {
                    found.push(format!("{}:{number}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "output past src/ui:\n{}", found.join("\n"));
}

/// Where Kafka's messages are made and read by themselves.
const WIRE: &[&str] = &["src/broker", "src/kafka/wire", "src/decode.rs", "src/frame.rs"];

#[test]
fn only_the_broker_and_the_wire_client_know_kafka_s_messages() {
    let found: Vec<String> = rust_files(Path::new("src"))
        .into_iter()
        .filter(|path| !WIRE.iter().any(|folder| path.starts_with(folder)))
        .filter(|path| {
            code_lines(path)
                .iter()
                .any(|(_, line)| line.contains("kafka_protocol"))
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(found.is_empty(), "kafka_protocol outside {WIRE:?}: {found:?}");
}

/// Names by which the codec's own `decode` is reached: its trait, its ready-made enums and readers, everything at once.
const CODEC_DECODES: &[&str] = &[
    "Decodable",
    "RequestKind",
    "ResponseKind",
    "RecordBatchDecoder",
    "RecordIterator",
    "kafka_protocol::protocol::*",
    "kafka_protocol::records::*",
    "Response::decode",
];

/// Whether a line calls `decode` of a type parameter of that file, whose bounds may bring the codec's trait with them.
fn decodes_a_parameter(line: &str, file: &str) -> bool {
    line.match_indices("::decode").any(|(at, _)| {
        let before = &line[..at];
        let name = before
            .rsplit(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let declared = [
            format!("<{name}: "),
            format!(", {name}: "),
            format!(" {name}: Request"),
        ];
        !name.is_empty() && declared.iter().any(|bound| file.contains(bound))
    })
}

#[test]
fn what_came_over_a_socket_or_from_a_file_is_decoded_by_one_door() {
    let mut found = Vec::new();
    for path in rust_files(Path::new("src")) {
        let lines = code_lines(&path);
        let file = fs::read_to_string(&path).unwrap();
        let knows_the_codec = lines.iter().any(|(_, line)| line.contains("kafka_protocol"));
        if path == Path::new("src/decode.rs") || !knows_the_codec {
            continue;
        }
        for (number, line) in lines {
            let named = CODEC_DECODES.iter().any(|name| line.contains(name));
            if named || decodes_a_parameter(&line, &file) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "the codec's decode, which makes room for what a length claims, is called past src/decode.rs:\n{}",
        found.join("\n")
    );
}

#[test]
fn unsafe_code_stands_in_one_file_only() {
    let found: Vec<String> = rust_files(Path::new("src"))
        .into_iter()
        .filter(|path| !path.starts_with("src/kafka/ffi") && path != Path::new("src/kafka/ffi.rs"))
        .filter(|path| code_lines(path).iter().any(|(_, line)| line.contains("unsafe ")))
        .map(|path| path.display().to_string())
        .collect();
    assert!(found.is_empty(), "unsafe outside src/kafka/ffi.rs: {found:?}");
}

#[test]
fn every_source_file_stays_short_enough_to_read() {
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(Path::new(folder)))
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "files over {LONGEST_FILE} lines: {long:?}");
}

/// Who may make a file in the broker's folders: the one function that replaces files, what copies or compacts segments, and
/// the lock.
const MAKES_FILES: &[&str] = &[
    "src/broker/log/file.rs",
    "src/broker/log/compaction.rs",
    "src/broker/log/poison.rs",
    "src/broker/world/disk/mod.rs",
];

#[test]
fn what_a_node_writes_down_is_written_by_one_function() {
    let found: Vec<String> = rust_files(Path::new("src/broker"))
        .into_iter()
        .filter(|path| !MAKES_FILES.iter().any(|makes| path == Path::new(makes)))
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| {
            let code = code_lines(path);
            let makes = |line: &str| {
                ["disk.create(", "fs::write(", "File::create("]
                    .iter()
                    .any(|call| line.contains(call))
            };
            code.iter().any(|(_, line)| makes(line))
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(found.is_empty(), "written past log::file::replace: {found:?}");
}

/// By what a file waits for the disk: syncs, what is written by way of one, and what pays a log's debts.
const WAITS: &[&str] = &[
    ".sync(path)",
    ".sync(&temporary)",
    ".sync(&self.path",
    "segment.sync()",
    ".sync(to)",
    "sync_dir(",
    "file::replace(",
    "write_lines(",
    "checkpoint_line(",
    "lines.write(",
    "mark_clean(",
    ".settle(",
    ".pay()",
];

/// Who may wait for the disk, and how it is that no request waits with it (docs/broker.md, *The rule for disk work*).
const MAY_WAIT: &[(&str, &str)] = &[
    ("controller/change.rs", "jobs, without the writer's lock"),
    ("controller/log.rs", "at the start, and in those jobs"),
    ("controller/mod.rs", "at the start"),
    ("controller/requests.rs", "a job"),
    ("controller/snapshot.rs", "a job, under a lock of its own"),
    ("log/append.rs", "for whoever may wait: tests"),
    ("log/checkpoint.rs", "under a lock of its own"),
    ("log/compaction.rs", "a job, without the writer's lock"),
    ("log/debts.rs", "the one who pays, without the writer's lock"),
    ("log/file.rs", "the one function that replaces files"),
    ("log/partition.rs", "opening, closing and deleting are jobs"),
    ("log/poison.rs", "a job, of a log that takes nothing"),
    ("log/recovery.rs", "a job"),
    ("log/retention.rs", "a job, without the writer's lock"),
    ("log/segment.rs", "for the one who pays"),
    ("log/topic_id.rs", "at the opening of a log"),
    (
        "log/transactions.rs",
        "for the one who pays, and at the opening of a log",
    ),
    (
        "log/truncate.rs",
        "jobs; a follower's cut with its own log's locks",
    ),
    ("machine/journal.rs", "at the loading of a coordinator, a job"),
    ("replication/fetcher.rs", "jobs, without the lock of the lead"),
    ("replication/manager.rs", "new metadata and the stop are jobs"),
    ("replication/partition.rs", "jobs, without the lock of the lead"),
    ("storage.rs", "at the start"),
];

#[test]
fn only_these_wait_for_the_disk() {
    let waits = |(_, code): &(PathBuf, Vec<(usize, String)>)| {
        let mut lines = code.iter();
        lines.any(|(_, line)| !line.contains("fn ") && WAITS.iter().any(|wait| line.contains(wait)))
    };
    let mut found: Vec<String> = broker_beside_the_world()
        .into_iter()
        .filter(waits)
        .map(|(path, _)| {
            let path = path.strip_prefix("src/broker").unwrap();
            path.display().to_string()
        })
        .collect();
    found.sort_unstable();
    let told: Vec<&str> = MAY_WAIT.iter().map(|(file, _)| *file).collect();
    assert_eq!(
        found, told,
        "who waits for the disk says why no request waits with it"
    );
}

/// By which a file of the broker would reach past its world: files, sockets, threads, chance and time.
const OF_THE_WORLD: &[&str] = &[
    "std::fs",
    "fs::",
    "tokio::net",
    "std::net::Tcp",
    "UdpSocket",
    "ToSocketAddrs",
    "spawn_blocking",
    "thread::",
    "new_v4",
    "rand::",
    "rand_chacha",
    "SystemTime",
    "UNIX_EPOCH",
    "Instant::now",
    "tokio::time",
    // Wakes in an order of chance; `world::watch` in that of waiting.
    "tokio::sync::watch",
];

/// Files of the broker outside of its world, with their code but for tests.
fn broker_beside_the_world() -> Vec<(PathBuf, Vec<(usize, String)>)> {
    let of_tests =
        |path: &Path| path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    rust_files(Path::new("src/broker"))
        .into_iter()
        .filter(|path| !path.starts_with("src/broker/world") && !of_tests(path))
        .map(|path| {
            let code = code_lines(&path).into_iter();
            let code = code
                .take_while(|(_, line)| line.trim() != "mod tests {")
                .collect();
            (path, code)
        })
        .collect()
}

#[test]
fn a_node_asks_its_world_for_all_that_is_outside_of_it() {
    let mut found = Vec::new();
    for (path, code) in broker_beside_the_world() {
        for (number, line) in code {
            let grouped = line.contains("use tokio::sync::{") && line.contains("watch");
            if grouped || OF_THE_WORLD.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "past src/broker/world:\n{}", found.join("\n"));
}

/// Where a map without order is kept, and why its order decides nothing that anybody sees.
const UNORDERED: &[(&str, &str)] = &[
    ("src/broker/background.rs", "names are looked up"),
    (
        "src/broker/log/compaction.rs",
        "last offsets are looked up, a million of them",
    ),
    ("src/broker/log/verification.rs", "guards are looked up"),
    ("src/broker/markers/mod.rs", "tasks are looked up"),
    (
        "src/broker/log/producers.rs",
        "looked up by each batch; sorted where they are written or told",
    ),
    ("src/broker/metadata/image.rs", "names are looked up by id"),
    (
        "src/broker/replication/fetch_session.rs",
        "places are looked up; the order is kept beside",
    ),
    ("src/broker/replication/index.rs", "ids are looked up by name"),
];

#[test]
fn no_order_of_chance_decides_what_a_node_sends() {
    let mut found = Vec::new();
    for (path, code) in broker_beside_the_world() {
        let may = UNORDERED.iter().any(|(file, _)| path == Path::new(file));
        for (at, (number, line)) in code.iter().enumerate() {
            let unordered = !may && (line.contains("HashMap") || line.contains("HashSet"));
            let next = code.get(at + 1).map(|(_, next)| next.trim());
            let random = line.contains("select! {") && next != Some("biased;");
            if unordered || random {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "an order that no seed decides:\n{}",
        found.join("\n")
    );
}
