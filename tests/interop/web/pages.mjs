// Pages in a headless Chromium, with a phone each. What is to be done comes as JSON lines on stdin, what happens goes to stdout:
//   {"open":"101"} {"register":"101"} {"call":"101","target":"sip:102@…"} {"hear":"101"} {"hangUp":"101"} {"leave":"101"}
// Started with {library, server, domain, folder, profile, deskPhone, certificate, host}: `folder` has node_modules; `certificate` is the server's, which
// the browser is to take; `host` is what it takes the pages' server for.
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';

const { library, server, domain, folder, profile, deskPhone, certificate, host } = JSON.parse(process.argv[2]);
const require = createRequire(path.join(folder, 'x'));
const { chromium } = require('playwright-core');
const { build } = require('esbuild');

const here = path.dirname(new URL(import.meta.url).pathname);
const bundle = await build({
  entryPoints: [path.join(here, `${library}.js`)], bundle: true, write: false, format: 'iife', logLevel: 'error',
  define: { global: 'window' }, nodePaths: [path.join(folder, 'node_modules')],
});
const site = http.createServer((asked, answer) => answer.end(asked.url === '/phone.js' ? bundle.outputFiles[0].text
  : '<!doctype html><title>phone</title><script src="/phone.js"></script>'));
await new Promise((open) => site.listen(0, '127.0.0.1', open));

// The browser knows no authority of ours: it is told the key that it may trust.
const spki = () => new crypto.X509Certificate(fs.readFileSync(certificate)).publicKey.export({ type: 'spki', format: 'der' });
const trusted = certificate && crypto.createHash('sha256').update(spki()).digest('base64');
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
    '--autoplay-policy=no-user-gesture-required',
    '--disable-features=WebRtcHideLocalIpsWithMdns', '--disable-background-networking',
    ...(trusted ? [`--ignore-certificate-errors-spki-list=${trusted}`] : [])],
});
const pages = new Map();
const say = (line) => console.log(line);

async function open(user) {
  const page = await browser.newPage();
  await page.exposeFunction('tell', (what) => say(`${user} ${what}`));
  await page.goto(`http://${host}:${site.address().port}/`);
  pages.set(user, page);
}

// Whether a second of sound has come and been played, and was more than silence.
const heard = (page) => page.evaluate(async () => {
  let packets = 0, energy = 0;
  const connection = window.phone.connection();
  if (connection && !window.ear) {
    window.ear = new Audio();
    window.ear.srcObject = new MediaStream(connection.getReceivers().map((receiver) => receiver.track));
    await window.ear.play();
  }
  for (const report of (await connection?.getStats())?.values() ?? []) {
    if (report.type === 'inbound-rtp') { packets = report.packetsReceived; energy = report.totalAudioEnergy; }
  }
  return packets > 50 && energy > 0;
});

const deeds = {
  open,
  register: (user, page) => page.evaluate((account) => window.phone.register(account), { server, user, domain, deskPhone }),
  call: (user, page, { target }) => page.evaluate((to) => window.phone.call(to), target),
  hear: async (user, page) => { while (!await heard(page)) await new Promise((soon) => setTimeout(soon, 100)); },
  hangUp: (user, page) => page.evaluate(() => window.phone.hangUp()),
  leave: (user, page) => page.evaluate(() => window.phone.leave()),
  close: (user, page) => page.close(),
};
say('ready');
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [[deed, user], ...more] = Object.entries(JSON.parse(line));
  try {
    await deeds[deed](user, pages.get(user), Object.fromEntries(more));
    say(`${user} done ${deed}`);
  } catch (why) {
    say(`${user} failed ${deed}: ${why.message.split('\n')[0]}`);
  }
}
await browser.close();
site.close();
