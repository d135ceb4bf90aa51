"""What TLS costs a server: REGISTERs over connections that stay, handshakes, and connections that say nothing.

Python is slow, but only the server's CPU and memory are looked at, as the kernel accounts for them.
"""
import os, select, signal, socket, ssl, subprocess, time

PORT = 5071
TICK = os.sysconf("SC_CLK_TCK")


def certificate(folder):
    """A certificate for this machine alone, of elliptic curves: as most have."""
    key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def kamailio(folder, cert, key):
    """The same server as in the other tables, with TLS."""
    with open(f"{folder}/tls.cfg", "w") as file:
        file.write(f"[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = {key}\ncertificate = {cert}\n")
    with open(f"{folder}/kamailio.cfg", "w") as file:
        file.write(f'debug=0\nfork=yes\nenable_tls=yes\ndns=no\nlisten=tls:127.0.0.1:{PORT}\ntcp_connection_lifetime=3605\ntcp_max_connections=16384\n'
                   f'tls_max_connections=16384\nloadmodule "tls.so"\nloadmodule "sl.so"\nloadmodule "tm.so"\nloadmodule "pv.so"\nloadmodule "usrloc.so"\n'
                   f'loadmodule "registrar.so"\nmodparam("tls", "config", "{folder}/tls.cfg")\nmodparam("usrloc", "db_mode", 0)\n'
                   'request_route {\n\tif (!save("location")) sl_reply_error();\n}\n')
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


def registers(server, context, rate, seconds=5):
    """CPU for each of the REGISTERs that come so often, over twenty connections."""
    links = [connect(context) for _ in range(20)]
    for link in links:
        link.setblocking(False)
    sent = answered = 0
    began, before, end = time.perf_counter(), cpu(server), time.perf_counter() + seconds
    while answered < sent or time.perf_counter() < end:
        due = min(int((time.perf_counter() - began) * rate), int(seconds * rate))
        while sent < due:
            links[sent % len(links)].send(register(sent % 1000, sent // 1000 + 1))
            sent += 1
        for link in select.select(links, [], [], 0.001)[0]:
            try:
                answered += link.recv(65536).count(b"SIP/2.0 200")
            except ssl.SSLWantReadError:
                pass
        if time.perf_counter() > end + 5:
            break
    return (cpu(server) - before) / max(1, answered) * 1e6, answered


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


def measured(command, folder):
    with open(f"{folder}/server.log", "w") as log:
        server = subprocess.Popen(["taskset", "-c", "0", *command], stdout=log, stderr=log, start_new_session=True)
    try:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for _ in range(100):
            try:
                connect(context).close()
                break
            except OSError:
                time.sleep(0.1)
        each, answered = registers(server.pid, context, 2000)
        return each, answered, handshakes(server.pid, context), idle(server.pid, context)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def measure(folder, offhook, config):
    cert, key = certificate(folder)
    ours = config("tls", more=f'tls = ["127.0.0.1:{PORT}"]\n', rows=f'[tls]\ncertificate = "{cert}"\nprivate_key = "{key}"\n')
    commands = [[offhook, "--log-level", "warning", "serve", "--config", ours], kamailio(folder, cert, key)]
    us, them = (measured(command, folder) for command in commands)
    names = [("REGISTER, 2,000/s, µs of CPU each", 0), ("REGISTERs answered of 10,000", 1), ("handshake, µs of CPU each", 2), ("idle connection, octets each", 3)]
    return [(name, f"{us[at]:,.0f}", f"{them[at]:,.0f}", f"{us[at] / max(1, them[at]):.2f}") for name, at in names]
