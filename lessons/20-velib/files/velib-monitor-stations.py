#!/usr/bin/env python3
"""Read the stations in the group velib-monitor-stations and tell every change of free stands.

    pip install kafka-python
    python velib-monitor-stations.py

What this program remembers is in its own memory: started again, it has forgotten everything, and the first
sight of each station says nothing. `velo velib monitor` keeps it in Kafka instead: look at the topic
velib-monitor-stations-state.
"""
import json
import os

from kafka import KafkaConsumer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")
TOPIC = os.environ.get("VELIB_TOPIC", "velib-stations")
GROUP = os.environ.get("VELIB_GROUP", "velib-monitor-stations")


def main():
    consumer = KafkaConsumer(TOPIC, bootstrap_servers=BROKERS, group_id=GROUP)
    # A station's number is unique within its city only.
    last = {}
    for message in consumer:
        station = json.loads(message.value)
        name = (station["contract_name"], station["number"])
        free = station["available_bike_stands"]
        change = free - last.get(name, free)
        last[name] = free
        if change != 0:
            print(f"{change:+d} {station['address']} ({station['contract_name']})", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
