#!/usr/bin/env python3
"""Offhook beside Kamailio under the same load on one machine, in one run: tables in Markdown, also into docs/performance.md, and pictures as SVG.

  beside.py all       everything below, one after another                    (an hour and a half)
  beside.py rates     fixed rates and highest rates, UDP and TCP            (45 minutes; HIGHEST=1 looks for each highest rate once and not three times)
  beside.py floor     what the kernel takes of them, whoever the server is    (5 minutes)
  beside.py tls       REGISTERs and calls over TLS, handshakes, idle connections (5 minutes; wants `cargo build --release -p offhook-bench`)
  beside.py tcp       OPTIONS, REGISTERs and calls over twenty TCP connections, highest rates (10 minutes a pair; wants the same)
  beside.py journal   REGISTER with every binding on the disk, and without   (1 minute)
  beside.py shards    one shard and two                                      (3 minutes)
  beside.py growth    CPU by how much there is: addresses, calls at once; and a curve (5 minutes)
  beside.py delays    how long an INVITE takes through the server             (1 minute; wants `cargo build --release -p offhook-bench`)
  beside.py pauses    the longest turns of a shard, disturbed in every way    (4 minutes; wants `perf` and the kernel's tracing)

The generator is that of ../shared/bench/signalling, or where SIGBENCH says; SIPLOAD names its program, SIPNULL the one beside it that answers and does
nothing else. Of the server the release build is taken, or what OFFHOOK names. Wants two cores that have nothing else to do: the server has one, the generator the other.
"""
import json, os, platform, re, shutil, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OFFHOOK = os.environ.get("OFFHOOK", f"{ROOT}/target/release/offhook")
SIGBENCH = os.environ.get("SIGBENCH", f"{ROOT}/../shared/bench/signalling")
REPEAT = int(os.environ.get("REPEAT", "3"))
HIGHEST = int(os.environ.get("HIGHEST", "3"))
FOLDER = tempfile.mkdtemp(prefix="beside-")

SIPLOAD = os.environ.get("SIPLOAD", f"{SIGBENCH}/loadgen/target/release/sipload")
SIPNULL = os.environ.get("SIPNULL", os.path.join(os.path.dirname(SIPLOAD), "sipnull"))

FIXED = [("invite", "udp", 2000), ("options", "udp", 30000), ("register", "udp", 10000), ("register-auth", "udp", 5000),
         ("redirect", "udp", 8000), ("invite", "tcp", 1400), ("options", "tcp", 21000), ("register", "tcp", 7000)]
# How many times Kamailio's highest rate we want, in the order of FIXED.
WANTED = [2.2, 1.7, 1.9, 1.9, 2.0, 2.5, 3, 3]
NAMES = {"invite": "call", "options": "OPTIONS", "register": "REGISTER refresh", "register-auth": "REGISTER with digest", "redirect": "INVITE, 302, ACK"}


def config(name, shards=1, durability="memory", rows="", challenge="[]", more="", server=""):
    """A config that does what Kamailio's does there: no more, and no less."""
    path = f"{FOLDER}/{name}.toml"
    with open(path, "w") as file:
        file.write(f'domains = ["127.0.0.1"]\n[listen]\nudp = ["127.0.0.1:5070"]\ntcp = ["127.0.0.1:5070"]\n{more}'
                   f'[server]\nshards = {shards}\n{server}[auth]\nchallenge = {challenge}\nalgorithms = ["MD5"]\nrealm = "127.0.0.1"\n'
                   f'[store]\ndurability = "{durability}"\nurl = "file:{FOLDER}/{name}"\n{rows}')
    return path


def ours(path, on=""):
    return ["--server", "ours", "--cmd", f"{on}{OFFHOOK} --log-level warning serve --config {path}"]


def users(count):
    return "".join(f'[[extension]]\nnumber = "u{n}"\npassword = "secret"\n' for n in range(count))


def elsewhere(count):
    return "".join(f'[[redirect]]\nuser = "u{n}"\nto = ["sip:u{n}@127.0.0.1:6000"]\n' for n in range(count))


PAGE = f"{ROOT}/docs/performance.md"
DAY = time.strftime("%-d %B %Y")

THEIRS = ["--server", "kamailio", "--malloc", "fm"]
# As Debian ships it: its allocator looks for faults.
AS_SHIPPED = ["--server", "kamailio"]


