#!/usr/bin/env python3
"""Goodput under overload: a server that may use a small part of one core, and SIPp asking for up to ten times what it can do.

    cargo build --release
    bench/overload/overload.py                     # needs root (a cgroup) and sipp; all kinds, half an hour
    bench/overload/overload.py --kinds invite-udp  # one kind: three minutes
    bench/overload/overload.py --kamailio          # the same for Kamailio with pipelimit, for comparison

What is measured is kept in bench/overload/measured.json, and docs/pictures/overload.svg is drawn from that; `--draw` draws only.
Only loopback is used. Everything that is started is ended.
"""

import argparse
import csv
import glob
import itertools
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SERVER, CALLEE = 25070, 25080
# By TCP so many callers with a connection each. By UDP one SIPp alone that asks for 40,000 a second reads answers half a second late and more, and asks
# again meanwhile what was answered long ago.
CALLERS = {"tcp": 10, "udp": 2}
TIMES = [0.5, 1, 2, 4, 10]
KINDS = ["invite-udp", "register-udp", "mix-udp", "invite-tcp", "register-tcp", "mix-tcp"]
MEASURED = os.path.join(HERE, "measured.json")
PICTURE = os.path.join(ROOT, "docs/pictures/overload.svg")
LATE = 1_000_000  # as the kernel counts it (some 1,280 for each datagram): so much waits only for a SIPp that is late
USERS = 50_000  # phones of the town
SETTLE = 5  # seconds until what is told counts; what happens in them is told apart
PORTS = itertools.count(26000 + int(time.time()) % 4000)
CGROUP = "/sys/fs/cgroup/cpu/offhook-overload"


def quota(percent):
    """A cgroup whose processes may use so much of one core."""
    os.makedirs(CGROUP, exist_ok=True)
    write = lambda name, value: open(f"{CGROUP}/{name}", "w").write(str(value))
    write("cpu.cfs_period_us", 100_000)
    write("cpu.cfs_quota_us", percent * 1000)
    return lambda: open(f"{CGROUP}/cgroup.procs", "w").write(str(os.getpid()))


def offhook(folder, enter):
    config = f"""
domains = ["example.test"]
[listen]
udp = ["127.0.0.1:{SERVER}"]
tcp = ["127.0.0.1:{SERVER}"]
[server]
shards = 1
[auth]
challenge = []
[store]
durability = "memory"
"""
    path = os.path.join(folder, "offhook.toml")
    open(path, "w").write(config)
    program = os.environ.get("OFFHOOK", os.path.join(ROOT, "target/release/offhook"))
    log = open(os.path.join(folder, "server.log"), "w")
    command = [program, "--log-level", "warning", "serve", "--config", path]
    return subprocess.Popen(command, preexec_fn=enter, stderr=log, stdout=log)


def kamailio(folder, enter, rate):
    path = os.path.join(folder, "kamailio.cfg")
    text = open(os.path.join(HERE, "kamailio.cfg")).read()
    text = text.replace("@SERVER@", str(SERVER)).replace("@CALLEE@", str(CALLEE)).replace("@RATE@", str(rate))
    open(path, "w").write(text)
    log = open(os.path.join(folder, "server.log"), "w")
    command = ["kamailio", "-DD", "-E", "-f", path, "-m", "256", "-Y", folder]
    return subprocess.Popen(command, preexec_fn=enter, stderr=log, stdout=log)


