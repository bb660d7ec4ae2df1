// Transactions by kafkajs: committed, aborted, with a group's offsets.
const { Kafka, logLevel } = require("kafkajs");

const kafka = new Kafka({ clientId: "peer", brokers: process.argv[2].split(","), logLevel: logLevel.NOTHING });

// kafkajs reads committed records unless it is told otherwise.
async function read(topic, count, readUncommitted) {
  const consumer = kafka.consumer({ groupId: `${topic}-${readUncommitted}-${count}`, readUncommitted });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values = await new Promise((resolve, reject) => {
    const seen = [];
    consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(`${message.value}`);
        if (seen.length === count) resolve(seen);
      },
    }).catch(reject);
  });
  await consumer.disconnect();
  return values.join(" ");
}

async function main() {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: "from", numPartitions: 1 }, { topic: "to", numPartitions: 1 }] });
  const producer = kafka.producer({ transactionalId: "id", maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const [values, commits] of [["abc", true], ["xy", false], ["de", true]]) {
    const transaction = await producer.transaction();
    const messages = [...values].map((value) => ({ value, partition: 0 }));
    await transaction.send({ topic: "from", messages });
    await (commits ? transaction.commit() : transaction.abort());
  }
  console.log("committed", await read("from", 5, false));
  console.log("all", await read("from", 7, true));
  for (const [offset, commits] of [["3", true], ["9", false]]) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: "to", messages: [{ value: "passed on", partition: 0 }] });
    const topics = [{ topic: "from", partitions: [{ partition: 0, offset }] }];
    await transaction.sendOffsets({ consumerGroupId: "group", topics });
    await (commits ? transaction.commit() : transaction.abort());
  }
  const [{ partitions }] = await admin.fetchOffsets({ groupId: "group", topics: ["from"] });
  console.log("offset", partitions[0].offset);
  console.log("read", await read("to", 1, false));
  await producer.disconnect();
  await admin.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
