use super::*;
use proptest::prelude::*;
use std::io::Cursor;

fn limits(max_bytes: usize) -> FrameLimits {
    FrameLimits {
        max_bytes,
        idle: Duration::from_secs(600),
    }
}

fn reader(bytes: Vec<u8>, max: usize) -> FrameReader<Cursor<Vec<u8>>> {
    FrameReader::new(
        Cursor::new(bytes),
        limits(max),
        MemoryPool::new(1 << 20),
        Clock::system(),
    )
}

async fn all(bytes: Vec<u8>, max: usize) -> (Vec<Bytes>, Option<FrameError>) {
    let mut reader = reader(bytes, max);
    let mut frames = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(frame)) => frames.push(frame.bytes),
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
async fn a_silent_connection_is_closed_when_its_time_is_over() {
    let clock = Clock::manual(0);
    let (ours, _theirs) = tokio::io::duplex(64);
    let mut reader = FrameReader::new(ours, limits(100), MemoryPool::new(1024), clock.clone());
    let next = tokio::spawn(async move { reader.next().await });
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(601));
    assert!(matches!(next.await.unwrap(), Err(FrameError::Idle)));
}

#[tokio::test]
async fn a_started_frame_that_stalls_is_closed_much_earlier() {
    let clock = Clock::manual(0);
    let (ours, mut theirs) = tokio::io::duplex(64);
    let mut reader = FrameReader::new(ours, limits(100), MemoryPool::new(1024), clock.clone());
    tokio::io::AsyncWriteExt::write_all(&mut theirs, &[0, 0])
        .await
        .unwrap();
    let next = tokio::spawn(async move { reader.next().await });
    while !next.is_finished() {
        clock.advance(Duration::from_secs(11));
        tokio::task::yield_now().await;
    }
    assert!(matches!(next.await.unwrap(), Err(FrameError::Stalled)));
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