def wait_until_it_answers():
    options = (
        f"OPTIONS sip:127.0.0.1:{SERVER} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{{port}};branch=z9hG4bKo;rport\r\n"
        "From: <sip:a@example.test>;tag=1\r\nTo: <sip:example.test>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    ask(options, 60)


def register_callee(transport):
    ask(
        f"REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{{port}};branch=z9hG4bKr;rport\r\n"
        "From: <sip:callee@example.test>;tag=1\r\nTo: <sip:callee@example.test>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n"
        f"Contact: <sip:callee@127.0.0.1:{CALLEE};transport={transport}>\r\nExpires: 7200\r\nMax-Forwards: 70\r\n"
        "Content-Length: 0\r\n\r\n",
        60,
    )


def ask(text, seconds):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind(("127.0.0.1", 0))
        asker.settimeout(1)
        until = time.time() + seconds
        while time.time() < until:
            asker.sendto(text.format(port=asker.getsockname()[1]).encode(), ("127.0.0.1", SERVER))
            try:
                return asker.recv(4000)
            except (TimeoutError, ConnectionError):
                time.sleep(0.1)
    raise SystemExit("the server does not answer")


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def sipp(folder, arguments):
    command = ["sipp", "-nostdin", "-i", "127.0.0.1", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Asked:
    """What came of so many new things a second."""

    def __init__(self, begun, setups, seconds, late):
        self.begun, self.setups, self.seconds = begun, setups, seconds
        self.unread, self.lost = late

    def good(self, settle=SETTLE):
        """Set up in a second (a refusal has no set-up time)."""
        kept = [ms for at, ms in self.setups if at >= settle]
        return len(kept) / max(0.001, self.seconds - settle)

    def slow(self, settle=SETTLE, share=0.99):
        """How long it took but for one in a hundred, in milliseconds."""
        kept = sorted(ms for at, ms in self.setups if at >= settle)
        return kept[int(len(kept) * share)] if kept else 0


def ask_for(folder, kind, rate, seconds):
    """So many new things a second, for a while: what came of them."""
    scenarios, transport = kind
    callers, ports = [], []
    for old in itertools.chain.from_iterable(glob.glob(os.path.join(folder, f"{scenario}_*")) for scenario in scenarios):
        os.remove(old)
    count = CALLERS[transport]
    users = [phones(folder, nth, count) for nth in range(count)]
    try:
        for scenario in scenarios:
            for nth in range(count):
                each = max(1, round(rate / len(scenarios) / count))
                ports.append(next(PORTS))
                callers.append(sipp(
                    folder,
                    ["-sf", os.path.join(HERE, f"{scenario}.xml"), "-inf", users[nth], "-t", MODES[transport], "-r", str(each),
                     "-m", "10000000", "-l", "1000000", "-timeout", f"{seconds}s", "-timeout_error", "-trace_stat", "-fd", "1", "-trace_rtt", "-rtt_freq", "1",
                     "-buff_size", "4000000", "-p", str(ports[-1]), f"127.0.0.1:{SERVER}"],
                ))
        late = wait_for(callers, [*ports, CALLEE], seconds)
    finally:
        for caller in callers:
            end(caller)
    begun, setups = 0, []
    for scenario in scenarios:
        for path in glob.glob(os.path.join(folder, f"{scenario}_*_.csv")):
            begun += int(list(csv.DictReader(open(path), delimiter=";"))[-1]["TotalCallCreated"])
        for path in glob.glob(os.path.join(folder, f"{scenario}_*_rtt.csv")):
            for line in open(path):
                if ";" in line and line[0].isdigit():
                    at, took = line.split(";")[:2]
                    setups.append((float(at.replace(",", ".")) / 1000, float(took.replace(",", "."))))
    return Asked(begun, setups, seconds, late)


def phones(folder, nth, count):
    """A file with the phones of the town, from another one on for each caller."""
    path = os.path.join(folder, f"users{nth}.csv")
    first = USERS * nth // count
    with open(path, "w") as file:
        file.write("SEQUENTIAL\n" + "".join(f"u{(first + number) % USERS};\n" for number in range(USERS)))
    return path


def wait_for(callers, ports, seconds):
    """Waits for SIPp to end: how much waited by UDP for it to read while it called, at most, and how many datagrams it lost. What it does too late is not the
    server's."""
    began, unread, before, lost = time.time(), 0, {}, {}
    while any(caller.poll() is None for caller in callers):
        if time.time() > began + seconds + 30:
            raise SystemExit("SIPp does not end")
        if time.time() < began + seconds:
            for row in [line.split() for line in open("/proc/net/udp")][1:]:
                port = int(row[1].split(":")[1], 16)
                if port in ports:
                    unread = max(unread, int(row[4].split(":")[1], 16))
                    lost[port] = int(row[-1]) - before.setdefault(port, int(row[-1]))
        time.sleep(0.2)
    return unread, sum(lost.values())


MODES = {"udp": "u1", "tcp": "t1"}
SCENARIOS = {"invite": ["uac"], "register": ["reg"], "mix": ["uac", "reg"]}


def measure(arguments, name):
    """One kind: the knee, and what is done at each multiple of it."""
    enter = quota(arguments.quota)
    folder = tempfile.mkdtemp(prefix="overload-")
    what, transport = name.split("-")
    kind = (SCENARIOS[what], transport)
    start = lambda rate: kamailio(folder, enter, rate) if arguments.kamailio else offhook(folder, enter)
    server, callee = None, None
    result = {"quota": arguments.quota, "seconds": arguments.seconds, "rows": []}
    try:
        server = start(arguments.rate or 100_000)
        wait_until_it_answers()
        if "uac" in kind[0]:
            callee = sipp(folder, ["-sf", os.path.join(HERE, "uas.xml"), "-t", MODES[transport], "-p", str(CALLEE), "-buff_size", "4000000"])
            if not arguments.kamailio:
                register_callee(transport)
        knee = arguments.knee or find_knee(folder, kind)
        result["knee"] = knee
        if arguments.kamailio:
            # It is told what it can do; Offhook has to find out. With all that it can do as its limit nothing is left for the refusals.
            end(server)
            server = start(arguments.rate or round(knee * 0.8))
            wait_until_it_answers()
        rounds = [one_round(arguments, name, folder, kind, knee) for _ in range(arguments.rounds)]
        result["rows"] = [median(rows) for rows in zip(*(rows for rows, _ in rounds))]
        result["recovered"] = max(recovered for _, recovered in rounds)
    finally:
        for process in [callee, server]:
            if process:
                end(process)
        print(open(os.path.join(folder, "server.log")).read()[-600:])
        shutil.rmtree(folder)
    return result


def one_round(arguments, name, folder, kind, knee):
    """What is done at each multiple of the knee, also in hundredths of the best of this round; and the seconds after which all is well."""
    rows, recovered = [], 0
    for times in arguments.times:
        asked = ask_for(folder, kind, knee * times, arguments.seconds)
        row = {"times": times, "asked": asked.begun / arguments.seconds, "good": asked.good(), "half": asked.slow(share=0.5), "slow": asked.slow(),
               "good_first": len([1 for at, _ in asked.setups if at < SETTLE]) / SETTLE, "slow_all": asked.slow(0)}
        rows.append(row)
        print(f"{name} {times} times {knee:.0f}/s: {row['asked']:.0f}/s asked for, {row['good']:.0f}/s done "
              f"({row['good_first']:.0f}/s in the first {SETTLE} s), half within {row['half']:.0f} ms, 99 of 100 within {row['slow']:.0f} ms "
              f"({row['slow_all']:.0f} ms with the first {SETTLE} s)", flush=True)
        if asked.lost or asked.unread > LATE:
            print(f"  SIPp itself was late: up to {asked.unread // 1280:,} datagrams waited for it, and it lost {asked.lost:,}", flush=True)
        if times == max(TIMES):
            recovered = recovery(folder, kind, knee / 2)
            print(f"  half of the knee right after that: all are served after {recovered:.0f} s", flush=True)
        time.sleep(arguments.pause)
    best = max(row["good"] for row in rows)
    for row in rows:
        row["share"] = 100 * row["good"] / best
    print("  of the best: " + ", ".join(f"{row['share']:.0f} %" for row in rows), flush=True)
    return rows, recovered


def median(rows):
    """One row of many. What a machine can do changes from minute to minute, so shares are those of the rounds, and not of the medians."""
    row = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return row | {"shares": sorted(round(row["share"]) for row in rows)}


def recovery(folder, kind, rate):
    """Seconds from the end of the load until as much is served as is asked for."""
    asked = ask_for(folder, kind, rate, 10)
    served = [sum(1 for at, _ in asked.setups if second <= at < second + 1) for second in range(10)]
    bad = [second for second in range(1, 9) if served[second] < rate * 0.95]
    return max(bad, default=0) + 1


def find_knee(folder, kind):
    """The highest rate at which nearly all are served."""
    low, high, rate = 0, None, 200
    while high is None or high - low > low / 12:
        asked = ask_for(folder, kind, rate, 6)
        served, slow = asked.good(1), asked.slow(1)
        print(f"  {rate:.0f}/s: {served:.0f}/s, 99 of 100 within {slow:.0f} ms", flush=True)
        time.sleep(3)
        if served > rate * 0.95 and slow < 400:
            low = rate
        else:
            high = rate
        rate = rate * 2 if high is None else (low + high) / 2
        if high is not None and high < 10:
            raise SystemExit("too slow to be measured")
    return low


def keep(server, name, result):
    everything = json.load(open(MEASURED)) if os.path.exists(MEASURED) else {}
    everything.setdefault(server, {})[name] = result
    with open(MEASURED, "w") as file:
        json.dump(everything, file, indent=1, sort_keys=True)
        file.write("\n")


COLOURS = {"invite-udp": "#0b6", "register-udp": "#06c", "mix-udp": "#c60", "invite-tcp": "#084", "register-tcp": "#048", "mix-tcp": "#840"}


def draw():
    """The picture: what is done, in hundredths of the best, over what is asked for, in multiples of the knee."""
    everything = json.load(open(MEASURED))
    wide, high, left, top = 790, 380, 60, 40
    across = lambda times: left + (wide - left - 240) * TIMES.index(times) / (len(TIMES) - 1)
    down = lambda share: top + (high - top - 50) * (1 - share / 110)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">',
           f'<rect width="{wide}" height="{high}" fill="white"/>',
           f'<text x="{left}" y="20" font-size="14">Served, in % of the best, when more is asked for than can be done</text>']
    for share in range(0, 101, 20):
        out.append(f'<path d="M{left} {down(share):.0f}H{across(10):.0f}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{down(share) + 4:.0f}" text-anchor="end">{share}</text>')
    out.append(f'<path d="M{left} {down(90):.0f}H{across(10):.0f}" stroke="#c00" stroke-dasharray="2 4"/>')
    for times in TIMES:
        out.append(f'<text x="{across(times):.0f}" y="{high - 30}" text-anchor="middle">{times:g}x</text>')
    out.append(f'<text x="{across(2):.0f}" y="{high - 10}" text-anchor="middle">asked for, in multiples of what can be done</text>')
    lines = [(server, name, everything[server][name]) for server in ["offhook", "kamailio"] for name in KINDS if name in everything.get(server, {})]
    for place, (server, name, result) in enumerate(lines):
        best = max(row["good"] for row in result["rows"])
        points = [(across(row["times"]), down(row.get("share", 100 * row["good"] / best))) for row in result["rows"]]
        path = "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in points)
        dashed = ' stroke-dasharray="6 4"' if server == "kamailio" else ""
        out.append(f'<path d="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"{dashed}/>')
        y = top + 14 + 20 * place
        out.append(f'<path d="M{wide - 225} {y - 4}h26" stroke="{COLOURS[name]}" stroke-width="2"{dashed}/>'
                   f'<text x="{wide - 193}" y="{y}">{server} {name} ({best:.0f}/s)</text>')
    out.append("</svg>")
    open(PICTURE, "w").write("\n".join(out) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quota", type=int, default=5, help="percent of one core")
    parser.add_argument("--seconds", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=1, help="how often all multiples are asked for, in turn; medians count")
    parser.add_argument("--pause", type=int, default=4, help="seconds between two loads")
    parser.add_argument("--knee", type=float, help="what can be done, if that is known")
    parser.add_argument("--times", type=lambda text: [float(part) for part in text.split(",")], default=TIMES)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--kamailio", action="store_true")
    parser.add_argument("--rate", type=int, help="Kamailio's pipelimit, if not four fifths of the knee")
    parser.add_argument("--draw", action="store_true", help="draw what was measured, and no more")
    arguments = parser.parse_args()
    if not arguments.draw:
        for name in arguments.kinds.split(","):
            keep("kamailio" if arguments.kamailio else "offhook", name, measure(arguments, name))
    draw()
