"""A crowd of phones at two nodes of a cluster, over UDP: they register again and again, call each other, and hang up a few seconds later.

  crowd.py HERE MOVES STAYS REGISTERS CALLS SECONDS USERS

Half of them know the address MOVES alone, the others the node STAYS; each half calls among itself. REGISTERS and CALLS a second, by so many
users, the numbers from 1000 on. Says `ready` when all are registered and the load begins; `node` and `master` when it is time that one dies, and
reads that word when it did; `silent` when MOVES has not answered for a while; in the end, as JSON, what became of everything.
"""
import heapq
import json
import os
import re
import select
import socket
import sys
import time

from digest import credentials

HERE, MOVES, STAYS = sys.argv[1:4]
REGISTERS, CALLS, SECONDS, USERS = map(int, sys.argv[4:])
T1, GIVE_UP, TALK = 0.5, 32, 4
SDP = f"v=0\r\no=- 1 1 IN IP4 {HERE}\r\ns=-\r\nc=IN IP4 {HERE}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


def open_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((HERE, 0))
    sock.setblocking(False)
    return sock


sock = open_socket()
PORT = sock.getsockname()[1]
now = time.monotonic
alarms, waiting, answering = [], {}, {}
nonces = {}
count = 0
moments = {}
registers = {"stored": 0, "later": 0, "failed": 0, "slowest": 0.0}
stored_at = []
registering, sequences = set(), {}
calls = []
refused = {}


def number(user):
    return str(1000 + user)


def node(user):
    return MOVES if user % 2 else STAYS


def at(when, what, *more):
    global count
    count += 1
    heapq.heappush(alarms, (when, count, what, more))


def send(text, to):
    try:
        sock.sendto(text.encode(), to)
    except OSError:
        pass  # what a dead machine refuses


def field(message, name):
    found = re.search(rf"(?im)^{name}\s*:\s*(.*?)\r$", message)
    return found[1] if found else ""


class Request:
    """One transaction: repeated until somebody answers (RFC 3261 §17.1), then `done` is told what."""

    def __init__(self, build, to, done):
        global count
        count += 1
        self.branch = f"z9hG4bK{PORT}x{count}"
        self.text, self.to, self.done, self.began = build(self.branch), (to, 5060), done, now()
        self.rang = False
        waiting[self.branch] = self
        self.repeat(T1)

    def repeat(self, pause):
        if waiting.get(self.branch) is not self or self.rang:
            return
        if now() - self.began > GIVE_UP:
            del waiting[self.branch]
            return self.done(0, "")
        send(self.text, self.to)
        at(now() + pause, self.repeat, min(pause * 2, 4))

    def heard(self, status, answer):
        if status < 200:
            self.rang = True
            at(now() + GIVE_UP, self.nobody)
            return
        del waiting[self.branch]
        self.done(status, answer)

    def nobody(self):
        if waiting.pop(self.branch, None):
            self.done(0, "")


def proof(user, method, uri, header):
    known = nonces.get(user)
    if not known:
        return ""
    known[1] += 1
    return credentials(number(user), method, uri, known[0], known[1], header)


def learn(user, answer):
    nonces[user] = [re.search('nonce="([^"]+)"', answer)[1], 0]


class Registration:
    def __init__(self, user, done=lambda: None):
        self.user, self.done, self.began, self.tries = user, done, now(), 0
        # A phone has one REGISTER under way (RFC 3261 §10.2).
        if user not in registering:
            registering.add(user)
            self.ask()

    def ask(self):
        self.tries += 1
        sequences[self.user] = sequences.get(self.user, 0) + 1
        who, sequence = number(self.user), sequences[self.user]
        mine = proof(self.user, "REGISTER", "sip:example.test", "Authorization")
        Request(
            lambda branch: "REGISTER sip:example.test SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HERE}:{PORT};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{who}@example.test>;tag={who}\r\nTo: <sip:{who}@example.test>\r\nCall-ID: {who}@{PORT}\r\n"
            f"CSeq: {sequence} REGISTER\r\nContact: <sip:{who}@{HERE}:{PORT}>\r\nExpires: 600\r\n{mine}Content-Length: 0\r\n\r\n",
            node(self.user),
            self.heard,
        )

    def heard(self, status, answer):
        if status == 401 and self.tries < 9:
            learn(self.user, answer)
            self.ask()
        elif status == 503 and now() - self.began < GIVE_UP:
            registers["later"] += 1
            at(now() + 1, self.ask)
        else:
            took = now() - self.began
            if status == 200:
                registers["stored"] += 1
                registers["slowest"] = max(registers["slowest"], took)
                stored_at.append(now())
            else:
                registers["failed"] += 1
                refused[f"REGISTER {status}"] = refused.get(f"REGISTER {status}", 0) + 1
            registering.discard(self.user)
            self.done()


