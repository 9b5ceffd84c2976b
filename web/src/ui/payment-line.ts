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

/** What goes into a channel or comes back out of it stays the owner's: the total is the same. */
function onlyMoves(payment: Payment): boolean {
  return payment.kind === 'channelOpen' || payment.kind === 'channelClose';
}

/** The amount; with its sign where it changes the total, now or soon. */
function amount(payment: Payment): TemplateResult {
  const waits = payment.kind === 'lightning' && payment.status !== 'succeeded' && payment.status !== 'inFlight';
  if (waits || onlyMoves(payment)) return sat(payment.amountMsat);
  return sat(payment.direction === 'incoming' ? payment.amountMsat : -payment.amountMsat, { sign: true });
}

/** What a line says before the time. */
function aboutText(payment: Payment, title: string): string {
  if (payment.status !== 'succeeded') return statusText(payment);
  if (onlyMoves(payment)) return payment.kind === 'channelOpen' ? 'Still yours' : 'Back on-chain';
  return title === kindText(payment) ? '' : kindText(payment);
}

export function paymentLine(payment: Payment): TemplateResult {
  const settled = payment.status === 'succeeded';
  const dead = payment.status === 'failed' || payment.status === 'expired';
  const when = whenText(payment.settledAtSecs ?? payment.createdAtSecs, nowSecs());
  const way = onlyMoves(payment) ? 'moved' : payment.direction;
  const title = payment.close ? kindText(payment) : payment.note || payment.description || kindText(payment);
  const about = aboutText(payment, title);
  return html`<li>
    <a class="payment-line ${dead ? 'dead' : ''}" href=${linkTo('payment', payment.id)} data-testid="payment" data-id=${payment.id} data-status=${payment.status}>
      <span class="payment-icon ${settled ? way : payment.status}">${icon(paymentIcon(payment))}</span>
      <span class="payment-what"><span class="payment-title">${title}</span><span class="payment-when">${about ? `${about} · ` : ''}${when}</span></span>
      <span class="payment-amount ${settled ? way : ''}">${amount(payment)}</span>
    </a>
  </li>`;
}
