// Admin, producer and a group, as kafkajs's own guide has them.
const { Kafka, logLevel } = require("kafkajs");

const kafka = new Kafka({ clientId: "peer", brokers: [process.argv[2]], logLevel: logLevel.NOTHING });

async function main() {
  const admin = kafka.admin();
  await admin.connect();
  console.log("created", await admin.createTopics({ topics: [{ topic: "t", numPartitions: 2 }] }));

  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({
    topic: "t",
    messages: [{ key: "a", value: "1" }, { key: "b", value: "2" }, { key: "c", value: "3" }],
  });
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: "g" });
  await consumer.connect();
  await consumer.subscribe({ topic: "t", fromBeginning: true });
  const read = await new Promise((resolve, reject) => {
    const seen = [];
    consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(`${message.key}=${message.value}`);
        if (seen.length === 3) resolve(seen.sort());
      },
    }).catch(reject);
  });
  console.log("read", read.join(","));
  const { groups } = await admin.describeGroups(["g"]);
  console.log("described", groups[0].state, groups[0].members.length);
  await consumer.disconnect();
  await admin.deleteTopics({ topics: ["t"] });
  console.log("deleted");
  await admin.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
