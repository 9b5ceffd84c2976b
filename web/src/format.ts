// Amounts, times and ids as people read them, and amounts as people type them.

const THIN_SPACE = '\u202f';

/** Groups digits in threes with narrow no-break spaces: 1234567 → 1 234 567. */
export function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/** Millisatoshi as satoshi; thousandths only where there are any. */
export function satText(msat: bigint): string {
  const sign = msat < 0n ? '\u2212' : '';
  const magnitude = msat < 0n ? -msat : msat;
  const thousandths = magnitude % 1000n;
  const fraction = thousandths === 0n ? '' : `.${thousandths.toString().padStart(3, '0').replace(/0+$/, '')}`;
  return `${sign}${grouped((magnitude / 1000n).toString())}${fraction}`;
}

/** The same without grouping, for screen readers and the clipboard. */
export function plainSat(msat: bigint): string {
  return satText(msat).replaceAll(THIN_SPACE, '').replace('\u2212', '-');
}

export type TypedAmount = { ok: true; sat: bigint } | { ok: false; reason: string };

const MAX_SAT = 2_100_000_000_000_000n;

/** Reads an amount in whole satoshi as typed, with spaces, apostrophes or underscores between digits. */
export function parseSat(text: string): TypedAmount {
  const digits = text.replace(/[\s_'\u2019]/g, '').replace(/sats?$/i, '');
  if (digits === '') return { ok: false, reason: 'Enter an amount in sat.' };
  if (/^-/.test(digits)) return { ok: false, reason: 'The amount must be more than zero.' };
  if (/[.,]/.test(digits)) return { ok: false, reason: 'Enter whole sat, without a point or comma.' };
  if (!/^\d+$/.test(digits)) return { ok: false, reason: 'Use digits only.' };
  const sat = BigInt(digits);
  if (sat === 0n) return { ok: false, reason: 'The amount must be more than zero.' };
  if (sat > MAX_SAT) return { ok: false, reason: 'There are not that many sat in the world.' };
  return { ok: true, sat };
}

/** First and last characters of a long id. */
export function shortId(id: string, keep = 6): string {
  return id.length <= keep * 2 + 1 ? id : `${id.slice(0, keep)}…${id.slice(-keep)}`;
}

/** How long something took: 0.84 s, 12 s, 2 min 5 s. */
export function tookText(millis: bigint | number): string {
  const all = Number(millis);
  if (all < 1000) return `${all} ms`;
  if (all < 10_000) return `${(all / 1000).toFixed(2)} s`;
  return spanText(Math.round(all / 1000));
}

/** A span in its two largest units. */
export function spanText(secs: number): string {
  const units: [string, number][] = [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]];
  const parts: string[] = [];
  let rest = Math.max(0, Math.floor(secs));
  for (const [name, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}\u00a0${name}`);
    if (parts.length === 2 || (parts.length > 0 && count === 0)) break;
  }
  return parts.join(' ') || '0\u00a0s';
}

/** When something happened, seen from now. */
export function whenText(atSecs: bigint, nowSecs: number): string {
  const ago = nowSecs - Number(atSecs);
  if (ago < 45) return 'just now';
  if (ago < 3_600) return `${Math.max(1, Math.round(ago / 60))} min ago`;
  const date = new Date(Number(atSecs) * 1000);
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  if (ago < 86_400 && date.getDate() === new Date(nowSecs * 1000).getDate()) return `today, ${time}`;
  const sameYear = date.getFullYear() === new Date(nowSecs * 1000).getFullYear();
  return `${date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) })}, ${time}`;
}

/** Date and time in full. */
export function dateText(atSecs: bigint): string {
  return new Date(Number(atSecs) * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The words of a mnemonic, however they were typed or pasted. */
export function mnemonicWords(text: string): string[] {
  return text.normalize('NFKD').toLowerCase().split(/[^a-z]+/).filter((word) => word !== '');
}

/** Splits `node_id@host:port`. */
export function nodeAddress(text: string): { nodeId: string; address: string } | undefined {
  const match = /^\s*([0-9a-fA-F]{66})@(\S+:\d{1,5})\s*$/.exec(text);
  return match ? { nodeId: (match[1] as string).toLowerCase(), address: match[2] as string } : undefined;
}

/** A reason of the wallet, as a sentence that can stand beside others. */
export function sentence(reason: string): string {
  const text = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
