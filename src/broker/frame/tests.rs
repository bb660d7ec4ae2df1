use super::*;
use proptest::prelude::*;
use std::io::Cursor;

fn limits(max_bytes: usize) -> FrameLimits {
    FrameLimits::new(max_bytes, Duration::from_secs(600))
}

fn reader(bytes: Vec<u8>, max: usize) -> FrameReader<Cursor<Vec<u8>>> {
    FrameReader::new(Cursor::new(bytes), limits(max), MemoryPool::new(1 << 20))
}

async fn all(bytes: Vec<u8>, max: usize) -> (Vec<Bytes>, Option<FrameError>) {
    let mut reader = reader(bytes, max);
    let mut frames = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}

#[tokio::test]
async fn pipelined_frames_come_out_in_order() {
    let bytes = [&[0, 0, 0, 2, b'a', b'b'][..], &[0, 0, 0, 0], &[0, 0, 0, 1, b'c']].concat();
    let (frames, error) = all(bytes, 100).await;
    assert_eq!(frames, [&b"ab"[..], b"", b"c"]);
    assert!(error.is_none());
}

#[tokio::test]
async fn a_length_over_the_limit_or_below_zero_is_refused_before_any_buffer_grows() {
    let mut oversized = reader(vec![0x7f, 0xff, 0xff, 0xff], 100 << 20);
    assert!(matches!(
        oversized.next().await,
        Err(FrameError::Oversized {
            announced: 0x7fff_ffff,
            ..
        })
    ));
    assert!(oversized.buffer.capacity() < GROWTH);
    assert!(matches!(
        reader(vec![0xff; 4], 100).next().await,
        Err(FrameError::Negative(-1))
    ));
}

#[tokio::test]
async fn a_frame_cut_short_is_an_error_but_an_end_between_frames_is_none() {
    let (frames, error) = all(vec![0, 0, 0, 9, 1, 2], 100).await;
    assert!(frames.is_empty());
    assert!(matches!(error, Some(FrameError::Truncated { received: 6 })));
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_noticed_and_one_that_sends_on_loses_nothing() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let mut reader = FrameReader::new(ours, limits(1024), MemoryPool::new(1 << 20));
    tokio::io::AsyncWriteExt::write_all(&mut theirs, b"\0\0\0\x01a")
        .await
        .unwrap();
    tokio::select! {
        biased;
        () = reader.hung_up() => panic!("it is still there"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(reader.next().await.unwrap().unwrap(), &b"a"[..]);
    drop(theirs);
    reader.hung_up().await;
}

#[tokio::test]
async fn a_peer_that_leaves_is_missed_behind_what_it_asked_for_next() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    let mut reader = FrameReader::new(ours, limits(1024), MemoryPool::new(1 << 20));
    tokio::io::AsyncWriteExt::write_all(&mut theirs, b"\0\0\0\x01a\0\0\0\x01b")
        .await
        .unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap(), &b"a"[..]);
    drop(theirs);
    reader.hung_up().await;
    assert_eq!(reader.next().await.unwrap().unwrap(), &b"b"[..]);
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_silent_connection_is_closed_when_its_time_is_over() {
    let (ours, _theirs) = tokio::io::duplex(64);
    let limits = FrameLimits::new(100, Duration::from_millis(1));
    let mut reader = FrameReader::new(ours, limits, MemoryPool::new(1024));
    assert!(matches!(reader.next().await, Err(FrameError::Idle)));
}

#[tokio::test]
async fn a_started_frame_that_stalls_is_closed_much_earlier() {
    let (ours, mut theirs) = tokio::io::duplex(64);
    let limits = FrameLimits {
        stall: Duration::from_millis(1),
        ..limits(100)
    };
    let mut reader = FrameReader::new(ours, limits, MemoryPool::new(1024));
    tokio::io::AsyncWriteExt::write_all(&mut theirs, &[0, 0])
        .await
        .unwrap();
    assert!(matches!(reader.next().await, Err(FrameError::Stalled)));
}

#[tokio::test]
async fn a_lagging_frame_gives_way_to_one_that_waits_for_memory() {
    let pool = MemoryPool::new(1 << 20);
    let (lagging, mut lagging_end) = tokio::io::duplex(1 << 20);
    let (waiting, mut waiting_end) = tokio::io::duplex(1 << 20);
    let mut announced = (1i32 << 20).to_be_bytes().to_vec();
    announced.resize(100_000, 7);
    for end in [&mut lagging_end, &mut waiting_end] {
        tokio::io::AsyncWriteExt::write_all(end, &announced)
            .await
            .unwrap();
    }
    let mut first = FrameReader::new(lagging, limits(2 << 20), pool.clone());
    let first = tokio::spawn(async move { first.next().await });
    while pool.free_bytes() > 100_000 {
        tokio::task::yield_now().await;
    }
    let mut second = FrameReader::new(waiting, limits(2 << 20), pool.clone());
    let second = tokio::spawn(async move { second.next().await });
    assert!(matches!(first.await.unwrap(), Err(FrameError::Stalled)));
    tokio::io::AsyncWriteExt::write_all(&mut waiting_end, &vec![7; (1 << 20) + 4 - 100_000])
        .await
        .unwrap();
    assert_eq!(second.await.unwrap().unwrap().unwrap().len(), 1 << 20);
}

proptest! {
    #[test]
    fn any_bytes_give_frames_or_an_error_and_the_buffer_never_outgrows_what_came(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000), max in 0usize..4000
    ) {
        let total = bytes.len();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (frames, _) = runtime.block_on(all(bytes, max));
        let framed: usize = frames.iter().map(|frame| frame.len() + 4).sum();
        prop_assert!(framed <= total);
        prop_assert!(frames.iter().all(|frame| frame.len() <= max));
    }
}
