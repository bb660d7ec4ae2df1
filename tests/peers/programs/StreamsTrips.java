// The trips by Kafka Streams, exactly once, with a persistent store: the same rules as `velo trips assemble`.
// java -cp 'LIBS/*' StreamsTrips.java BOOTSTRAP APPLICATION INPUT OUTPUT STATE-FOLDER
// Runs until it is ended. Prints `running` when its partitions are there.

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

public class StreamsTrips {
    static final String STORE = "STORE-TRIPS";
    static final long TTL_MS = Duration.ofDays(7).toMillis();
    static final long AHEAD_MS = Duration.ofHours(1).toMillis();

    public static void main(String[] arguments) throws InterruptedException {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "one");
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6000);

        Topology topology = new Topology();
        topology.addSource("packets", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), arguments[2]);
        topology.addProcessor("assemble", Assemble::new, "packets");
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.ByteArray(), Serdes.ByteArray())
                .withCachingEnabled(),
            "assemble");
        topology.addSink("trips", arguments[3], Serdes.String().serializer(), Serdes.String().serializer(), "assemble");

        KafkaStreams streams = new KafkaStreams(topology, settings);
        CountDownLatch over = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                System.out.println("running");
            }
            if (now == KafkaStreams.State.ERROR) {
                over.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            over.countDown();
        }));
        streams.start();
        over.await();
    }

    /** A packet, as far as it matters. */
    static class Packet {
        long ts, device, start, end, chunk, chunks;
        boolean trip;
    }

    /** Reads protobuf's wire format; anything that is none, or lacks a required field, ends with an exception. */
    static class Wire {
        final ByteBuffer bytes;

        Wire(ByteBuffer bytes) {
            this.bytes = bytes;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; shift < 70; shift += 7) {
                byte next = bytes.get();
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new IllegalArgumentException("a number too long");
        }

        ByteBuffer delimited() {
            long length = varint();
            if (length < 0 || length > bytes.remaining()) {
                throw new IllegalArgumentException("a length that lies");
            }
            ByteBuffer part = bytes.slice(bytes.position(), (int) length);
            bytes.position(bytes.position() + (int) length);
            return part;
        }

        void skip(int kind) {
            switch (kind) {
                case 0 -> varint();
                case 1 -> bytes.getLong();
                case 2 -> delimited();
                case 5 -> bytes.getInt();
                default -> throw new IllegalArgumentException("no wire type");
            }
        }

        interface Field {
            boolean take(int number, int kind);
        }

        void each(Field field) {
            while (bytes.hasRemaining()) {
                long tag = varint();
                int number = (int) (tag >>> 3), kind = (int) (tag & 7);
                if (number == 0) {
                    throw new IllegalArgumentException("no field");
                }
                if (!field.take(number, kind)) {
                    skip(kind);
                }
            }
        }
    }

    static Packet decode(byte[] value) {
        Packet packet = new Packet();
        boolean[] seen = new boolean[7];
        Wire outer = new Wire(ByteBuffer.wrap(value));
        outer.each((number, kind) -> {
            if (number != 1 || kind != 2) {
                return false;
            }
            seen[0] = true;
            header(new Wire(outer.delimited()), packet, seen);
            return true;
        });
        int needed = packet.trip ? 7 : 3;
        for (int field = 0; field < needed; field++) {
            if (!seen[field]) {
                throw new IllegalArgumentException("a required field is missing");
            }
        }
        return packet;
    }

    static void header(Wire wire, Packet packet, boolean[] seen) {
        wire.each((number, kind) -> {
            if (number == 1 && kind == 0) {
                packet.ts = wire.varint();
                seen[1] = true;
            } else if (number == 2 && kind == 0) {
                packet.device = wire.varint();
                seen[2] = true;
            } else if (number == 3 && kind == 2) {
                packet.trip = true;
                trip(new Wire(wire.delimited()), packet, seen);
            } else {
                return false;
            }
            return true;
        });
    }

    static void trip(Wire wire, Packet packet, boolean[] seen) {
        wire.each((number, kind) -> {
            if (kind != 0 || number > 4) {
                return false;
            }
            long value = wire.varint();
            switch (number) {
                case 1 -> packet.start = value;
                case 2 -> packet.end = value;
                // Unsigned, 32 bits.
                case 3 -> packet.chunk = value & 0xffffffffL;
                default -> packet.chunks = value & 0xffffffffL;
            }
            seen[2 + number] = true;
            return true;
        });
    }

    static class Assemble implements Processor<String, byte[], String, String> {
        ProcessorContext<String, String> context;
        KeyValueStore<byte[], byte[]> store;

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
            this.store = context.getStateStore(STORE);
            expire(System.currentTimeMillis());
            context.schedule(Duration.ofDays(1), PunctuationType.WALL_CLOCK_TIME, this::expire);
        }

        void expire(long now) {
            try (var all = store.all()) {
                while (all.hasNext()) {
                    byte[] key = all.next().key;
                    if (ByteBuffer.wrap(key).getLong(8) < now - TTL_MS) {
                        store.delete(key);
                    }
                }
            }
        }

        @Override
        public void process(Record<String, byte[]> record) {
            Packet packet;
            try {
                packet = decode(record.value() == null ? new byte[0] : record.value());
            } catch (RuntimeException undecodable) {
                return;
            }
            boolean ahead = packet.ts - System.currentTimeMillis() > AHEAD_MS;
            if (!packet.trip || ahead || packet.chunk == 0 || packet.chunk > packet.chunks) {
                return;
            }
            byte[] key = ByteBuffer.allocate(24).putLong(packet.device).putLong(packet.start).putLong(packet.end).array();
            byte[] known = store.get(key);
            // How many there are, how many came (0 once it was emitted), and which.
            ByteBuffer state = known == null ? null : ByteBuffer.wrap(known);
            boolean emitted = state != null && state.getLong(8) == 0;
            if (packet.chunks == 1) {
                if (!emitted) {
                    emit(record, packet, key, state == null ? 1 : state.getLong(0));
                }
                return;
            }
            if (emitted || (state != null && state.getLong(0) != packet.chunks)) {
                return;
            }
            BitSet came = state == null ? new BitSet() : BitSet.valueOf(Arrays.copyOfRange(known, 16, known.length));
            int index = Math.toIntExact(packet.chunk - 1);
            if (came.get(index)) {
                return;
            }
            came.set(index);
            if (came.cardinality() == packet.chunks) {
                emit(record, packet, key, packet.chunks);
                return;
            }
            byte[] bits = came.toByteArray();
            ByteBuffer next = ByteBuffer.allocate(16 + bits.length).putLong(packet.chunks).putLong(came.cardinality()).put(bits);
            store.put(key, next.array());
        }

        void emit(Record<String, byte[]> record, Packet packet, byte[] key, long chunks) {
            store.put(key, ByteBuffer.allocate(16).putLong(chunks).putLong(0).array());
            String device = Long.toString(packet.device);
            String trip = "{\"device\":" + device + ",\"start\":" + packet.start + ",\"end\":" + packet.end + "}";
            context.forward(record.withKey(device).withValue(trip));
        }
    }
}
