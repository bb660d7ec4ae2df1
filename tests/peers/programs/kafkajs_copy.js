// Copies a topic exactly once with kafkajs: node kafkajs_copy.js BOOTSTRAP FROM TO ID
// Ends by an error that it does not get over; whoever starts it again goes on.
const { Kafka, logLevel } = require("kafkajs");

const [servers, from, to, id] = process.argv.slice(2);
const kafka = new Kafka({ clientId: "copy", brokers: servers.split(","), logLevel: logLevel.INFO });
// It rests for a third of a second whenever the transaction before is not quite over, so each takes more than those of others.
const PER_TRANSACTION = 50;

async function copy(producer, messages) {
  const transaction = await producer.transaction();
  try {
    await transaction.send({ topic: to, messages: messages.map(({ value }) => ({ key: value, value })) });
    const offset = `${Number(messages[messages.length - 1].offset) + 1}`;
    const topics = [{ topic: from, partitions: [{ partition: 0, offset }] }];
    await transaction.sendOffsets({ consumerGroupId: id, topics });
  } catch (error) {
    await transaction.abort();
    throw error;
  }
  await transaction.commit();
}

function giveUp(error) {
  console.error(error);
  process.exit(1);
}

async function main() {
  const producer = kafka.producer({ transactionalId: id, maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const consumer = kafka.consumer({ groupId: id, sessionTimeout: 6000, heartbeatInterval: 500 });
  consumer.on(consumer.events.CRASH, ({ payload }) => giveUp(payload.error));
  await consumer.connect();
  await consumer.subscribe({ topic: from, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      for (let at = 0; at < batch.messages.length; at += PER_TRANSACTION) {
        const messages = batch.messages.slice(at, at + PER_TRANSACTION);
        // How a transaction has ended that failed is not known here: the group's offset tells whoever begins anew.
        await copy(producer, messages).catch(giveUp);
        resolveOffset(messages[messages.length - 1].offset);
        await heartbeat();
      }
    },
  });
}

main().catch(giveUp);
