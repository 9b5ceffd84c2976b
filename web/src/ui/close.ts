// How a channel ended and what still comes back of it, in words.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { ChannelClose } from 'kite-wallet';
import { spanText } from '../format.ts';
import { copyable, satOf, type Fact } from './parts.ts';

const SECS_A_BLOCK = 600;

const BY: Record<ChannelClose['closedBy'], string> = {
  both: 'You and the other node',
  wallet: 'You alone',
  peer: 'The other node alone',
  cheater: 'The other node, with an old state: it loses all of the channel to you',
  unknown: 'A transaction that this wallet does not know',
};

/** Whether nothing is left to come. The wallet still watches the close for some blocks. */
export function isDone(close: ChannelClose): boolean {
  return close.amountSat === 0n && close.confirmations > 0;
}

/** What still comes back, and when. */
export function comingBack(close: ChannelClose, height: number): TemplateResult {
  if (close.confirmations === 0 && close.amountSat === 0n) {
    return html`<p class="hint">Your coins are among the on-chain ones as soon as the closing transaction is in a block.</p>`;
  }
  if (close.amountSat === 0n) return html`<p class="hint">All that was yours is among your on-chain coins.</p>`;
  if (close.expectedHeight === undefined) {
    return html`<p class="hint">${satOf(close.amountSat)} come back as soon as the closing transaction is in a block.</p>`;
  }
  const blocks = Math.max(1, close.expectedHeight - height);
  return html`<p class="hint" data-testid="coming-back">About ${satOf(close.amountSat)} come back by block <span data-testid="expected-height">${close.expectedHeight}</span>: in ${blocks === 1 ? 'the next block' : `${blocks} blocks, about ${spanText(blocks * SECS_A_BLOCK)}`}. Open this wallet now and then until it is done: it then claims what is due.</p>`;
}

/** The same as facts, with the transactions. */
export function closeFacts(close: ChannelClose): (Fact | undefined)[] {
  return [
    { label: 'Closed by', value: BY[close.closedBy], testid: 'closed-by' },
    close.amountSat > 0n ? { label: 'Still to come', value: satOf(close.amountSat) } : undefined,
    close.claimTxids.length > 0
      ? {
          label: close.claimTxids.length === 1 ? 'Claimed by' : `Claimed by ${close.claimTxids.length} transactions`,
          value: html`${close.claimTxids.map((txid) => copyable('the transaction id', txid, 'claim-txid'))}`,
          long: true,
        }
      : undefined,
  ];
}

/** A warning where the other node tried to steal. */
export function alarm(close: ChannelClose | undefined): TemplateResult | typeof nothing {
  if (close?.closedBy !== 'cheater') return nothing;
  return html`<p class="hint"><strong>The other node tried to take what is not its own.</strong> Keep this wallet open: all of the channel is being claimed for you.</p>`;
}
