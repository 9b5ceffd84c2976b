// What a person does, from the first word to the coins back on-chain, in a real browser against real nodes.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { channelsThatAre, minedUntilReady, openChannel, reconnected, settled } from './channels.mjs';
import { qrPng, writeCameraClip } from './pictures.mjs';
import { brightness, seenCode } from './pixels.mjs';
import { startSite } from './processes.mjs';
import { secretsOf } from './secrets.mjs';
import { stepsOf } from './steps.mjs';
import { assertNowhere, formsOfBytes, formsOfText, storedBytes } from './stored-files.mjs';
import { begin, end, folderOf } from './surroundings.mjs';
import { openBrowser, WalletPage } from './wallet-page.mjs';
import { wrongInvoices } from './wrong-invoices.mjs';

const PASSPHRASE = 'kites fly against the wind';
const CHANNEL_SAT = 900_000n;

const { folder, profile } = folderOf('e2e');
let world;
let site;
let context;
let wallet;
let words;
/** What the wallet learnt and no file may show. */
const told = [];
const test = stepsOf(() => wallet);

before(async () => {
  ({ world, site, context, wallet } = await begin(profile));
});

after(() => end({ folder, world, site, context }));

/** Ends the whole browser and starts another one on the same profile. */
async function anotherBrowser(options) {
  await context.close();
  context = await openBrowser(profile, site, options);
  wallet = await WalletPage.open(context, site);
  await wallet.unlock(PASSPHRASE);
}

/** Makes the wallet write. */
async function storeSomething() {
  await wallet.go('home');
  await wallet.press('receive');
  await wallet.type('invoice-amount', '1 000');
  await wallet.press('invoice-submit');
}

/** Makes the wallet write until it stops. Chromium asks only twice a minute how much room there is. */
async function stopsWriting(halt) {
  const stopped = () => wallet.at(halt).isVisible();
  const write = () => storeSomething().catch(() => undefined);
  // It may stop while a button is being looked for.
  wallet.page.setDefaultTimeout(3_000);
  await wallet.until(`the wallet is ${halt}`, async () => (await stopped()) || write().then(stopped), (is) => is, 90_000);
  wallet.page.setDefaultTimeout(30_000);
}

/** After a stop: everything is there, and the channel pays. */
async function goesOn(before) {
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
  assert.deepEqual(await settled(wallet), before);
  const { invoice } = await world.invoice('alice', 1_000_000, 'Still there');
  await wallet.review(invoice);
  await wallet.pay();
}

function secret() {
  const preimage = randomBytes(32);
  return { preimage: preimage.toString('hex'), hash: createHash('sha256').update(preimage).digest('hex') };
}

test('creates a wallet and confirms its words', { timeout: 120_000 }, async () => {
  words = await wallet.create(PASSPHRASE);
  await wallet.shot('home-empty');
  assert.equal(await wallet.msat('total'), 0n);
  assert.equal(await wallet.text('network').catch(() => 'regtest'), 'regtest');
});

test('is filled by the faucet', { timeout: 120_000 }, async () => {
  await wallet.press('faucet');
  await wallet.shot('faucet');
  await wallet.until('the coins are seen', () => wallet.msat('total'), (total) => total === 1_000_000_000n);
  await wallet.go('channels');
  await wallet.press('open-channel');
  assert.match(await wallet.text('coins-wait'), /wait for a block.*1.000.000 sat/s);
  await wallet.shot('open-channel-coins-wait');
  await wallet.go('home');
  await world.mine(1);
  await wallet.until('the coins are confirmed', () => wallet.msat('onchain'), (onchain) => onchain === 1_000_000_000n);
  await wallet.shot('home-filled');
});

test('connects to a node through the proxy', { timeout: 60_000 }, async () => {
  await wallet.go('channels');
  await wallet.press('peers');
  await wallet.see('screen-peers');
  await wallet.press('connect-alice');
  const peer = wallet.page.locator(`[data-testid=peer][data-node="${world.peers.alice.node_id}"][data-connected=true]`);
  await peer.waitFor();
  await wallet.shot('peers');
});

