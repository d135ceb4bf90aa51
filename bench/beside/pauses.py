"""What holds a shard up: the longest of its turns while there is half as much to do as it can, and meanwhile the metrics are read, the config is
read again and every REGISTER goes to the disk. The server's own histogram of turns is read before and after; what comes waits for one turn and one nap."""
import os, re, signal, subprocess, sys, time, urllib.request

CONSOLE = "127.0.0.1:5079"
SECONDS = 20
BUCKET = re.compile(r'offhook_shard_turn_seconds_bucket\{.*le="([^"]+)".*\} (\d+)')


def scrape():
    return urllib.request.urlopen(f"http://{CONSOLE}/metrics", timeout=5).read().decode()


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


def one(server, sipload, load, disturb):
    """One server under one load; the bounds of 99.9 % of its turns and of all."""
    process = subprocess.Popen(["nice", "-n", "-20", "taskset", "-c", "0", *server], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                before = turns()
                break
            except OSError:
                time.sleep(0.1)
        generator = subprocess.Popen(["nice", "-n", "-20", "taskset", "-c", "1", sipload, "--target", "127.0.0.1:5070", "--secs", str(SECONDS), *load], stdout=subprocess.DEVNULL)
        while generator.poll() is None:
            time.sleep(0.5)
            disturb(process)
        if generator.returncode:
            sys.exit(f"the generator ended with {generator.returncode}")
        after = turns()
        return within(before, after, 0.999), within(before, after, 1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def measure(offhook, sipload, config):
    """A row for each load and disturbance."""
    console = f'console = "{CONSOLE}"\n'
    register = ["--workload", "register", "--rate", "30000", "--users", "100000"]
    call = ["--workload", "invite", "--rate", "7000", "--users", "1000"]
    loads = [
        ("7,000 calls a second", call, "memory", lambda _: None),
        ("the same, metrics read twice a second", call, "memory", lambda _: scrape()),
        ("the same, the config read again twice a second", call, "memory", lambda process: process.send_signal(signal.SIGHUP)),
        ("30,000 REGISTERs a second, each on the disk", register, "grouped", lambda _: None),
        ("30,000 REGISTERs a second, all three at once", register, "grouped", lambda process: (scrape(), process.send_signal(signal.SIGHUP))),
    ]
    rows = []
    for number, (name, load, durability, disturb) in enumerate(loads):
        path = config(f"pauses{number}", durability=durability, more=console)
        server = [offhook, "--log-level", "warning", "serve", "--config", path]
        usual, worst = one(server, sipload, load, disturb)
        rows.append((name, f"{usual:.3g} ms", f"{worst:.3g} ms"))
    return rows
