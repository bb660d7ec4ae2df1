// Java's producer, so many records a transaction, one transaction after the other; prints transactions a second.
// java -cp 'LIBS/*' TransactionalProducer.java BOOTSTRAP TOPIC TRANSACTIONS RECORDS BYTES
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class TransactionalProducer {
    /** Before the clock runs: Java compiles what it has seen often. */
    static final int WARM_UP = 200;

    public static void main(String[] arguments) {
        int transactions = Integer.parseInt(arguments[2]), records = Integer.parseInt(arguments[3]);
        byte[] value = new byte[Integer.parseInt(arguments[4])];
        Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0], "transactional.id", arguments[1]);
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            run(producer, arguments[1], WARM_UP, records, value);
            long start = System.nanoTime();
            run(producer, arguments[1], transactions, records, value);
            System.out.println(transactions / ((System.nanoTime() - start) / 1e9));
        }
    }

    static void run(KafkaProducer<byte[], byte[]> producer, String topic, int transactions, int records, byte[] value) {
        for (int transaction = 0; transaction < transactions; transaction++) {
            producer.beginTransaction();
            for (int record = 0; record < records; record++) {
                producer.send(new ProducerRecord<>(topic, value));
            }
            producer.commitTransaction();
        }
    }
}