test('opens a channel, with fee and amount shown before', { timeout: 180_000 }, async () => {
  await wallet.go('channels');
  await wallet.press('open-channel');
  await wallet.see('channel-amount');
  await wallet.at('node-alice').check({ force: true });
  await wallet.type('channel-amount', CHANNEL_SAT.toString());
  assert.equal(await wallet.msat('usable'), 990_000_000n);
  await wallet.shot('open-channel');
  await wallet.press('channel-review');
  await wallet.see('channel-quote');
  await wallet.shot('open-channel-review');
  assert.equal(await wallet.msat('quote-amount'), CHANNEL_SAT * 1000n);
  const fee = await wallet.msat('quote-fee');
  assert.ok(fee > 0n && fee < 50_000_000n, `a fee of ${fee} msat`);
  assert.equal(await wallet.msat('quote-total'), CHANNEL_SAT * 1000n + fee);
  await wallet.press('channel-open');
  await wallet.see('channel', 60_000);
  // What is left is change that waits for its block: the quote says so, and nothing is tried in vain.
  await wallet.until('the channel waits for blocks', () => channelsThatAre(wallet, 'pending'), (count) => count === 1);
  await wallet.press('open-channel');
  await wallet.at('node-alice').check({ force: true });
  await wallet.type('channel-amount', '50000');
  await wallet.press('channel-review');
  await wallet.until('it says what waits', () => wallet.text('failure'), (said) => /wait for a block: try again after it/.test(said));
  await wallet.shot('open-channel-too-soon');
  await wallet.at('node-bob').check({ force: true });
  await wallet.until('another choice is another question', () => wallet.page.getByTestId('failure').count(), (count) => count === 0);
  await wallet.go('channels');
  await minedUntilReady(wallet, world);
  await wallet.shot('channel-ready');
  const { spendable, onchain } = await wallet.balances();
  // At least a tenth: less than the whole where the other node limits what may be on its way at once.
  assert.ok(spendable >= 90_000_000n && spendable < CHANNEL_SAT * 1000n, `${spendable} msat can be spent`);
  assert.ok(onchain > 50_000_000n && onchain < 100_000_000n, `${onchain} msat on-chain`);
});

