// Runs the cases of wallet/conformance in a real Chromium: IndexedDB, Web Locks, a websocket through the proxy.
//
//   node browser-tests.mjs TOOLS PACKAGE PROXY
//
// TOOLS has playwright-core in its node_modules, PACKAGE is the wasm package, PROXY the program kite-proxy.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createServer as createTcpServer } from 'node:net';
import { extname, join } from 'node:path';
import process, { argv, env, exit } from 'node:process';

const [tools, folder, proxyProgram] = argv.slice(2);
const { chromium } = createRequire(join(tools, 'package.json'))('playwright-core');
const ARGUMENTS = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage'];
const PAGE = `<!doctype html><title>cases</title><script type="module">
import init, * as cases from './kite_conformance.js';
await init();
window.cases = cases;
</script>`;

const listening = (server, port = 0) =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server.address().port)));

/** Answers that a client has to end by itself, while they are under way. */
const unended = new Set();
const ODD = {
  '/echo': (request, response) => request.pipe(response),
  '/endless': (_, response) => {
    const more = () => response.destroyed || (response.write(Buffer.alloc(16_384)), setTimeout(more, 5));
    more();
  },
  '/silent': () => undefined,
};

const site = createServer((request, response) => {
  const odd = ODD[request.url];
  if (odd && request.url !== '/echo') {
    unended.add(request.url);
    response.on('close', () => unended.delete(request.url));
  }
  if (odd) return odd(request, response);
  if (request.url === '/favicon.ico') return response.writeHead(204).end();
  if (request.url === '/') return response.setHeader('content-type', 'text/html').end(PAGE);
  try {
    const body = readFileSync(join(folder, request.url.replaceAll('..', '')));
    const type = extname(request.url) === '.wasm' ? 'application/wasm' : 'text/javascript';
    response.setHeader('content-type', type).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
const echo = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket));
const url = `http://127.0.0.1:${await listening(site)}/`;
const echoAddress = `127.0.0.1:${await listening(echo)}`;
const spare = createTcpServer();
const nobody = `127.0.0.1:${await listening(spare)}`;
const proxyPort = await new Promise((resolve) => {
  const probe = createTcpServer();
  void listening(probe).then((port) => probe.close(() => resolve(port)));
});
await new Promise((resolve) => spare.close(resolve));
const proxy = spawn(proxyProgram, ['--listen', `127.0.0.1:${proxyPort}`, '--origin', 'any', '--allow', '*:*',
  '--allow-private', '127.0.0.0/8'], { stdio: ['ignore', 'ignore', 'inherit'] });
process.on('exit', () => proxy.kill());

const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false, args: ARGUMENTS,
});
const context = await browser.newContext();

async function open(at = url) {
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`  page: ${error.message}`));
  page.on('console', (line) => line.type() === 'error' && console.error(`  page: ${line.text()}`));
  await page.goto(at);
  await page.waitForFunction(() => window.cases !== undefined);
  return page;
}

let passed = 0;
const failed = [];
async function test(name, body) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('no end after 60 s')), 60_000).unref());
  try {
    await Promise.race([body(), late]);
    passed += 1;
    console.log(`test ${name} ... ok`);
  } catch (error) {
    failed.push(name);
    console.log(`test ${name} ... FAILED\n  ${error.message}`);
  }
}
function same(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: ${found}, expected ${expected}`);
}

const page = await open();
for (const name of await page.evaluate(() => window.cases.names())) {
  await test(`indexeddb::${name}`, () => page.evaluate((name) => window.cases.run(name, `case:${name}`), name));
}

await test('indexeddb::no_room_is_told_and_changes_nothing', async () => {
  // An origin of its own: Chromium remembers for a while how much room an origin has.
  const origin = `http://localhost:${new URL(url).port}`;
  const crowded = await open(origin);
  const session = await context.newCDPSession(crowded);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
  await crowded.evaluate(() => window.cases.full('full'));
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await crowded.evaluate(() => window.cases.again('full'));
});

await test('web_locks::one_tab_has_it_and_a_closed_tab_gives_it_back', async () => {
  const first = await open();
  same('first', await first.evaluate(() => window.cases.lock('a')), true);
  same('second', await page.evaluate(() => window.cases.lock('a')), false);
  same('another name', await page.evaluate(() => window.cases.lock('b')), true);
  await first.close();
  const end = Date.now() + 10_000;
  while (!(await page.evaluate(() => window.cases.lock('a'))) && Date.now() < end) await new Promise((go) => setTimeout(go, 50));
  same('after the tab', await (await open()).evaluate(() => window.cases.lock('a')), false);
  await page.evaluate(() => window.cases.unlock());
  await new Promise((go) => setTimeout(go, 100));
  same('after the release', await page.evaluate(() => window.cases.lock('a')), true);
});

await test('clock_and_entropy', () => page.evaluate(() => window.cases.clock_and_entropy()));

await test('text_is_normalised', () => page.evaluate(() => window.cases.text()));

await test('fetch::answers_have_a_limit_and_what_is_dropped_ends', async () => {
  await page.evaluate(([server, nobody]) => window.cases.fetch(server, nobody), [url, `http://${nobody}/`]);
  const end = Date.now() + 5000;
  while (unended.size > 0 && Date.now() < end) await new Promise((go) => setTimeout(go, 50));
  same('requests that go on', [...unended].join(), '');
});

await test('websocket::bytes_go_there_and_back_through_the_proxy', () =>
  page.evaluate(([proxy, echo, nobody]) => window.cases.echo(proxy, echo, nobody, 700_000),
    [`ws://127.0.0.1:${proxyPort}/`, echoAddress, nobody]));

await browser.close();
proxy.kill();
site.closeAllConnections();
console.log(`\ntest result: ${failed.length ? 'FAILED' : 'ok'}. ${passed} passed; ${failed.length} failed; 0 ignored`);
exit(failed.length ? 1 : 0);
