"""What the benchmarks share: running commands, looking at processes, medians and ratios."""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
VELO = os.environ.get("VELO", str(ROOT / "target/release/velo"))
BEFORE = os.environ.get("BEFORE")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
TICKS = os.sysconf("SC_CLK_TCK")


def java(main_class, *arguments):
    """The command line of one of Apache Kafka's own tools, with the heap its shell scripts give it."""
    libs = os.environ["KAFKA_LIBS"]
    return ["java", "-Xmx512M", "-server", "-XX:+UseG1GC", "-cp", f"{libs}/*", main_class, *map(str, arguments)]


def run(command, **options):
    """Runs a command to its end and returns its stdout; a failure ends the benchmark with what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def timed(command, stdin=None, stdout=subprocess.DEVNULL, code=0):
    """Wall seconds of a command that must end with that exit code."""
    start = time.monotonic()
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run(list(map(str, command)), stdin=source, stdout=stdout, stderr=subprocess.PIPE)
    seconds = time.monotonic() - start
    if done.returncode != code:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}: {done.stderr.decode()}")
    return seconds


class Server:
    """A broker to measure: its name, bootstrap address, process, and the folder of its logs."""

    def __init__(self, name, bootstrap, pid, logs=None):
        self.name, self.bootstrap, self.pid, self.logs = name, bootstrap, int(pid), logs

    def cpu_seconds(self):
        """User and system seconds of the process since its start."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def shared_mib(self):
        """Memory now, in MiB, where pages that several processes have in common count in equal parts."""
        return self._mib("smaps_rollup", "Pss:")

    def resident_mib(self):
        """Resident memory now, in MiB."""
        return self._mib("status", "VmRSS:")

    def _mib(self, file, field):
        for line in pathlib.Path(f"/proc/{self.pid}/{file}").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        raise SystemExit(f"no memory figure for process {self.pid}")


class Classroom(Server):
    """Our own cluster, in a folder that goes with it; broker settings as name=value. `velo` is the binary."""

    def __init__(self, *settings, velo=VELO, name="velo"):
        self.folder = tempfile.TemporaryDirectory()
        command = [velo, "cluster", "start", "--foreground", "--port", "0", "--data", self.folder.name]
        for setting in settings:
            command += ["--set", setting]
        self.spawned_ns = time.time_ns()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = self.process.stdout.readline().split()
        super().__init__(name, ready[1], self.process.pid, self.folder.name)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.folder.cleanup()


def apache():
    """The Apache Kafka that scripts/dev/real-kafka runs us with."""
    if "VELO_TEST_KAFKA" not in os.environ:
        raise SystemExit("run as: scripts/dev/real-kafka scripts/dev/bench/NAME")
    names = ["VELO_TEST_KAFKA", "VELO_TEST_KAFKA_PID", "VELO_TEST_KAFKA_LOGS"]
    return Server("apache", *(os.environ[name] for name in names))


def peer():
    """What ours is measured beside: an older build of ours (BEFORE=BINARY), or else Apache Kafka."""
    return Classroom(velo=BEFORE, name="before") if BEFORE else apache()


def stop(*servers):
    """Stops those of the servers that were started here."""
    for server in servers:
        if isinstance(server, Classroom):
            server.stop()


def create_topic(server, name, partitions=1):
    run([VELO, "--bootstrap-server", server.bootstrap, "topic", "create", name, "--partitions", partitions])


def partitions_of(server, group):
    """What `velo group describe` tells of the partitions of a group; nothing before it has committed anything."""
    command = [VELO, "-b", server.bootstrap, "group", "describe", group, "-o", "json"]
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode != 0:
        return []
    return [one for found in json.loads(told.stdout) for one in found["partitions"]]


def report(title, ours, theirs, unit, digits=0):
    """Prints the medians of two lists measured in turn, and the median of their ratios pair by pair."""
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print(
        f"{title:44} velo {statistics.median(ours):12,.{digits}f} {unit:6} "
        f"peer {statistics.median(theirs):12,.{digits}f} {unit:6} ratio {ratio:.3f}",
        flush=True,
    )
    return ratio
