import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mnemonicWords, nodeAddress, parseSat, plainSat, satText, sentence, shortId, spanText, tookText, whenText } from '../src/format.ts';

const THIN = '\u202f';

test('amounts are grouped in threes with thin spaces, and thousandths shown only where there are any', () => {
  assert.equal(satText(0n), '0');
  assert.equal(satText(999_000n), '999');
  assert.equal(satText(1_234_567_000n), `1${THIN}234${THIN}567`);
  assert.equal(satText(1_500n), '1.5');
  assert.equal(satText(1n), '0.001');
  assert.equal(satText(-2_500_000n), `\u22122${THIN}500`);
  assert.equal(satText(2_100_000_000_000_000_000n), `2${THIN}100${THIN}000${THIN}000${THIN}000${THIN}000`);
  assert.equal(plainSat(-1_234_567_890n), '-1234567.89');
});

test('an amount is read as people type it', () => {
  for (const text of ['1500', ' 1 500 ', `1${THIN}500`, "1'500", '1_500', '1500 sat', '1500sats']) {
    assert.deepEqual(parseSat(text), { ok: true, sat: 1500n }, text);
  }
});

test('what is no whole amount above zero says why', () => {
  for (const [text, reason] of [
    ['', /Enter an amount/],
    ['0', /more than zero/],
    ['-5', /more than zero/],
    ['1.5', /whole sat/],
    ['1,500', /whole sat/],
    ['abc', /digits only/],
    ['1e9', /digits only/],
    ['2100000000000001', /not that many/],
  ] as const) {
    const typed = parseSat(text);
    assert.equal(typed.ok, false, text);
    assert.match(typed.ok ? '' : typed.reason, reason, text);
  }
  assert.deepEqual(parseSat('2100000000000000'), { ok: true, sat: 2_100_000_000_000_000n });
});

test('spans name their two largest units', () => {
  assert.equal(spanText(59), '59\u00a0s');
  assert.equal(spanText(60), '1\u00a0min');
  assert.equal(spanText(3_725), '1\u00a0h 2\u00a0min');
  assert.equal(spanText(86_400), '1\u00a0d');
  assert.equal(spanText(-4), '0\u00a0s');
  assert.equal(tookText(840n), '840 ms');
  assert.equal(tookText(1184n), '1.18 s');
  assert.equal(tookText(65_000), '1\u00a0min 5\u00a0s');
});

test('the recent past is told in words', () => {
  assert.equal(whenText(1000n, 1010), 'just now');
  assert.equal(whenText(1000n, 1000 + 600), '10 min ago');
});

test('a day of another year is told with its year', () => {
  const [january, november] = [Date.UTC(2024, 0, 15) / 1000, Date.UTC(2024, 10, 15) / 1000];
  assert.doesNotMatch(whenText(BigInt(january), november), /2024/);
  assert.match(whenText(BigInt(january), november + 100 * 86_400), /2024/);
});

test('words are found however they were pasted', () => {
  const words = ['abandon', 'ability', 'able'];
  assert.deepEqual(mnemonicWords(' Abandon  ability\nable '), words);
  assert.deepEqual(mnemonicWords('1. abandon 2. ability 3. able'), words);
  assert.deepEqual(mnemonicWords('abandon,ability;able'), words);
  assert.deepEqual(mnemonicWords(''), []);
});

test('a node address is split at its @', () => {
  const id = `02${'ab'.repeat(32)}`;
  assert.deepEqual(nodeAddress(` ${id.toUpperCase()}@host.example:9735 `), { nodeId: id, address: 'host.example:9735' });
  assert.deepEqual(nodeAddress(`${id}@[::1]:9735`), { nodeId: id, address: '[::1]:9735' });
  for (const text of [id, `${id}@host`, `${id.slice(2)}@host:1`, 'x@host:9735']) assert.equal(nodeAddress(text), undefined, text);
});

test('long ids are shortened, short ones kept', () => {
  assert.equal(shortId('0123456789abcdef'), '012345…abcdef');
  assert.equal(shortId('0123456789abc'), '0123456789abc');
});

test('a reason becomes a sentence', () => {
  assert.equal(sentence('closed together'), 'Closed together.');
  assert.equal(sentence('Done already.'), 'Done already.');
});
