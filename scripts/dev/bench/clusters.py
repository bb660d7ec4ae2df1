"""Three brokers and a controller of their own, four processes: ours, and Apache Kafka's."""
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time

from common import VELO, Server, java, run

BROKERS = (1, 2, 3)
CONTROLLER = 4
PATIENCE = 120
# What a topic of three replicas loses nothing with; the same for both.
SETTINGS = ("default.replication.factor=3", "min.insync.replicas=2", "offsets.topic.replication.factor=3",
            "transaction.state.log.replication.factor=3", "transaction.state.log.min.isr=2")


class Brokers:
    """What is asked of either: each node is a Server, by id."""

    name = ""
    nodes: dict

    @property
    def bootstrap(self):
        return ",".join(self.nodes[id].bootstrap for id in BROKERS)

    def total(self, figure):
        """A figure of all four processes added up: "cpu_seconds", "resident_mib", "shared_mib"."""
        return sum(getattr(node, figure)() for node in self.nodes.values())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def kill(self, id):
        os.kill(self.nodes[id].pid, signal.SIGKILL)


class Ours(Brokers):
    """Our own cluster, in a folder that goes with it."""

    name = "velo"

    def __init__(self, *settings):
        self.folder = tempfile.TemporaryDirectory()
        self.environment = {**os.environ, "VELO_HOME": self.folder.name}
        sets = [word for setting in (*SETTINGS, *settings) for word in ("--set", setting)]
        self._velo("start", "--brokers", "3", "--controller-apart", "--port", "0", *sets)
        self._look()

    def _velo(self, *words):
        # The nodes go on by themselves: nothing of theirs may keep this command's pipes open.
        subprocess.run([VELO, "cluster", *words], env=self.environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def _look(self):
        status = json.loads(run([VELO, "cluster", "status", "--output", "json"], env=self.environment))
        self.nodes = {node["id"]: Server(f"node {node['id']}", node["address"], node["pid"]) for node in status["nodes"]}

    def start(self, id):
        """Starts a broker that was killed; returns once its process runs."""
        self._velo("start", "--broker", str(id))
        self._look()

    def stop(self):
        self._velo("stop", "--kill")
        self.folder.cleanup()


class Apache(Brokers):
    """Apache Kafka, with the settings of real-kafka, each node with the heap its shell scripts give it."""

    name = "apache"

    def __init__(self, *settings):
        self.folder = tempfile.TemporaryDirectory()
        self.processes, self.nodes = {}, {}
        ports = dict(zip((*BROKERS, CONTROLLER), free_ports(4)))
        cluster = run(java("kafka.tools.StorageTool", "random-uuid")).split()[-1]
        for id in (CONTROLLER, *BROKERS):
            (self._folder(id) / "server.properties").write_text(self._properties(id, ports, settings))
            format_ = ["--standalone"] if id == CONTROLLER else ["--no-initial-controllers"]
            run(java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self._folder(id) / "server.properties", *format_))
            self.nodes[id] = Server(f"node {id}", f"127.0.0.1:{ports[id]}", 0)
            self._spawn(id)
        for id in BROKERS:
            self._await(id)

    def _folder(self, id):
        folder = pathlib.Path(self.folder.name) / str(id)
        folder.mkdir(exist_ok=True)
        return folder

    def _properties(self, id, ports, settings):
        mine = "CONTROLLER" if id == CONTROLLER else "PLAINTEXT"
        lines = [
            f"process.roles={'controller' if id == CONTROLLER else 'broker'}", f"node.id={id}",
            f"listeners={mine}://127.0.0.1:{ports[id]}", f"advertised.listeners={mine}://127.0.0.1:{ports[id]}",
            f"controller.quorum.bootstrap.servers=127.0.0.1:{ports[CONTROLLER]}", "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT", "num.network.threads=3",
            "num.io.threads=8", "socket.send.buffer.bytes=102400", "socket.receive.buffer.bytes=102400",
            f"log.dirs={self._folder(id)}/logs", "num.recovery.threads.per.data.dir=2",
        ]
        return "\n".join([*lines, *SETTINGS, *settings]) + "\n"

    def _spawn(self, id):
        libs = os.environ["KAFKA_LIBS"]
        command = ["java", "-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                   "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-cp", f"{libs}/*",
                   "kafka.Kafka", str(self._folder(id) / "server.properties")]
        with open(self._folder(id) / "said", "ab") as said:
            self.processes[id] = subprocess.Popen(command, stdout=said, stderr=said)
        self.nodes[id].pid = self.processes[id].pid

    def _await(self, id):
        host, port = self.nodes[id].bootstrap.split(":")
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
                return
            if time.monotonic() > deadline or self.processes[id].poll() is not None:
                raise SystemExit((self._folder(id) / "said").read_text()[-2000:])
            time.sleep(0.02)

    def start(self, id):
        """Starts a broker that was killed; returns once its process runs."""
        self.processes[id].wait()
        self._spawn(id)

    def stop(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.folder.cleanup()


def free_ports(count):
    """Ports of loopback that nobody listens on."""
    # Below those that the system gives to whoever asks for any.
    held = []
    while len(held) < count:
        one = socket.socket()
        with contextlib.suppress(OSError):
            one.bind(("127.0.0.1", random.randrange(20000, 32000)))
            held.append(one)
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