test('pays an invoice over three nodes by paste', { timeout: 120_000 }, async () => {
  const { invoice, payment_hash: hash } = await world.invoice('carol', 2_500_000, 'Two coffees');
  const before = await wallet.balances();
  await wallet.press('send');
  await wallet.shot('send');
  await wallet.page.evaluate((text) => navigator.clipboard.writeText(text), `lightning:${invoice.toUpperCase()}`);
  await wallet.press('paste');
  await wallet.see('review');
  await wallet.shot('review');
  assert.equal(await wallet.msat('review-amount'), 2_500_000n);
  assert.match(await wallet.text('review-payee'), /carol/);
  assert.equal(await wallet.text('review-description'), 'Two coffees');
  assert.match(await wallet.text('review-expiry'), /in \d+/);
  assert.ok((await wallet.msat('review-fee-cap')) >= (await wallet.msat('review-fee')));
  assert.match(await wallet.text('review'), /You pay at most/);
  await wallet.pay();
  await wallet.shot('paid');
  const fee = await wallet.msat('payment-fee');
  assert.ok(fee > 0n && fee <= 35_000n, `a fee of ${fee} msat`);
  assert.equal(await wallet.text('payment-hops'), '3 hops');
  assert.match(await wallet.text('payment-took'), /\d+ ?(ms|s)/);
  const preimage = await wallet.value('payment-preimage');
  told.push(invoice, hash, preimage);
  assert.equal(createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex'), hash);
  await wallet.until('the balance follows', () => wallet.balances(), ({ inFlight, total }) => inFlight === 0n && before.total - total === 2_500_000n + fee);
});

test('pays an uploaded picture', { timeout: 90_000 }, async () => {
  const { invoice } = await world.invoice('alice', 40_000_000, 'A picture');
  await wallet.go('home');
  await wallet.press('send');
  await wallet.at('upload').setInputFiles({ name: 'invoice.png', mimeType: 'image/png', buffer: qrPng(invoice.toUpperCase()) });
  await wallet.see('review');
  assert.equal(await wallet.text('review-description'), 'A picture');
  await wallet.pay();
  assert.equal(await wallet.text('payment-hops'), '1 hop');
});

test('reads a dropped picture and a dropped text', { timeout: 60_000 }, async () => {
  const { invoice } = await world.invoice('alice', 3_000_000, 'Dropped');
  const drop = ({ png, text }) => {
    const data = new DataTransfer();
    if (text) data.setData('text/plain', text);
    if (png) data.items.add(new File([Uint8Array.from(atob(png), (char) => char.charCodeAt(0))], 'invoice.png', { type: 'image/png' }));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  };
  for (const dropped of [{ png: qrPng(invoice.toUpperCase()).toString('base64') }, { text: invoice }]) {
    await wallet.go('home');
    await wallet.press('send');
    await wallet.see('send-input');
    await wallet.page.evaluate(drop, dropped);
    await wallet.see('review');
    assert.equal(await wallet.text('review-description'), 'Dropped');
  }
  await wallet.go('home');
});

test('pays the invoice that a node of the devnet offers, with the keyboard alone', { timeout: 90_000 }, async () => {
  const { keyboard } = wallet.page;
  await wallet.tabTo('tab-home');
  await keyboard.press('Enter');
  await wallet.see('screen-home');
  await wallet.tabTo('send');
  await keyboard.press('Enter');
  await wallet.see('send-input');
  await wallet.tabTo('try-bob');
  await keyboard.press('Enter');
  await wallet.until('there is an invoice', () => wallet.at('send-input').inputValue(), (text) => text.startsWith('lnbcrt'));
  await wallet.shot('try-it');
  await wallet.tabTo('send-continue');
  await keyboard.press('Enter');
  await wallet.see('review');
  await wallet.tabTo('pay');
  await wallet.shot('by-keyboard');
  await keyboard.press('Enter');
  await wallet.see('outcome');
  await wallet.outcome('succeeded');
});

test('pays what the camera shows', { timeout: 180_000 }, async () => {
  const { invoice } = await world.invoice('bob', 30_000_000, 'Seen by camera');
  // First a camera that sees no code.
  await wallet.go('home');
  await wallet.press('send');
  await wallet.press('scan');
  await wallet.page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
  await wallet.shot('camera');
  await wallet.press('scan-cancel');
  await wallet.see('send-input');
  const camera = join(folder, 'camera.y4m');
  writeCameraClip(invoice.toUpperCase(), camera);
  await anotherBrowser({ camera });
  await reconnected(wallet);
  await wallet.go('home');
  await wallet.press('send');
  await wallet.press('scan');
  await wallet.see('review', 30_000);
  assert.equal(await wallet.text('review-description'), 'Seen by camera');
  assert.equal(await wallet.msat('review-amount'), 30_000_000n);
  await wallet.pay();
  await wallet.shot('paid-by-camera');
});

test('says exactly what is wrong with an invoice', { timeout: 120_000 }, async () => {
  const { invoice } = await world.invoice('alice', 1_000_000, 'broken below');
  for (const [text, reason] of [
    ['', /nothing to pay/i],
    ['hello', /not an invoice, an address or a link/i],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', /mainnet/i],
    ...wrongInvoices(invoice),
  ]) {
    await wallet.go('home');
    await wallet.press('send');
    await wallet.type('send-input', text);
    await wallet.press('send-continue');
    await wallet.until(`it says ${reason.source}`, () => wallet.text('failure'), (said) => reason.test(said), 10_000);
  }
  await wallet.shot('send-refused');
});

test('is paid', { timeout: 120_000 }, async () => {
  await wallet.go('home');
  await wallet.press('receive');
  await wallet.type('invoice-amount', '20 000');
  await wallet.type('invoice-description', 'A song');
  await wallet.shot('receive');
  await wallet.press('invoice-submit');
  await wallet.see('qr');
  await wallet.shot('invoice');
  const invoice = await wallet.value('invoice-text');
  assert.equal(await seenCode(wallet.at('qr')), invoice.toUpperCase());
  await wallet.press('pay-carol');
  await wallet.see('received');
  assert.equal(await wallet.msat('received-amount'), 20_000_000n);
  await wallet.shot('received');
  await wallet.go('home');
  await wallet.shot('home');
});

test('shows an on-chain address, the history and the words', { timeout: 60_000 }, async () => {
  await wallet.go('home');
  await wallet.press('receive');
  await wallet.press('receive-onchain');
  await wallet.see('address-card');
  assert.match(await wallet.value('address'), /^bcrt1/);
  await wallet.shot('address');
  await wallet.go('history');
  await wallet.see('payments');
  await wallet.press('filter-received');
  await wallet.until('only what was received', () => wallet.page.getByTestId('payment').count(), (count) => count === 2);
  await wallet.press('filter-all');
  await wallet.until('all payments', () => wallet.page.getByTestId('payment').count(), (count) => count >= 6);
  await wallet.shot('history');
  await wallet.go('settings');
  await wallet.type('words-passphrase', 'not this one');
  await wallet.press('show-words');
  await wallet.see('failure');
  assert.match(await wallet.text('failure'), /not the passphrase/);
  await wallet.type('words-passphrase', PASSPHRASE);
  await wallet.press('show-words');
  await wallet.see('words');
  assert.deepEqual(await wallet.page.getByTestId('word').allInnerTexts(), words);
  await wallet.press('hide-words');
  await wallet.shot('settings');
});

test('goes on after a reload in the middle of a payment', { timeout: 180_000 }, async () => {
  const { preimage, hash } = secret();
  const { invoice } = await world.holdInvoice('bob', 50_000_000, hash);
  const before = await wallet.balances();
  await wallet.review(invoice);
  await wallet.press('pay');
  await wallet.see('outcome');
  await wallet.outcome('inFlight');
  await wallet.shot('in-flight');
  // The page warns before it is left while something is under way.
  wallet.page.once('dialog', (dialog) => void dialog.accept());
  await wallet.page.reload();
  await wallet.unlock(PASSPHRASE);
  await wallet.outcome('inFlight');
  const during = await wallet.until('the money is in flight', () => wallet.balances(), ({ inFlight }) => inFlight > 0n);
  assert.ok(during.inFlight >= 50_000_000n);
  await reconnected(wallet);
  await world.post('/peers/bob/claim_held', { amount_msat: 50_000_000, preimage });
  await wallet.until(
    'it is paid, once',
    () => wallet.balances().then(({ inFlight, total }) => (inFlight === 0n ? before.total - total : -1n)),
    (spent) => spent >= 50_000_000n && spent <= 50_500_000n,
    60_000,
  );
  await wallet.offer(invoice);
  await wallet.see('failure');
  assert.match(await wallet.text('failure'), /paid this invoice before/);
});

test('goes on after the tab crashed in the middle of a payment', { timeout: 180_000 }, async () => {
  const { hash } = secret();
  const { invoice } = await world.holdInvoice('alice', 60_000_000, hash);
  await wallet.go('home');
  const before = await settled(wallet);
  await wallet.review(invoice);
  await wallet.press('pay');
  await wallet.see('outcome');
  await wallet.outcome('inFlight');
  const cdp = await context.newCDPSession(wallet.page);
  const crashed = new Promise((resolve) => wallet.page.once('crash', resolve));
  cdp.send('Page.crash').catch(() => undefined);
  await crashed;
  await wallet.page.close().catch(() => undefined);
  wallet = await WalletPage.open(context, site);
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
  // Nothing is failed that has not arrived: the tab may have crashed before it was sent.
  const fail = () => world.post('/peers/alice/fail_held', { payment_hash: hash }).catch(() => undefined);
  await wallet.until('it failed and all is back', () => fail().then(() => wallet.balances()), ({ inFlight, total, spendable }) => inFlight === 0n && total === before.total && spendable === before.spendable, 60_000);
  await wallet.go('history');
  await wallet.page.locator('[data-testid=payment][data-status=failed]').first().click();
  await wallet.outcome('failed');
  await wallet.shot('not-paid');
});

test('a second tab says that the wallet is open elsewhere, and takes over when the first is closed', { timeout: 90_000 }, async () => {
  const second = await WalletPage.open(context, site);
  await second.see('screen-elsewhere');
  await second.shot('open-elsewhere');
  await wallet.go('home');
  await wallet.page.close();
  wallet = second;
  await wallet.see('unlock-passphrase');
  await wallet.type('unlock-passphrase', 'wrong');
  await wallet.press('unlock-submit');
  await wallet.see('failure');
  await wallet.shot('wrong-passphrase');
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
});

test('says that it is offline, and starts without network', { timeout: 90_000 }, async () => {
  await wallet.go('home');
  await context.setOffline(true);
  await wallet.see('banner-offline');
  await wallet.shot('offline');
  wallet.page.once('dialog', (dialog) => void dialog.accept());
  await wallet.page.reload();
  await wallet.see('unlock-passphrase', 20_000);
  await context.setOffline(false);
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
});

test('the history goes on beyond its first page', { timeout: 120_000 }, async () => {
  for (let made = 0; made < 30; made += 1) {
    await storeSomething();
    await wallet.see('qr');
  }
  await wallet.go('history');
  const lines = wallet.page.getByTestId('payment');
  await wallet.until('one page', () => lines.count(), (count) => count === 25);
  await wallet.press('more');
  await wallet.until('all of it', () => lines.count(), (count) => count > 36);
  assert.equal(await wallet.page.getByTestId('more').count(), 0);
  const links = await lines.evaluateAll((found) => found.map((line) => line.getAttribute('href') ?? line.querySelector('a').getAttribute('href')));
  assert.equal(new Set(links).size, links.length, 'none twice');
  await wallet.shot('history-long');
});

test('a second worker without manners gets no wallet, and one that steals the lock ends the first', { timeout: 120_000 }, async () => {
  const before = await settled(wallet);
  const engine = wallet.page.workers()[0].url();
  const second = await WalletPage.open(context, site);
  await second.see('screen-elsewhere');
  assert.equal(await second.openUnasked(engine, PASSPHRASE), 'alreadyOpen');
  await wallet.msat('total');
  // Without the lock the fence of the store is left, and it must be enough.
  await second.page.evaluate(() => navigator.locks.request('kite:kite-regtest', { steal: true }, () => undefined));
  assert.equal(await second.openUnasked(engine, PASSPHRASE), 'open');
  await stopsWriting('halted-taken');
  assert.match(await wallet.text('halted-taken'), /opened somewhere else.*Go on there/s);
  await wallet.shot('taken-over');
  await second.page.close();
  await wallet.press('restart');
  await wallet.unlock(PASSPHRASE);
  await reconnected(wallet);
  assert.deepEqual(await settled(wallet), before);
});

test('a full device stops the wallet; with room again it goes on', { timeout: 180_000 }, async () => {
  const before = await settled(wallet);
  const devtools = await context.newCDPSession(wallet.page);
  const { origin } = new URL(site.url);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  await stopsWriting('halted-full');
  assert.match(await wallet.text('halted-full'), /no room left.*Nothing is lost.*Free some disk space/s);
  await wallet.shot('no-room');
  // Still full: it cannot even start, and says the same.
  await wallet.press('restart');
  await wallet.see('unlock-passphrase', 60_000);
  await wallet.type('unlock-passphrase', PASSPHRASE);
  await wallet.press('unlock-submit');
  await wallet.see('halted-full', 60_000);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  await wallet.press('restart');
  await goesOn(before);
});

test('a write that the browser aborts stops the wallet; after a start it goes on', { timeout: 120_000 }, async () => {
  const before = await settled(wallet);
  await wallet.page.workers()[0].evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...given) {
      const request = put.apply(this, given);
      this.transaction.abort();
      return request;
    };
  });
  await stopsWriting('halted-storage');
  assert.match(await wallet.text('halted-storage'), /stopped at once.*Start it again/s);
  await wallet.press('restart');
  await goesOn(before);
});

