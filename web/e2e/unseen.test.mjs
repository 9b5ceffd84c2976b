// What a person does not see: what the wallet stores and sends, in which order, how durable, and that the page stays awake.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import { fill, openChannel, reconnected, settled } from './channels.mjs';
import { longestTask, watchTasks } from './page-tasks.mjs';
import { KNOWN, publicKey, secretsOf } from './secrets.mjs';
import { stepsOf } from './steps.mjs';
import { assertNowhere, formsOfAmount, formsOfBytes, formsOfText, plant, storedBytes } from './stored-files.mjs';
import { begin, end, folderOf } from './surroundings.mjs';
import { abortAfterSuccess, notes, takeRandomness, watch, workerOf } from './worker-watch.mjs';

const PASSPHRASE = 'a kite needs a line to fly';
/** Amounts like no other: they are looked for in the files. */
const CHANNEL_SAT = 637_219n;
const PAID_MSAT = 54_321_987n;
/** A ping and its pong are at most so long, encrypted (BOLT 8: 34 bytes more). No message of a payment is below 99. */
const MOST_PING_BYTES = 64;
/**
 * What a person still takes for "at once" (the bound of "good" for Interaction to Next Paint). The worker's own work is far
 * above: it stretches the passphrase for about a second.
 */
const MOST_TASK_MILLIS = 200;
/** On a machine that others use, a page may have to wait for a processor: what is its own fault shows every time. */
const TRIES = 3;
/** Longer than the half second after which the wallet writes what nothing waits for. */
const QUIET_MILLIS = 1_500;

const { folder, profile } = folderOf('unseen');
let world;
let site;
let context;
let wallet;
let worker;
const test = stepsOf(() => wallet);

before(async () => {
  ({ world, site, context, wallet } = await begin(profile));
});

after(() => end({ folder, world, site, context }));

/** What is said to a screen reader. */
function said() {
  return wallet.page.locator('#said').textContent();
}

/** An invoice of the node at the other end of the channel, ready to be paid, with nothing else under way. */
async function reviewed(amountMsat) {
  const { invoice } = await world.invoice('alice', Number(amountMsat), 'Unseen');
  await wallet.review(invoice);
  await wallet.page.waitForTimeout(QUIET_MILLIS);
}

/** What the wallet did from pressing Pay until it had nothing more to do. */
async function notesOfPayment(amountMsat) {
  await reviewed(amountMsat);
  const from = (await notes(worker)).length;
  await wallet.pay();
  await wallet.page.waitForTimeout(QUIET_MILLIS);
  return (await notes(worker, from)).filter(({ what, bytes }) => what !== 'asked' && !(what === 'sent' && bytes <= MOST_PING_BYTES));
}