class Call:
    def __init__(self, caller, callee):
        global count
        count += 1
        self.id, self.caller, self.callee = f"{count}x{PORT}", caller, callee
        self.began, self.up, self.asked, self.ended, self.tries = now(), None, None, None, 0
        self.status = None
        calls.append(self)
        self.ask()

    def head(self, method, uri, branch, sequence, to, more):
        who = number(self.caller)
        return (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {HERE}:{PORT};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{who}@example.test>;tag=c{self.id}\r\nTo: {to}\r\nCall-ID: {self.id}\r\nCSeq: {sequence} {method}\r\n{more}"
        )

    def ask(self):
        self.tries += 1
        uri = f"sip:{number(self.callee)}@example.test"
        mine = proof(self.caller, "INVITE", uri, "Proxy-Authorization")
        more = f"Contact: <sip:{number(self.caller)}@{HERE}:{PORT}>\r\nContent-Type: application/sdp\r\n{mine}Content-Length: {len(SDP)}\r\n\r\n{SDP}"
        self.invite = Request(lambda branch: self.head("INVITE", uri, branch, self.tries, f"<{uri}>", more), node(self.caller), self.heard)

    def heard(self, status, answer):
        if 300 <= status:
            uri = f"sip:{number(self.callee)}@example.test"
            send(self.head("ACK", uri, self.invite.branch, self.tries, field(answer, "To"), "Content-Length: 0\r\n\r\n"), (node(self.caller), 5060))
        if status == 407 and self.tries < 9:
            learn(self.caller, answer)
            return self.ask()
        self.status = status
        if status != 200:
            refused[f"INVITE {status}"] = refused.get(f"INVITE {status}", 0) + 1
            return
        self.up, self.to = now(), field(answer, "To")
        self.contact = re.search("<([^>]+)>", field(answer, "Contact"))[1]
        routes = re.findall(r"(?im)^record-route\s*:\s*(.*?)\r$", answer)
        self.routes = [route.strip() for row in routes for route in row.split(",")][::-1]
        self.next = re.search(r"@([0-9.]+)", self.routes[0])[1] if self.routes else HERE
        self.ack = self.within("ACK", f"z9hG4bK{PORT}ack{self.id}", self.tries)
        answering[self.id] = self
        self.confirm()
        at(now() + TALK, self.hang_up)

    def within(self, method, branch, sequence):
        rows = "".join(f"Route: {route}\r\n" for route in self.routes)
        return self.head(method, self.contact, branch, sequence, self.to, rows + "Content-Length: 0\r\n\r\n")

    def confirm(self):
        send(self.ack, (self.next, 5060))

    def hang_up(self):
        self.asked = now()
        Request(lambda branch: self.within("BYE", branch, self.tries + 1), self.next, self.over)

    def over(self, status, _):
        self.ended = (now(), status)
        if status != 200:
            refused[f"BYE {status}"] = refused.get(f"BYE {status}", 0) + 1


pending = {}


def repeat_ok(key, text, to, pause):
    """A 2xx is repeated until its ACK comes (§13.3.1.4)."""
    if key in pending and pause < 16:
        send(text, to)
        at(now() + pause, repeat_ok, key, text, to, pause * 2)


def serve(request, source):
    """What a phone does that is called."""
    method = request.split(" ", 1)[0]
    identity = field(request, "Call-ID")
    if method == "ACK":
        pending.pop(identity, None)
        return
    vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"(?im)^via\s*:\s*(.*?)\r$", request))
    routes = "".join(f"Record-Route: {one}\r\n" for one in re.findall(r"(?im)^record-route\s*:\s*(.*?)\r$", request))
    to = field(request, "To")
    to += "" if ";tag=" in to else f";tag=s{identity}"
    head = f"SIP/2.0 200 OK\r\n{vias}{routes}From: {field(request, 'From')}\r\nTo: {to}\r\nCall-ID: {identity}\r\nCSeq: {field(request, 'CSeq')}\r\n"
    if method == "INVITE":
        text = head + f"Contact: <sip:uas@{HERE}:{PORT}>\r\nContent-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
        pending[identity] = True
        repeat_ok(identity, text, source, T1)
    else:
        send(head + "Content-Length: 0\r\n\r\n", source)


