#!/usr/bin/env python3
"""Offhook's telephone beside baresip: the same calls with sound, who has picked all of them up, CPU for each call.

  calls.py [COUNT [SECONDS [CODEC]]]     500 30 PCMA when nothing is said

The caller is the same for both, `examples/load.rs` of bin/offhook; LOAD names its program. CPU is the kernel's account of the process that was
called, while all calls are up: of one process of Offhook, and of as many of baresip as it takes. Wants two cores that have nothing else to do.
"""
import atexit, math, os, re, resource, shutil, struct, subprocess, sys, tempfile, time, wave

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOAD = os.environ.get("LOAD", f"{ROOT}/target/release/examples/load")
# What one baresip 1.0.0 bears: an account has 255 lines (CALL_LINENUM_MAX), and the loop of all has room for descriptors below 1,024, of which a call
# takes three: RTP, RTCP, the file that it plays.
ACCOUNTS, MOST = ["load", "more"], 338
RATES = {"PCMA": 8000, "PCMU": 8000, "G722": 16000, "opus": 48000}
LEAD = 60  # seconds in which all calls come up: baresip hangs up when its file ends
TICKS = os.sysconf("SC_CLK_TCK")
BARESIP = """poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
call_local_timeout 120
call_max_calls 2000
call_hold_other_calls no
rtp_ports 40000-60000
audio_buffer 20-160
audio_source aufile,{tone}
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
module_path /usr/lib/baresip/modules
module stdio.so
module opus.so
module g722.so
module g711.so
module aufile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""


def used(pid):
    """CPU of a process so far, in seconds."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def tone(folder, rate, seconds):
    """A file of 440 Hz, as loud as ours."""
    second = struct.pack(f"<{rate}h", *(round(7250 * math.sin(2 * math.pi * 440 * at / rate)) for at in range(rate)))
    with wave.open(f"{folder}/tone.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(seconds):
            file.writeframes(second)
    return f"{folder}/tone.wav"


def baresip(codec, seconds, port):
    folder = tempfile.mkdtemp(prefix="calls-")
    atexit.register(shutil.rmtree, folder, True)
    name = {"PCMA": "PCMA/8000/1", "PCMU": "PCMU/8000/1", "G722": "G722/16000/1", "opus": "opus/48000/2"}[codec]
    with open(f"{folder}/config", "w") as file:
        # At the rate of the codec: it has nothing to convert. Its generator of tones has 48,000 samples a second and nothing else.
        rate = RATES[codec]
        file.write(BARESIP.format(port=port, rate=rate, tone=tone(folder, rate, seconds + LEAD)))
    with open(f"{folder}/accounts", "w") as file:
        file.writelines(f"<sip:{user}@127.0.0.1>;regint=0;answermode=auto;audio_codecs={name}\n" for user in ACCOUNTS)
    open(f"{folder}/contacts", "w").close()
    return ["baresip", "-4", "-f", folder]


def measure(name, callees, users, count, seconds, codec, held=0):
    """`callees`: a command for each port. All their users are called in turn, and what they use is added up. The sound that baresip reads into
    its memory, whole and for each call (`held`, in MB), is not counted."""
    quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(command, **quiet) for command in callees.values()]
    try:
        time.sleep(2)
        whom = ",".join(f"sip:{user}@127.0.0.1:{port}" for user in users for port in callees)
        call = [LOAD, "call", whom, str(count), str(seconds), codec]
        caller = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
        # It says when all calls are up.
        line = caller.stdout.readline()
        if not line.startswith("up"):
            return print(f"{name}: {line or 'no calls'}")
        before, began = sum(used(callee.pid) for callee in running), time.monotonic()
        time.sleep(seconds - 1)
        share = (sum(used(callee.pid) for callee in running) - before) / (time.monotonic() - began)
        memory, threads = -held * count, 0
        for callee in running:
            with open(f"/proc/{callee.pid}/status") as status:
                memory += int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024
            threads += len(os.listdir(f"/proc/{callee.pid}/task"))
        said = caller.communicate(timeout=120)[0].strip()
        print(f"| {name} | {len(running)} | {codec} | {count} | {1000 * share / count:.3f} ms | {100 * share:.0f} % | {memory:.0f} MB | {threads} | {said} |", flush=True)
    finally:
        for callee in running:
            callee.kill()
            callee.wait()


def main():
    # Four sockets a call, and a file.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count, seconds, codec = (sys.argv[1:] + ["500", "30", "PCMA"][len(sys.argv) - 1:])[:3]
    count, seconds = int(count), int(seconds)
    print("| who was called | processes | codec | calls | CPU a call and second | of one core | memory | threads | what the caller says |")
    print("|---|---|---|---|---|---|---|---|---|")
    measure("Offhook", {5070: [LOAD, "answer", "5070"]}, ["load"], count, seconds, codec)
    ports = [5072 + 10 * nth for nth in range(-(-count // MOST))]
    measure("baresip", {port: baresip(codec, seconds, port) for port in ports}, ACCOUNTS, count, seconds, codec, 2 * RATES[codec] * (seconds + LEAD) / 2**20)


main()
