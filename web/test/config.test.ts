import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../src/config.ts';
import { linkTo, readRoute } from '../src/route.ts';

test('settings need a network and a chain server, and get a database name', () => {
  assert.equal(checkConfig({ network: 'regtest', esploraUrl: 'http://h' }).data, 'kite-regtest');
  assert.equal(checkConfig({ network: 'signet', esploraUrl: 'http://h', data: 'mine' }).data, 'mine');
  for (const raw of [null, 'x', {}, { network: 'regtest' }, { network: 'nonsense', esploraUrl: 'http://h' }]) assert.throws(() => checkConfig(raw));
});

test('places survive the address, and unknown ones lead home', () => {
  assert.deepEqual(readRoute(linkTo('payment', 'a/b c')), { place: 'payment', subject: 'a/b c' });
  assert.deepEqual(readRoute('#/receive/onchain'), { place: 'receive', subject: 'onchain' });
  for (const hash of ['', '#', '#/nowhere', '#/../etc', '#/%zz']) assert.deepEqual(readRoute(hash), { place: 'home' }, hash);
});
