"""What holds a shard up: the longest of its turns while there is half as much to do as it can, and meanwhile the metrics are read, the config is
read again and every REGISTER goes to the disk. The server's own histogram of turns is read before and after; what comes waits for one turn and one nap.

A turn is long because the shard works, because another thread of this machine has the core, or because the machine itself stands still: its owner has
given the core to somebody else. `perf` tells them apart (it wants the kernel's tracing, /sys/kernel/tracing): it notes when a turn begins and
ends (epoll_pwait2 returns, and the next pause is asked for), when the kernel takes the thread off the core, and, each 100 µs of a running thread, that it
runs. A machine that stands still notes nothing. And before it all a program that only looks at the clock has the core to itself.
"""
import json, os, re, signal, subprocess, sys, tempfile, time, urllib.request

CONSOLE = "127.0.0.1:5079"
LISTEN = f'console = "{CONSOLE}"\n'
CALLS = int(os.environ.get("CALLS", "7000"))  # less than half of what it can
SECONDS = int(os.environ.get("SECONDS", "20"))
BUCKET = re.compile(r'offhook_shard_turn_seconds_bucket\{.*le="([^"]+)".*\} (\d+)')


def scrape():
    return urllib.request.urlopen(f"http://{CONSOLE}/metrics", timeout=5).read().decode()


def alone(core, command, **more):
    """Starts a program on one core, in a session of its own that goes before all others."""
    process = subprocess.Popen(["nice", "-n", "-20", "taskset", "-c", str(core), *command], start_new_session=True, **more)
    try:
        with open(f"/proc/{process.pid}/autogroup", "w") as file:
            file.write("-20")
    except OSError:
        pass
    return process


def turns():
    """How many turns took at most so long, in seconds: the shards of a server together."""
    found = {}
    for line in scrape().splitlines():
        if match := BUCKET.match(line):
            found[float(match[1])] = found.get(float(match[1]), 0) + int(match[2])
    return found


def within(before, after, share):
    """The bound in ms that a share of the turns kept to."""
    counts = sorted((bound, count - before.get(bound, 0)) for bound, count in after.items())
    return next(1000 * bound for bound, count in counts if count >= share * counts[-1][1])


def spin(seconds):
    """A program that has the first core to itself and looks at the clock: the times, in ms, at which it did not get to look for longer than 0.5 ms, and how
    much of each it was the kernel that had another thread on the core."""
    program = """
import gc, os, sys, time
gc.disable()
def waited():
    return int(open("/proc/self/schedstat").read().split()[1])
end = time.perf_counter_ns() + int(sys.argv[1]) * 10**9
before, last = waited(), time.perf_counter_ns()
while last < end:
    now = time.perf_counter_ns()
    if now - last > 500_000:
        after = waited()
        print((now - last) / 1e6, (after - before) / 1e6)
        before, now = after, time.perf_counter_ns()
    last = now
"""
    spinning = alone(0, [sys.executable, "-c", program, str(seconds)], stdout=subprocess.PIPE, text=True)
    lines = spinning.communicate()[0].splitlines()
    return sorted((tuple(map(float, line.split())) for line in lines), reverse=True)


class Turns:
    """Every turn of one thread while it lives: how long it took, and who had the core, all in ms."""
    EACH = 100  # µs of a running thread between two notes
    BEGINS, ENDS = "sys_exit_epoll_pwait2", ("sys_enter_epoll_pwait2", "sys_enter_clock_nanosleep")

    def __init__(self, thread, seconds):
        self.file = tempfile.NamedTemporaryFile(prefix="turns-")
        events = [f"cpu-clock/period={1000 * self.EACH}/", *(f"syscalls:{name}" for name in (self.BEGINS, *self.ENDS))]
        # On the other core than the server's, and with room for all that it will be told: it may sleep until the end.
        self.perf = alone(1, ["perf", "record", "-q", "-m", "64M", "-o", self.file.name, "-t", str(thread), "--switch-events",
                                      *(word for event in events for word in ("-e", event)), "--", "sleep", str(seconds)], stderr=subprocess.DEVNULL)

    def read(self):
        """Lists of (all, our own work, others' on this machine, nobody's)."""
        self.perf.wait()
        text = subprocess.run(["perf", "script", "-i", self.file.name, "--show-switch-events", "-F", "time,event", "--ns"], capture_output=True, text=True).stdout
        turns, began, off = [], None, None
        for line in text.splitlines():
            at, what = line.split(":", 1)
            at, what = float(at) * 1000, what.strip()
            if self.BEGINS in what:
                began, notes, others = at, 0, 0.0
            elif began is None:
                continue
            elif any(name in what for name in self.ENDS):
                own = min(notes * self.EACH / 1000, at - began - others)
                turns.append((at - began, own, others, at - began - others - own))
                began = None
            elif "cpu-clock" in what:
                notes += 1
            elif "SWITCH OUT" in what:
                off = at
            elif "SWITCH IN" in what and off:
                others += at - off
                off = None
        return sorted(turns, reverse=True)


