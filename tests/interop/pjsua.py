"""A phone made of PJSIP (PyPI: pjsua2-python) for tests/interop/pjsua.rs. It takes commands a line and says what happens a line.

pjsua.py NUMBER DOMAIN SERVER TRANSPORT IP TONE.wav FOLDER [CERTIFICATE-AUTHORITY]
In FOLDER it records its calls: heard-1.wav, heard-2.wav.
SRTP=required in the environment: no call is heard on its way; ICE=on: it looks for ways; TURN=HOST:PORT: by a relay too
commands, for the last call that is up: call URI, hold, resume, keys 12#, transfer URI, join (the last two), hangup, quit
"""
import os
import sys
import threading

import pjsua2 as pj

number, domain, server, transport, ip, tone, folder = sys.argv[1:8]
authority = sys.argv[8] if len(sys.argv) > 8 else ""
calls = []


def say(*words):
    print(*words, flush=True)


def last(back=1):
    return [call for call in calls if call.isActive()][-back]


class Call(pj.Call):
    """One more call, whoever began it."""
    player = recorder = None

    def __init__(self, *whose):
        super().__init__(*whose)
        calls.append(self)
        self.heard = f"{folder}/heard-{len(calls)}.wav"

    def onCallState(self, prm):
        info = self.getInfo()
        say("call", info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.player = self.recorder = None

    def onCallMediaState(self, prm):
        info = self.getInfo()  # it must outlive the loop
        for at, media in enumerate(info.media):
            say("media", media.status)
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(at)
                if not self.player:
                    self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
                    self.player.createPlayer(tone)
                    self.recorder.createRecorder(self.heard)
                self.player.startTransmit(audio)
                audio.startTransmit(self.recorder)

    def onDtmfDigit(self, prm):
        say("key", prm.digit)

    def onCallTransferRequest(self, prm):
        say("transferred to", prm.dstUri)
        prm.newCall = Call(account)

    def onCallTransferStatus(self, prm):
        say("transfer", prm.statusCode)

    def onCallReplaceRequest(self, prm):
        say("replaced")
        prm.newCall = Call(account)


class Account(pj.Account):
    def onRegState(self, prm):
        say("register", prm.code, prm.reason)

    def onIncomingCall(self, prm):
        answer = pj.CallOpParam()
        answer.statusCode = 200
        Call(self, prm.callId).answer(answer)


endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 3
config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
config.medConfig.noVad, config.medConfig.ecTailLen = True, 0
endpoint.libInit(config)
way = pj.TransportConfig()
way.boundAddress = ip
if authority:
    way.tlsConfig.CaListFile, way.tlsConfig.verifyServer = authority, True
kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
endpoint.transportCreate(kinds[transport], way)
endpoint.libStart()
endpoint.audDevManager().setNullDev()

parameter = "" if transport == "udp" else f";transport={transport}"
settings = pj.AccountConfig()
settings.idUri, settings.regConfig.registrarUri = f"sip:{number}@{domain}", f"sip:{domain}{parameter}"
settings.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", number, 0, f"pw-{number}"))
settings.sipConfig.proxies.append(f"sip:{server}{parameter};lr")
settings.mediaConfig.transportConfig.boundAddress = ip
if os.environ.get("SRTP") == "required":
    settings.mediaConfig.srtpUse, settings.mediaConfig.srtpSecureSignaling = pj.PJMEDIA_SRTP_MANDATORY, 0
settings.natConfig.iceEnabled = os.environ.get("ICE") == "on"
if os.environ.get("TURN"):
    nat = settings.natConfig
    nat.turnEnabled, nat.turnServer, nat.turnConnType = True, os.environ["TURN"], pj.PJ_TURN_TP_UDP
    nat.turnUserName, nat.turnPassword, nat.turnPasswordType = "turn", "pw-turn", 0
account = Account()
account.create(settings)

typed, lock = [], threading.Lock()


def read():
    for line in sys.stdin:
        with lock:
            typed.append(line.split())
    with lock:
        typed.append(["quit"])


def act(word, *rest):
    if word == "call":
        Call(account).makeCall(rest[0], pj.CallOpParam(True))
    elif word == "hold":
        last().setHold(pj.CallOpParam())
    elif word == "resume":
        again = pj.CallOpParam(True)
        again.opt.flag = pj.PJSUA_CALL_UNHOLD
        last().reinvite(again)
    elif word == "keys":
        last().dialDtmf(rest[0])
    elif word == "transfer":
        last().xfer(rest[0], pj.CallOpParam(True))
    elif word == "join":
        last(2).xferReplaces(last(), pj.CallOpParam(True))
    elif word == "hangup":
        last().hangup(pj.CallOpParam())


threading.Thread(target=read, daemon=True).start()
words = []
while words[:1] != ["quit"]:
    endpoint.libHandleEvents(20)
    with lock:
        words = typed.pop(0) if typed else []
    try:
        act(*words or [""])
    except pj.Error as error:
        say("not now:", *words, error.reason)  # an exchange of its own is under way: who typed it may say it again
endpoint.hangupAllCalls()
calls.clear()
os._exit(0)  # what PJSIP leaves behind at its end is of no interest here
