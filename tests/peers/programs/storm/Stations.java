import java.io.File;
import java.io.FileInputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.flux.FluxBuilder;
import org.apache.storm.flux.model.ExecutionContext;
import org.apache.storm.flux.model.TopologyDef;
import org.apache.storm.flux.parser.FluxParser;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.kafka.spout.FirstPollOffsetStrategy;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.shade.org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.storm.shade.org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;
import org.apache.storm.tuple.Values;

/**
 * A topology on a Storm of this process alone, until standard input ends.
 *
 *   Stations shell BOOTSTRAP TOPIC GROUP FAIL-RATE COMMAND...    KafkaSpout, a ShellBolt, a bolt that prints and fails
 *   Stations java  BOOTSTRAP TOPIC GROUP FAIL-RATE               the same with a bolt in Java, for the benchmark
 *   Stations flux  FILE                                          what the file says
 *
 * Events are printed as `EVENT contract number event last_update`, with tabs between them.
 */
public class Stations {
    static final Fields EVENT = new Fields("contract", "number", "event", "last_update");

    /** The command as a bolt. */
    public static class Shell extends ShellBolt implements IRichBolt {
        public Shell(String... command) {
            super(command);
            changeChildCWD(false);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
            declarer.declare(EVENT);
        }

        @Override
        public Map<String, Object> getComponentConfiguration() {
            return null;
        }
    }

    /** Prints what it takes, and fails a share of it. */
    public static class Told extends BaseRichBolt {
        private final double rate;
        private transient OutputCollector collector;
        private transient Random chance;

        public Told(double rate) {
            this.rate = rate;
        }

        @Override
        public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
            this.collector = collector;
            this.chance = new Random(7);
        }

        @Override
        public void execute(Tuple tuple) {
            if (tuple.getSourceComponent().equals("__system")) {
                collector.ack(tuple);
            } else if (chance.nextDouble() < rate) {
                collector.fail(tuple);
            } else {
                System.out.println("EVENT\t" + tuple.getValue(0) + "\t" + tuple.getValue(1) + "\t" + tuple.getValue(2)
                        + "\t" + tuple.getValue(3));
                collector.ack(tuple);
            }
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
        }
    }

    /** The events as a bolt in Java finds them: it compares with how the station was last, and knows nothing of replays. */
    public static class Compare extends BaseRichBolt {
        private transient OutputCollector collector;
        private transient Map<String, Boolean> last;

        @Override
        public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
            this.collector = collector;
            this.last = new java.util.HashMap<>();
        }

        @Override
        public void execute(Tuple tuple) {
            if (tuple.getSourceComponent().equals("__system")) {
                collector.ack(tuple);
                return;
            }
            Object json = org.apache.storm.shade.net.minidev.json.JSONValue.parse(tuple.getStringByField("value"));
            if (json instanceof Map<?, ?> station && station.get("available_bikes") instanceof Number bikes) {
                boolean empty = bikes.longValue() == 0;
                Object contract = station.get("contract_name");
                Object number = station.get("number");
                Boolean before = last.put(contract + "/" + number, empty);
                if (before != null && before != empty) {
                    String event = empty ? "station is empty" : "station is no longer empty";
                    collector.emit(tuple, new Values(contract, number, event, station.get("last_update")));
                }
            }
            collector.ack(tuple);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {
            declarer.declare(EVENT);
        }
    }

    public static void main(String[] arguments) throws Exception {
        File folder = Files.createTempDirectory("storm").toFile();
        NIOServerCnxnFactory zooKeeper = new NIOServerCnxnFactory();
        zooKeeper.configure(new InetSocketAddress("127.0.0.1", 0), 100);
        zooKeeper.startup(new ZooKeeperServer(folder, folder, 2000));
        LocalCluster cluster = new LocalCluster.Builder()
                .withDaemonConf(Config.STORM_ZOOKEEPER_SERVERS, List.of("127.0.0.1"))
                .withDaemonConf(Config.STORM_ZOOKEEPER_PORT, zooKeeper.getLocalPort())
                .withDaemonConf(Config.TOPOLOGY_ENABLE_MESSAGE_TIMEOUTS, true)
                .build();
        if (arguments[0].equals("flux")) {
            TopologyDef definition;
            try (FileInputStream file = new FileInputStream(arguments[1])) {
                definition = FluxParser.parseInputStream(file, false, false, null, false);
            }
            Config conf = FluxBuilder.buildConfig(definition);
            StormTopology topology = FluxBuilder.buildTopology(new ExecutionContext(definition, conf));
            cluster.submitTopology(definition.getName(), conf, topology);
        } else {
            submit(cluster, arguments);
        }
        System.out.println("RUNS");
        while (System.in.read() >= 0) {
            // Until nobody holds the other end.
        }
        System.out.flush();
        // What is to be seen was seen; a clean shutdown of LocalCluster takes seconds.
        Runtime.getRuntime().halt(0);
    }

    static void submit(LocalCluster cluster, String[] arguments) throws Exception {
        KafkaSpoutConfig<String, String> spout = KafkaSpoutConfig.builder(arguments[1], arguments[2])
                .setProp(ConsumerConfig.GROUP_ID_CONFIG, arguments[3])
                .setFirstPollOffsetStrategy(FirstPollOffsetStrategy.UNCOMMITTED_EARLIEST)
                .setOffsetCommitPeriodMs(500)
                .build();
        TopologyBuilder builder = new TopologyBuilder();
        builder.setSpout("stations", new KafkaSpout<>(spout), 1);
        IRichBolt bolt = arguments[0].equals("java")
                ? new Compare()
                : new Shell(java.util.Arrays.copyOfRange(arguments, 5, arguments.length));
        builder.setBolt("empties", bolt, 2).fieldsGrouping("stations", new Fields("key"));
        builder.setBolt("events", new Told(Double.parseDouble(arguments[4])), 1).shuffleGrouping("empties");
        Config conf = new Config();
        conf.setMessageTimeoutSecs(10);
        conf.setMaxSpoutPending(2000);
        conf.put(Config.TOPOLOGY_TICK_TUPLE_FREQ_SECS, 1);
        cluster.submitTopology("stations", conf, builder.createTopology());
    }
}