test('closes the channel and gets the coins back', { timeout: 180_000 }, async () => {
  const before = await wallet.balances();
  await wallet.go('channels');
  await wallet.press('channel-details');
  await wallet.shot('channel-details');
  await wallet.press('close-channel');
  await wallet.see('confirm-yes');
  const least = await wallet.msat('back-at-least');
  await wallet.shot('confirm-close');
  await wallet.press('confirm-yes');
  await wallet.until('the channel closes', () => wallet.page.locator('[data-testid=channel][data-state=closing]').count(), (count) => count === 1);
  await wallet.shot('closing');
  const during = await wallet.balances();
  assert.ok(during.total > before.total - 20_000_000n, `${during.total} msat stay in the total of ${before.total}`);
  await world.mine(6);
  const later = await wallet.until(
    'the coins are back',
    () => wallet.balances(),
    ({ onchain, closing }) => closing === 0n && onchain > before.onchain + 200_000_000n,
    90_000,
  );
  assert.equal(later.spendable, 0n);
  assert.ok(later.onchain - before.onchain >= least, `${later.onchain - before.onchain} msat came back, at least ${least} were promised`);
  assert.ok(later.onchain > before.total - 20_000_000n, `${later.onchain} msat of ${before.total} are on-chain`);
  await wallet.shot('closed');
});