def shard(process):
    """The thread of the only shard."""
    tasks = f"/proc/{process.pid}/task"
    return next(task for task in os.listdir(tasks) if open(f"{tasks}/{task}/comm").read().startswith("shard"))


def served(server):
    """A server on the first core that serves; and its turns so far."""
    process = alone(0, server, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            return process, turns()
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit("the server does not answer")


def ended(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def held(server, sipload, rate, seconds):
    """What the generator says of calls of which each lasts so long, once as many stand as will."""
    process, _ = served(server)
    try:
        words = ["--workload", "invite", "--rate", rate, "--users", 1000, "--secs", 5, "--warmup", seconds + 1, "--hold-ms", int(1000 * seconds), "--server-pid", process.pid]
        return json.loads(alone(1, [sipload, "--target", "127.0.0.1:5070", *map(str, words)], stdout=subprocess.PIPE, text=True).communicate()[0].splitlines()[-1])
    finally:
        ended(process)


def delays(offhook, load, config):
    """A row for each rate and longest nap: how long an INVITE took from when it was due until who is called had it, the generator and the kernel included."""
    rows = []
    for nap in (250, 0):
        for rate in (CALLS // 2, CALLS):
            gaps = spin(SECONDS)
            path = config(f"delays{nap}", more=LISTEN, server=f"nap = {nap}\n")
            process, _ = served([offhook, "--log-level", "warning", "serve", "--config", path])
            try:
                generator = alone(1, [load, "call", "udp", "127.0.0.1:5070", str(rate), str(SECONDS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                found = json.loads(generator.communicate("\n")[0].splitlines()[-1])
            finally:
                ended(process)
            times = (f"{found[key] / 1000:.2f} ms" for key in ("p50_us", "p99_us", "p999_us", "max_us"))
            rows.append((f"{rate:,}", f"{nap} µs", *times, f"{gaps[0][0] if gaps else 0.5:.1f} ms"))
            if found["done"] < found["asked"]:
                print(f"{rate}, nap {nap}: {found['done']} of {found['asked']}", file=sys.stderr)
    return rows


def one(server, sipload, load, disturb):
    """One server under one load; the bounds of 99.9 % of its turns and of all, and the turns as the kernel saw them."""
    process, before = served(server)
    try:
        seen = Turns(shard(process), SECONDS)
        generator = alone(1, [sipload, "--target", "127.0.0.1:5070", "--secs", str(SECONDS), *load], stdout=subprocess.DEVNULL)
        while generator.poll() is None:
            time.sleep(0.5)
            disturb(process)
        if generator.returncode:
            sys.exit(f"the generator ended with {generator.returncode}")
        after = turns()
        return within(before, after, 0.999), within(before, after, 1), seen.read()
    finally:
        ended(process)


def measure(offhook, sipload, config):
    """A row for each load and disturbance."""
    register = ["--workload", "register", "--rate", "30000", "--users", "100000"]
    call = ["--workload", "invite", "--rate", str(CALLS), "--users", "1000"]
    loads = [
        (f"{CALLS:,} calls a second", call, "memory", lambda _: None),
        ("the same, metrics read twice a second", call, "memory", lambda _: scrape()),
        ("the same, the config read again twice a second", call, "memory", lambda process: process.send_signal(signal.SIGHUP)),
        ("30,000 REGISTERs a second, each on the disk", register, "grouped", lambda _: None),
        ("30,000 REGISTERs a second, all three at once", register, "grouped", lambda process: (scrape(), process.send_signal(signal.SIGHUP))),
    ]
    rows = []
    for number, (name, load, durability, disturb) in enumerate(loads):
        gaps = spin(SECONDS)
        still = max((gap - others for gap, others in gaps), default=0)
        rows.append(("nothing but a look at the clock", "", f"{gaps[0][0] if gaps else 0.5:.1f} ms", "", f"{max((others for _, others in gaps), default=0):.1f} ms", f"{still:.1f} ms"))
        path = config(f"pauses{number}", durability=durability, more=LISTEN)
        server = [offhook, "--log-level", "warning", "serve", "--config", path]
        usual, worst, seen = one(server, sipload, load, disturb)
        most = [max((turn[part] for turn in seen), default=0) for part in range(4)]
        rows.append((name, f"{usual:.3g} ms", f"{worst:.3g} ms", *(f"{part:.1f} ms" for part in most[1:])))
        for turn in seen[:5]:
            print(f"{name}: one of {turn[0]:.1f} ms, of which {turn[1]:.1f} work, {turn[2]:.1f} others, {turn[3]:.1f} nobody", file=sys.stderr)
    return rows
