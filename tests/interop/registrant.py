"""Registers as it is told: a line `NODE CONTACT EXPIRES` registers, a line `NODE` asks what is registered. Says the status, whether it is to
come back later, and the contacts that the node then knows, in their order."""
import re
import socket
import sys

from digest import credentials

here, number = sys.argv[1:]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((here, 0))
port = sock.getsockname()[1]
said, nonces = 0, {}


def ask(node, contact, proof):
    """Repeats itself as phones do (timer E), and hears only what answers this."""
    global said
    said += 1
    branch = f"z9hG4bKregistrant{port}x{said}"
    request = (
        "REGISTER sip:example.test SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {here}:{port};branch={branch}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:{number}@example.test>;tag={said}\r\nTo: <sip:{number}@example.test>\r\n"
        f"Call-ID: registrant{port}@{here}\r\nCSeq: {said} REGISTER\r\n{contact}{proof}Content-Length: 0\r\n\r\n"
    ).encode()
    for patience in [0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4]:
        sock.sendto(request, (node, 5060))
        sock.settimeout(patience)
        try:
            answer = sock.recv(65536).decode()
            while branch not in answer:
                answer = sock.recv(65536).decode()
            return answer
        except TimeoutError:
            pass
    return "SIP/2.0 408 Nothing"


def register(node, contact):
    """With the nonce that it has, or a new one."""
    for _ in range(3):
        proof = ""
        if node in nonces:
            nonce, count = nonces[node]
            nonces[node] = (nonce, count + 1)
            proof = credentials(number, "REGISTER", "sip:example.test", nonce, count)
        answer = ask(node, contact, proof)
        if answer.split()[1] != "401":
            return answer
        nonces[node] = (re.search('nonce="([^"]+)"', answer)[1], 1)
    return answer


for line in sys.stdin:
    node, *binding = line.split()
    contact = f"Contact: <{binding[0]}>;expires={binding[1]}\r\n" if binding else ""
    answer = register(node, contact)
    later = " later" if "retry-after:" in answer.lower() else ""
    contacts = re.findall("(?im)^(?:contact|m): *<([^>]+)>", answer)
    print("said", answer.split()[1] + later, *contacts, flush=True)