def receive():
    while True:
        try:
            data, source = sock.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError:
            continue
        message = data.decode()
        if not message.startswith("SIP/2.0 "):
            serve(message, source)
            continue
        branch = re.search(r"branch=([^;\r,]+)", message)[1]
        request = waiting.get(branch)
        if request:
            request.heard(int(message[8:11]), message)
        elif message[8:11] == "200" and "INVITE" in field(message, "CSeq"):
            call = answering.get(field(message, "Call-ID"))
            if call:
                call.confirm()


def turn(until):
    """Lives until then."""
    while now() < until:
        while alarms and alarms[0][0] <= now():
            _, _, what, more = heapq.heappop(alarms)
            what(*more)
        nearest = min(until, alarms[0][0]) if alarms else until
        readable, _, _ = select.select([sock, INPUT], [], [], max(0, min(0.2, nearest - now())))
        if sock in readable:
            receive()
        if INPUT in readable:
            for word in os.read(INPUT, 100).decode().split():
                moments[word] = now()


class Watch:
    """Asks the address that moves, four times a second; says so when it is silent three times."""

    def __init__(self):
        self.missed = self.asked = 0
        self.ask()

    def ask(self):
        self.asked += 1
        branch = f"z9hG4bK{PORT}watch{self.asked}"
        waiting[branch] = self
        send(
            f"OPTIONS sip:{MOVES} SIP/2.0\r\nVia: SIP/2.0/UDP {HERE}:{PORT};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:watch@example.test>;tag=w\r\nTo: <sip:{MOVES}>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            (MOVES, 5060),
        )
        at(now() + 0.25, self.due, branch)

    def heard(self, *_):
        self.missed = -1

    def due(self, branch):
        del waiting[branch]
        self.missed += 1
        if self.missed == 3:
            print("silent", flush=True)
        self.ask()


def summary():
    died = moments.get("node", now())
    mine = lambda call: call.caller % 2 == 0
    was_up = [call for call in calls if call.up and call.up < died and call.asked and call.asked >= died]
    kept = [call for call in was_up if call.ended and call.ended[1] == 200]
    stays = [call for call in calls if mine(call)]
    moved = [call for call in calls if not mine(call)]
    failed = [call for call in moved if call.status != 200]
    # Calls and registrations by the address that moves: the longest time in which none came about.
    good = sorted(call.up for call in moved if call.up and call.up > died - 1)
    gap = max((after - before for before, after in zip(good, good[1:])), default=0)
    rate = {}
    for moment in stored_at:
        rate[int(moment - LOAD)] = rate.get(int(moment - LOAD), 0) + 1
    seconds = [rate.get(second, 0) for second in range(SECONDS)]
    return {
        "registers": registers,
        "stored_each_second": seconds,
        "calls_staying": len(stays),
        "calls_staying_failed": sum(call.status != 200 or not call.ended or call.ended[1] != 200 for call in stays),
        "calls_moving": len(moved),
        "calls_moving_failed": len(failed),
        "was_up_when_the_node_died": len(was_up),
        "kept_signalling": len(kept),
        "longest_without_a_call": round(gap, 2),
        "slowest_bye": round(max((call.ended[0] - call.asked for call in kept), default=0), 2),
        "refused": refused,
    }


INPUT = sys.stdin.fileno()
START = now()
left = USERS


def one_less():
    global left
    left -= 1


for user in range(USERS):
    at(START + user / 400, Registration, user, one_less)
while left:
    turn(now() + 0.1)
    if now() - START > 60:
        sys.exit(f"not all have registered: {registers} {refused}")
registers.update(stored=0, later=0, slowest=0.0)
stored_at.clear()
LOAD = now()
print("ready", flush=True)
Watch()
for step in range(SECONDS * REGISTERS):
    at(LOAD + step / max(REGISTERS, 1), Registration, step % USERS)
for step in range(SECONDS * CALLS):
    # Of an even number of users: both are of the same half.
    at(LOAD + step / CALLS, Call, step % USERS, (step + USERS // 4 * 2) % USERS)
for share, word in [(0.25, "node"), (0.6, "master")]:
    at(LOAD + SECONDS * share, lambda word: print(word, flush=True), word)
turn(LOAD + SECONDS)
deadline = now() + GIVE_UP
# Everything that has begun ends.
while now() < deadline and any(call.status is None or call.up and not call.ended for call in calls):
    turn(now() + 0.1)
print(json.dumps(summary()), flush=True)
