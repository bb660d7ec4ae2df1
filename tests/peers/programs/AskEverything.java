import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;

/**
 * Asks a node each API that it tells of at each version that it tells, every field of the request filled, and reads the
 * answers with Kafka's own classes.
 *
 * <p>AskEverything HOST:PORT TOPIC-ID LEADER CLUSTER-ID EPOCH [controller]: the id of topic "t", which has one partition,
 * who leads it, the cluster, and the leader's broker epoch. One line an API and version: "Name N: ok" with the error codes
 * in the answer, or what went wrong.
 */
public final class AskEverything {
    private static final int PATIENCE_MS = 60_000;

    /** What a controller is asked in an envelope. */
    private static final ApiMessageType INSIDE = ApiMessageType.DESCRIBE_QUORUM;

    /** What a field is filled with, by API and name or by name alone; all others by their type. */
    private final Map<String, Object> values = new TreeMap<>();
    private final String host;
    private final int port;

    private AskEverything(String address, String topicId, int leader) {
        int colon = address.lastIndexOf(':');
        host = address.substring(0, colon);
        port = Integer.parseInt(address.substring(colon + 1));
        for (String name : List.of("topic", "topic_name", "topics", "topic_names", "resource_name")) {
            values.put(name, "t");
        }
        for (String name : List.of("group", "group_id", "groups", "key", "coordinator_keys")) {
            values.put(name, "g");
        }
        for (String api : List.of("PRODUCE", "METADATA", "FETCH", "LIST_OFFSETS", "OFFSET_COMMIT", "OFFSET_FETCH",
                "DELETE_RECORDS", "CREATE_PARTITIONS", "ALTER_PARTITION_REASSIGNMENTS", "OFFSET_DELETE",
                "LIST_PARTITION_REASSIGNMENTS", "DESCRIBE_PRODUCERS", "DESCRIBE_TOPIC_PARTITIONS")) {
            values.put(api + ".name", "t");
        }
        for (String name : List.of("partition", "partitions", "partition_index", "partition_indexes", "partition_id", "index")) {
            values.put(name, 0);
        }
        values.put("topic_id", Uuid.fromString(topicId));
        values.put("topic_ids", Uuid.fromString(topicId));
        values.put("leader_id", leader);
        values.put("replica_id", -1);
        values.put("current_leader_epoch", -1);
        values.put("leader_epoch", 0);
        values.put("session_epoch", -1);
        values.put("session_id", 0);
        values.put("max_bytes", 1 << 20);
        values.put("partition_max_bytes", 1 << 20);
        values.put("response_partition_limit", 100);
        values.put("acks", (short) -1);
        values.put("timeout_ms", 5_000);
        values.put("session_timeout_ms", 6_000);
        values.put("rebalance_timeout_ms", 6_000);
        values.put("committed_timestamp", -1L);
        values.put("retention_time_ms", -1L);
        values.put("assignments.broker_ids", leader);
        values.put("broker_ids", leader);
        values.put("replicas", leader);
        values.put("broker_id", 99);
        values.put("new_isr", leader);
        values.put("num_partitions", -1);
        values.put("replication_factor", (short) -1);
        values.put("CREATE_TOPICS.name", "made");
        values.put("CREATE_TOPICS.configs.name", "retention.ms");
        values.put("CREATE_TOPICS.value", "3600000");
        values.put("DELETE_TOPICS.name", "gone");
        values.put("DELETE_TOPICS.topic_names", "gone");
        values.put("DELETE_TOPICS.topic_id", Uuid.ZERO_UUID);
        values.put("DELETE_GROUPS.groups_names", "gone");
        values.put("resource_type", (byte) 2);
        values.put("RESOURCE_TYPES", (byte) 2);
        values.put("resource_types", (byte) 2);
        values.put("configuration_keys", "retention.ms");
        values.put("ALTER_CONFIGS.name", "retention.ms");
        values.put("ALTER_CONFIGS.value", "3600000");
        values.put("INCREMENTAL_ALTER_CONFIGS.name", "retention.ms");
        values.put("INCREMENTAL_ALTER_CONFIGS.value", "3600000");
        values.put("INCREMENTAL_ALTER_CONFIGS.config_operation", (byte) 0);
        values.put("CREATE_PARTITIONS.count", 2);
        values.put("CREATE_PARTITIONS.validate_only", true);
        values.put("ELECT_LEADERS.election_type", (byte) 0);
        values.put("LIST_OFFSETS.timestamp", -1L);
        values.put("LIST_OFFSETS.isolation_level", (byte) 1);
        values.put("isolation_level", (byte) 1);
        values.put("key_type", (byte) 0);
        values.put("DESCRIBE_QUORUM.topic_name", "__cluster_metadata");
        values.put("FETCH_SNAPSHOT.name", "__cluster_metadata");
        values.put("protocol_type", "consumer");
        values.put("states_filter", "Empty");
        values.put("types_filter", "classic");
        values.put("transactional_id", null);
        values.put("producer_id", -1L);
        values.put("producer_epoch", (short) -1);
        values.put("endpoint_type", (byte) 1);
        values.put("operation", (byte) 3);
        values.put("permission_type", (byte) 3);
        values.put("pattern_type", (byte) 3);
        values.put("offset", 0L);
        values.put("fetch_offset", 0L);
        values.put("client_software_name", "ask");
        values.put("client_software_version", "1");
    }

