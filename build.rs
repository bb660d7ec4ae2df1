//! Before the build: tells the tests which peers are here, makes the code of Kafka's own records, and puts the lessons'
//! texts into the binary.

#[path = "build/records/mod.rs"]
mod records;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PEERS: [&str; 10] = [
    "ferretdb",
    "go",
    "kafka",
    "kcat",
    "mongo",
    "node",
    "postgresql",
    "python",
    "storm",
    "streams",
];

fn main() -> io::Result<()> {
    name_peers();
    make_records()?;
    embed_lessons()
}

/// Makes the code of Kafka's own records from their layouts.
fn make_records() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    println!("cargo::rerun-if-changed={}", root.join("build").display());
    let schemas = root.join("src/broker/records/schemas");
    println!("cargo::rerun-if-changed={}", schemas.display());
    records::generate(&schemas, &out.join("records"))
}

/// Tells the tests which foreign clients and servers are here: `VELO_PEERS="kafka kcat python node"` becomes
/// `cfg(peer = "kafka")` and so on, so that a test whose peer is missing is reported as ignored, never as passed.
fn name_peers() {
    println!("cargo::rerun-if-env-changed=VELO_PEERS");
    println!(
        "cargo::rustc-check-cfg=cfg(peer, values(\"{}\"))",
        PEERS.join("\", \"")
    );
    let here = env::var("VELO_PEERS").unwrap_or_default();
    for peer in here.split_whitespace() {
        println!("cargo::rustc-cfg=peer=\"{peer}\"");
    }
}

/// Puts every text file under `lessons/` into the binary: structure, prose, and what stands in a lesson's `files/` for the
/// learner. They are three quarters of a megabyte, and a quarter of one compressed: path and content in turn, each ended by
/// a zero byte.
fn embed_lessons() -> io::Result<()> {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?).join("lessons");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let packed = fs::File::create(out.join("lessons.gz"))?;
    let mut packed = GzEncoder::new(packed, Compression::best());
    for path in files {
        let name = path.strip_prefix(&root).map_err(io::Error::other)?;
        let name = name.to_string_lossy().replace('\\', "/");
        write!(packed, "{name}\0{}\0", fs::read_to_string(&path)?)?;
    }
    packed.finish()?.sync_all()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            collect(&path, files)?;
        } else if matches!(kind, Some("toml" | "md")) || folder.ends_with("files") {
            files.push(path);
        }
    }
    Ok(())
}
