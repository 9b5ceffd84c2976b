// What happened in the wallet, in a line.

import type { Event as WalletEvent } from 'kite-wallet';
import { satText } from './format.ts';
import { explainPayment, type Explanation } from './sentences.ts';

export interface Said {
  text: string;
  tone: 'plain' | 'good' | 'bad';
}

/** The line for an event; unset for those that only make the page refresh. */
export function sayEvent(event: WalletEvent): Said | undefined {
  switch (event.type) {
    case 'paymentReceived':
      return { text: `Received ${msat(event.amountMsat)}.`, tone: 'good' };
    case 'paymentSent':
      return { text: 'The payment has arrived.', tone: 'good' };
    case 'paymentFailed':
      return { text: both(explainPayment(event)), tone: 'bad' };
    case 'channelPending':
      return { text: 'The channel is being opened. It is usable after a few blocks.', tone: 'plain' };
    case 'channelReady':
      return { text: 'The channel is ready.', tone: 'good' };
    case 'channelClosed':
      return { text: `A channel closes; ${sat(event.amountSat)} come back on-chain.`, tone: 'plain' };
    case 'channelOpenFailed':
      return { text: `The channel could not be opened${tail(event.reason)}. Your coins are free again: try once more, or with another node.`, tone: 'bad' };
    case 'onchainReceived':
      return event.confirmed
        ? { text: `${sat(event.amountSat)} arrived on-chain.`, tone: 'good' }
        : { text: `${sat(event.amountSat)} are on their way on-chain.`, tone: 'plain' };
    case 'onchainSent':
      return event.confirmed ? { text: 'The on-chain transaction is in a block.', tone: 'good' } : undefined;
    case 'actionRequired':
      return { text: event.what, tone: 'bad' };
    default:
      return undefined;
  }
}

function both({ what, next }: Explanation): string {
  return `${what} ${next}`;
}

function msat(amountMsat: bigint): string {
  return `${satText(amountMsat)} sat`;
}

function sat(amountSat: bigint): string {
  return msat(amountSat * 1000n);
}

function tail(reason: string): string {
  return reason === '' ? '' : `: ${reason.replace(/\.$/, '')}`;
}
