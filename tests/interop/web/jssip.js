// A phone on a page, by JsSIP: register, call, answer by itself, hang up.
import JsSIP from 'jssip';

const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
let agent, call;

function take(session) {
  call = session;
  for (const step of ['accepted', 'ended', 'failed']) {
    session.on(step, (why) => window.tell(`${step} ${why?.cause ?? ''}`));
  }
}

window.phone = {
  register({ server, user, domain }) {
    const sockets = [new JsSIP.WebSocketInterface(server)];
    agent = new JsSIP.UA({ sockets, uri: `sip:${user}@${domain}`, password: `pw-${user}` });
    agent.on('newRTCSession', ({ originator, session }) => {
      take(session);
      if (originator === 'remote') session.answer(media);
    });
    return new Promise((registered, refused) => {
      agent.on('registered', () => registered());
      agent.on('registrationFailed', ({ cause }) => refused(new Error(cause)));
      agent.on('disconnected', ({ reason }) => refused(new Error(`not connected: ${reason}`)));
      agent.start();
    });
  },
  call(target) { agent.call(target, media); },
  hangUp() { call.terminate(); },
  connection: () => call?.connection,
  leave: () => new Promise((left) => { agent.on('unregistered', left); agent.unregister(); }),
};
