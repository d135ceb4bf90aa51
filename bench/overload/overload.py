#!/usr/bin/env python3
"""Goodput under overload: a server that may use a small part of one core, and SIPp asking for up to ten times what it can do.

    cargo build --release
    bench/overload/overload.py                 # needs root (a cgroup), sipp; writes docs/pictures/overload.svg
    bench/overload/overload.py --kamailio      # the same for Kamailio with pipelimit, for comparison

Only loopback is used. Everything that is started is ended.
"""

import argparse
import csv
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SERVER, CALLEE = 25070, 25080
TIMES = [0.5, 1, 2, 4, 10]
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


def ask_for(folder, kind, rate, seconds):
    """So many new things a second, for a while: what came of them in each second, and how long set-up took (99 of 100)."""
    scenario, transport = kind
    for old in glob.glob(os.path.join(folder, f"{scenario}_*")):
        os.remove(old)
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    caller = sipp(
        folder,
        ["-sf", os.path.join(HERE, f"{scenario}.xml"), "-t", mode, "-r", str(max(1, round(rate))), "-m", "10000000",
         "-l", "1000000", "-timeout", f"{seconds}s", "-timeout_error", "-trace_stat", "-fd", "1", "-trace_rtt", "-rtt_freq", "10",
         "-buff_size", "4000000", "-p", str(26000 + int(time.time()) % 5000), f"127.0.0.1:{SERVER}"],
    )
    caller.wait(seconds + 30)
    rows = list(csv.DictReader(open(glob.glob(os.path.join(folder, f"{scenario}_*_.csv"))[0]), delimiter=";"))
    times = sorted(
        float(line.split(";")[1].replace(",", "."))
        for path in glob.glob(os.path.join(folder, f"{scenario}_*_rtt.csv"))
        for line in open(path)
        if ";" in line and line[0].isdigit()
    )
    return rows, times


def steady(rows, column, skip):
    """What was counted in a second, the first ones left out."""
    kept = rows[skip:-1] or rows[-2:]
    count = sum(int(row[column]) for row in kept)
    return count / max(1, len(kept))


def measure(arguments):
    enter = quota(arguments.quota)
    folder = tempfile.mkdtemp(prefix="overload-")
    results = {}
    try:
        for name in arguments.kinds.split(","):
            kind = {"invite-udp": ("uac", "udp"), "invite-tcp": ("uac", "tcp"), "register-udp": ("reg", "udp")}[name]
            knee = arguments.knee
            if arguments.kamailio:
                server = kamailio(folder, enter, arguments.rate)
            else:
                server = offhook(folder, enter)
            callee = None
            try:
                wait_until_it_answers()
                if kind[0] == "uac":
                    mode = {"udp": "u1", "tcp": "t1"}[kind[1]]
                    callee = sipp(folder, ["-sf", os.path.join(HERE, "uas.xml"), "-t", mode, "-p", str(CALLEE), "-buff_size", "4000000"])
                    if not arguments.kamailio:
                        register_callee(kind[1])
                knee = knee or find_knee(folder, kind, arguments.seconds)
                results[name] = (knee, [])
                for times in TIMES:
                    rows, setups = ask_for(folder, kind, knee * times, arguments.seconds)
                    good = good_put(rows, setups, arguments.seconds)
                    slow = setups[int(len(setups) * 0.99)] if setups else 0
                    results[name][1].append((times, knee * times, good, slow))
                    print(f"{name} {times} times {knee:.0f}/s: {good:.0f}/s, 99 of 100 within {slow:.0f} ms", flush=True)
                    time.sleep(6)
            finally:
                if callee:
                    callee.kill()
                    callee.wait()
                end(server)
                print(open(os.path.join(folder, "server.log")).read()[-600:])
    finally:
        shutil.rmtree(folder)
    return results


def good_put(rows, setups, seconds):
    """Calls that were set up (a refusal has no set-up time), a second."""
    return len(setups) / seconds


def find_knee(folder, kind, seconds):
    """The highest rate at which nearly all are served."""
    low, high = 0, None
    rate = 100
    while high is None or high - low > low / 12:
        rows, setups = ask_for(folder, kind, rate, 6)
        served = len(setups) / 6
        print(f"  {rate:.0f}/s: {served:.0f}/s", flush=True)
        time.sleep(3)
        if served > rate * 0.93 and setups[int(len(setups) * 0.99)] < 400:
            low = rate
        else:
            high = rate
        rate = rate * 2 if high is None else (low + high) / 2
        if high is not None and high < 10:
            raise SystemExit("too slow to be measured")
    return low


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quota", type=int, default=10, help="percent of one core")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--knee", type=float)
    parser.add_argument("--kinds", default="invite-udp,invite-tcp,register-udp")
    parser.add_argument("--kamailio", action="store_true")
    parser.add_argument("--rate", type=int, default=80, help="Kamailio's pipelimit")
    arguments = parser.parse_args()
    print(measure(arguments))
