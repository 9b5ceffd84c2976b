// The package in an empty Vite project without a plug-in: built, and in the development server, in a real Chromium.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { Project, TOOLS } from './project.mjs';

const { chromium } = createRequire(join(TOOLS, 'package.json'))('playwright-core');

let project, browser;
before(async () => {
  project = new Project('vite@8.3.8');
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
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
after(async () => {
  await browser?.close();
  project?.remove();
});

for (const [what, prepare, serve] of [
  ['built', ['vite', 'build', '--logLevel', 'warn'], ['vite', 'preview']],
  ['in the development server', undefined, ['vite']],
]) {
  test(`${what}, a page has a wallet in a worker`, { timeout: 180_000 }, async () => {
    if (prepare) project.run('npx', '--no-install', ...prepare);
    const server = await start(serve);
    try {
      // A profile of its own: both pages have the same origin.
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(server.url);
      await page.waitForFunction(() => document.title === 'done', undefined, { timeout: 120_000 });
      const said = await page.evaluate(() => globalThis.said);
      const { version, ...rest } = said;
      assert.match(version ?? '', /^\d+\.\d+\.\d+$/, JSON.stringify(said));
      assert.deepEqual(rest, { before: false, after: true, total: '0', refused: { kind: 'invalidInvoice', isError: true } });
      await context.close();
    } finally {
      await server.end();
    }
  });
}

/** Starts one of Vite's servers on a free port of its own choice. */
async function start(args) {
  const child = spawn('npx', ['--no-install', ...args, '--host', '127.0.0.1', '--port', String(20_000 + (process.pid % 20_000))], {
    cwd: project.folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text.replace(/\u001b\[[0-9;]*m/g, '');
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(printed);
      if (found) resolve(found[0]);
    });
    child.on('exit', () => reject(new Error(`the server ended: ${printed}`)));
  });
  const ended = once(child, 'exit');
  return {
    url,
    async end() {
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    },
  };
}
