//! Any bytes into the frame reader: frames or an error, and never more memory than came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use velodrome::broker::frame::{FrameLimits, FrameReader};
use velodrome::broker::memory::MemoryPool;

fuzz_target!(|bytes: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let limits = FrameLimits::new(1 << 20, Duration::from_secs(600));
        let mut frames = FrameReader::new(bytes, limits, MemoryPool::new(1 << 20));
        let mut framed = 0;
        while let Ok(Some(frame)) = frames.next().await {
            framed += 4 + frame.len();
        }
        assert!(framed <= bytes.len());
    });
});
