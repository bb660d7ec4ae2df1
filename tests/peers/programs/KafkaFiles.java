import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.util.Properties;

/** Reads settings files from stdin, each ended by a line `---`, and prints what Apache Kafka's own check says of each. */
public class KafkaFiles {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder file = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.equals("---")) {
                file.append(line).append('\n');
                continue;
            }
            Properties properties = new Properties();
            properties.load(new StringReader(file.toString()));
            file.setLength(0);
            System.out.println("> " + said(properties).replace("\n", " "));
        }
    }

    private static String said(Properties properties) {
        try {
            kafka.server.KafkaConfig.fromProps(properties, false);
            return "fine";
        } catch (Exception error) {
            return String.valueOf(error.getMessage());
        }
    }
}
