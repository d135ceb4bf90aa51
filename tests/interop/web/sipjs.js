// The same phone by SIP.js. With `deskPhone` it speaks the SDP of a desk phone, so that one can answer it: signalling, and no sound.
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from 'sip.js';

const media = { sessionDescriptionHandlerOptions: { constraints: { audio: true, video: false } } };
const plain = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\n';
let agent, registration, call;

const withoutSound = () => ({
  getDescription: async () => ({ body: plain, contentType: 'application/sdp' }),
  setDescription: async () => {},
  hasDescription: (kind) => kind === 'application/sdp',
  rollbackDescription: async () => {},
  sendDtmf: () => false,
  close: () => {},
});

function take(session) {
  call = session;
  session.stateChange.addListener((state) => {
    if (state === SessionState.Established) window.tell('accepted');
    if (state === SessionState.Terminated) window.tell('ended');
  });
}

window.phone = {
  async register({ server, user, domain, deskPhone }) {
    agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`),
      authorizationUsername: user,
      authorizationPassword: `pw-${user}`,
      transportOptions: { server },
      ...(deskPhone ? { sessionDescriptionHandlerFactory: withoutSound } : {}),
      sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] }, iceGatheringTimeout: 500 },
      delegate: { onInvite: (invitation) => { take(invitation); invitation.accept(media); } },
    });
    await agent.start();
    registration = new Registerer(agent);
    const registered = new Promise((yes, no) => registration.stateChange.addListener((state) => {
      if (state === RegistererState.Registered) yes();
      else no(new Error(state));
    }));
    await registration.register();
    return registered;
  },
  call(target) {
    const invitation = new Inviter(agent, UserAgent.makeURI(target), media);
    take(invitation);
    invitation.invite();
  },
  hangUp() { call.bye(); },
  connection: () => call?.sessionDescriptionHandler?.peerConnection,
  leave: () => new Promise((left) => {
    registration.stateChange.addListener(left);
    registration.unregister();
  }),
};
