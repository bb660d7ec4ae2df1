"""Copies a topic exactly once with kafka-python, until it is killed: kafka_python_copy.py BOOTSTRAP FROM TO ID

Ends when a turn takes too long; whoever starts it again goes on.
"""
import faulthandler
import logging
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

server, source, target, name = sys.argv[1:]
servers = server.split(",")
place = TopicPartition(source, 0)
PER_TRANSACTION = 5
# Seconds that a turn may take. kafka-python 3.0.12 loses a transaction's request when its coordinator is away just as it is
# to be sent: `Sender._maybe_send_pending_request` has taken it from the queue, catches what `await_ready` raises, looks for
# the coordinator, and puts the request back only where it knew of no coordinator. `send_offsets_to_transaction` and
# `commit_transaction` then wait for ever for its answer, on any cluster. So this program does what a supervisor would do to
# it: it ends, and tells where it stood. Whoever starts it again is a new producer with the same id, which ends what this one
# has left open.
STUCK = 30
# The same for a beginning, or an end, whose requests have time-outs of their own.
BEGINNING = 120

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def or_end(seconds):
    """Ends this program, with where each of its threads stands, unless called again within so many seconds."""
    faulthandler.dump_traceback_later(seconds, exit=True)


def copy(producer, consumer):
    records = consumer.poll(timeout_ms=200, max_records=PER_TRANSACTION).get(place, [])
    if not records:
        return
    producer.begin_transaction()
    sent = [producer.send(target, record.value, key=record.value) for record in records]
    for future in sent:
        future.get()
    offset = OffsetAndMetadata(records[-1].offset + 1, "", -1)
    producer.send_offsets_to_transaction({place: offset}, name)
    producer.commit_transaction()


while True:
    producer = consumer = None
    or_end(BEGINNING)
    try:
        producer = KafkaProducer(bootstrap_servers=servers, transactional_id=name)
        producer.init_transactions()
        consumer = KafkaConsumer(
            bootstrap_servers=servers, group_id=name, isolation_level="read_committed",
            enable_auto_commit=False, auto_offset_reset="earliest")
        consumer.assign([place])
        while True:
            or_end(STUCK)
            copy(producer, consumer)
    except (KafkaError, AssertionError) as error:
        # A new producer with the same id ends what this one has left open.
        print("anew:", repr(error), file=sys.stderr, flush=True)
        or_end(BEGINNING)
        for client in (producer, consumer):
            if client is not None:
                client.close(timeout=0) if client is producer else client.close(autocommit=False)
        time.sleep(0.1)
