// What TypeScript and JavaScript see of the sample API. Usage: node run.mjs FOLDER-OF-THE-PACKAGE
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = argv[2];
const api = await import(pathToFileURL(join(folder, 'kite_api_tests.js')));
api.initSync({ module: readFileSync(join(folder, 'kite_api_tests_bg.wasm')) });
const script = readFileSync(join(folder, 'kite_api_tests.d.ts'), 'utf8');

const LARGE = 18446744073709551615n;
const payment = {
  paymentHash: '00', amountMsat: 2n ** 60n, note: 'tea', feeMsat: undefined, status: 'succeeded', channels: ['a'],
};

test('functions', async () => {
  assert.match(api.sampleVersion(), /^\d+\.\d+\.\d+$/);
  assert.equal(await api.sampleExists('there'), true);
  assert.equal(await api.sampleExists('elsewhere'), false);
});

test('an asynchronous constructor gives an instance', async () => {
  const sample = await api.Sample.open('Alice');
  assert.ok(sample instanceof api.Sample);
  assert.equal(sample.name(), 'Alice');
});

test('amounts are bigints, an unset value is undefined', async () => {
  const sample = await api.Sample.open('Alice');
  const paid = await sample.payInvoice('ab', 5n);
  assert.deepEqual(paid, {
    paymentHash: 'ab', amountMsat: 5n, note: undefined, feeMsat: undefined, status: 'inFlight', channels: ['a', 'b'],
  });
  assert.equal((await sample.payInvoice('ab')).amountMsat, LARGE);
  assert.equal((await sample.payInvoice('ab', LARGE)).amountMsat, LARGE);
  assert.equal(await sample.rest(), undefined);
});

test('records go there and back; what is unset may be left out', async () => {
  const sample = await api.Sample.open('Alice');
  assert.deepEqual(sample.mirror(payment), payment);
  const { note, feeMsat, ...short } = payment;
  assert.deepEqual(sample.mirror(short), { ...short, note: undefined, feeMsat: undefined });
});

test('enumerations with fields are objects with a type', async () => {
  const sample = await api.Sample.open('Alice');
  assert.deepEqual(sample.parse('bc1'), { type: 'bitcoinAddress', address: 'bc1', amountSat: undefined });
  const all = [
    { type: 'empty' },
    { type: 'bitcoinAddress', address: 'bc1', amountSat: LARGE },
    { type: 'bolt11', invoice: payment, expiresAtSecs: 1n },
  ];
  assert.deepEqual(sample.mirrorParsed(all), all);
});

test('errors are Error objects with kind and fields', async () => {
  const sample = await api.Sample.open('Alice');
  const error = await sample.payInvoice('expired').then(() => assert.fail('paid'), (thrown) => thrown);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'SampleError');
  assert.equal(error.kind, 'invoiceExpired');
  assert.equal(error.expiredAtSecs, LARGE);
  assert.equal(error.message, `the invoice expired at ${LARGE}`);
  assert.ok(error.stack.length > 0);
  await assert.rejects(api.Sample.open(''), { kind: 'noRoute' });
  assert.throws(() => sample.parse('none'), { name: 'SampleError', kind: 'noRoute', message: 'no route' });
});

test('a wrong argument is a TypeError that names it', async () => {
  const sample = await api.Sample.open('Alice');
  assert.throws(() => sample.mirror({ paymentHash: '00' }), (thrown) =>
    thrown instanceof TypeError && /payment: .*amountMsat/.test(thrown.message));
  await assert.rejects(sample.payInvoice('ab', -1n), TypeError);
  await assert.rejects(sample.payInvoice('ab', 1.5), TypeError);
  await assert.rejects(sample.payInvoice(7), TypeError);
});

test('a listener hears, and its mistakes stay its own', async () => {
  const sample = await api.Sample.open('Alice');
  const heard = [];
  sample.setListener({ paymentChanged: (changed, seq) => heard.push([changed.paymentHash, seq]) });
  await sample.payInvoice('ab');
  assert.deepEqual(heard, [['ab', 7n]]);
  globalThis.reportError = (thrown) => heard.push(thrown.message);
  sample.setListener({ paymentChanged: () => { throw new Error('mine'); } });
  await sample.payInvoice('cd');
  assert.deepEqual(heard[1], 'mine');
  assert.throws(() => sample.setListener({}), TypeError);
});

test('an object may be freed while a promise is under way', async () => {
  const sample = await api.Sample.open('Alice');
  const paying = sample.payInvoice('ab');
  sample.free();
  assert.equal((await paying).paymentHash, 'ab');
});

test('a panic is an exception, and the process goes on', async () => {
  const sample = await api.Sample.open('Alice');
  assert.throws(() => sample.breakAtOnce(), WebAssembly.RuntimeError);
  assert.equal((await api.Sample.open('Bob')).name(), 'Bob');
});

test('a panic in a promise is heard where a host hears of its faults', () => {
  // In a process of its own: this one counts what nobody catches as a failed test.
  const script = `
    import { readFileSync } from 'node:fs';
    const folder = ${JSON.stringify(`${folder}/`)};
    const api = await import(folder + 'kite_api_tests.js');
    api.initSync({ module: readFileSync(folder + 'kite_api_tests_bg.wasm') });
    const faults = [];
    for (const name of ['uncaughtException', 'unhandledRejection']) process.on(name, (fault) => faults.push(fault.constructor.name));
    const sample = await api.Sample.open('Alice');
    let answer = 'none';
    sample.breakLater().then(() => (answer = 'done'), () => (answer = 'refused'));
    setTimeout(async () => console.log(JSON.stringify({ faults, answer, name: (await api.Sample.open('Bob')).name() })), 100);`;
  const { stdout, stderr } = spawnSync(execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(stdout || stderr), { faults: ['RuntimeError'], answer: 'none', name: 'Bob' });
});

test('the declarations have the types and the docs', () => {
  for (const text of [
    'payInvoice(invoice: string, amountMsat?: bigint): Promise<Payment>;',
    'static open(name: string): Promise<Sample>;',
    'mirror(payment: Payment): Payment;',
    'mirrorParsed(parsed: Parsed[]): Parsed[];',
    'setListener(listener: SampleListener): void;',
    'rest(): Promise<void>;',
    'export function sampleVersion(): string;',
    '    /**\n     * What the owner wrote; may be unset.\n     */\n    note?: string | undefined;',
    '| { type: "bitcoinAddress"; address: string; amountSat?: bigint | undefined }',
    'export type SampleError = Error & (',
    '/**\n * The invoice is no longer good.\n *\n * - `expiredAtSecs`: When it expired.\n */\n| { kind: "invoiceExpired"; expiredAtSecs: bigint }',
    ' *\n * - `invoice`: What it asks for.\n * - `expiresAtSecs`: Until when.\n */',
    '     * Pays an invoice.',
    '| "inFlight"',
    'paymentChanged(payment: Payment, seq: bigint): void;',
  ]) {
    assert.ok(script.includes(text), `no ${text} in\n${script}`);
  }
});
