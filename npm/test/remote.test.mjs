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
    `import { startWallet } from 'kite-wallet/remote';
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
     Object.assign(globalThis, { said, begin });`,
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
