"""Admin, two cooperative-sticky members over four partitions, and an idempotent producer."""
import sys
import time

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

server = sys.argv[1]
admin = AdminClient({"bootstrap.servers": server})
for future in admin.create_topics([NewTopic("shared", 4, 1)]).values():
    future.result(timeout=30)
print("created")


def member():
    consumer = Consumer({
        "bootstrap.servers": server, "group.id": "cooperative", "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "cooperative-sticky",
    })
    consumer.subscribe(["shared"])
    return consumer


def poll_until(members, sizes):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for consumer in members:
            consumer.poll(0.1)
        if sorted(len(consumer.assignment()) for consumer in members) == sizes:
            return
    raise SystemExit(f"still {[len(consumer.assignment()) for consumer in members]}")


first = member()
poll_until([first], [4])
print("first has 4")
second = member()
poll_until([first, second], [2, 2])
print("shared 2 and 2")
first.close()
second.close()

producer = Producer({"bootstrap.servers": server, "enable.idempotence": True})
failed = []
for n in range(100):
    producer.produce("shared", key=str(n), value=str(n), on_delivery=lambda error, _: error and failed.append(error))
producer.flush(30)
if failed:
    raise SystemExit(str(failed[0]))
reader = Consumer({"bootstrap.servers": server, "group.id": "reader", "auto.offset.reset": "earliest"})
reader.subscribe(["shared"])
seen = set()
deadline = time.monotonic() + 60
while len(seen) < 100 and time.monotonic() < deadline:
    message = reader.poll(0.5)
    if message is not None and message.error() is None:
        seen.add(message.value())
reader.close()
print(f"idempotent {len(seen)}")
