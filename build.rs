//! Tells the tests which foreign clients and servers are here: `VELO_PEERS="kafka kcat python node"` becomes
//! `cfg(peer = "kafka")` and so on, so that a test whose peer is missing is reported as ignored, never as passed.

const PEERS: [&str; 4] = ["kafka", "kcat", "node", "python"];

fn main() {
    println!("cargo::rerun-if-env-changed=VELO_PEERS");
    println!(
        "cargo::rustc-check-cfg=cfg(peer, values(\"{}\"))",
        PEERS.join("\", \"")
    );
    let here = std::env::var("VELO_PEERS").unwrap_or_default();
    for peer in here.split_whitespace() {
        println!("cargo::rustc-cfg=peer=\"{peer}\"");
    }
}
