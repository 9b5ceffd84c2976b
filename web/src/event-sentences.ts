// What happened in the wallet, in a line.

import type { WalletEvent } from './api.ts';
import { satText } from './format.ts';
import { explainPayment } from './sentences.ts';

export interface Said {
  text: string;
  tone: 'plain' | 'good' | 'bad';
}

/** The line for an event; unset for those that only make the page refresh. */
export function sayEvent(event: WalletEvent): Said | undefined {
  switch (event.type) {
    case 'payment_received':
      return { text: `Received ${amount(event, 'amountMsat', 1n)}.`, tone: 'good' };
    case 'payment_sent':
      return { text: `Paid ${amount(event, 'amountMsat', 1n)}.`, tone: 'good' };
    case 'payment_failed':
      return { text: failure(event), tone: 'bad' };
    case 'channel_pending':
      return { text: 'The channel is being opened. It is usable after a few blocks.', tone: 'plain' };
    case 'channel_ready':
      return { text: 'The channel is ready.', tone: 'good' };
    case 'channel_closed':
      return { text: 'A channel was closed. Its coins come back on-chain.', tone: 'plain' };
    case 'channel_open_failed':
      return { text: `The channel could not be opened${tail(event['reason'])}.`, tone: 'bad' };
    case 'onchain_received':
      return { text: `${amount(event, 'amountSat', 1000n)} arrived on-chain.`, tone: 'good' };
    case 'onchain_sent':
      return { text: 'The on-chain payment was sent.', tone: 'good' };
    case 'action_required':
      return { text: `The wallet needs you${tail(event['reason'] ?? event['what'])}.`, tone: 'bad' };
    default:
      return undefined;
  }
}

function amount(event: WalletEvent, field: string, msatPerUnit: bigint): string {
  const payment = event['payment'] as Record<string, unknown> | undefined;
  const found = event[field] ?? payment?.[field] ?? payment?.['amountMsat'];
  const unit = event[field] === undefined && payment?.[field] === undefined ? 1n : msatPerUnit;
  return typeof found === 'bigint' ? `${satText(found * unit)} sat` : 'a payment';
}

function failure(event: WalletEvent): string {
  const payment = event['payment'] as { failure?: { code: string; reason: string } } | undefined;
  const { code = payment?.failure?.code, reason = payment?.failure?.reason } = event as { code?: string; reason?: string };
  return explainPayment({ code: code ?? '', reason: reason ?? '' }).what;
}

function tail(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `: ${reason.replace(/\.$/, '')}` : '';
}
