import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import java.security.Policy;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.utils.internals.Exit;

/**
 * Runs Apache Kafka's command line tools one after the other in one JVM, for tests that compare with them: a line of JSON
 * in ([{"class", "arguments", "stdin"}, …], run side by side), a line out ([{"stdout", "stderr", "code", "seconds"}, …]).
 * Started by tests/parity:
 * java -Djava.security.manager=allow -cp "LIBS/*" scripts/dev/JavaTools.java
 */
public final class JavaTools {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** No tool may take longer; one that does has the code -2. */
    private static final long SECONDS = 150;

    /** What the threads of one tool print, read and end with. */
    private static final class Run {
        final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
        final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
        final InputStream stdin;
        final List<Runnable> hooks = new ArrayList<>();
        final AtomicInteger code = new AtomicInteger(-1);
        final long started = System.nanoTime();
        volatile long ended = started;
        volatile boolean over;
        /** No other tool runs at the same time, so that the hooks of the JVM are its own. */
        final boolean alone;

        Run(byte[] stdin, boolean alone) {
            this.stdin = new ByteArrayInputStream(stdin);
            this.alone = alone;
        }

        /** The hooks that a tool has given to the JVM itself, each in the thread that it has made for it. */
        private void runHooksOfTheJvm() {
            try {
                for (Thread hook : jvmHooks()) {
                    if (!BEFORE.contains(hook) && Runtime.getRuntime().removeShutdownHook(hook)) {
                        hook.start();
                        hook.join(10_000);
                    }
                }
            } catch (ReflectiveOperationException | InterruptedException impossible) {
                impossible.printStackTrace();
            }
        }

        /** The end of the process: the hooks run, and nothing is printed any more. The first one counts. */
        synchronized void end(int status) {
            if (over) {
                return;
            }
            ended = System.nanoTime();
            code.set(status);
            hooks.forEach(Runnable::run);
            if (alone) {
                runHooksOfTheJvm();
            }
            over = true;
        }
    }

    /** Unwinds the thread that asked for the end of the process. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
    }

    /** The hooks of the JVM that are no tool's. */
    private static final List<Thread> BEFORE = new ArrayList<>();

    private static List<Thread> jvmHooks() throws ReflectiveOperationException {
        Field hooks = Class.forName("java.lang.ApplicationShutdownHooks").getDeclaredField("hooks");
        hooks.setAccessible(true);
        List<Thread> threads = new ArrayList<>();
        ((Map<?, ?>) hooks.get(null)).keySet().forEach(thread -> threads.add((Thread) thread));
        return threads;
    }

    private static final InheritableThreadLocal<Run> CURRENT = new InheritableThreadLocal<>();

    private static final class Output extends OutputStream {
        private final boolean error;

        Output(boolean error) {
            this.error = error;
        }

        @Override
        public void write(int value) {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            Run run = CURRENT.get();
            if (run != null && !run.over) {
                (error ? run.stderr : run.stdout).write(bytes, from, count);
            }
        }
    }

    private static final class Input extends InputStream {
        @Override
        public int read() throws java.io.IOException {
            return CURRENT.get().stdin.read();
        }

        @Override
        public int read(byte[] bytes, int from, int count) throws java.io.IOException {
            return CURRENT.get().stdin.read(bytes, from, count);
        }

        @Override
        public int available() throws java.io.IOException {
            return CURRENT.get().stdin.available();
        }
    }

    /** Loads the tools' own classes anew for each run, for they keep counts in static fields; the rest stays warm. */
    private static final class Fresh extends URLClassLoader {
        Fresh(URL[] urls) {
            super(urls, JavaTools.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            boolean own = name.startsWith("org.apache.kafka.tools.") || name.startsWith("kafka.admin.")
                || name.startsWith("kafka.tools.");
            synchronized (getClassLoadingLock(name)) {
                if (own && findLoadedClass(name) == null) {
                    return findClass(name);
                }
                return super.loadClass(name, resolve);
            }
        }
    }

    /** argparse4j ends the process by itself. */
    @SuppressWarnings("removal")
    private static final class NoExit extends SecurityManager {
        @Override
        public void checkExit(int status) {
            Run run = CURRENT.get();
            if (run != null) {
                run.end(status);
                throw new Ended();
            }
        }

        @Override
        public void checkPermission(Permission permission) {
        }
    }

    @SuppressWarnings("removal")
    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        BufferedReader requests =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.setIn(new Input());
        System.setOut(new PrintStream(new Output(false), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Output(true), true, StandardCharsets.UTF_8));
        Policy.setPolicy(new Policy() {
            @Override
            public boolean implies(ProtectionDomain domain, Permission permission) {
                return true;
            }
        });
        System.setSecurityManager(new NoExit());
        BEFORE.addAll(jvmHooks());
        Exit.Procedure end = (status, message) -> {
            CURRENT.get().end(status);
            throw new Ended();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> CURRENT.get().hooks.add(hook));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    /** Several runs are done side by side. */
    private static ArrayNode answer(JsonNode requests) throws Exception {
        List<Run> runs = new ArrayList<>();
        List<Thread> tools = new ArrayList<>();
        for (JsonNode request : requests) {
            byte[] stdin = request.path("stdin").asText().getBytes(StandardCharsets.UTF_8);
            Run run = new Run(stdin, requests.size() == 1);
            List<String> words = new ArrayList<>();
            request.path("arguments").forEach(word -> words.add(word.asText()));
            Thread tool = new Thread(() -> {
                CURRENT.set(run);
                run(run, request.path("class").asText(), words.toArray(new String[0]));
            }, "main");
            tool.setDaemon(true);
            tool.start();
            runs.add(run);
            tools.add(tool);
        }
        ArrayNode answers = JSON.createArrayNode();
        for (int i = 0; i < runs.size(); i++) {
            answers.add(said(runs.get(i), tools.get(i)));
        }
        return answers;
    }

    private static ObjectNode said(Run run, Thread tool) throws InterruptedException {
        long deadline = run.started + SECONDS * 1_000_000_000L;
        while (tool.isAlive() && !run.over && System.nanoTime() < deadline) {
            tool.join(5);
        }
        boolean late = tool.isAlive() && !run.over;
        run.over = true;
        tool.interrupt();
        ObjectNode answer = JSON.createObjectNode();
        answer.put("stdout", run.stdout.toString(StandardCharsets.UTF_8));
        answer.put("stderr", run.stderr.toString(StandardCharsets.UTF_8));
        answer.put("code", late ? -2 : run.code.get());
        answer.put("seconds", (run.ended - run.started) / 1e9);
        return answer;
    }

    private static void run(Run run, String name, String[] arguments) {
        try (Fresh loader = new Fresh(jars())) {
            Thread.currentThread().setContextClassLoader(loader);
            loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
            run.end(0);
        } catch (InvocationTargetException thrown) {
            if (!run.over) {
                System.err.print("Exception in thread \"main\" ");
                thrown.getCause().printStackTrace();
                run.end(1);
            }
        } catch (ReflectiveOperationException | java.io.IOException impossible) {
            impossible.printStackTrace();
            run.end(99);
        }
    }

    private static URL[] jars() throws java.io.IOException {
        List<URL> urls = new ArrayList<>();
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(new File(path).toURI().toURL());
        }
        return urls.toArray(new URL[0]);
    }
}
