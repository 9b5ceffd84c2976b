// The wallet in its worker, in a page of a real Chromium, against the regtest world: what the page is told, and how often.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startWorld } from '../../web/e2e/processes.mjs';
import { openBrowser, serve, VITE } from './browser.mjs';
import { Project } from './project.mjs';

let project, world, site, browser, page;
before(async () => {
  project = new Project(VITE);
  project.write('index.html', '<!doctype html><title>told</title><script type="module" src="/main.js"></script>');
  project.write(
    'main.js',
    `import init, { Wallet } from 'kite-wallet';
     import { startWallet } from 'kite-wallet/remote';
     const said = { stored: [], passing: [], reported: [] };
     const faults = [() => { throw new Error('at once'); }, () => Promise.reject(new Error('later'))];
     addEventListener('error', ({ error }) => said.reported.push(error.message));
     const onEvent = ({ seq, event }) => {
       (seq > 0n ? said.stored : said.passing).push(seq + ' ' + event.type);
       if (seq === 0n) throw new Error('passing');
       return faults.shift()?.();
     };
     const begin = async (esploraUrl, proxyUrl) => {
       const wallet = await startWallet({ onEvent, onFault: (reason) => { said.fault = reason; } });
       await wallet.create({ network: 'regtest', data: 'told', esploraUrl, proxyUrl }, 'a passphrase');
       await wallet.start();
       globalThis.wallet = wallet;
       return wallet.newAddress();
     };
     const config = (data) => ({ network: 'regtest', data, esploraUrl: 'http://127.0.0.1:9' });
     const nodeId = async (wallet) => (await wallet.info()).nodeId;
     const kind = (call) => call.then(() => 'none', (thrown) => thrown.kind);
     /** One worker that opens one wallet after the other, and another one that wants the first. */
     const another = async () => {
       const heard = [];
       const onEvent = async ({ event }) => void heard.push(event.type);
       const start = () => startWallet({ onEvent, onFault: (reason) => heard.push(reason) });
       const [one, other] = await Promise.all([start(), start()]);
       await one.create(config('one'), 'a passphrase');
       const first = await nodeId(one);
       const refused = [await kind(one.open(config('none'), 'a passphrase')), await kind(other.open(config('one'), 'a passphrase'))];
       const kept = await nodeId(one);
       await one.create(config('two'), 'a passphrase');
       const second = await nodeId(one);
       await other.open(config('one'), 'a passphrase');
       const opened = await nodeId(other);
       one.end();
       await other.stop();
       other.end();
       return { first, refused, kept, second, opened, heard };
     };
     /** Two wallets of one module. */
     const together = async () => {
       await init();
       const [left, right] = await Promise.all(['left', 'right'].map((data) => Wallet.create(config(data), 'a passphrase')));
       const refused = await kind(Wallet.open(config('left'), 'a passphrase'));
       const ids = [await nodeId(left), await nodeId(right)];
       await left.stop();
       const invoice = await right.makeInvoice({ amountMsat: 1000n, description: 'tea' });
       const again = await Wallet.open(config('left'), 'a passphrase');
       ids.push(await nodeId(again));
       await Promise.all([again.stop(), right.stop()]);
       return { refused, ids, invoice: invoice.invoice };
     };
     Object.assign(globalThis, { said, begin, another, together });`,
  );
  project.run('npx', '--no-install', 'vite', 'build', '--logLevel', 'warn');
  [world, site, browser] = await Promise.all([startWorld(), serve(project, ['vite', 'preview']), openBrowser()]);
  page = await browser.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.begin !== undefined);
});
after(async () => {
  await browser?.close();
  await site?.end();
  await world?.stop();
  project?.remove();
});

/** What the page was told, once there are so many of what is stored. */
async function toldStored(count) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const told = await page.evaluate(async () => {
      await globalThis.wallet.refresh();
      return globalThis.said;
    });
    if (told.stored.length >= count) return told;
    assert.ok(Date.now() < deadline, JSON.stringify(told));
    await setTimeout(300);
  }
}

test('a stored event whose handler failed comes again', { timeout: 180_000 }, async () => {
  const address = await page.evaluate(([esplora, proxy]) => globalThis.begin(esplora, proxy), [world.esploraUrl, world.proxyUrl]);
  await world.post('/faucet', { address, sats: 1_000_000 });
  const coins = '1 onchainReceived';
  assert.deepEqual((await toldStored(3)).stored, [coins, coins, coins]);
  await world.mine(1);
  const { stored, passing, reported, fault } = await toldStored(4);
  assert.deepEqual(stored, [coins, coins, coins, '2 onchainReceived'], 'once it was handled, the next one comes');
  assert.deepEqual(new Set(passing), new Set(['0 synced']));
  assert.deepEqual(reported.filter((message) => message !== 'passing'), ['at once', 'later']);
  assert.equal(reported.length, passing.length + 2, 'passing news come once, however it went');
  assert.equal(fault, undefined);
});

test('a worker that opens another wallet stops the one that it had', { timeout: 60_000 }, async () => {
  const { first, refused, kept, second, opened, heard } = await page.evaluate(() => globalThis.another());
  assert.deepEqual(refused, ['noWallet', 'alreadyOpen']);
  assert.equal(kept, first, 'what could not be opened changes nothing');
  assert.notEqual(second, first);
  assert.equal(opened, first, 'its data can be opened elsewhere');
  assert.deepEqual(heard.filter((type) => type !== 'stopped'), []);
});

test('two wallets live in one process, and of two with the same data the second is refused', { timeout: 60_000 }, async () => {
  const { refused, ids, invoice } = await page.evaluate(() => globalThis.together());
  assert.equal(refused, 'alreadyOpen');
  assert.notEqual(ids[0], ids[1]);
  assert.equal(ids[2], ids[0]);
  assert.match(invoice, /^lnbcrt/);
});
