"""A phone made of aiortc (PyPI), for tests/interop/aiortc.rs: ways, keys and sound as browsers have them, by a program that is no browser; and
as much SIP over TCP as they need.

aiortc_phone.py NUMBER IP SERVER HERTZ FOLDER
It registers at example.test with the password pw-NUMBER, picks everything up, says a tone and records what it hears: FOLDER/heard-1.wav, heard-2.wav.
commands, a line each: call URI, hangup, quit
"""
import asyncio
import fractions
import math
import re
import secrets
import sys
import time
import wave
from array import array

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from digest import credentials

number, ip, server, hertz, folder = sys.argv[1:]
RATE, FRAME = 48000, 960
CONTACT = f"Contact: <sip:{number}@{ip};transport=tcp>\r\n"
US = f"<sip:{number}@example.test>"
calls = {}
counted = 0


def say(*words):
    print(*words, flush=True)


class Tone(AudioStreamTrack):
    """A tone, 20 ms at a time."""
    said = began = 0

    async def recv(self):
        self.began = self.began or time.monotonic()
        await asyncio.sleep(self.began + self.said / RATE - time.monotonic())
        turn = 2 * math.pi * float(hertz) / RATE
        frame = av.AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(array("h", (round(7250 * math.sin(turn * (self.said + at))) for at in range(FRAME))).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.said, fractions.Fraction(1, RATE)
        self.said += FRAME
        return frame


async def record(track, name):
    """Unbuffered, so that it can be read meanwhile; 16,000 samples a second."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
    with open(name, "wb", buffering=0) as raw, wave.open(raw, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        try:
            while True:
                for frame in resampler.resample(await track.recv()):
                    file.writeframes(bytes(frame.planes[0])[: 2 * frame.samples])
        except MediaStreamError:
            pass  # the call is over


class Call:
    """One call, whoever began it."""

    def __init__(self, call_id, tag):
        global counted
        counted += 1
        self.id, self.us, self.count = call_id, f"{US};tag={tag}", 1
        self.them = self.target = self.routes = ""
        self.media = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.media.addTrack(Tone())
        name = f"{folder}/heard-{counted}.wav"
        self.media.on("track", lambda track: asyncio.ensure_future(record(track, name)))
        self.media.on("connectionstatechange", lambda: say("way", self.media.connectionState))
        calls[call_id] = self

    async def hears(self, kind, text):
        await self.media.setRemoteDescription(RTCSessionDescription(text, kind))

    async def describes(self, kind):
        make = self.media.createOffer if kind == "offer" else self.media.createAnswer
        await self.media.setLocalDescription(await make())
        return self.media.localDescription.sdp

    async def ends(self):
        del calls[self.id]
        await self.media.close()
        say("over")


class Message:
    """What came: its first line, its rows, its body."""

    def __init__(self, head, body):
        self.first, *rows = head.split("\r\n")
        self.rows, self.body = [row.partition(":") for row in rows], body

    def all(self, name):
        return [value.strip() for found, _, value in self.rows if found.strip().lower() == name]

    def one(self, name):
        return (self.all(name) or [""])[0]


class Line:
    """The connection to the server."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.answers = reader, writer, {}

    def send(self, first, rows, body=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self.writer.write(f"{first}\r\n{rows}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    async def ask(self, method, uri, them, us, call_id, count, more="", body=""):
        """Until the final answer; where a password is asked for, once more with it. An ACK has no answer."""
        proof = ""
        while True:
            branch = "z9hG4bK" + secrets.token_hex(8)
            via = f"Via: SIP/2.0/TCP {ip};branch={branch}\r\nMax-Forwards: 70\r\n"
            rows = f"From: {us}\r\nTo: {them}\r\nCall-ID: {call_id}\r\n"
            answers = self.answers[branch] = asyncio.Queue()
            self.send(f"{method} {uri} SIP/2.0", f"{via}{rows}CSeq: {count} {method}\r\n{more}{proof}", body)
            if method == "ACK":
                return None
            status = 100
            while status < 200:
                answer = await answers.get()
                status = int(answer.first.split()[1])
            if method == "INVITE" and status >= 300:
                refused = f"From: {us}\r\nTo: {answer.one('to')}\r\nCall-ID: {call_id}\r\n"
                self.send(f"ACK {uri} SIP/2.0", f"{via}{refused}CSeq: {count} ACK\r\n")
            if status not in (401, 407) or proof:
                return status, answer
            challenge, row = ("www-authenticate", "Authorization") if status == 401 else ("proxy-authenticate", "Proxy-Authorization")
            nonce = re.search('nonce="([^"]+)"', answer.one(challenge))[1]
            proof = credentials(number, method, uri, nonce, 1, row)
            count += 1

    async def register(self):
        status, _ = await self.ask("REGISTER", "sip:example.test", US, f"{US};tag=1", secrets.token_hex(8), 1, CONTACT)
        say("register", status)

    async def call(self, uri):
        call = Call(secrets.token_hex(8), secrets.token_hex(4))
        status, answer = await self.ask("INVITE", uri, f"<{uri}>", call.us, call.id, 1, CONTACT, await call.describes("offer"))
        say("call", status)
        if status >= 300:
            return await call.ends()
        call.them, call.count = answer.one("to"), int(answer.one("cseq").split()[0])
        call.target = re.search("<([^>]+)>", answer.one("contact"))[1]
        call.routes = "".join(f"Route: {route}\r\n" for route in reversed(answer.all("record-route")))
        await self.ask("ACK", call.target, call.them, call.us, call.id, call.count, call.routes)
        await call.hears("answer", answer.body)

    async def hang_up(self):
        call = list(calls.values())[-1]
        await self.ask("BYE", call.target, call.them, call.us, call.id, call.count + 1, call.routes)
        await call.ends()

    async def is_asked(self, request):
        method, call_id = request.first.split()[0], request.one("call-id")
        body, tag = "", ""
        if method == "INVITE":
            call = calls.get(call_id)
            if not call:
                call = Call(call_id, secrets.token_hex(4))
                call.us, tag = f"{request.one('to')};tag={call.us[-8:]}", call.us[-8:]
                call.them, call.target = request.one("from"), re.search("<([^>]+)>", request.one("contact"))[1]
                call.routes = "".join(f"Route: {route}\r\n" for route in request.all("record-route"))
            await call.hears("offer", request.body)
            body = await call.describes("answer")
        rows = [("Via", "via"), ("Record-Route", "record-route"), ("From", "from"), ("To", "to"), ("Call-ID", "call-id"), ("CSeq", "cseq")]
        rows = [f"{name}: {value}" for name, key in rows for value in request.all(key)]
        rows = [f"{row};tag={tag}" if tag and row.startswith("To:") else row for row in rows]
        if method != "ACK":
            self.send("SIP/2.0 200 OK", "\r\n".join(rows) + "\r\n" + CONTACT, body)
        if method == "BYE" and call_id in calls:
            await calls[call_id].ends()

    async def read(self):
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip()
            if not head:
                continue  # a sign of life
            length = int(re.search(r"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)[1])
            message = Message(head, (await self.reader.readexactly(length)).decode())
            if message.first.startswith("SIP/2.0"):
                branch = re.search("branch=([^;,]+)", message.one("via"))[1]
                self.answers[branch].put_nowait(message)
            else:
                asyncio.ensure_future(self.is_asked(message))


async def main():
    line = Line(*await asyncio.open_connection(*server.rsplit(":", 1), local_addr=(ip, 0)))
    reading = asyncio.ensure_future(line.read())
    await line.register()
    typed = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(typed), sys.stdin)
    async for command in typed:
        word, *rest = command.decode().split()
        if word == "call":
            await line.call(rest[0])
        elif word == "hangup":
            await line.hang_up()
        else:
            break
    reading.cancel()


asyncio.run(main())
