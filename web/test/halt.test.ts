import assert from 'node:assert/strict';
import { test } from 'node:test';
import { haltOf } from '../src/halt.ts';

test('what ends a wallet has its own screen', () => {
  assert.deepEqual(haltOf({ kind: 'leaseLost', message: 'taken over' }), { halt: 'taken', reason: 'taken over' });
  assert.equal(haltOf({ kind: 'storeFull', message: 'there is no room left' })?.halt, 'full');
  assert.equal(haltOf({ kind: 'storeUnavailable', reason: 'the store failed' })?.halt, 'storage');
  assert.equal(haltOf({ kind: 'storeDamaged', reason: 'a stored record is damaged' })?.halt, 'damaged');
  for (const other of [undefined, new Error('odd'), { kind: 'noRoute', reason: 'none' }]) assert.equal(haltOf(other), undefined);
});

test('an old page that meets what a newer one stored does not say that it is damaged', () => {
  const reason = 'a record of version 3 was written by a newer Kite: update the app, nothing is lost';
  assert.equal(haltOf({ kind: 'storeNewer', reason })?.halt, 'outdated');
});
