//! Any frame into the dispatch of a running node: an answer or a refusal, never a panic.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use velodrome::broker::api::{Doors, dispatch};
use velodrome::broker::config::ListenerKind;
use velodrome::broker::security::{SecurityProtocol, Session};
use velodrome::broker::{Node, NodeConfig, RunningNode};
use velodrome::clock::Clock;

/// How long one request may wait, for a fetch or a group.
const PATIENCE: Duration = Duration::from_millis(200);

struct Fuzzed {
    runtime: Runtime,
    node: RunningNode,
    _folder: tempfile::TempDir,
}

fn node() -> &'static Fuzzed {
    static NODE: OnceLock<Fuzzed> = OnceLock::new();
    NODE.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let properties = BTreeMap::from([
            ("listeners".to_owned(), "PLAINTEXT://127.0.0.1:0".to_owned()),
            ("log.dirs".to_owned(), folder.path().display().to_string()),
        ]);
        let config = NodeConfig::from_properties(properties).expect("valid settings");
        let node = runtime.block_on(Node::start(config, Clock::system())).expect("a node");
        Fuzzed { runtime, node, _folder: folder }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let fuzzed = node();
    let (peer, name) = (([127, 0, 0, 1], 1).into(), "PLAINTEXT".into());
    // The controller's listener takes envelopes too.
    let listener = match bytes.get(7) {
        Some(byte) if byte % 2 == 1 => ListenerKind::Controller,
        _ => ListenerKind::Broker,
    };
    let session = Arc::new(Session::new(peer, 0, listener, name, SecurityProtocol::Plaintext));
    let frame = Bytes::copy_from_slice(bytes);
    let answered = async {
        let answer = dispatch(Doors::of(fuzzed.node.node()), &session, frame);
        tokio::time::timeout(PATIENCE, answer).await
    };
    // A refusal and running out of time are both fine.
    let _ = fuzzed.runtime.block_on(answered);
});
