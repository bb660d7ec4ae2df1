#!/usr/bin/env python3
"""The loop that everybody writes first: insert one by one, let a timer commit how far one is.

    pip install kafka-python pymongo
    python naive.py                                          into the file naive.jsonl
    MONGODB=mongodb://localhost:27017 python naive.py        into the collection iabd.kafka_personas_naive

Kill it, start it again, and count with count.py: each document says from which partition and offset it comes.
"""
import json
import os

from kafka import KafkaConsumer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")


class File:
    """Takes documents as a collection does."""

    def insert_one(self, document):
        with open("naive.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def collection():
    if "MONGODB" not in os.environ:
        return File()
    from pymongo import MongoClient

    return MongoClient(os.environ["MONGODB"]).iabd.kafka_personas_naive


def main():
    people = collection()
    consumer = KafkaConsumer(
        "iabd-python-topic",
        bootstrap_servers=BROKERS,
        group_id="iabd-personas-naive",
        auto_offset_reset="earliest",
        enable_auto_commit=True,
    )
    try:
        for message in consumer:
            person = json.loads(message.value)
            person["from"] = f"{message.partition}:{message.offset}"
            people.insert_one(person)
    except KeyboardInterrupt:
        pass
    finally:
        # Commits how far it was handed records, and leaves the group.
        consumer.close()


if __name__ == "__main__":
    main()
