#!/usr/bin/env python3
"""Every second, ask for all bike stations and write one record each to the topic velib-stations.

    pip install kafka-python
    JCDECAUX_API_KEY=...  python velib-get-stations.py        (a key: https://developer.jcdecaux.com)

Without a key, serve the same answers on this machine and give their address:

    velo velib api
    VELIB_URL='http://127.0.0.1:PORT/vls/v1/stations?apiKey=velo'  python velib-get-stations.py
"""
import json
import os
import time
import urllib.request

from kafka import KafkaProducer

BROKERS = os.environ.get("VELO_BOOTSTRAP_SERVER", "localhost:9092").split(",")
TOPIC = os.environ.get("VELIB_TOPIC", "velib-stations")
JCDECAUX = "https://api.jcdecaux.com/vls/v1/stations?apiKey="
URL = os.environ.get("VELIB_URL") or JCDECAUX + os.environ.get("JCDECAUX_API_KEY", "")


def all_stations():
    with urllib.request.urlopen(URL, timeout=10) as answer:
        return json.load(answer)


def main():
    producer = KafkaProducer(bootstrap_servers=BROKERS)
    while True:
        stations = all_stations()
        for station in stations:
            # No key: chance decides the partition.
            producer.send(TOPIC, json.dumps(station).encode())
        producer.flush()
        print(f"{int(time.time())} Produced {len(stations)} station records", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
