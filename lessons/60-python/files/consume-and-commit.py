#!/usr/bin/env python3
"""As consume.py, in the group iabd-python-sure, but this program says itself when a record is done.

    pip install kafka-python
    python consume-and-commit.py        (Ctrl-C ends it)
"""
import os
import time

from kafka import KafkaConsumer
from kafka.serializer import JsonSerializer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")


def work(person):
    """Stands for what takes time and may fail: a database, a mail, a payment."""
    time.sleep(0.1)
    print(f"done: {person}", flush=True)


def main():
    consumer = KafkaConsumer(
        "iabd-python",
        bootstrap_servers=BROKERS,
        group_id="iabd-python-sure",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        value_deserializer=JsonSerializer(),
    )
    try:
        while True:
            for messages in consumer.poll(timeout_ms=500).values():
                for message in messages:
                    work(message.value)
                # Only now: the work of all of them is done.
                consumer.commit()
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close(autocommit=False)


if __name__ == "__main__":
    main()
