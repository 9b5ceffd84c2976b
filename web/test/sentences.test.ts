import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Parsed } from 'kite-wallet';
import { sayEvent } from '../src/event-sentences.ts';
import { codeOf } from '../src/failure.ts';
import { proxyReason } from '../src/proxy-reasons.ts';
import { explainSend } from '../src/send-sentences.ts';
import { chainTrouble, explain, explainPayment, KNOWN_CODES, nodeName } from '../src/sentences.ts';

test('every code has a sentence and a next step, also when its fields are missing', () => {
  for (const code of KNOWN_CODES) {
    const { what, next } = explain({ kind: camel(code) });
    for (const sentence of [what, next]) {
      assert.match(sentence, /^[A-Z].*[.]$/, `${code}: ${sentence}`);
      assert.doesNotMatch(sentence, /undefined|null|NaN|\[object/, code);
    }
  }
});

test('fields become part of the sentence', () => {
  assert.match(explain({ kind: 'amountOutOfRange', minMsat: 1_000n, maxMsat: 5_000_000n }).what, /between 1 sat and 5\u202f000 sat/);
  assert.match(explain({ kind: 'wrongNetwork', expected: 'regtest', found: 'bitcoin' }).what, /Bitcoin mainnet.*regtest/);
  assert.equal(explain({ kind: 'alreadyPaid', id: 'ab' }).paymentId, 'ab');
});

test('an unknown error is shown as it is', () => {
  assert.match(explain(new Error('the sky fell')).what, /the sky fell/);
  assert.match(explain(undefined).what, /no reason/);
  assert.match(explain({ kind: 'neverHeardOf', message: 'odd' }).what, /odd/);
});

test('each reason that the proxy closes a connection with has words', () => {
  const declared = readFileSync('../proxy/src/reason.rs', 'utf8').matchAll(/"(\w+)" Close\(/g);
  const names = [...declared].map(([, name]) => name as string);
  assert.ok(names.includes('connect_failed'), 'these are the reasons');
  for (const name of names) {
    assert.ok(proxyReason(name), name);
    assert.doesNotMatch(explain({ kind: 'connectionFailed', reason: name }).what, /_/, name);
  }
  assert.equal(proxyReason('constructor'), undefined);
  assert.match(explain({ kind: 'connectionFailed', reason: 'the proxy did not answer in time' }).what, /the proxy did not answer in time/);
});

test('a chain server that cannot be used says why', () => {
  assert.equal(chainTrouble(undefined), 'The Bitcoin network cannot be reached.');
  const reason = 'the chain server is on another network: choose one of the wallet\'s own network';
  assert.equal(chainTrouble(reason), 'The chain server cannot be used: it is on another network: choose one of the wallet\'s own network.');
});

test('who cannot change an amount is not told to', () => {
  const short = { kind: 'insufficientFunds', neededMsat: 9_000_000n, availableMsat: 4_000_000n };
  const invoice = (amountMsat: bigint | undefined): Parsed => ({ type: 'bolt11', invoice: { amountMsat } }) as unknown as Parsed;
  assert.doesNotMatch(explainSend(short, invoice(9_000_000n)).next, /Lower the amount/);
  assert.match(explainSend(short, invoice(9_000_000n)).what, /9\u202f000 sat, and your channels can send 4\u202f000 sat/);
  assert.match(explainSend(short, invoice(undefined)).next, /Lower the amount/);
  const address = (amountSat: bigint | undefined): Parsed => ({ type: 'bitcoinAddress', address: 'bcrt1', amountSat, label: undefined, linkMessage: undefined });
  assert.doesNotMatch(explainSend(short, address(9_000n)).next, /Lower the amount/);
  assert.match(explainSend(short, address(undefined)).next, /Lower the amount/);
});

test('what is nothing to pay is not called an address', () => {
  const { what } = explainSend({ kind: 'invalidInput', field: 'address', reason: 'not an invoice, an address or a node' }, undefined);
  assert.equal(what, 'That is not an invoice, an address or a link.');
  assert.match(explainSend({ kind: 'invalidInput', field: 'text', reason: 'LNURL cannot be paid by this version' }, undefined).what, /LNURL/);
});

test('a failed payment says that nothing was paid', () => {
  for (const code of ['no_route', 'fee_too_high', 'timeout', 'invoice_expired', 'recipient_refused', 'recipient_error', 'all_routes_failed', 'channel_closed', 'new']) {
    assert.match(explainPayment({ code, reason: 'because' }).next, /Nothing was paid/, code);
  }
});

test('the code of a thrown wallet error is its kind as payments spell it', () => {
  assert.equal(codeOf(Object.assign(new Error('…'), { kind: 'amountOutOfRange', minMsat: 1n })), 'amount_out_of_range');
  for (const other of [new Error('x'), 'x', undefined, null, { kind: 1 }]) assert.equal(codeOf(other), '');
});

test('events that matter are told, passing news are not', () => {
  const payment = { id: 'ab', paymentHash: 'cd' };
  assert.deepEqual(sayEvent({ type: 'paymentReceived', ...payment, amountMsat: 1_500_000n }), { text: 'Received 1\u202f500 sat.', tone: 'good' });
  assert.equal(sayEvent({ type: 'paymentFailed', ...payment, code: 'no_route', reason: 'none' })?.tone, 'bad');
  const nodeId = `02${'ab'.repeat(32)}`;
  for (const passing of [{ type: 'synced' }, { type: 'peerConnected', nodeId }, { type: 'peerDisconnected', nodeId }] as const) {
    assert.equal(sayEvent(passing), undefined, passing.type);
  }
});

test('bad news says what to do next', () => {
  const nodeId = `02${'ab'.repeat(32)}`;
  const news = [
    sayEvent({ type: 'paymentFailed', id: 'ab', paymentHash: 'cd', code: 'no_route', reason: 'none' }),
    sayEvent({ type: 'channelOpenFailed', nodeId, reason: 'the peer said no' }),
    sayEvent({ type: 'actionRequired', what: 'A channel fell behind. Keep this wallet running.' }),
  ];
  for (const said of news) {
    assert.equal(said?.tone, 'bad');
    assert.match(said?.text ?? '', /\. .*\.$/, said?.text);
  }
});

test('a node is called by its name where that is known', () => {
  const id = `02${'ab'.repeat(32)}`;
  assert.equal(nodeName(id, [{ nodeId: id, alias: 'alice' }]), 'alice');
  assert.equal(nodeName(id, []), '02abab…ababab');
});

const camel = (code: string): string => code.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
