import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sayEvent } from '../src/event-sentences.ts';
import { codeOf } from '../src/failure.ts';
import { explain, explainPayment, KNOWN_CODES, nodeName } from '../src/sentences.ts';

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
