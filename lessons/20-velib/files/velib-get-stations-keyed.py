#!/usr/bin/env python3
"""As velib-get-stations.py, but each record has a key: the station's number as text.

Records of one key all go to one partition, and a partition belongs to one consumer of a group. So each station has
one monitor, however many monitors there are. Same environment variables as velib-get-stations.py.
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
            # One key, one partition.
            producer.send(TOPIC, key=str(station["number"]).encode(), value=json.dumps(station).encode())
        producer.flush()
        print(f"{int(time.time())} Produced {len(stations)} station records", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
