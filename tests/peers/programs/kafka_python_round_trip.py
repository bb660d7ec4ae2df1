"""The data class's programs in one: ten JSON messages out, read back by a group that commits."""
import json
import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

server = sys.argv[1]
producer = KafkaProducer(bootstrap_servers=server, value_serializer=lambda v: json.dumps(v).encode())
for n in range(10):
    producer.send("iabd-python", {"nombre": f"producer {n}"}).get(timeout=30)
consumer = KafkaConsumer(
    "iabd-python",
    bootstrap_servers=server,
    group_id="iabd-python-group",
    auto_offset_reset="earliest",
    enable_auto_commit=True,
    consumer_timeout_ms=30000,
    value_deserializer=lambda v: json.loads(v.decode()),
)
read = []
for message in consumer:
    read.append(message.value["nombre"])
    if len(read) == 10:
        break
assert read == [f"producer {n}" for n in range(10)], read
consumer.commit()
print(f"{len(read)} read, committed {consumer.committed(TopicPartition('iabd-python', 0))}")
consumer.close()