test('sends coins on-chain, for one fee', { timeout: 120_000 }, async () => {
  await wallet.offer('bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080');
  await wallet.see('amount');
  await wallet.shot('how-much');
  await wallet.type('amount', '20 000');
  await wallet.press('amount-submit');
  await wallet.see('review');
  await wallet.shot('review-onchain');
  assert.doesNotMatch(await wallet.text('review'), /about|at most/);
  assert.equal(await wallet.msat('review-most'), 20_000_000n + (await wallet.msat('review-fee')));
  // Sent is sent: its block may come much later.
  await wallet.pay('pending');
  await wallet.shot('sent-onchain');
  await wallet.until(
    'it is in a block',
    async () => {
      await world.mine(1);
      return wallet.at('outcome').getAttribute('data-status');
    },
    (status) => status === 'succeeded',
  );
});

/** One card of a channel, by its state. */
function channelThatIs(state) {
  return wallet.page.locator(`[data-testid=channel][data-state=${state}]`).first();
}

/** The newest payment: the close that is looked at. */
async function lastClose() {
  await wallet.go('history');
  await wallet.page.locator('[data-testid=payment]', { hasText: /Channel clos/ }).first().click();
  await wallet.see('closed-by');
}

test('a channel that the other node closes alone is seen and stays in the total', { timeout: 240_000 }, async () => {
  await openChannel(wallet, world, 200_000n);
  const before = await wallet.balances();
  const channels = await world.get('/peers/alice/channels');
  const ours = channels.find((channel) => !channel.announced);
  await world.post('/peers/alice/close_channel', { user_channel_id: ours.user_channel_id, force: true });
  await wallet.go('channels');
  await wallet.until('the close is seen', () => channelsThatAre(wallet, 'ready'), (count) => count === 0, 60_000);
  await world.mine(2);
  const after = await wallet.until('the amount is closing', () => wallet.balances(), ({ closing }) => closing > 190_000_000n, 60_000);
  assert.ok(after.total > before.total - 10_000_000n, `${after.total} msat stay in the total of ${before.total}`);
  assert.equal(after.spendable, 0n);
  await wallet.shot('closed-by-the-other-node');
  await wallet.go('channels');
  await wallet.see('coming-back');
  await lastClose();
  assert.match(await wallet.text('closed-by'), /other node alone/);
  await wallet.shot('payment-of-a-close');
  await wallet.until(
    'the coins are back',
    async () => {
      await world.mine(1);
      return wallet.balances();
    },
    ({ onchain, closing }) => closing === 0n && onchain > before.onchain + 190_000_000n,
    60_000,
  );
  await lastClose();
  assert.equal(await wallet.at('outcome').getAttribute('data-status'), 'succeeded');
});