def bench(what, server, *more):
    """Runs the harness; its answers, one for each repeat."""
    command = [sys.executable, f"{SIGBENCH}/bench.py", what, *server, *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return rows


def spread(rows, key):
    """The median, and how far the others are from it."""
    numbers = [row[key] for row in rows if row.get(key) is not None]
    middle = statistics.median(numbers) if numbers else float("nan")
    far = max((abs(number - middle) for number in numbers), default=0)
    return middle, " ± ".join(f"{number:,.0f}" if number >= 100 else f"{number:.3g}" for number in (middle, far))


def machine():
    """Which one it is, and what else it had to do before it was measured."""
    model = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    load = open("/proc/loadavg").read().split()[0]
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}; load before: {load}."


def table(name, head, rows):
    """Prints a table, and writes it into the page where that keeps a place for it by this name: with the machine, and the day."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    print("", *lines, sep="\n", flush=True)
    page = open(PAGE).read()
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    if begin in page:
        before, rest = page.split(begin)
        after = rest[rest.index(end):]
        with open(PAGE, "w") as file:
            file.write("".join([before, begin, f"{MACHINE} {DAY}.\n\n", *(f"{line}\n" for line in lines), after]))


def both(workload):
    rows = {"register-auth": users(5000), "redirect": elsewhere(1001)}.get(workload, "")
    challenge = '["REGISTER"]' if workload == "register-auth" else "[]"
    count = ["--users", 5000] if workload == "register-auth" else []
    return [(ours(config(workload, rows=rows, challenge=challenge)), count), (THEIRS, count)]


def rates():
    found = []
    for workload, proto, rate in FIXED:
        runs = [bench("run", server, "--workload", workload, "--proto", proto, "--rate", rate, "--repeat", REPEAT, *more) for server, more in both(workload)]
        (us, we), (them, they) = (spread(run, "cpu_us_each") for run in runs)
        found.append((f"{NAMES[workload]}, {proto.upper()}, {rate:,}/s", we, they, f"{us / them:.2f}"))
    table("fixed", ["at a fixed rate, µs of CPU each", "Offhook", "Kamailio", "ratio"], found)
    found, calls = [], 0
    for (workload, proto, _), wanted in zip(FIXED, WANTED):
        # In turn, so that both see the same machine; what it can do changes by the minute.
        most = lambda pair: bench("max", pair[0], "--workload", workload, "--proto", proto, "--repeat", 1, *pair[1])[0]
        rounds = [[most(pair) for pair in both(workload)] for _ in range(HIGHEST)]
        ours_, theirs = zip(*rounds)
        ratios = sorted(us["max_rate"] / max(1, them["max_rate"]) for us, them in rounds)
        found.append((f"{NAMES[workload]}, {proto.upper()}", f"{median(ours_, 'max_rate'):,.0f}", f"{median(theirs, 'max_rate'):,.0f}", f"{statistics.median(ratios):.2f}", wanted,
                      f"{ratios[0]:.2f} to {ratios[-1]:.2f}", f"{median(ours_, 'cpu_us_each'):.3g}", f"{median(theirs, 'cpu_us_each'):.3g}"))
        if (workload, proto) == ("invite", "udp"):
            calls = int(median(theirs, "max_rate"))
    table("highest", ["highest rate on one core, each second", "Offhook", "Kamailio", "ratio", "wanted", "of all pairs", "µs each then", "Kamailio's"], found)
    with open(f"{ROOT}/docs/pictures/beside.svg", "w") as file:
        file.write(bars([(name, us, them, float(ratio)) for name, us, them, ratio, *_ in found]))
    dialogs = bench("max", THEIRS, "--workload", "invite-dialog", "--repeat", 1)[0]
    shipped = bench("max", AS_SHIPPED, "--workload", "invite", "--repeat", 1)[0]
    table("theirs", ["Kamailio's highest rate of calls by UDP", "each second", "µs each then"],
          [(name, f"{row['max_rate']:,}", row["cpu_us_each"]) for name, row in (("with dialog state", dialogs), ("with the allocator that Debian ships", shipped))])
    found = []
    for rate in (calls, calls // 2):
        for name, (server, more) in zip(("Offhook", "Kamailio"), both("invite")):
            rows = bench("run", server, "--workload", "invite", "--rate", rate, "--repeat", REPEAT, *more)
            found.append((name, f"{rate:,}", *(spread(rows, key)[1] for key in ("cpu_us_each", "p50_us", "p99_us"))))
    table("half", ["calls by UDP at Kamailio's highest rate, and half of it", "each second", "µs of CPU each", "µs until set up", "but for one in a hundred"], found)


def bars(rows):
    """How many times Kamailio's highest rate ours is: a bar for each work, and a line where both are equal."""
    wide = 380 / max(ratio for *_, ratio in rows)
    high = 50 + 26 * len(rows)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{high}" font-family="sans-serif" font-size="12">', f'<rect width="760" height="{high}" fill="white"/>',
             '<text x="10" y="20" font-size="14">The highest rate on one core: Offhook, in multiples of Kamailio</text>']
    for nth, (name, us, them, ratio) in enumerate(rows):
        y = 40 + 26 * nth
        lines += [f'<text x="170" y="{y + 13}" text-anchor="end">{name}</text>', f'<rect x="180" y="{y}" width="{wide * ratio:.0f}" height="18" fill="#06c"/>',
                  f'<text x="{188 + wide * ratio:.0f}" y="{y + 13}">{ratio:.2f} ({us}/s : {them}/s)</text>']
    lines.append(f'<path d="M{180 + wide:.0f} 34V{high - 10}" stroke="#c60" stroke-width="2"/>')
    return "\n".join(lines + ["</svg>\n"])


