use super::*;
use bytes::Bytes;

const NOW: i64 = 1_000_000;

fn key(index: i32) -> FetchKey {
    (TopicKey::Id(Uuid::from_u128(1)), index)
}

fn fetch(offset: i64) -> PartitionFetch {
    PartitionFetch {
        offset,
        max_bytes: 1 << 20,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
    }
}

fn request(id: i32, epoch: i32, fetches: &[(i32, i64)]) -> SessionRequest {
    SessionRequest {
        id,
        epoch,
        by_id: true,
        fetches: fetches
            .iter()
            .map(|(index, offset)| (key(*index), fetch(*offset)))
            .collect(),
        forgotten: Vec::new(),
    }
}

fn answer(index: i32, high_watermark: i64, records: &'static [u8]) -> (FetchKey, PartitionData) {
    let data = PartitionData::default()
        .with_partition_index(index)
        .with_high_watermark(high_watermark)
        .with_log_start_offset(0)
        .with_records(Some(Bytes::from_static(records)));
    (key(index), data)
}

/// One round: what was asked of the log, what the client is told.
fn round(
    cache: &FetchSessionCache,
    request: SessionRequest,
    mut answers: Vec<(FetchKey, PartitionData)>,
) -> Result<(i32, Vec<i32>, Vec<i32>), ResponseError> {
    let context = cache.begin(request, NOW)?;
    let asked = context.fetches.iter().map(|((_, index), _)| *index).collect();
    let id = cache.finish(context, &mut answers, NOW)?;
    let told = answers.iter().map(|((_, index), _)| *index).collect();
    Ok((id, asked, told))
}

#[test]
fn an_incremental_fetch_names_changes_and_is_told_only_news() {
    let cache = FetchSessionCache::default();
    let all = [(0, 0), (1, 0), (2, 0)];
    let answers = vec![answer(0, 5, b"r"), answer(1, 0, b""), answer(2, 0, b"")];
    let (id, _, told) = round(&cache, request(0, 0, &all), answers).unwrap();
    assert!(id > 0);
    assert_eq!(told, [0, 1, 2], "a full fetch is told everything");

    let answers = vec![answer(1, 0, b""), answer(2, 0, b""), answer(0, 5, b"")];
    let (same, asked, told) = round(&cache, request(id, 1, &[(0, 5)]), answers).unwrap();
    assert_eq!(
        (same, asked),
        (id, vec![1, 2, 0]),
        "the one that had records comes last"
    );
    assert_eq!(told, Vec::<i32>::new());

    let answers = vec![answer(1, 0, b""), answer(2, 3, b""), answer(0, 5, b"")];
    let (_, _, told) = round(&cache, request(id, 2, &[]), answers).unwrap();
    assert_eq!(told, [2], "a new high watermark is news");
}

#[test]
fn forgotten_partitions_are_read_no_longer_and_the_last_ends_the_session() {
    let cache = FetchSessionCache::default();
    let (id, ..) = round(
        &cache,
        request(0, 0, &[(0, 0), (1, 0)]),
        vec![answer(0, 0, b""), answer(1, 0, b"")],
    )
    .unwrap();
    let mut forget = request(id, 1, &[]);
    forget.forgotten = vec![key(0)];
    let (_, asked, _) = round(&cache, forget, vec![answer(1, 0, b"")]).unwrap();
    assert_eq!(asked, [1]);
    let mut forget = request(id, 2, &[]);
    forget.forgotten = vec![key(1)];
    assert_eq!(round(&cache, forget, vec![]).unwrap().0, 0);
    assert_eq!(
        round(&cache, request(id, 3, &[]), vec![]),
        Err(ResponseError::FetchSessionIdNotFound)
    );
}

#[test]
fn an_error_is_told_until_it_is_gone_and_then_the_partition_is_told_again() {
    let cache = FetchSessionCache::default();
    let (id, ..) = round(&cache, request(0, 0, &[(0, 0)]), vec![answer(0, 5, b"")]).unwrap();
    let mut failed = answer(0, -1, b"");
    failed.1.error_code = ResponseError::NotLeaderOrFollower.code();
    for epoch in 1..3 {
        let (_, _, told) = round(&cache, request(id, epoch, &[]), vec![failed.clone()]).unwrap();
        assert_eq!(told, [0]);
    }
    assert_eq!(
        round(&cache, request(id, 3, &[]), vec![answer(0, 5, b"")])
            .unwrap()
            .2,
        [0]
    );
    assert_eq!(
        round(&cache, request(id, 4, &[]), vec![answer(0, 5, b"")])
            .unwrap()
            .2,
        Vec::<i32>::new()
    );
}

#[test]
fn wrong_ids_epochs_and_ways_of_naming_topics_are_refused() {
    let cache = FetchSessionCache::default();
    let (id, ..) = round(&cache, request(0, 0, &[(0, 0)]), vec![answer(0, 0, b"")]).unwrap();
    let error = |request| round(&cache, request, vec![]).unwrap_err();
    assert_eq!(
        error(request(id.wrapping_add(1).max(1), 1, &[])),
        ResponseError::FetchSessionIdNotFound
    );
    assert_eq!(
        error(request(id, 2, &[])),
        ResponseError::InvalidFetchSessionEpoch
    );
    assert_eq!(
        error(request(id, i32::MIN, &[])),
        ResponseError::InvalidFetchSessionEpoch
    );
    let mut by_name = request(id, 1, &[]);
    by_name.by_id = false;
    assert_eq!(error(by_name), ResponseError::FetchSessionTopicIdError);
    assert!(round(&cache, request(id, 1, &[]), vec![answer(0, 0, b"")]).is_ok());
    let (closed, ..) = round(&cache, request(id, -1, &[(0, 0)]), vec![answer(0, 0, b"")]).unwrap();
    assert_eq!(closed, 0);
    assert_eq!(error(request(id, 2, &[])), ResponseError::FetchSessionIdNotFound);
}

#[test]
fn the_cache_is_full_at_a_thousand_sessions_until_one_has_been_idle_long_enough() {
    let cache = FetchSessionCache::default();
    for _ in 0..MAX_SESSIONS {
        assert!(
            round(&cache, request(0, 0, &[(0, 0)]), vec![answer(0, 0, b"")])
                .unwrap()
                .0
                > 0
        );
    }
    assert_eq!(
        round(&cache, request(0, 0, &[(0, 0)]), vec![answer(0, 0, b"")])
            .unwrap()
            .0,
        0
    );
    let later = NOW + EVICTION_MS + 1;
    let context = cache.begin(request(0, 0, &[(0, 0)]), later).unwrap();
    assert!(
        cache
            .finish(context, &mut vec![answer(0, 0, b"")], later)
            .unwrap()
            > 0
    );
    assert_eq!(cache.slots.lock().by_id.len(), MAX_SESSIONS);
}

#[test]
fn what_all_sessions_remember_is_bounded() {
    let cache = FetchSessionCache::default();
    let many: Vec<(i32, i64)> = (0..i32::try_from(MAX_CACHED_PARTITIONS).unwrap())
        .map(|index| (index, 0))
        .collect();
    let (id, ..) = round(&cache, request(0, 0, &many), vec![]).unwrap();
    assert!(id > 0);
    assert_eq!(
        round(&cache, request(0, 0, &[(0, 0)]), vec![]).unwrap().0,
        0,
        "no room, so no session"
    );
    let grow = request(id, 1, &[(-1, 0)]);
    assert_eq!(
        round(&cache, grow, vec![]),
        Err(ResponseError::FetchSessionIdNotFound)
    );
    assert_eq!(cache.slots.lock().cached_partitions, 0);
}
