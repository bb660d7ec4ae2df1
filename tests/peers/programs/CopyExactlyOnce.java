// Copies a topic exactly once with Apache Kafka's own clients, until it is killed.
// java -cp 'LIBS/*' CopyExactlyOnce.java BOOTSTRAP FROM TO ID
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

public class CopyExactlyOnce {
    static final int PER_TRANSACTION = 5;

    public static void main(String[] arguments) throws Exception {
        while (true) {
            try {
                copy(arguments[0], new TopicPartition(arguments[1], 0), arguments[2], arguments[3]);
            } catch (KafkaException | IllegalStateException error) {
                // A new producer with the same id ends what this one has left open.
                System.err.println("anew: " + error);
                Thread.sleep(100);
            }
        }
    }

    static void copy(String server, TopicPartition from, String to, String id) {
        Map<String, Object> writing = Map.of("bootstrap.servers", server, "transactional.id", id);
        Map<String, Object> reading = Map.of("bootstrap.servers", server, "isolation.level", "read_committed",
            "group.id", id, "auto.offset.reset", "earliest", "enable.auto.commit", false, "max.poll.records", PER_TRANSACTION);
        try (var producer = new KafkaProducer<>(writing, new StringSerializer(), new StringSerializer());
                var consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer())) {
            producer.initTransactions();
            consumer.assign(List.of(from));
            while (true) {
                var records = consumer.poll(Duration.ofMillis(200));
                if (records.isEmpty()) continue;
                try {
                    producer.beginTransaction();
                    for (var record : records) {
                        producer.send(new ProducerRecord<>(to, record.value(), record.value()));
                    }
                    var next = new OffsetAndMetadata(consumer.position(from));
                    producer.sendOffsetsToTransaction(Map.of(from, next), consumer.groupMetadata());
                    producer.commitTransaction();
                } catch (ProducerFencedException | OutOfOrderSequenceException | TimeoutException fatal) {
                    throw fatal;
                } catch (KafkaException error) {
                    System.err.println("aborted: " + error);
                    producer.abortTransaction();
                    rewind(consumer, from);
                }
            }
        }
    }

    /** Back to how far the group has come by transactions that count. */
    static void rewind(KafkaConsumer<String, String> consumer, TopicPartition from) {
        var committed = consumer.committed(Set.of(from)).get(from);
        if (committed == null) {
            consumer.seekToBeginning(List.of(from));
        } else {
            consumer.seek(from, committed);
        }
    }
}
