#!/usr/bin/env python3
"""Read the topic iabd-python in the group iabd-python-group; Kafka's client notes by itself how far it is.

    pip install kafka-python
    python consume.py        (Ctrl-C ends it)
"""
import json
import os

from kafka import KafkaConsumer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")


def main():
    consumer = KafkaConsumer(
        "iabd-python",
        bootstrap_servers=BROKERS,
        group_id="iabd-python-group",
        # Where a group begins that has noted nothing yet.
        auto_offset_reset="earliest",
        # Every five seconds, what was handed out so far counts as read.
        enable_auto_commit=True,
        value_deserializer=lambda value: json.loads(value.decode("utf-8")),
    )
    try:
        for message in consumer:
            print(f"{message.partition}:{message.offset} {message.value}", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        # Notes how far it came, and leaves the group.
        consumer.close()


if __name__ == "__main__":
    main()
