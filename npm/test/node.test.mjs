// The package in an empty Node.js project: it loads, its errors are typed, its declarations compile.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Project, TOOLS } from './project.mjs';

const project = new Project();
after(() => project.remove());
const installed = (name) => join(project.folder, 'node_modules/kite-wallet', name);

test('it loads and says its version', () => {
  project.write('version.mjs', "import init, { version } from 'kite-wallet'; await init(); console.log(version());");
  const { version } = JSON.parse(readFileSync(installed('package.json'), 'utf8'));
  assert.equal(project.run('node', 'version.mjs').trim(), version);
});

test('an error has its kind and its fields', () => {
  project.write(
    'words.mjs',
    `import init, { checkMnemonic } from 'kite-wallet';
     await init();
     checkMnemonic('abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about');
     try { checkMnemonic('abandon'); } catch (error) { console.log(JSON.stringify({ isError: error instanceof Error, ...error })); }`,
  );
  const thrown = JSON.parse(project.run('node', 'words.mjs'));
  assert.equal(thrown.isError, true);
  assert.equal(thrown.kind, 'invalidInput');
  assert.equal(thrown.field, 'mnemonic');
});

test('a wallet needs a store that Node.js has not, and says so', () => {
  project.write(
    'create.mjs',
    `import init, { Wallet } from 'kite-wallet';
     await init();
     const config = { network: 'regtest', data: 'w', esploraUrl: 'http://127.0.0.1:1' };
     try { await Wallet.create(config, 'a passphrase'); console.log('made'); } catch (error) { console.log(error.kind); }`,
  );
  assert.equal(project.run('node', 'create.mjs').trim(), 'storeUnavailable');
});

test('the examples of its page compile with strict settings, for bundlers and for Node.js', () => {
  const examples = [...readFileSync(installed('README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text);
  assert.equal(examples.length, 2);
  const files = examples.map((text, number) => project.write(`example${number}.ts`, text));
  const compiler = join(TOOLS, 'node_modules/typescript/bin/tsc');
  const settings = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom,esnext.disposable', '--types', ''];
  project.run('node', compiler, ...settings, '--module', 'esnext', '--moduleResolution', 'bundler', ...files);
  project.run('node', compiler, ...settings, '--module', 'nodenext', '--moduleResolution', 'nodenext', ...files);
});

test('everything public has its docs in the declarations', () => {
  for (const name of ['remote.d.ts', 'messages.d.ts']) {
    const lines = readFileSync(installed(name), 'utf8').split('\n');
    lines.forEach((line, at) => {
      if (/^export (?!\{|\* )/.test(line)) assert.match(lines[at - 1], /\*\/$/, `${name}: ${line}`);
    });
  }
});

test('no module waits at its top level, which older browsers and bundlers refuse', () => {
  for (const name of ['kite_wasm.js', 'remote.js', 'worker.js', 'messages.js']) {
    assert.doesNotMatch(readFileSync(installed(name), 'utf8'), /^(?:const .* = )?await /m, name);
  }
});