def median(rows, key):
    return statistics.median(row[key] for row in rows)


# Messages that come and go, in pairs: what a server cannot do with fewer.
PAIRS = {"invite": 6.5, "options": 1, "register": 1, "register-auth": 2, "redirect": 1.5}


def null(nap):
    return ["--server", "ours", "--cmd", f"{SIPNULL} --listen 127.0.0.1:5070 --batch 32 --nap-us {nap}"]


def floor():
    """A responder that reads in batches, answers in batches, copies five rows and keeps nothing, at as many messages a second: nobody can take less."""
    found = []
    for workload, proto, rate in FIXED:
        pairs = PAIRS[workload]
        # Naps cannot be told to its connections.
        naps = (0, 200) if proto == "udp" else (0,)
        runs = [bench("run", null(nap), "--workload", "options", "--proto", proto, "--rate", int(rate * pairs), "--repeat", REPEAT) for nap in naps]
        theirs = bench("run", THEIRS, "--workload", workload, "--proto", proto, "--rate", rate, "--repeat", REPEAT, *both(workload)[1][1])
        least = [pairs * spread(run, "cpu_us_each")[0] for run in runs]
        them, they = spread(theirs, "cpu_us_each")
        found.append((f"{NAMES[workload]}, {proto.upper()}, {rate:,}/s", f"{least[0]:.3g}", f"{least[1]:.3g}" if len(least) > 1 else "", they, f"{min(least) / them:.2f}"))
    table("least", ["at a fixed rate, µs of CPU each", "the least", "with naps of 200 µs", "Kamailio", "ratio of the least"], found)
    found = []
    for proto in ("udp", "tcp"):
        most = bench("max", null(0), "--workload", "options", "--proto", proto, "--repeat", 1)[0]
        found.append((proto.upper(), f"{most['max_rate']:,}", most["cpu_us_each"]))
    table("pairs", ["pairs of messages, nothing done", "highest rate", "µs each then"], found)


def journal():
    found = []
    for durability in ("memory", "grouped"):
        server = ours(config(durability, durability=durability))
        cpu = bench("run", server, "--workload", "register", "--rate", 10000, "--repeat", REPEAT)
        most = bench("max", server, "--workload", "register", "--repeat", 1)[0]["max_rate"]
        found.append((durability, spread(cpu, "cpu_us_each")[1], f"{most:,}"))
    table("journal", ["durability", "µs each at 10,000/s", "highest rate"], found)


def shards():
    found = []
    for workload, rate in (("options", 30000), ("invite", 2000)):
        alone = 0
        for count in (1, 2):
            # Both cores: the generator takes its share of one of them, so what is reached is a lower bound. What each costs then says what two whole cores could do.
            server = ours(config(f"shards{count}", shards=count), on="taskset -c 0-1 " if count > 1 else "")
            cpu = bench("run", server, "--workload", workload, "--rate", rate, "--repeat", REPEAT)
            most = [bench("max", server, "--workload", workload, "--repeat", 1)[0] for _ in range(REPEAT)]
            each, spread_of = spread(most, "cpu_us_each")
            alone = alone or each
            found.append((f"{NAMES[workload]}, {count} shard{'s' * (count > 1)}", spread(cpu, "cpu_us_each")[1], f"{max(one['max_rate'] for one in most):,}", spread_of,
                          f"{count * alone / each:.2f}"))
    table("shards", ["work", "µs each", "highest rate", "µs each then", "of one shard, if each had a core"], found)


