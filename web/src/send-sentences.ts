// What the send screen says of errors that mean something special there.

import type { Parsed } from 'kite-wallet';
import { codeOf } from './failure.ts';
import { satText } from './format.ts';
import { explain, type Explanation } from './sentences.ts';
import { MadeBefore } from './unsettled.ts';

/** Says why this cannot be paid; `parsed` is unset where it could not be read. */
export function explainSend(thrown: unknown, parsed: Parsed | undefined): Explanation {
  if (thrown instanceof MadeBefore) {
    return {
      what: `Your earlier payment of ${satText(thrown.amountMsat)} sat has gone out after all.`,
      next: 'Look at it in the history. Review again only to pay more on top.',
    };
  }
  const { field, neededMsat, availableMsat } = (thrown ?? {}) as Record<string, unknown>;
  const code = codeOf(thrown);
  if (code === 'invalid_input' && field === 'address') return NOTHING_KNOWN;
  if (code !== 'insufficient_funds' || typeof neededMsat !== 'bigint' || typeof availableMsat !== 'bigint') return explain(thrown);
  if (parsed?.type === 'bolt11' && parsed.invoice.amountMsat !== undefined) {
    return {
      what: `This takes ${satText(neededMsat)} sat, and your channels can send ${satText(availableMsat)} sat now.`,
      next: 'The payee has set the amount. Open a channel with more in it, wait for payments that are on their way, or ask for a smaller invoice. A small reserve always stays in each channel.',
    };
  }
  if (parsed?.type === 'bitcoinAddress') {
    return {
      what: `This takes ${satText(neededMsat)} sat with the network’s fee, and ${satText(availableMsat)} sat can be sent on-chain now.`,
      next: `${parsed.amountSat === undefined ? 'Lower the amount, or add coins' : 'The payee has set the amount: add coins, or ask for less'}. A part stays on-chain, to close your channels with.`,
    };
  }
  return explain(thrown);
}

const NOTHING_KNOWN: Explanation = {
  what: 'That is not an invoice, an address or a link.',
  next: 'Copy it again from its first character to its last, or ask the payee for an invoice.',
};
