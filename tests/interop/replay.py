"""A phone that says what it has said before: at the first node of a cluster, and at the second. Prints the statuses that it gets."""
import re
import socket
import sys

from digest import credentials

here, nodes = sys.argv[1], [(address, 5060) for address in sys.argv[2:]]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((here, 0))
sock.settimeout(20)
port = sock.getsockname()[1]
said = 0


def ask(node, credentials=""):
    global said
    said += 1
    sock.sendto(
        (
            "REGISTER sip:example.test SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {here}:{port};branch=z9hG4bKreplay{said}\r\n"
            "Max-Forwards: 70\r\n"
            f"From: <sip:104@example.test>;tag={said}\r\nTo: <sip:104@example.test>\r\n"
            f"Call-ID: replay{port}@{here}\r\nCSeq: {said} REGISTER\r\n"
            f"Contact: <sip:104@{here}:{port}>\r\n{credentials}Content-Length: 0\r\n\r\n"
        ).encode(),
        node,
    )
    answer = sock.recv(65536).decode()
    return answer.split()[1], answer


first, second = nodes
_, challenge = ask(first)
nonce = re.search('nonce="([^"]+)"', challenge)[1]
steps = [(first, 1), (second, 1), (first, 1), (second, 2), (first, 2), (first, 3)]
for node, count in steps:
    status, answer = ask(node, credentials("104", "REGISTER", "sip:example.test", nonce, count))
    stale = "stale=true" in answer.lower()
    print(status + (" stale" if stale else ""), flush=True)
