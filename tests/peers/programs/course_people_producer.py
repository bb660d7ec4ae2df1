"""The class's producer: made-up people by Faker, a batch of 5 to 20 every so many seconds.

course_people_producer.py BOOTSTRAP TOPIC SECONDS BATCHES      prints how many people it has sent
"""
import json
import random
import sys
import time

from faker import Faker
from kafka import KafkaProducer

bootstrap, topic, seconds, batches = sys.argv[1:]
fake = Faker("es_ES")


def person():
    return {
        "nombre": fake.name(),
        "edad": random.randint(18, 80),
        "calle": fake.street_address(),
        "ciudad": fake.city(),
        "provincia": fake.state(),
        "cp": fake.postcode(),
        "longitud": float(fake.longitude()),
        "latitud": float(fake.latitude()),
    }


producer = KafkaProducer(
    bootstrap_servers=[bootstrap],
    value_serializer=lambda value: json.dumps(value).encode("utf-8"),
)
sent = 0
for _ in range(int(batches)):
    for _ in range(random.randint(5, 20)):
        producer.send(topic, value=person())
        sent += 1
    time.sleep(float(seconds))
producer.flush()
print(sent)