    public static void main(String[] arguments) throws Exception {
        var asking = new AskEverything(arguments[0], arguments[1], Integer.parseInt(arguments[2]));
        asking.values.put("cluster_id", arguments[3]);
        if (arguments.length > 5 && arguments[5].equals("controller")) {
            asking.asController(Integer.parseInt(arguments[2]), Long.parseLong(arguments[4]));
        } else {
            asking.join();
        }
        asking.all();
    }

    private void asController(int leader, long epoch) throws Exception {
        values.put("FETCH.topic_id", new Uuid(0L, 1L));
        values.put("FETCH.topic", "__cluster_metadata");
        values.put("endpoint_type", (byte) 2);
        for (String api : List.of("ALTER_PARTITION", "BROKER_HEARTBEAT", "ALLOCATE_PRODUCER_IDS")) {
            values.put(api + ".broker_id", leader);
            values.put(api + ".broker_epoch", epoch);
        }
        values.put("ALTER_PARTITION.new_isr_with_epochs.broker_id", leader);
        values.put("ALTER_PARTITION.leader_recovery_state", (byte) 0);
        values.put("partition_epoch", 0);
        values.put("BROKER_HEARTBEAT.want_fence", false);
        values.put("BROKER_HEARTBEAT.want_shut_down", false);
        values.put("UNREGISTER_BROKER.broker_id", 98);
        values.put("ENVELOPE.request_data", inside());
        var principals = new DefaultKafkaPrincipalBuilder(null, null);
        values.put("ENVELOPE.request_principal", ByteBuffer.wrap(principals.serialize(KafkaPrincipal.ANONYMOUS)));
        values.put("ENVELOPE.client_host_address", ByteBuffer.wrap(InetAddress.getByName("192.0.2.9").getAddress()));
    }

    /** A client's request, as Kafka's brokers put it into an envelope. */
    private ByteBuffer inside() {
        short version = INSIDE.highestSupportedVersion(false);
        Struct request = filled(INSIDE.name(), INSIDE.requestSchemas()[version]);
        byte[] head = head(INSIDE, version).array();
        ByteBuffer bytes = ByteBuffer.allocate(head.length + request.sizeOf());
        bytes.put(head);
        request.writeTo(bytes);
        return bytes.flip();
    }

    /** What stands in an envelope's answer. */
    private static Struct opened(Struct envelope) {
        if (envelope.getShort("error_code") != 0) {
            return envelope;
        }
        short version = INSIDE.highestSupportedVersion(false);
        ByteBuffer answer = envelope.getBytes("response_data").duplicate();
        var header = new ResponseHeaderData(new ByteBufferAccessor(answer), INSIDE.responseHeaderVersion(version));
        if (header.correlationId() != 7) {
            throw new IllegalStateException("the answer in the envelope is to another request");
        }
        INSIDE.newResponse().read(new ByteBufferAccessor(answer.duplicate()), version);
        Struct read = INSIDE.responseSchemas()[version].read(answer);
        if (answer.hasRemaining()) {
            throw new IllegalStateException(answer.remaining() + " bytes behind the answer in the envelope");
        }
        return read;
    }

    /** Joins group "g" as a static member, if this node coordinates it, so that there is somebody to tell of. */
    private void join() throws Exception {
        values.put("group_instance_id", "static");
        values.put("member_id", "");
        Struct joined = null;
        for (int attempt = 0; joined == null; attempt++) {
            short code = ask(ApiMessageType.FIND_COORDINATOR, (short) 3).getShort("error_code");
            Struct answer = ask(ApiMessageType.JOIN_GROUP, (short) 5);
            short error = answer.getShort("error_code");
            if (code == 0 && error != 14 && error != 15 || attempt > 1000) {
                joined = answer;
            }
        }
        values.put("member_id", joined.getString("member_id"));
        values.put("generation_id", joined.getInt("generation_id"));
        values.put("generation_id_or_member_epoch", joined.getInt("generation_id"));
        values.put("LEAVE_GROUP.member_id", "nobody");
        values.put("LEAVE_GROUP.group_instance_id", null);
        ask(ApiMessageType.SYNC_GROUP, (short) 3);
    }

    private void all() throws Exception {
        Struct told = ask(ApiMessageType.API_VERSIONS, (short) 4);
        for (Object each : told.getArray("api_keys")) {
            Struct api = (Struct) each;
            ApiMessageType type = ApiMessageType.fromApiKey(api.getShort("api_key"));
            // Of Produce versions are told that Kafka, too, does not answer.
            int oldest = Math.max(api.getShort("min_version"), type.lowestSupportedVersion());
            for (short version = (short) oldest; version <= api.getShort("max_version"); version++) {
                System.out.println(ApiKeys.forId(type.apiKey()).name + " " + version + ": " + outcome(type, version));
            }
        }
    }

