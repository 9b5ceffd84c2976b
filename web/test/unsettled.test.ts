import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Payment, Quote, SendRequest } from 'kite-wallet';
import { explainSend } from '../src/send-sentences.ts';
import { MadeBefore, Unsettled, type Payer } from '../src/unsettled.ts';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

/** Pays as the wallet does: a name pays once, and whoever asks for it again is told what it paid. */
class Losing implements Payer {
  loses = true;
  readonly made = new Map<string, bigint>();

  async prepareSend({ input, amountMsat, idempotencyKey }: SendRequest): Promise<Quote> {
    const name = idempotencyKey ?? crypto.randomUUID();
    return { input, idempotencyKey: name, amountMsat: this.made.get(name) ?? amountMsat } as Quote;
  }

  async send({ idempotencyKey, amountMsat }: Quote): Promise<Payment> {
    if (!this.made.has(idempotencyKey)) this.made.set(idempotencyKey, amountMsat);
    if (this.loses) throw new Error('the worker ended');
    return { id: idempotencyKey, amountMsat: this.made.get(idempotencyKey) } as Payment;
  }
}

const request = (sat: bigint): SendRequest => ({ input: ADDRESS, amountMsat: sat * 1000n });

async function lose(wallet: Losing, unsettled: Unsettled, sat: bigint): Promise<void> {
  wallet.loses = true;
  const quote = await unsettled.prepare(wallet, request(sat));
  await assert.rejects(unsettled.pay(wallet, ADDRESS, quote), /the worker ended/);
  wallet.loses = false;
}

test('a payment whose answer is lost is made once, though it is reviewed anew', async () => {
  const [wallet, unsettled] = [new Losing(), new Unsettled()];
  await lose(wallet, unsettled, 20_000n);
  await unsettled.pay(wallet, ADDRESS, await unsettled.prepare(wallet, request(20_000n)));
  assert.deepEqual([...wallet.made.values()], [20_000_000n]);

  // It has its outcome, and the same can be paid again.
  await unsettled.pay(wallet, ADDRESS, await unsettled.prepare(wallet, request(20_000n)));
  assert.deepEqual([...wallet.made.values()], [20_000_000n, 20_000_000n]);
});

test('another amount is another payment, after the one whose answer was lost is told', async () => {
  const [wallet, unsettled] = [new Losing(), new Unsettled()];
  await lose(wallet, unsettled, 20_000n);
  await assert.rejects(unsettled.prepare(wallet, request(30_000n)), (thrown) => {
    assert.ok(thrown instanceof MadeBefore);
    assert.match(explainSend(thrown, undefined).what, /20\u202f000 sat/);
    return true;
  });
  await unsettled.pay(wallet, ADDRESS, await unsettled.prepare(wallet, request(30_000n)));
  assert.deepEqual([...wallet.made.values()], [20_000_000n, 30_000_000n]);
});

test('what was never made is paid with whatever amount is asked for next', async () => {
  const [wallet, unsettled] = [new Losing(), new Unsettled()];
  const refused: Payer = { prepareSend: (asked) => wallet.prepareSend(asked), send: () => Promise.reject(new Error('no coins')) };
  await assert.rejects(unsettled.pay(refused, ADDRESS, await unsettled.prepare(refused, request(20_000n))), /no coins/);
  wallet.loses = false;
  await unsettled.pay(wallet, ADDRESS, await unsettled.prepare(wallet, request(30_000n)));
  assert.deepEqual([...wallet.made.values()], [30_000_000n]);
});
