#!/usr/bin/env python3
"""Read the topic iabd-python in the group iabd-python-group; kafka-python commits by itself how far it is.

    pip install kafka-python
    python consume.py        (Ctrl-C ends it)
"""
import os

from kafka import KafkaConsumer
from kafka.serializer import JsonSerializer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")


def main():
    consumer = KafkaConsumer(
        "iabd-python",
        bootstrap_servers=BROKERS,
        group_id="iabd-python-group",
        # Where a group begins that has no committed offset yet.
        auto_offset_reset="earliest",
        # Every five seconds, what was handed out so far is committed.
        enable_auto_commit=True,
        value_deserializer=JsonSerializer(),
    )
    try:
        for message in consumer:
            print(f"{message.partition}:{message.offset} {message.value}", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        # Commits how far it came, and leaves the group.
        consumer.close()


if __name__ == "__main__":
    main()
