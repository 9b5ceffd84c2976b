// The package in an empty Vite project without a plug-in: built, and in the development server, in a real Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, serve, VITE } from './browser.mjs';
import { Project } from './project.mjs';

let project, browser;
before(async () => {
  project = new Project(VITE);
  project.write('index.html', '<!doctype html><title>empty</title><script type="module" src="/main.js"></script>');
  project.write(
    'main.js',
    `import { startWallet } from 'kite-wallet/remote';
     const config = { network: 'regtest', data: 'empty', esploraUrl: location.origin + '/nothing', proxyUrl: 'ws://127.0.0.1:1' };
     const said = {};
     try {
       const wallet = await startWallet({ onEvent: async () => {}, onFault: (reason) => { said.fault = reason; } });
       said.version = await wallet.version();
       said.before = await wallet.exists(config);
       await wallet.create(config, 'a passphrase');
       said.after = await wallet.exists(config);
       const balance = await wallet.balance();
       said.total = String(balance.totalMsat);
       said.refused = await wallet.parse('lnbcrt1nonsense').then(() => 'nothing', (error) => ({ kind: error.kind, isError: error instanceof Error }));
     } catch (error) { said.error = String(error); }
     globalThis.said = said;
     document.title = 'done';`,
  );
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  project?.remove();
});

for (const [what, prepare, server] of [
  ['built', ['vite', 'build', '--logLevel', 'warn'], ['vite', 'preview']],
  ['in the development server', undefined, ['vite']],
]) {
  test(`${what}, a page has a wallet in a worker`, { timeout: 180_000 }, async () => {
    if (prepare) project.run('npx', '--no-install', ...prepare);
    const site = await serve(project, server);
    try {
      // A profile of its own: both pages have the same origin.
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(site.url);
      await page.waitForFunction(() => document.title === 'done', undefined, { timeout: 120_000 });
      const said = await page.evaluate(() => globalThis.said);
      const { version, ...rest } = said;
      assert.match(version ?? '', /^\d+\.\d+\.\d+$/, JSON.stringify(said));
      assert.deepEqual(rest, { before: false, after: true, total: '0', refused: { kind: 'invalidInvoice', isError: true } });
      await context.close();
    } finally {
      await site.end();
    }
  });
}
