// The small parts all screens are made of.

import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { say } from '../app.ts';
import { plainSat, satText } from '../format.ts';
import { linkTo } from '../route.ts';
import type { Explanation } from '../sentences.ts';
import { icon, type IconName } from './icons.ts';

type Part = TemplateResult | string | typeof nothing;

/** An amount in sat: grouped for the eye, plain for screen readers. */
export function sat(msat: bigint, options: { testid?: string; sign?: boolean } = {}): TemplateResult {
  const plus = options.sign && msat > 0n ? '+' : '';
  return html`<span class="sat" data-testid=${options.testid ?? nothing} data-msat=${msat.toString()}><span aria-hidden="true">${plus}${satText(msat)}<span class="unit"> sat</span></span><span class="sr-only">${plus}${plainSat(msat)} sat</span></span>`;
}

export const satOf = (amountSat: bigint, options: { testid?: string } = {}): TemplateResult => sat(amountSat * 1000n, options);

export interface Field {
  name: string;
  label: string;
  testid: string;
  hint?: Part;
  error?: string | undefined;
  type?: 'text' | 'password';
  value?: string;
  suffix?: string;
  autocomplete?: string;
  inputmode?: 'text' | 'numeric' | 'decimal';
  placeholder?: string;
  maxlength?: number;
  mono?: boolean;
}

/** A labelled input with hint and error, tied together for screen readers. */
export function field(given: Field): TemplateResult {
  const id = `field-${given.name}`;
  const described = [given.hint ? `${id}-hint` : '', given.error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return html`<div class="field">
    <label for=${id}>${given.label}</label>
    <div class="input-row">
      <input
        id=${id}
        name=${given.name}
        class=${given.mono ? 'mono' : ''}
        type=${given.type ?? 'text'}
        .defaultValue=${given.value ?? ''}
        inputmode=${given.inputmode ?? nothing}
        autocomplete=${given.autocomplete ?? 'off'}
        autocapitalize="off"
        autocorrect="off"
        spellcheck="false"
        maxlength=${given.maxlength ?? nothing}
        placeholder=${given.placeholder ?? nothing}
        aria-describedby=${described || nothing}
        aria-invalid=${given.error ? 'true' : nothing}
        data-testid=${given.testid}
      />${given.suffix ? html`<span class="suffix" aria-hidden="true">${given.suffix}</span>` : nothing}
    </div>
    ${given.hint ? html`<p class="hint" id=${`${id}-hint`}>${given.hint}</p>` : nothing}
    ${given.error ? html`<p class="field-error" id=${`${id}-error`}>${given.error}</p>` : nothing}
  </div>`;
}

/** What went wrong and what to do. */
export function trouble(failure: Explanation | undefined): Part {
  if (!failure) return nothing;
  return html`<div class="notice bad" data-testid="failure" role="alert">
    ${icon('warning')}
    <div>
      <p><strong>${failure.what}</strong></p>
      <p>${failure.next}</p>
      ${failure.paymentId ? html`<p><a href=${linkTo('payment', failure.paymentId)}>See that payment</a></p>` : nothing}
    </div>
  </div>`;
}

export function notice(tone: 'plain' | 'good' | 'warn' | 'bad', body: Part, name: IconName = 'warning', testid?: string): TemplateResult {
  return html`<div class="notice ${tone}" data-testid=${testid ?? nothing}>${icon(name)}<div>${body}</div></div>`;
}

/** The button that submits a form. */
export function submit(label: string, busy: boolean, testid: string, busyLabel = 'One moment…'): TemplateResult {
  return html`<button class="button primary wide" type="submit" ?disabled=${busy} aria-busy=${busy ? 'true' : 'false'} data-testid=${testid}>
    ${busy ? html`<span class="spinner" aria-hidden="true"></span>${busyLabel}` : label}
  </button>`;
}

/** A value with a button that copies it. */
export function copyable(label: string, value: string, testid: string, shown = value): TemplateResult {
  return html`<span class="copyable"><span class="mono breakable" data-testid=${testid} data-value=${value}>${shown}</span>
    <button class="icon-button" type="button" aria-label=${`Copy ${label}`} title="Copy" data-testid=${`${testid}-copy`} @click=${(event: Event) => void copy(value, event)}>${icon('copy')}</button></span>`;
}

/** Copies, and says so at the button. */
export async function copy(text: string, event: Event): Promise<void> {
  const button = event.currentTarget as HTMLElement;
  try {
    await navigator.clipboard.writeText(text);
    button.classList.add('done');
    setTimeout(() => button.classList.remove('done'), 1600);
    say('Copied');
  } catch {
    say('The browser did not allow copying. Select the text instead.');
  }
}

export interface Fact {
  label: string;
  value: Part;
  testid?: string;
  /** Under its label over the whole width, for ids and the like. */
  long?: boolean;
}

/** Names and values under each other. */
export function facts(list: (Fact | undefined | false)[]): TemplateResult {
  return html`<dl class="facts">
    ${list.map((fact) => (fact ? html`<div class=${fact.long ? 'long' : ''}><dt>${fact.label}</dt><dd data-testid=${fact.testid ?? nothing}>${fact.value}</dd></div>` : nothing))}
  </dl>`;
}

/** A bar of two parts: ours first. Drawn, because styles written into the page are not allowed here. */
export function balanceBar(ours: bigint, theirs: bigint, label: string): TemplateResult {
  const whole = ours + theirs;
  const share = whole === 0n ? 0 : Number((ours * 1000n) / whole) / 10;
  const gap = share > 0 && share < 100 ? 0.8 : 0;
  return html`<svg class="balance-bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${svg`<rect class="theirs" x=${share + gap} y="0" width=${Math.max(0, 100 - share - gap)} height="4" /><rect class="ours" x="0" y="0" width=${share} height="4" />`}
  </svg>`;
}

/** A page's heading, with the way back. */
export function heading(title: string, back?: string): TemplateResult {
  return html`<header class="heading">
    ${back === undefined ? nothing : html`<a class="icon-button back" href=${back} aria-label="Back" data-testid="back">${icon('back')}</a>`}
    <h1 tabindex="-1">${title}</h1>
  </header>`;
}

/** The texts of a submitted form. */
export function entries(event: Event): Record<string, string> {
  event.preventDefault();
  const data = new FormData(event.currentTarget as HTMLFormElement);
  return Object.fromEntries([...data].map(([name, value]) => [name, typeof value === 'string' ? value : '']));
}

export function nowSecs(): number {
  return Math.floor(Date.now() / 1000);
}