test('without randomness no wallet is made, and the page says why', { timeout: 60_000 }, async () => {
  await wallet.see('create');
  await takeRandomness(await workerOf(wallet.page));
  await wallet.press('create');
  await wallet.type('passphrase', PASSPHRASE);
  await wallet.type('passphrase-again', PASSPHRASE);
  await wallet.press('create-submit');
  await wallet.see('failure');
  assert.match(await wallet.text('failure'), /this device gave no randomness: the browser's crypto.getRandomValues fails\..*Nothing was made/s);
  await wallet.shot('no-randomness');
  await wallet.page.reload();
  await wallet.see('create');
});

test('lives until it has a channel, from words that are known', { timeout: 240_000 }, async () => {
  worker = await workerOf(wallet.page);
  await watch(worker);
  await wallet.press('restore');
  await wallet.type('restore-words', KNOWN.words.join(' '));
  await wallet.type('passphrase', PASSPHRASE);
  await wallet.type('passphrase-again', PASSPHRASE);
  await wallet.press('restore-submit');
  await wallet.see('screen-home', 60_000);
  await fill(wallet, world);
  await openChannel(wallet, world, CHANNEL_SAT);
});

test('a payment is three durable writes, each followed by one flight', { timeout: 120_000 }, async () => {
  const writes = [];
  for (const amountMsat of [PAID_MSAT, 1_000_000n, 2_000_000n]) {
    const order = (await notesOfPayment(amountMsat)).map(({ what }) => what);
    const flights = order.filter((what, at) => what !== order[at - 1]);
    // The last `revoke_and_ack` of the other node asks for no answer and is not counted (ADR 0008): it is written with what
    // comes next, or half a second later.
    const uncounted = flights.length === 7 ? order.lastIndexOf('sent') + 1 : order.length;
    assert.deepEqual(flights.slice(0, 6), ['stored', 'sent', 'stored', 'sent', 'stored', 'sent'], order.join(' '));
    assert.ok(order.length - uncounted <= 1, order.join(' '));
    // Add and commit; revoke; revoke and commit (BOLT 2, Normal Operation).
    assert.equal(order.filter((what) => what === 'sent').length, 5, order.join(' '));
    writes.push(order.slice(0, uncounted).filter((what) => what === 'stored').length);
  }
  // An answer that a busy machine delivers in pieces may be written in pieces. What is of the wallet's own making shows
  // every time.
  assert.equal(Math.min(...writes), 3, `writes of each payment: ${writes}`);
});

test('the page is never busy for long while the wallet works', { timeout: 120_000 }, async () => {
  await watchTasks(wallet.page);
  const longest = [];
  for (let tries = 0; tries < TRIES && !longest.some((millis) => millis <= MOST_TASK_MILLIS); tries += 1) {
    await reviewed(1_500_000n);
    await longestTask(wallet.page);
    await wallet.pay();
    longest.push(await longestTask(wallet.page));
  }
  assert.ok(longest.some((millis) => millis <= MOST_TASK_MILLIS), `paying: tasks of ${longest.join(', ')} ms`);
});

test('what became of a payment is said to screen readers', { timeout: 120_000 }, async () => {
  await reviewed(3_000_000n);
  await wallet.pay();
  await wallet.until('the success is said', said, (text) => text === 'Paid: 3000 sat.', 5_000);
  const preimage = randomBytes(32);
  const payment_hash = createHash('sha256').update(preimage).digest('hex');
  const { invoice } = await world.holdInvoice('alice', 4_000_000, payment_hash);
  await wallet.review(invoice);
  await wallet.pay('inFlight');
  // Nothing is failed that has not arrived.
  const fail = () => world.post('/peers/alice/fail_held', { payment_hash }).catch(() => undefined);
  await wallet.until('it failed', () => fail().then(() => wallet.at('outcome').getAttribute('data-status')), (status) => status === 'failed');
  await wallet.until('the failure is said', said, (text) => text === 'Not paid: 4000 sat. The payee refused the payment.', 5_000);
  await wallet.shot('refused');
});

test('every write asked for strict durability', { timeout: 30_000 }, async () => {
  const all = await notes(worker);
  const asked = all.filter(({ what }) => what === 'asked').map(({ durability }) => durability);
  assert.ok(asked.length > 20, `${asked.length} writes`);
  assert.deepEqual([...new Set(asked)], ['strict']);
});

test('what the browser took back after all its requests succeeded was never sent, and is not lost', { timeout: 180_000 }, async () => {
  const before = await settled(wallet);
  const amountMsat = 5_000_000n;
  const { invoice } = await world.invoice('alice', Number(amountMsat), 'Taken back');
  await wallet.review(invoice);
  await wallet.page.waitForTimeout(QUIET_MILLIS);
  await abortAfterSuccess(worker);
  const from = (await notes(worker)).length;
  await wallet.press('pay');
  await wallet.see('halted-storage');
  assert.match(await wallet.text('halted-storage'), /stopped at once.*Start it again/s);
  const since = (await notes(worker, from)).filter(({ what, bytes }) => !(what === 'sent' && bytes <= MOST_PING_BYTES));
  assert.deepEqual(since.map(({ what }) => what), ['asked', 'aborted']);
  await wallet.press('restart');
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
  assert.deepEqual(await settled(wallet), before);
  await wallet.review(invoice);
  await wallet.pay();
  const { total } = await settled(wallet);
  assert.equal(before.total - total, amountMsat);
});

test('no file of the browser shows a key or an amount', { timeout: 60_000 }, async () => {
  await wallet.go('settings');
  const keys = secretsOf(KNOWN.words);
  assert.equal(publicKey(keys['key of the node']), await wallet.value('node-id'), 'these are the keys of the wallet');
  const planted = [...formsOfAmount(91_827_365n), ...formsOfBytes(randomBytes(32)), ...formsOfText('in plain sight')];
  await plant(wallet.page, planted);
  const content = storedBytes(profile);
  for (const form of planted) assert.ok(content.includes(form), `${form.toString('latin1')} is there to be found`);
  for (const [name, bytes] of Object.entries({ entropy: KNOWN.entropy, ...keys })) assertNowhere(content, formsOfBytes(bytes), name);
  for (const amount of [PAID_MSAT, CHANNEL_SAT, CHANNEL_SAT * 1000n]) assertNowhere(content, formsOfAmount(amount), `${amount}`);
  for (const text of ['Unseen', 'Taken back']) assertNowhere(content, formsOfText(text), text);
  wallet.assertNoProblems();
});
