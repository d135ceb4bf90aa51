"""What TLS costs a server: REGISTERs and calls over connections that stay, handshakes, and connections that say nothing. And what comes by TCP over
such connections, at the highest rate.

REGISTERs and calls come from `load` (bench/src/load). The rest is Python's, which is slow; but only the server's CPU and memory are looked
at, as the kernel accounts for them.
"""
import contextlib, json, os, signal, socket, ssl, statistics, subprocess, time

PORT, PLAIN = 5071, 5070
TICK = os.sysconf("SC_CLK_TCK")


def certificate(folder):
    """A certificate for this machine alone, of elliptic curves: as most have."""
    key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


SCRIPT = """
tcp_connection_lifetime=3605
tcp_max_connections=16384
tls_max_connections=16384
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "hash_size", 14)
modparam("rr", "enable_full_lr", 0)
modparam("registrar", "append_branches", 0)
"""
# What ours does, as in the script of the other tables.
ROUTE = """
request_route {
	if (!mf_process_maxfwd_header("10")) exit;
	if (is_method("OPTIONS")) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (is_method("REGISTER")) {
		if (!save("location")) sl_reply_error();
		exit;
	}
	if (has_totag()) {
		if (loose_route()) t_relay();
		exit;
	}
	if (is_method("ACK")) exit;
	t_check_trans();
	record_route();
	if (!lookup("location")) {
		sl_send_reply("404", "Not Found");
		exit;
	}
	if (!t_relay()) sl_reply_error();
}
"""


