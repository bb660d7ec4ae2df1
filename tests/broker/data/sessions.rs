use super::*;
use kafka_protocol::ResponseError;

fn in_session(id: i32, epoch: i32, partitions: &[(i32, i64)]) -> FetchRequest {
    let mut request = fetch_request("t", partitions)
        .with_session_id(id)
        .with_session_epoch(epoch);
    request.topics.retain(|topic| !topic.partitions.is_empty());
    request
}

#[tokio::test]
async fn an_incremental_fetch_tells_only_what_is_new() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 3, &[]).await;
    let mut client = broker.client().await;
    let all = [(0, 0), (1, 0), (2, 0)];
    let full = client.ask(in_session(0, 0, &all), FETCH).await;
    let session = full.session_id;
    assert!(session > 0);
    assert_eq!(full.responses[0].partitions.len(), 3);

    let quiet = client.ask(in_session(session, 1, &[]), FETCH).await;
    assert_eq!((quiet.session_id, quiet.responses.len()), (session, 0));

    produce(&broker, "t", 1, batch(&["news"])).await;
    let news = client
        .ask(in_session(session, 2, &[]).with_max_wait_ms(10_000), FETCH)
        .await;
    let partitions = &news.responses[0].partitions;
    assert_eq!(partitions.len(), 1);
    assert_eq!(partitions[0].partition_index, 1);
    assert_eq!(values(&partitions[0]), [(0, "news".to_owned())]);
}

#[tokio::test]
async fn a_session_waits_for_partitions_that_the_request_does_not_name() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 2, &[]).await;
    let mut client = broker.client().await;
    let session = client
        .ask(in_session(0, 0, &[(0, 0), (1, 0)]), FETCH)
        .await
        .session_id;
    client
        .send(&in_session(session, 1, &[]).with_max_wait_ms(60_000), FETCH)
        .await;
    produce(&broker, "t", 1, batch(&["news"])).await;
    let response = client.receive::<FetchRequest>(FETCH).await;
    assert_eq!(values(&response.responses[0].partitions[0]).len(), 1);
}

#[tokio::test]
async fn lost_sessions_and_wrong_epochs_are_told_at_the_top() {
    let broker = TestBroker::start().await;
    create(&broker, "t", 1, &[]).await;
    let mut client = broker.client().await;
    let session = client.ask(in_session(0, 0, &[(0, 0)]), FETCH).await.session_id;
    let mut error = async |id, epoch| client.ask(in_session(id, epoch, &[]), FETCH).await.error_code;
    assert_eq!(
        error(session, 2).await,
        ResponseError::InvalidFetchSessionEpoch.code()
    );
    assert_eq!(
        error(session ^ 1, 1).await,
        ResponseError::FetchSessionIdNotFound.code()
    );
    assert_eq!(error(session, 1).await, 0);
    assert_eq!(error(session, -1).await, 0, "closes it");
    assert_eq!(
        error(session, 2).await,
        ResponseError::FetchSessionIdNotFound.code()
    );
}
