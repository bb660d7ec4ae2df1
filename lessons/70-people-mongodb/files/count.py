#!/usr/bin/env python3
"""Count the documents that an ingest made: of how many records they are, which are there twice, which are missing.

    python count.py naive.jsonl
    python count.py personas.jsonl
    MONGODB=mongodb://localhost:27017 python count.py kafka_personas        a collection of the database iabd

A document names its record: "from" (naive.py) or "_id" (velo people ingest) ends in partition:offset.
"""
import json
import os
import sys
from collections import Counter


def documents(place):
    if "MONGODB" in os.environ:
        from pymongo import MongoClient

        yield from MongoClient(os.environ["MONGODB"]).iabd[place].find()
    else:
        with open(place, encoding="utf-8") as file:
            yield from map(json.loads, file)


def main():
    records = Counter()
    for document in documents(sys.argv[1]):
        partition, offset = str(document.get("from") or document["_id"]).split(":")[-2:]
        records[int(partition), int(offset)] += 1
    twice = sum(1 for times in records.values() if times > 1)
    # Between the first and the last offset of a partition there is one record for each.
    missing = 0
    for partition in {partition for partition, _ in records}:
        offsets = [offset for at, offset in records if at == partition]
        missing += max(offsets) - min(offsets) + 1 - len(offsets)
    print(f"{records.total()} documents of {len(records)} records: {twice} more than once, {missing} missing")


if __name__ == "__main__":
    main()