test('a channel is closed without a node that is gone', { timeout: 240_000 }, async () => {
  await openChannel(wallet, world, 200_000n);
  const before = await wallet.balances();
  await world.post('/peers/alice/stop', {});
  await wallet.go('channels');
  await wallet.until('the node is gone', () => channelThatIs('ready').getByTestId('channel-state').innerText(), (state) => state === 'Offline', 60_000);
  await channelThatIs('ready').getByTestId('channel-details').click();
  await wallet.press('force-close-channel');
  await wallet.see('confirm-yes');
  await wallet.shot('confirm-force-close');
  await wallet.press('confirm-yes');
  await wallet.until('the channel closes', () => channelsThatAre(wallet, 'ready'), (count) => count === 0);
  await world.mine(1);
  await wallet.see('coming-back');
  await wallet.shot('closing-alone');
  const during = await wallet.balances();
  assert.ok(during.total > before.total - 10_000_000n, `${during.total} msat stay in the total of ${before.total}`);
  assert.ok(during.closing > 190_000_000n);
  await lastClose();
  assert.match(await wallet.text('closed-by'), /You alone/);
  await world.mine(143);
  await wallet.until(
    'the coins are back',
    async () => {
      await world.mine(1);
      return wallet.balances();
    },
    ({ onchain, closing }) => closing === 0n && onchain > before.onchain + 190_000_000n,
    90_000,
  );
  const after = await wallet.balances();
  assert.ok(after.total > before.total - 12_000_000n, `${after.total} msat are left of ${before.total}`);
  await lastClose();
  await wallet.shot('closed-alone');
  assert.equal(await wallet.at('outcome').getAttribute('data-status'), 'succeeded');
  await world.post('/peers/alice/start', {});
});

