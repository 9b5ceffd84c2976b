// A payment as one line of a list, and in words.

import { html, type TemplateResult } from 'lit-html';
import type { Payment } from 'kite-wallet';
import { whenText } from '../format.ts';
import { linkTo } from '../route.ts';
import { icon, type IconName } from './icons.ts';
import { nowSecs, sat } from './parts.ts';

/** What kind of thing happened, or may still happen. */
export function kindText(payment: Payment): string {
  const incoming = payment.direction === 'incoming';
  switch (payment.kind) {
    case 'lightning':
      if (payment.status !== 'succeeded') return incoming ? 'Invoice' : 'Payment';
      return incoming ? 'Received' : 'Paid';
    case 'onchain':
      return incoming ? 'Received on-chain' : 'Sent on-chain';
    case 'channelOpen':
      return 'Channel opened';
    case 'channelClose':
      return payment.status === 'succeeded' ? 'Channel closed' : 'Channel closing';
  }
}

/** How it stands, where that is worth a word. */
export function statusText(payment: Payment): string {
  const incoming = payment.direction === 'incoming';
  switch (payment.status) {
    case 'pending':
      return payment.kind === 'lightning' ? (incoming ? 'Waiting to be paid' : 'Getting ready') : 'Waiting for a block';
    case 'inFlight':
      return payment.kind === 'lightning' ? (incoming ? 'Arriving' : 'On its way') : 'Coming back';
    case 'succeeded':
      return 'Done';
    case 'failed':
      return 'Failed';
    case 'expired':
      return 'Expired';
  }
}

export function paymentIcon(payment: Payment): IconName {
  if (payment.status === 'failed' || payment.status === 'expired') return 'cross';
  if (payment.status !== 'succeeded') return 'clock';
  if (payment.kind === 'channelOpen' || payment.kind === 'channelClose') return 'channels';
  return payment.direction === 'incoming' ? 'receive' : 'send';
}

/** The amount as it changes the balance. */
export function signedMsat(payment: Payment): bigint {
  return payment.direction === 'incoming' ? payment.amountMsat : -payment.amountMsat;
}

export function paymentLine(payment: Payment): TemplateResult {
  const settled = payment.status === 'succeeded';
  const dead = payment.status === 'failed' || payment.status === 'expired';
  const when = whenText(payment.settledAtSecs ?? payment.createdAtSecs, nowSecs());
  const title = payment.close ? kindText(payment) : payment.note || payment.description || kindText(payment);
  return html`<li>
    <a class="payment-line ${dead ? 'dead' : ''}" href=${linkTo('payment', payment.id)} data-testid="payment" data-id=${payment.id} data-status=${payment.status}>
      <span class="payment-icon ${settled ? payment.direction : payment.status}">${icon(paymentIcon(payment))}</span>
      <span class="payment-what"><span class="payment-title">${title}</span><span class="payment-when">${settled ? (title === kindText(payment) ? '' : `${kindText(payment)} · `) : `${statusText(payment)} · `}${when}</span></span>
      <span class="payment-amount ${settled ? payment.direction : ''}">${settled || payment.status === 'inFlight' || payment.kind !== 'lightning' ? sat(signedMsat(payment), { sign: true }) : sat(payment.amountMsat)}</span>
    </a>
  </li>`;
}
