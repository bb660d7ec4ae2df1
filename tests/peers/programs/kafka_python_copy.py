"""Copies a topic exactly once with kafka-python, until it is killed: kafka_python_copy.py BOOTSTRAP FROM TO ID"""
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

server, source, target, name = sys.argv[1:]
servers = server.split(",")
place = TopicPartition(source, 0)
PER_TRANSACTION = 5


def copy(producer, consumer):
    records = consumer.poll(timeout_ms=200, max_records=PER_TRANSACTION).get(place, [])
    if not records:
        return
    producer.begin_transaction()
    sent = [producer.send(target, record.value, key=record.value) for record in records]
    for future in sent:
        future.get(timeout=60)
    offset = OffsetAndMetadata(records[-1].offset + 1, "", -1)
    producer.send_offsets_to_transaction({place: offset}, name)
    producer.commit_transaction()


while True:
    producer = consumer = None
    try:
        producer = KafkaProducer(bootstrap_servers=servers, transactional_id=name)
        producer.init_transactions()
        consumer = KafkaConsumer(
            bootstrap_servers=servers, group_id=name, isolation_level="read_committed",
            enable_auto_commit=False, auto_offset_reset="earliest")
        consumer.assign([place])
        while True:
            copy(producer, consumer)
    except (KafkaError, AssertionError) as error:
        # A new producer with the same id ends what this one has left open.
        print("anew:", repr(error), file=sys.stderr, flush=True)
        for client in (producer, consumer):
            if client is not None:
                client.close(timeout=0) if client is producer else client.close(autocommit=False)
        time.sleep(0.1)
