// What a devnet offers on a screen: its nodes ask for money and pay.

import { html, type TemplateResult } from 'lit-html';
import type { WorldNode } from '../config.ts';

/** What the nodes ask for, and pay where an invoice leaves the amount open. */
export const TRY_SAT = 2_500n;

interface Offer {
  /** Before the names, and after them. */
  words: [string, string];
  nodes: WorldNode[];
  /** The beginning of each button's `data-testid`. */
  testid: string;
  busy: boolean;
  choose: (alias: string) => void;
}

/** A line with a button for each node. Read aloud, each is the whole sentence. None is disabled: that would lose the focus. */
export function tryIt({ words: [before, after], nodes, testid, busy, choose }: Offer): TemplateResult {
  return html`<p class="devnet-row"><span>Try it: ${before}</span>
    ${nodes.map(({ alias }) => html`<button class="link" type="button" aria-disabled=${busy ? 'true' : 'false'} aria-label=${`${before} ${alias} ${after}`.trim()} data-testid=${`${testid}-${alias}`} @click=${() => busy || choose(alias)}>${alias}</button>`)}
    <span>${after}</span></p>`;
}
