"""Transactions by librdkafka: committed, aborted, with a group's offsets, and a producer that another one follows."""
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

server = sys.argv[1]
replicas = int(sys.argv[2])
admin = AdminClient({"bootstrap.servers": server})
topics = [NewTopic("from", 2, replicas), NewTopic("to", 2, replicas)]
for future in admin.create_topics(topics).values():
    future.result(timeout=30)


def producer():
    made = Producer({"bootstrap.servers": server, "transactional.id": "id"})
    made.init_transactions(60)
    return made


def consumer(isolation):
    made = Consumer({
        "bootstrap.servers": server, "group.id": "group", "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "isolation.level": isolation, "enable.partition.eof": True,
    })
    return made


def read_once(topic, isolation):
    reader, values, ended = consumer(isolation), [], set()
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(2)])
    while len(ended) < 2:
        message = reader.poll(60)
        if message.error():
            ended.add(message.partition())
        else:
            values.append(message.value().decode())
    reader.close()
    return sorted(values)


def read(topic, isolation, count):
    # A commit is answered when it is decided; its markers, which let readers go on, may come a moment later.
    deadline = time.monotonic() + 60
    while True:
        values = read_once(topic, isolation)
        if len(values) >= count or time.monotonic() > deadline:
            return " ".join(values)


writer = producer()
for values, commits in [("abc", True), ("xy", False), ("de", True)]:
    writer.begin_transaction()
    for at, value in enumerate(values):
        writer.produce("from", value, partition=at % 2)
    writer.flush(60)
    if commits:
        writer.commit_transaction(60)
    else:
        writer.abort_transaction(60)
print("committed", read("from", "read_committed", 5))
print("all", read("from", "read_uncommitted", 7))

reader = consumer("read_committed")
reader.subscribe(["from"])
taken = 0
for commits in [False, True]:
    writer.begin_transaction()
    while taken < 5:
        message = reader.poll(60)
        if message is not None and not message.error():
            writer.produce("to", message.value().upper(), partition=message.partition())
            taken += 1
    writer.send_offsets_to_transaction(
        reader.position(reader.assignment()), reader.consumer_group_metadata(), 60)
    if commits:
        writer.commit_transaction(60)
    else:
        writer.abort_transaction(60)
        # The group reads again what counts for nothing.
        for place in reader.committed(reader.assignment(), 60):
            assert place.offset < 0, place
            reader.seek(TopicPartition(place.topic, place.partition, 0))
        taken = 0
print("passed on", read("to", "read_committed", 5))
ends = [reader.get_watermark_offsets(place)[1] for place in reader.assignment()]
committed = [place.offset for place in reader.committed(reader.assignment(), 60)]
print("offsets at the end", all(end - 1 <= offset for end, offset in zip(ends, committed)))
reader.close()

zombie = writer
zombie.begin_transaction()
zombie.produce("to", "lost", partition=0)
zombie.flush(60)
heir = producer()
heir.begin_transaction()
heir.produce("to", "kept", partition=0)
heir.commit_transaction(60)
try:
    zombie.commit_transaction(60)
    print("the zombie committed")
except KafkaException as error:
    print("fenced", error.args[0].fatal())
print("read", read("to", "read_committed", 6))
