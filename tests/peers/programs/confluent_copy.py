"""Copies a topic exactly once with librdkafka, until it is killed: confluent_copy.py BOOTSTRAP FROM TO ID"""
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

server, source, target, name = sys.argv[1:]
PER_TRANSACTION = 5


def insist(call, *arguments):
    """What may be asked again is asked again, as librdkafka's manual has it."""
    while True:
        try:
            return call(*arguments)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
            print("again:", error, file=sys.stderr, flush=True)


def rewind(consumer):
    """Back to how far the group has come by transactions that count."""
    [place] = insist(consumer.committed, [TopicPartition(source, 0)], 60)
    consumer.seek(TopicPartition(source, 0, max(place.offset, 0)))


def copy(producer, consumer):
    messages = consumer.consume(PER_TRANSACTION, 0.2)
    for message in messages:
        # A coordinator that is about to take over, or has just moved, answers the question for the group's offset with such an
        # error. librdkafka asks no more then, and the partition is not read until somebody assigns it again.
        if message.error():
            raise KafkaException(message.error())
    if not messages:
        return
    producer.begin_transaction()
    try:
        for message in messages:
            producer.produce(target, message.value(), key=message.value())
        offsets = consumer.position(consumer.assignment())
        insist(producer.send_offsets_to_transaction, offsets, consumer.consumer_group_metadata(), 60)
        insist(producer.commit_transaction, 60)
    except KafkaException as error:
        if not error.args[0].txn_requires_abort():
            raise
        print("aborted:", error, file=sys.stderr, flush=True)
        insist(producer.abort_transaction, 60)
        rewind(consumer)


while True:
    producer = Producer({"bootstrap.servers": server, "transactional.id": name})
    consumer = Consumer({
        "bootstrap.servers": server, "group.id": name, "isolation.level": "read_committed",
        "enable.auto.commit": False, "auto.offset.reset": "earliest",
    })
    try:
        insist(producer.init_transactions, 60)
        consumer.assign([TopicPartition(source, 0)])
        while True:
            copy(producer, consumer)
    except KafkaException as error:
        # A new producer with the same id ends what this one has left open.
        print("anew:", error, file=sys.stderr, flush=True)
        consumer.close()
        time.sleep(0.1)
