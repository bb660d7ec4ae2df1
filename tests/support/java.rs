//! The JVMs that tests start.

use std::path::Path;
use std::process::Command;

/// For a JVM that is run to its end, and takes with it what it unpacks: the build's own folder for such things.
pub const PASSING: &str = env!("CARGO_TARGET_TMPDIR");

/// A JVM with that much heap (`-Xmx…`), quick to start rather than fast. What it leaves behind when it is killed, native
/// libraries or all the data of a Storm, is in that folder, which goes with the test, and not in the system's.
pub fn jvm(heap: &str, temporary: &Path) -> Command {
    let mut command = Command::new("java");
    command
        .args([heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!("-Djava.io.tmpdir={}", temporary.display()));
    command
}

#[test]
fn every_jvm_has_a_temporary_folder_that_is_not_the_systems() {
    let alone = concat!("Command::new(", "\"java\")");
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut seen = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && std::fs::read_to_string(&path).unwrap().contains(alone)
            {
                seen.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    assert_eq!(seen, ["java.rs"], "start JVMs by `jvm`");
}
