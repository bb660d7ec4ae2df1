// Transactions by Apache Kafka's own clients: committed, aborted, with a group's offsets, fenced.
import java.time.Duration;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

public class Transactions {
    static String server;

    static KafkaProducer<String, String> producer(String id) {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "transactional.id", id, "linger.ms", 0);
        var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        return producer;
    }

    static KafkaConsumer<String, String> consumer(String isolation, String group) {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "isolation.level", isolation,
            "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static List<TopicPartition> partitions(String topic) {
        return List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
    }

    // A commit is answered when it is decided; its markers, which let readers go on, may come a moment later.
    static String read(String topic, String isolation, int count) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            String values = readOnce(topic, isolation);
            if (values.split(" ").length >= count || System.nanoTime() > deadline) return values;
        }
    }

    static String readOnce(String topic, String isolation) {
        try (var consumer = consumer(isolation, "reader")) {
            var places = partitions(topic);
            consumer.assign(places);
            consumer.seekToBeginning(places);
            var ends = consumer.endOffsets(places);
            List<String> values = new ArrayList<>();
            while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
            }
            return values.stream().sorted().collect(Collectors.joining(" "));
        }
    }

    static void write(KafkaProducer<String, String> producer, String topic, String values) throws Exception {
        for (int at = 0; at < values.length(); at++) {
            producer.send(new ProducerRecord<>(topic, at % 2, null, values.substring(at, at + 1))).get();
        }
    }

    public static void main(String[] arguments) throws Exception {
        server = arguments[0];
        short replicas = Short.parseShort(arguments[1]);
        Admin admin = Admin.create(Map.of("bootstrap.servers", server));
        admin.createTopics(List.of(new NewTopic("from", 2, replicas), new NewTopic("to", 2, replicas))).all().get();
        var writer = producer("id");
        for (String transaction : List.of("+abc", "-xy", "-", "+de")) {
            writer.beginTransaction();
            write(writer, "from", transaction.substring(1));
            if (transaction.startsWith("+")) writer.commitTransaction();
            else writer.abortTransaction();
        }
        System.out.println("committed " + read("from", "read_committed", 5));
        System.out.println("all " + read("from", "read_uncommitted", 7));

        try (var reader = consumer("read_committed", "group")) {
            reader.subscribe(List.of("from"));
            for (boolean commits : new boolean[] {false, true}) {
                writer.beginTransaction();
                int taken = 0;
                while (taken < 5) {
                    for (var record : reader.poll(Duration.ofSeconds(1))) {
                        writer.send(new ProducerRecord<>("to", record.partition(), null, record.value().toUpperCase()));
                        taken++;
                    }
                }
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (var place : reader.assignment()) {
                    offsets.put(place, new OffsetAndMetadata(reader.position(place)));
                }
                writer.sendOffsetsToTransaction(offsets, reader.groupMetadata());
                if (commits) {
                    writer.commitTransaction();
                } else {
                    writer.abortTransaction();
                    for (var committed : reader.committed(reader.assignment()).values()) {
                        if (committed != null) throw new AssertionError(committed);
                    }
                    reader.seekToBeginning(reader.assignment());
                }
            }
            var committed = reader.committed(reader.assignment());
            boolean all = reader.assignment().stream()
                .allMatch(place -> committed.get(place).offset() == reader.position(place));
            System.out.println("passed on " + read("to", "read_committed", 5) + ", offsets " + all);
        }

        var zombie = writer;
        zombie.beginTransaction();
        write(zombie, "to", "lost");
        var heir = producer("id");
        heir.beginTransaction();
        write(heir, "to", "k");
        heir.commitTransaction();
        try {
            zombie.commitTransaction();
            System.out.println("the zombie committed");
        } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
            System.out.println("fenced");
        }
        System.out.println("read " + read("to", "read_committed", 6));
        String state = "";
        for (long until = System.nanoTime() + Duration.ofSeconds(60).toNanos();
                !state.startsWith("Complete") && System.nanoTime() < until; ) {
            state = admin.describeTransactions(List.of("id")).all().get().get("id").state().toString();
        }
        System.out.println("state " + state);
        heir.close();
        admin.close();
    }
}