    private String outcome(ApiMessageType type, short version) {
        try {
            var codes = new TreeSet<Short>();
            collect(ask(type, version), codes);
            return "ok " + codes;
        } catch (EOFException closed) {
            return "closed";
        } catch (Exception wrong) {
            return wrong.toString();
        }
    }

    /** The error codes of an answer, wherever they stand. */
    private static void collect(Object value, TreeSet<Short> codes) {
        if (value instanceof Struct struct) {
            for (BoundField field : struct.schema().fields()) {
                if (field.def.name.equals("error_code")) {
                    codes.add((Short) struct.get(field));
                } else {
                    collect(struct.get(field), codes);
                }
            }
        } else if (value instanceof Object[] items) {
            for (Object item : items) {
                collect(item, codes);
            }
        } else if (value instanceof Map<?, ?> tagged) {
            tagged.values().forEach(item -> collect(item, codes));
        }
    }

    private Struct ask(ApiMessageType type, short version) throws Exception {
        Struct request = filled(type.name(), type.requestSchemas()[version]);
        ByteBuffer body = ByteBuffer.allocate(request.sizeOf());
        request.writeTo(body);
        body.flip();
        // What Kafka's own class reads of it is what it would have sent.
        type.newRequest().read(new ByteBufferAccessor(body.duplicate()), version);
        ByteBuffer answer = exchange(type, version, body);
        short headerVersion = type.responseHeaderVersion(version);
        var header = new ResponseHeaderData(new ByteBufferAccessor(answer), headerVersion);
        if (header.correlationId() != 7) {
            throw new IllegalStateException("the answer is to another request");
        }
        type.newResponse().read(new ByteBufferAccessor(answer.duplicate()), version);
        Struct read = type.responseSchemas()[version].read(answer);
        if (answer.hasRemaining()) {
            throw new IllegalStateException(answer.remaining() + " bytes behind the answer");
        }
        return type == ApiMessageType.ENVELOPE ? opened(read) : read;
    }

    private static ByteBuffer head(ApiMessageType type, short version) {
        var header = new RequestHeaderData()
                .setRequestApiKey(type.apiKey())
                .setRequestApiVersion(version)
                .setCorrelationId(7)
                .setClientId("ask");
        var cache = new ObjectSerializationCache();
        short headerVersion = type.requestHeaderVersion(version);
        ByteBuffer head = ByteBuffer.allocate(header.size(cache, headerVersion));
        header.write(new ByteBufferAccessor(head), cache, headerVersion);
        return head;
    }

    private ByteBuffer exchange(ApiMessageType type, short version, ByteBuffer body) throws Exception {
        ByteBuffer head = head(type, version);
        try (var socket = new Socket(host, port)) {
            socket.setSoTimeout(PATIENCE_MS);
            var out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(head.capacity() + body.limit());
            out.write(head.array());
            out.write(body.array(), 0, body.limit());
            out.flush();
            var in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            return ByteBuffer.wrap(answer);
        }
    }

    private Struct filled(String path, Schema schema) {
        var struct = new Struct(schema);
        for (BoundField field : schema.fields()) {
            struct.set(field, value(path, field.def));
        }
        return struct;
    }

    private Object value(String path, Field field) {
        if (field.type instanceof TaggedFields tagged) {
            NavigableMap<Integer, Object> all = new TreeMap<>();
            tagged.fields().forEach((tag, inner) -> all.put(tag, value(path, inner)));
            return all;
        }
        return value(path, field.name, field.type);
    }

    private Object value(String path, String name, Type type) {
        if (type.arrayElementType().isPresent()) {
            return new Object[] {value(path, name, type.arrayElementType().get())};
        }
        if (type instanceof Schema schema) {
            return filled(path + "." + name, schema);
        }
        for (String key : keys(path, name)) {
            if (values.containsKey(key) && fits(type, values.get(key))) {
                return values.get(key);
            }
        }
        return anything(type);
    }

    /** From the most special name of a field to the most general. */
    private static List<String> keys(String path, String name) {
        String[] steps = path.split("\\.");
        var keys = new ArrayList<String>();
        keys.add(steps[0] + "." + steps[steps.length - 1] + "." + name);
        keys.add(steps[0] + "." + name);
        keys.add(name);
        return keys;
    }

    private static boolean fits(Type type, Object value) {
        try {
            type.validate(value);
            return true;
        } catch (RuntimeException other) {
            return false;
        }
    }

    private static Object anything(Type type) {
        var records = MemoryRecords.withRecords(Compression.NONE, new SimpleRecord("key".getBytes(), "value".getBytes()));
        Object[] kinds = {
            "x", true, (byte) 1, (short) 1, 1, 1L, 1.0, new Uuid(7L, 7L), records, ByteBuffer.wrap(new byte[] {0, 1})
        };
        for (Object kind : kinds) {
            if (fits(type, kind)) {
                return kind;
            }
        }
        throw new IllegalStateException("nothing fits " + type);
    }
}
