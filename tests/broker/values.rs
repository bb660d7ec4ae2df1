//! Values of settings, given in any form that Kafka takes and read in Kafka's own.

use crate::support::broker::TestBroker;
use crate::support::cluster::Cluster;
use crate::support::configs::{self, APPEND, BROKER, DELETE, SET, SUBTRACT, TOPIC, text};
use crate::support::raw::ask_at;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreateTopicsRequest, TopicName};

const INVALID_REQUEST: i16 = 42;
const INVALID_CONFIG: i16 = 40;
const OWN: i8 = 1;

/// Of each type: the setting, the forms, and how Kafka shows it.
const FORMS: &[(&str, &[&str], &str)] = &[
    (
        "cleanup.policy",
        &[
            "compact,delete",
            "compact, delete",
            " compact ,\tdelete ",
            "compact,delete,compact",
        ],
        "compact,delete",
    ),
    ("cleanup.policy", &["", "  "], ""),
    (
        "unclean.leader.election.enable",
        &["true", "TRUE", " True "],
        "true",
    ),
    ("preallocate", &["false", " False"], "false"),
    ("retention.ms", &["42", " 42 ", "+42", "0042"], "42"),
    ("retention.ms", &["-0"], "0"),
    ("retention.ms", &[" -1 "], "-1"),
    ("max.message.bytes", &["2000", "+02000 "], "2000"),
    (
        "min.cleanable.dirty.ratio",
        &["0.25", ".25", " 0.250 ", "25e-2", "0.25d", "2.5E-1f"],
        "0.25",
    ),
    ("min.cleanable.dirty.ratio", &["1", "1.", "1.0"], "1.0"),
    ("min.cleanable.dirty.ratio", &["0.0001", "1e-4"], "1.0E-4"),
    ("compression.type", &["gzip", " gzip "], "gzip"),
    (
        "message.timestamp.type",
        &["LogAppendTime", " LogAppendTime"],
        "LogAppendTime",
    ),
];

/// What is none, and what Kafka says of it.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "cleanup.policy",
        ",",
        "Configuration 'cleanup.policy' values must not be empty.",
    ),
    (
        "cleanup.policy",
        "delete,",
        "Configuration 'cleanup.policy' values must not be empty.",
    ),
    (
        "cleanup.policy",
        "compact, Delete",
        "Invalid value Delete for configuration cleanup.policy: String must be one of: compact, delete",
    ),
    (
        "unclean.leader.election.enable",
        " yes",
        "Invalid value  yes for configuration unclean.leader.election.enable: Expected value to be either true or false",
    ),
    (
        "retention.ms",
        " 1e3",
        "Invalid value  1e3 for configuration retention.ms: Not a number of type LONG",
    ),
    (
        "retention.ms",
        "",
        "Invalid value  for configuration retention.ms: Not a number of type LONG",
    ),
    (
        "retention.ms",
        " -2 ",
        "Invalid value -2 for configuration retention.ms: Value must be at least -1",
    ),
    (
        "max.message.bytes",
        "2147483648",
        "Invalid value 2147483648 for configuration max.message.bytes: Not a number of type INT",
    ),
    (
        "min.cleanable.dirty.ratio",
        "-1",
        "Invalid value -1.0 for configuration min.cleanable.dirty.ratio: Value must be at least 0",
    ),
    (
        "min.cleanable.dirty.ratio",
        "1.50",
        "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
    ),
    (
        "min.cleanable.dirty.ratio",
        "inf",
        "Invalid value inf for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE",
    ),
    (
        "compression.type",
        "GZIP",
        "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, \
         gzip, producer",
    ),
];

/// Creates a topic with settings; what is told of each.
fn created(cluster: &Cluster, settings: &[(&str, &str)]) -> (String, Vec<String>) {
    let topic = cluster.name("values");
    let configs = settings.iter().map(|(key, value)| {
        CreatableTopicConfig::default()
            .with_name(text(key))
            .with_value(Some(text(value)))
    });
    let wanted = CreatableTopic::default()
        .with_name(TopicName(text(&topic)))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(configs.collect());
    let request = CreateTopicsRequest::default()
        .with_topics(vec![wanted])
        .with_timeout_ms(30_000);
    let made = ask_at(cluster.bootstrap(), request, 7).topics.remove(0);
    assert_eq!(made.error_code, 0, "{:?}", made.error_message);
    let all = made.configs.unwrap_or_default();
    let told = settings.iter().map(|(key, _)| {
        let config = all.iter().find(|config| config.name.as_str() == *key).unwrap();
        config.value.as_ref().unwrap().to_string()
    });
    (topic, told.collect())
}