test('the files of the browser tell nothing', { timeout: 60_000 }, async () => {
  const content = storedBytes(profile);
  assert.ok(content.includes('keyslot'), 'these are the files of the wallet');
  const nodes = Object.values(world.peers).flatMap((peer) => [peer.node_id, peer.address]);
  const pairs = words.slice(1).map((word, index) => `${words[index]} ${word}`);
  for (const text of [...nodes, ...pairs, ...told, 'lnbcrt', 'Two coffees', 'A song', PASSPHRASE]) {
    assertNowhere(content, formsOfText(text), text);
  }
  for (const [name, bytes] of Object.entries(secretsOf(words))) assertNowhere(content, formsOfBytes(bytes), name);
});

test('wide or narrow, dark or light, it is the same wallet', { timeout: 120_000 }, async () => {
  const [narrow, wide] = [{ width: 412, height: 880 }, { width: 1280, height: 860 }];
  await anotherBrowser({ look: { viewport: wide, colorScheme: 'dark' } });
  const grounds = {};
  for (const [name, viewport, colorScheme] of [['wide-dark', wide, 'dark'], ['narrow-dark', narrow, 'dark'], ['wide-light', wide, 'light'], ['narrow-light', narrow, 'light']]) {
    await wallet.page.setViewportSize(viewport);
    await wallet.page.emulateMedia({ colorScheme });
    for (const tab of ['home', 'channels', 'history', 'settings']) {
      await wallet.go(tab);
      await wallet.page.waitForTimeout(500);
      await wallet.shot(`${name}-${tab}`);
    }
    for (const [screen, part] of [['send', 'send-input'], ['receive', 'invoice-amount']]) {
      await wallet.go('home');
      await wallet.press(screen);
      await wallet.see(part);
      await wallet.shot(`${name}-${screen}`);
    }
    grounds[name] = await brightness(wallet.page);
  }
  for (const width of ['wide', 'narrow']) {
    assert.ok(grounds[`${width}-dark`] < 64 && grounds[`${width}-light`] > 192, `the ground's brightness: ${JSON.stringify(grounds)}`);
  }
  wallet.assertNoProblems();
});

test('on mainnet it says what is young before it makes a wallet', { timeout: 120_000 }, async () => {
  const mainnet = await startSite(world, 'bitcoin');
  const other = await openBrowser(join(folder, 'mainnet'), mainnet);
  try {
    const young = await WalletPage.open(other, mainnet);
    for (const way of ['restore', 'create']) {
      await young.press(way);
      await young.see('young');
      assert.match(await young.text('young'), /audited[^]*every few days[^]*chain server/);
      await young.shot(`young-${way}`);
      if (way === 'restore') await young.press('back');
    }
    await young.press('accept-young');
    await young.type('passphrase', PASSPHRASE);
    await young.type('passphrase-again', PASSPHRASE);
    await young.press('create-submit');
    await young.see('words', 60_000);
    // Who has a wallet has accepted it: it opens again without being asked, and does not take a regtest server for mainnet.
    await young.page.reload();
    await young.unlock(PASSPHRASE);
    await young.see('banner-chain', 60_000);
    await young.go('settings');
    assert.match(await young.text('height'), /941472/);
    await young.shot('mainnet-settings');
  } finally {
    await other.close();
    await mainnet.stop();
  }
});

test('is restored from its words in another browser', { timeout: 180_000 }, async () => {
  const { onchain } = await wallet.balances();
  await wallet.go('settings');
  await wallet.press('lock');
  await wallet.see('unlock-passphrase');
  const other = await openBrowser(join(folder, 'other'), site);
  try {
    const restored = await WalletPage.open(other, site);
    await restored.press('restore');
    await restored.type('restore-words', words.join(' '));
    await restored.type('passphrase', PASSPHRASE);
    await restored.type('passphrase-again', PASSPHRASE);
    await restored.shot('restore');
    await restored.press('restore-submit');
    await restored.see('screen-home', 60_000);
    await restored.until('the coins are found again', () => restored.msat('onchain'), (found) => found === onchain, 90_000);
    restored.assertNoProblems();
    // The browser clears the site's data under a running wallet: it stops, and the words bring the coins back.
    const devtools = await other.newCDPSession(restored.page);
    await devtools.send('Storage.clearDataForOrigin', { origin: new URL(site.url).origin, storageTypes: 'indexeddb' });
    await world.mine(1);
    await restored.see('halted-storage', 60_000);
    await restored.shot('data-cleared');
    await restored.press('restart');
    await restored.see('restore', 60_000);
  } finally {
    await other.close();
  }
});
