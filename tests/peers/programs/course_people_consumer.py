"""The class's consumer: from the topic into MongoDB, one by one, committing by timer.

course_people_consumer.py BOOTSTRAP TOPIC MONGODB DATABASE COUNT      ends once COUNT are in `kafka_personas`
"""
import json
import sys

from kafka import KafkaConsumer
from pymongo import MongoClient

bootstrap, topic, uri, database, count = sys.argv[1:]
people = MongoClient(uri)[database].kafka_personas
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=[bootstrap],
    auto_offset_reset="earliest",
    enable_auto_commit=True,
    group_id=f"{topic}-class",
    value_deserializer=lambda value: json.loads(value.decode("utf-8")),
)
for number, message in enumerate(consumer, start=1):
    people.insert_one(message.value)
    if number == int(count):
        break
consumer.close()
print(number)