type Synonyms = Vec<(String, String, i8)>;

/// Value, source and synonyms of a setting.
fn read(bootstrap: &str, kind: i8, resource: &str, key: &str) -> (Option<String>, i8, Synonyms) {
    let request = configs::describe(kind, resource, key);
    let config = ask_at(bootstrap, request, 4).results.remove(0).configs.remove(0);
    let synonyms = config.synonyms.into_iter().map(|synonym| {
        (
            synonym.name.to_string(),
            synonym.value.unwrap_or_default().to_string(),
            synonym.source,
        )
    });
    (
        config.value.map(|value| value.to_string()),
        config.config_source,
        synonyms.collect(),
    )
}

fn alter(bootstrap: &str, kind: i8, resource: &str, change: (i8, &str, &str)) -> (i16, String) {
    let request = configs::alter(kind, resource, change);
    let answer = ask_at(bootstrap, request, 1).responses.remove(0);
    (
        answer.error_code,
        answer.error_message.unwrap_or_default().to_string(),
    )
}

/// The older AlterConfigs.
fn replace(bootstrap: &str, topic: &str, key: &str, value: &str) -> (i16, String) {
    let request = configs::replace(topic, key, value);
    let answer = ask_at(bootstrap, request, 2).responses.remove(0);
    (
        answer.error_code,
        answer.error_message.unwrap_or_default().to_string(),
    )
}

/// Reads until the value is there: a broker follows its controller.
fn becomes(cluster: &Cluster, topic: &str, key: &str, shown: &str) {
    let deadline = std::time::Instant::now() + crate::support::raw::DEADLINE;
    loop {
        let (value, source, synonyms) = read(cluster.bootstrap(), TOPIC, topic, key);
        if value.as_deref() == Some(shown) && source == OWN {
            // A topic's own is a synonym in the same form.
            assert_eq!(synonyms[0], (key.to_owned(), shown.to_owned(), OWN));
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{key} is {value:?} and not {shown}"
        );
        std::thread::yield_now();
    }
}

on_both_clusters! {
    fn a_new_topics_settings_are_told_as_given_and_shown_in_kafkas_form(cluster) {
        let settings: Vec<(&str, &str)> = ["cleanup.policy", "retention.ms", "min.cleanable.dirty.ratio", "compression.type"]
            .into_iter()
            .map(|key| {
                let (key, forms, _) = FORMS.iter().find(|(name, _, _)| *name == key).unwrap();
                (*key, forms[1])
            })
            .collect();
        let (topic, told) = created(cluster, &settings);
        let given: Vec<String> = settings.iter().map(|(_, value)| (*value).to_owned()).collect();
        assert_eq!(told, given);
        for (key, _) in settings {
            let (_, _, shown) = FORMS.iter().find(|(name, _, _)| *name == key).unwrap();
            becomes(cluster, &topic, key, shown);
        }
    }

    fn every_form_that_is_set_is_shown_in_kafkas(cluster) {
        let (topic, _) = created(cluster, &[]);
        for (key, forms, shown) in FORMS {
            for form in *forms {
                assert_eq!(alter(cluster.bootstrap(), TOPIC, &topic, (SET, key, form)), (0, String::new()), "{key}={form:?}");
                becomes(cluster, &topic, key, shown);
                assert_eq!(replace(cluster.bootstrap(), &topic, key, form), (0, String::new()), "{key}={form:?}");
                becomes(cluster, &topic, key, shown);
            }
        }
    }

    fn what_is_none_is_refused_in_kafkas_words(cluster) {
        let (topic, _) = created(cluster, &[]);
        for (key, value, why) in REFUSED {
            let refused = (INVALID_CONFIG, (*why).to_owned());
            assert_eq!(alter(cluster.bootstrap(), TOPIC, &topic, (SET, key, value)), refused);
            assert_eq!(replace(cluster.bootstrap(), &topic, key, value), refused);
        }
    }

    fn lists_are_added_to_and_taken_from_as_they_were_given(cluster) {
        let (topic, _) = created(cluster, &[("cleanup.policy", "delete")]);
        for (change, shown) in [
            ((APPEND, "cleanup.policy", " compact"), "delete,compact"),
            ((APPEND, "cleanup.policy", "compact"), "delete,compact"),
            ((SUBTRACT, "cleanup.policy", "compact,delete"), "compact"),
            ((SET, "cleanup.policy", "delete, compact"), "delete,compact"),
            ((SUBTRACT, "cleanup.policy", "compact"), "delete,compact"),
            ((SUBTRACT, "cleanup.policy", "delete"), "compact"),
        ] {
            assert_eq!(alter(cluster.bootstrap(), TOPIC, &topic, change), (0, String::new()), "{change:?}");
            becomes(cluster, &topic, "cleanup.policy", shown);
        }
    }
}