def growth():
    sys.path.insert(0, HERE)
    import pauses as load
    curves = {"REGISTER by addresses": [], "call by calls at once": []}
    for count in (10_000, 100_000, 1_000_000):
        rows = bench("run", ours(config("growth")), "--workload", "register", "--rate", 5000, "--users", count, "--repeat", REPEAT)
        curves["REGISTER by addresses"].append((count, spread(rows, "cpu_us_each")[0]))
    for seconds in (0.1, 1, 10):
        server = [OFFHOOK, "--log-level", "warning", "serve", "--config", config("growth", more=load.LISTEN)]
        rows = [load.held(server, SIPLOAD, GROWTH, seconds) for _ in range(REPEAT)]
        curves["call by calls at once"].append((int(GROWTH * seconds), spread(rows, "cpu_us_each")[0]))
    for name, points in curves.items():
        table(name.split()[0].lower() + "-growth", [name, "µs of CPU each"], [(f"{x:,}", f"{y:.4g}") for x, y in points])
    with open(f"{ROOT}/docs/pictures/growth.svg", "w") as file:
        file.write(curve(curves))


# Calls a second, when it is looked what those cost that stand.
GROWTH = 1000


def curve(curves):
    """What one thing costs, by how much there is: a line a kind, both axes from zero, the lower one by orders of magnitude."""
    import math
    most = max(y for points in curves.values() for _, y in points) * 1.2
    place = lambda x, y: (60 + 90 * math.log10(max(1, x)), 240 - 200 * y / most)
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="640" height="300" font-family="sans-serif" font-size="12">',
             '<path d="M60 40V240H620" fill="none" stroke="#888"/>', f'<text x="8" y="44">{most:.0f} µs</text>', '<text x="44" y="244">0</text>']
    for power in range(2, 7):
        lines.append(f'<text x="{60 + 90 * power}" y="258" text-anchor="middle">{10 ** power:,}</text>')
    for (name, points), colour in zip(curves.items(), ("#06c", "#c60")):
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in (place(*point) for point in points))
        x, y = place(*points[-1])
        lines += [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', f'<text x="{x:.0f}" y="{y - 8:.0f}" fill="{colour}" text-anchor="end">{name}</text>']
    return "\n".join(lines + ["</svg>\n"])


def tls():
    sys.path.insert(0, HERE)
    import tls as load
    program = os.environ.get("LOAD", f"{ROOT}/target/release/load")
    found = load.measure(FOLDER, OFFHOOK, program, config)
    table("tls", ["TLS", "Offhook", "Kamailio", "ratio"], found)


def tcp():
    sys.path.insert(0, HERE)
    import tls as load
    program = os.environ.get("LOAD", f"{ROOT}/target/release/load")
    head = ["by TCP, over twenty connections that are full, each second", "Offhook", "Kamailio", "ratio", "of all pairs"]
    table("tcp", head, load.plain(FOLDER, OFFHOOK, program, config, HIGHEST))


def delays():
    sys.path.insert(0, HERE)
    import pauses as load
    program = os.environ.get("LOAD", f"{ROOT}/target/release/load")
    head = ["calls a second", "longest nap", "half of all", "99 of 100", "999 of 1,000", "the longest", "a look at the clock before, at most"]
    table("delays", head, load.delays(OFFHOOK, program, config))


def pauses():
    sys.path.insert(0, HERE)
    import pauses as load
    head = ["while there is", "99.9 % of the turns took at most", "all took at most", "the most work in one", "the most that others had the core", "the most that nobody had it"]
    table("pauses", head, load.measure(OFFHOOK, SIPLOAD, config))


EXPERIMENTS = {"rates": rates, "floor": floor, "tls": tls, "tcp": tcp, "journal": journal, "shards": shards, "growth": growth, "delays": delays, "pauses": pauses}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("all", *EXPERIMENTS):
        sys.exit(__doc__)
    MACHINE = machine()
    print(MACHINE, flush=True)
    try:
        for name, experiment in EXPERIMENTS.items():
            if sys.argv[1] in ("all", name):
                experiment()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
