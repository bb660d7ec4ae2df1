//! Transactions that hang: open in a partition, and no coordinator knows of them. `kafka-transactions`, ours and Apache Kafka's,
//! finds and ends them.

use super::*;
use crate::support::velo::Home;
use tokio::task::block_in_place;

/// A broker with a transaction in `t`-0 that was taken in as brokers of before KIP-890 do.
async fn with_hanging() -> TestBroker {
    let off = [("transaction.partition.verification.enable", "false")];
    let broker = TestBroker::with(&off).await;
    create_with(&broker, "t", 1, 1, &[]).await;
    let mut writer = Writer::at(&broker, "id", Protocol::Old).await;
    assert_eq!(writer.try_write(&broker, 11, ("t", 0), &["hangs"]).await, None);
    assert_eq!(writer.state(&broker).await, "Empty");
    broker
}

/// `run` is the tool with its words, run to its end; it answers its stdout.
async fn is_found_and_ended(run: impl Fn(&[&str]) -> String) {
    let broker = with_hanging().await;
    let server = broker.address().to_string();
    let tool = |words: &[&str]| {
        let server = ["--bootstrap-server", &server];
        block_in_place(|| run(&[&server[..], words].concat()))
    };
    let hanging = || {
        let of_all = ["find-hanging", "--topic", "t", "--max-transaction-timeout", "0"];
        let table = tool(&of_all);
        let cells =
            |row: &str| -> Vec<String> { row.split('\t').map(|cell| cell.trim().to_owned()).collect() };
        table.lines().skip(1).map(cells).collect::<Vec<_>>()
    };
    eventually("it is found", async || hanging().len() == 1).await;
    let found = hanging().remove(0);
    assert_eq!(
        (&found[0][..], &found[1][..], &found[5][..]),
        ("t", "0", "0"),
        "{found:?}"
    );
    assert_eq!(committed(&broker, "t", 0).await, (0, vec![], vec![]));
    tool(&["abort", "--topic", "t", "--partition", "0", "--start-offset", "0"]);
    assert_eq!(
        committed(&broker, "t", 0).await,
        (2, vec!["hangs".to_owned()], vec![0])
    );
    assert_eq!(hanging(), Vec::<Vec<String>>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka_transactions_finds_and_ends_what_hangs() {
    let home = Home::new();
    let ours = |words: &[&str]| {
        let ended = home.velo(&[&["kafka-transactions"], words].concat());
        ended.succeeds().stdout
    };
    is_found_and_ended(ours).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(
    not(peer = "kafka"),
    ignore = "Apache Kafka's tools are not here: scripts/dev/test fetches them"
)]
async fn apache_kafka_s_tool_finds_and_ends_what_hangs() {
    let java = |words: &[&str]| {
        let mut command = crate::peers::java("org.apache.kafka.tools.TransactionsCommand");
        let output = command.args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    is_found_and_ended(java).await;
}
