"""Transactions by kafka-python: committed, aborted, with a group's offsets."""
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata

server = sys.argv[1]
writer = KafkaProducer(bootstrap_servers=server, transactional_id="id")
writer.init_transactions()


def read_once(topic, isolation):
    reader = KafkaConsumer(
        bootstrap_servers=server, isolation_level=isolation, auto_offset_reset="earliest")
    place = TopicPartition(topic, 0)
    reader.assign([place])
    reader.seek_to_beginning(place)
    end = reader.end_offsets([place])[place]
    values = []
    while reader.position(place) < end:
        for records in reader.poll(timeout_ms=1000).values():
            values.extend(record.value.decode() for record in records)
    reader.close()
    return values


def read(topic, isolation, count):
    # A commit is answered when it is decided; its markers, which let readers go on, may come a moment later.
    deadline = time.monotonic() + 60
    while True:
        values = read_once(topic, isolation)
        if len(values) >= count or time.monotonic() > deadline:
            return " ".join(values)


for values, commits in [("abc", True), ("xy", False), ("de", True)]:
    writer.begin_transaction()
    for value in values:
        writer.send("from", value.encode(), partition=0)
    writer.flush()
    if commits:
        writer.commit_transaction()
    else:
        writer.abort_transaction()
print("committed", read("from", "read_committed", 5))
print("all", read("from", "read_uncommitted", 7))

place = TopicPartition("from", 0)
for offset, commits in [(3, True), (9, False)]:
    writer.begin_transaction()
    writer.send("to", b"passed on", partition=0)
    writer.send_offsets_to_transaction({place: OffsetAndMetadata(offset, "", -1)}, "group")
    if commits:
        writer.commit_transaction()
    else:
        writer.abort_transaction()
reader = KafkaConsumer(bootstrap_servers=server, group_id="group")
print("offset", reader.committed(place))
reader.close()
print("read", read("to", "read_committed", 1))
writer.close()
