#!/usr/bin/env python3
"""Write ten small JSON records to the topic iabd-python.

    pip install kafka-python
    python produce.py
"""
import os

from kafka import KafkaProducer
from kafka.serializer import JsonSerializer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")
TOPIC = "iabd-python"


def main():
    producer = KafkaProducer(
        bootstrap_servers=BROKERS,
        # Kafka carries bytes: dictionary -> JSON text -> bytes.
        value_serializer=JsonSerializer(),
    )
    for number in range(10):
        # Returns at once: the record is sent later, in the background.
        producer.send(TOPIC, {"nombre": f"producer {number}"})
    # Without this the program might end before its records have left.
    producer.flush()
    print("10 records sent", flush=True)


if __name__ == "__main__":
    main()
