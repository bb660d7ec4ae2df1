# Sourced by the scripts beside it: where things are, and how they talk.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peers=${VELO_PEERS_DIR:-$root/target/peers}
kafka_version=4.4.0
storm_version=2.8.3
all_peers="ferretdb go kafka kcat mongo node postgresql python storm streams"
kafka_libs=$peers/kafka-$kafka_version/libs
streams_libs=$peers/kafka-streams-$kafka_version/libs

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# java_tool MAIN-CLASS ARG…: one of Apache Kafka's own tools, as its shell scripts start them.
java_tool() {
  java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$kafka_libs/*" "$@"
}