fn synonym(name: &str, value: &str, source: i8) -> (String, String, i8) {
    (name.to_owned(), value.to_owned(), source)
}

/// What Apache Kafka answers to the same; there it would change the topics of other tests.
#[tokio::test(flavor = "multi_thread")]
async fn a_brokers_values_are_in_kafkas_form_and_what_was_said_stays_as_it_was_given() {
    let file = [
        ("log.retention.minutes", " 0060 "),
        ("log.cleanup.policy", "compact, delete"),
    ];
    let broker = TestBroker::with(&file).await;
    let bootstrap = broker.bootstrap();
    let asked = tokio::task::spawn_blocking(move || {
        let read = |kind, resource: &str, key: &str| read(&bootstrap, kind, resource, key);
        let (dynamic, of_all, in_file, default) = (2, 3, 4, 5);
        let policy = vec![
            synonym("log.cleanup.policy", "compact, delete", in_file),
            synonym("log.cleanup.policy", "delete", default),
        ];
        assert_eq!(
            read(BROKER, "1", "log.cleanup.policy"),
            (Some("compact,delete".to_owned()), in_file, policy)
        );
        assert_eq!(
            read(BROKER, "1", "log.retention.minutes").0.as_deref(),
            Some("60")
        );
        // Said under another name only: the value counts, the source does not show.
        assert_eq!(read(BROKER, "1", "log.retention.ms"), (None, default, Vec::new()));
        assert_eq!(
            alter(&bootstrap, BROKER, "", (SET, "log.retention.ms", " +70000 ")).0,
            0
        );
        let said = vec![
            synonym("log.retention.ms", " +70000 ", of_all),
            synonym("log.retention.minutes", " 0060 ", in_file),
            synonym("log.retention.hours", "168", in_file),
            synonym("log.retention.hours", "168", default),
        ];
        assert_eq!(
            read(BROKER, "1", "log.retention.ms"),
            (Some("70000".to_owned()), of_all, said)
        );
        assert_eq!(
            read(BROKER, "", "log.retention.ms").0.as_deref(),
            Some(" +70000 ")
        );
        assert_eq!(
            alter(
                &bootstrap,
                BROKER,
                "1",
                (SET, "log.cleaner.min.cleanable.ratio", ".5")
            )
            .0,
            0
        );
        let (value, source, _) = read(BROKER, "1", "log.cleaner.min.cleanable.ratio");
        assert_eq!((value.as_deref(), source), (Some("0.5"), dynamic));
        let refused =
            "Invalid value x for configuration log.cleaner.min.cleanable.ratio: Not a number of type DOUBLE";
        assert_eq!(
            alter(
                &bootstrap,
                BROKER,
                "1",
                (SET, "log.cleaner.min.cleanable.ratio", "x")
            ),
            (INVALID_REQUEST, refused.to_owned())
        );
        assert_eq!(
            alter(&bootstrap, BROKER, "", (DELETE, "log.retention.ms", "")).0,
            0
        );
    });
    asked.await.unwrap();
}