def kamailio(folder, cert, key):
    """The same server as in the other tables, with TLS."""
    with open(f"{folder}/tls.cfg", "w") as file:
        file.write(f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = {key}\ncertificate = {cert}\n")
    with open(f"{folder}/kamailio.cfg", "w") as file:
        file.write(f"debug=0\nfork=yes\nenable_tls=yes\ndns=no\nlisten=tls:127.0.0.1:{PORT}\nlisten=tcp:127.0.0.1:{PLAIN}\n{SCRIPT}"
                   f'modparam("tls", "config", "{folder}/tls.cfg")\n{ROUTE}')
    modules = os.environ.get("KAMAILIO_MODULES", "/usr/lib/x86_64-linux-gnu/kamailio/modules/")
    return [os.environ.get("KAMAILIO_BIN", "/usr/sbin/kamailio"), "-DD", "-E", "-L", modules, "-f", f"{folder}/kamailio.cfg", "-n", "1", "-N", "1", "-m", "2048",
            "-M", "16", "-x", "fm", "-X", "fm", "-P", f"{folder}/kamailio.pid", "-Y", folder]


def family(root):
    """A process and all its descendants."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = int(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    members, todo = [], [root]
    while todo:
        one = todo.pop()
        members.append(one)
        todo += [child for child, parent in parents.items() if parent == one]
    return members


def cpu(root):
    """Seconds of CPU of all its processes."""
    fields = (open(f"/proc/{one}/stat").read().rsplit(")", 1)[1].split() for one in family(root))
    return sum(int(row[11]) + int(row[12]) for row in fields) / TICK


def memory(root):
    """Octets of all its processes, what they share counted once."""
    rows = (open(f"/proc/{one}/smaps_rollup").read() for one in family(root))
    return 1024 * sum(int(line.split()[1]) for row in rows for line in row.splitlines() if line.startswith("Pss:"))


def connect(context, source="127.0.0.1"):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", PORT), source_address=(source, 0)))


def register(user, cseq):
    return (f"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:6000;branch=z9hG4bK{user}.{cseq}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:u{user}@127.0.0.1>;tag=f{user}\r\nTo: <sip:u{user}@127.0.0.1>\r\nCall-ID: {user}@tls\r\nCSeq: {cseq} REGISTER\r\n"
            f"Contact: <sip:u{user}@127.0.0.1:6000;transport=tls>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n").encode()


def load(server, program, work, rate, seconds=5, by=("tls", PORT)):
    """CPU for each REGISTER or call, when so many a second are asked for over twenty connections; and the share that was done in time: the generator waits for
    the last of them for three seconds more, in which a server that is behind could catch up."""
    generator = subprocess.Popen(["nice", "-n", "-20", "taskset", "-c", "1", program, work[0], by[0], f"127.0.0.1:{by[1]}", str(rate), str(seconds), str(work[1])], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
    if generator.stdout.readline() != "ready\n":
        return float("nan"), 0
    before, began = cpu(server), time.monotonic()
    generator.stdin.write("\n")
    generator.stdin.flush()
    found = json.loads(generator.stdout.readline())
    in_time = time.monotonic() - began < seconds + 0.3
    generator.wait()
    return (cpu(server) - before) / max(1, found["done"]) * 1e6, in_time * found["done"] / max(1, found["asked"])


def highest(server, program, work, rate, by=("tls", PORT)):
    """The highest rate of which no more than one in a thousand is left undone: found in large steps, and then in steps of a tenth. Each has two chances,
    for the machine stands still now and then."""
    def is_done(rate):
        # What a flood of a moment ago leaves out is over by then: nobody repeats what a stream has carried.
        time.sleep(4)
        return load(server, program, work, rate, 3, by)[1] >= 0.999

    for step in (1.4, 1.1):
        while any(is_done(rate * step) for _ in range(2)):
            rate *= step
    return rate


def handshakes(server, context, count=2000):
    before = cpu(server)
    for _ in range(count):
        connect(context).close()
    return (cpu(server) - before) / count * 1e6


def idle(server, context, count=10_000):
    """Octets for each connection that has registered somebody once and says nothing more."""
    before, links = memory(server), []
    for user in range(count):
        # No server should take so many from one address.
        link = connect(context, f"127.0.0.{2 + user // 1000}")
        link.sendall(register(user, 1))
        link.recv(65536)
        links.append(link)
    time.sleep(2)
    each = (memory(server) - before) / count
    for link in links:
        link.close()
    return each


@contextlib.contextmanager
def running(command, folder):
    """A server, and how to connect to it."""
    with open(f"{folder}/server.log", "w") as log:
        server = subprocess.Popen(["nice", "-n", "-20", "taskset", "-c", "0", *command], stdout=log, stderr=log, start_new_session=True)
    try:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for _ in range(100):
            try:
                connect(context).close()
                break
            except OSError:
                time.sleep(0.1)
        yield server.pid, context
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def measured(command, folder, program):
    with running(command, folder) as (server, context):
        # Memory first: what a flood has needed is given back for a while.
        waits = [handshakes(server, context), idle(server, context)]
        fixed = [load(server, program, work, rate)[0] for work, rate in FIXED]
        most = [highest(server, program, work, rate) for work, rate in ((REGISTER, 10000), (CALL, 1500))]
        return [*fixed, *most, *waits]


# What is asked for, and how many users there are.
OPTIONS, REGISTER, MANY, CALL = ("options", 1000), ("register", 1000), ("register", 100_000), ("call", 1000)
FIXED = [(REGISTER, 2000), (REGISTER, 10000), (CALL, 500), (CALL, 1400)]
ROWS = ["REGISTER, 2,000/s, µs of CPU each", "REGISTER, 10,000/s, µs of CPU each", "call, 500/s, µs of CPU each", "call, 1,400/s, µs of CPU each",
        "REGISTER, highest rate", "call, highest rate", "handshake, µs of CPU each", "idle connection, octets each"]


def commands(folder, offhook, config):
    cert, key = certificate(folder)
    ours = config("tls", more=f'tls = ["127.0.0.1:{PORT}"]\n', rows=f'[tls]\ncertificate = "{cert}"\nprivate_key = "{key}"\n')
    return [[offhook, "--log-level", "warning", "serve", "--config", ours], kamailio(folder, cert, key)]


PLAIN_ROWS = [("OPTIONS", OPTIONS, 40000), ("REGISTER, 1,000 users", REGISTER, 40000), ("REGISTER, 100,000 users", MANY, 40000), ("call", CALL, 4000)]


def plain(folder, offhook, program, config, repeat):
    """The highest rates by TCP, the two servers in turn: medians."""
    found = {}
    for _ in range(repeat):
        for who, command in enumerate(commands(folder, offhook, config)):
            for name, work, rate in PLAIN_ROWS:
                with running(command, folder) as (server, _):
                    found.setdefault((name, who), []).append(highest(server, program, work, rate, ("tcp", PLAIN)))
    rows = []
    for name, *_ in PLAIN_ROWS:
        us, them = (found[name, who] for who in range(2))
        ratios = [mine / theirs for mine, theirs in zip(us, them)]
        rows.append((name, f"{statistics.median(us):,.0f}", f"{statistics.median(them):,.0f}", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"))
    return rows


def measure(folder, offhook, program, config):
    us, them = (measured(command, folder, program) for command in commands(folder, offhook, config))
    return [(name, f"{mine:,.0f}", f"{theirs:,.0f}", f"{mine / max(1, theirs):.2f}") for name, mine, theirs in zip(ROWS, us, them)]
