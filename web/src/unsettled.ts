// Payments whose answer may be lost: none of them is made twice.

import type { Payment, Quote, SendRequest } from 'kite-wallet';

/** What is asked of the wallet. */
export interface Payer {
  prepareSend(request: SendRequest): Promise<Quote>;
  send(quote: Quote): Promise<Payment>;
}

/** The payment whose answer was lost was made, with another amount than is asked for now. */
export class MadeBefore extends Error {
  readonly amountMsat: bigint;

  constructor(amountMsat: bigint) {
    super('an earlier payment of this was made, with another amount');
    this.amountMsat = amountMsat;
  }
}

/** The app keeps it, because the screen that began a payment may be gone. */
export class Unsettled {
  /** What was typed, and the name of its payment: under the same name nothing is paid twice. */
  readonly #names = new Map<string, string>();

  async prepare(wallet: Payer, request: SendRequest): Promise<Quote> {
    const name = this.#names.get(request.input);
    if (name === undefined) return wallet.prepareSend(request);
    const quote = await wallet.prepareSend({ ...request, idempotencyKey: name });
    if (request.amountMsat === undefined || quote.amountMsat === request.amountMsat) return quote;
    // The wallet tells of the payment that has this name: it was made. Another amount is another payment, if it is meant.
    this.#names.delete(request.input);
    throw new MadeBefore(quote.amountMsat);
  }

  /** Pays what was quoted for `input`. Once the payment is stored, the wallet itself tells its outcome. */
  async pay(wallet: Payer, input: string, quote: Quote): Promise<Payment> {
    // Before it is asked for: the answer may be lost, and the payment made all the same.
    this.#names.set(input, quote.idempotencyKey);
    const payment = await wallet.send(quote);
    this.#names.delete(input);
    return payment;
  }
}
