// Every error of the wallet in a sentence, with what to do next.

import { satText, shortId, whenText } from './format.ts';
import { codeOf, type Code } from './failure.ts';
import { proxyReason } from './proxy-reasons.ts';

export interface Explanation {
  /** What happened. */
  what: string;
  /** What the person can do now. */
  next: string;
  /** A payment this is about, to link to. */
  paymentId?: string;
}

type Data = Record<string, unknown>;

const REASONS: Record<Code, (data: Data) => Explanation> = {
  invalid_input: ({ field, reason }) => ({
    what: `${FIELDS[word(field)] ?? 'That'} cannot be used: ${word(reason, 'it is not in a form the wallet knows')}.`,
    next: 'Check it and try again.',
  }),
  invalid_invoice: ({ reason }) => ({
    what: `This invoice cannot be paid: ${word(reason, 'it is damaged')}.`,
    next: 'Copy it again in full, or ask for a new one.',
  }),
  invoice_expired: ({ expiredAtSecs }) => ({
    what: `This invoice has expired${typeof expiredAtSecs === 'bigint' ? ` (${whenText(expiredAtSecs, Date.now() / 1000)})` : ''}.`,
    next: 'Ask the payee for a new one. Nothing was paid.',
  }),
  wrong_network: ({ expected, found }) => ({
    what: `This belongs to ${NETWORKS[word(found)] ?? word(found, 'another network')}, and this wallet is on ${NETWORKS[word(expected)] ?? word(expected, 'a different one')}.`,
    next: 'Use a wallet on that network, or ask for an invoice on yours.',
  }),
  amount_required: () => ({ what: 'This invoice leaves the amount open.', next: 'Enter how much to pay.' }),
  amount_out_of_range: ({ minMsat, maxMsat }) => ({
    what: `The amount must be between ${sat(minMsat)} and ${sat(maxMsat)}.`,
    next: 'Change the amount.',
  }),
  insufficient_funds: ({ neededMsat, availableMsat }) => ({
    what: `This needs ${sat(neededMsat)}, fee included, and you can spend ${sat(availableMsat)}.`,
    next: 'Lower the amount, or wait for payments that are on their way. A small reserve always stays in each channel.',
  }),
  fee_too_high: ({ cheapestMsat, limitMsat }) => ({
    what:
      typeof cheapestMsat === 'bigint'
        ? `The cheapest way to the payee costs ${sat(cheapestMsat)}, and your fee limit is ${sat(limitMsat)}.`
        : 'Every way to the payee costs more than your fee limit.',
    next: 'Nothing was paid. Raise the limit, or try again later.',
  }),
  no_route: ({ reason }) => ({
    what: `No way to the payee was found${tail(reason)}.`,
    next: 'Nothing was paid. Try a smaller amount, try again later, or open a channel closer to the payee.',
  }),
  already_paid: ({ id }) => ({
    what: 'You have paid this invoice before.',
    next: 'It was not paid a second time.',
    ...(typeof id === 'string' ? { paymentId: id } : {}),
  }),
  in_flight: ({ id }) => ({
    what: 'A payment of this invoice is already on its way.',
    next: 'Wait for its outcome; it will not be paid twice.',
    ...(typeof id === 'string' ? { paymentId: id } : {}),
  }),
  not_found: ({ what }) => ({ what: `There is no such ${word(what, 'entry')} in this wallet.`, next: 'Go back and choose another one.' }),
  not_connected: () => ({
    what: 'The other node is not connected.',
    next: 'The wallet keeps trying. Connect to it under Peers, then try again.',
  }),
  connection_failed: ({ reason }) =>
    proxyReason(reason) ?? {
      what: `The node could not be reached: ${word(reason, 'no answer')}.`,
      next: 'Check the address, and that the node is running.',
    },
  chain_unavailable: ({ reason }) => ({
    what: chainTrouble(reason),
    next: 'Your money is safe. The wallet tries again by itself.',
  }),
  store_unavailable: ({ reason }) => ({
    what: `The browser would not store the wallet${tail(reason)}.`,
    next: 'Free some disk space, leave private browsing, then reload. The wallet stopped before anything could be lost.',
  }),
  store_full: () => ({
    what: 'There is no room left for the wallet on this device.',
    next: 'Free some disk space or leave private browsing, then reload. The wallet stopped before anything could be lost.',
  }),
  store_newer: () => ({
    what: 'A newer version of this page has stored the wallet.',
    next: 'Go online, close all tabs of this page and open it again. Nothing is lost.',
  }),
  store_damaged: ({ reason }) => ({
    what: `The stored wallet is damaged${tail(reason)}.`,
    next: 'Do not clear the site’s data. Reload once; if this stays, keep your 12 words ready and seek help.',
  }),
  wrong_passphrase: () => ({ what: 'That is not the passphrase of this wallet.', next: 'Check capitals and spaces, and try again.' }),
  already_open: () => ({
    what: 'This wallet is open in another tab or window.',
    next: 'Go on there, or close it and come back here.',
  }),
  already_exists: () => ({
    what: 'This browser already holds a wallet.',
    next: 'Reload the page and unlock it.',
  }),
  no_wallet: () => ({ what: 'There is no wallet in this browser.', next: 'Create one, or restore one from its words.' }),
  lease_lost: () => ({
    what: 'Another tab or copy has taken over this wallet.',
    next: 'Go on there. This copy has stopped, so that the two cannot contradict each other.',
  }),
  not_synced: () => ({
    what: 'The wallet is still catching up with the Bitcoin network.',
    next: 'Wait a moment and try again.',
  }),
  mainnet_not_accepted: () => ({
    what: 'Kite is young with real bitcoin, and you have not accepted that yet.',
    next: 'Reload the page, read what it means, and decide.',
  }),
  refused: ({ reason }) => ({ what: `That cannot be done now: ${word(reason, 'the wallet refused')}.`, next: 'Change the request, or try again later.' }),
  stopped: ({ reason }) => ({
    what: `The wallet has stopped${tail(reason)}.`,
    next: 'Reload the page to go on. What was stored is safe.',
  }),
  timeout: () => ({
    what: 'There is no answer yet.',
    next: 'It may still go through. Look at the history before you try again.',
  }),
  worker_broken: () => ({
    what: 'The wallet’s engine broke.',
    next: 'Start it again. Everything it had promised was stored before.',
  }),
};

/** Codes that only payments carry, from the nodes on the way. */
const PAYMENT_REASONS: Record<string, Explanation> = {
  recipient_refused: {
    what: 'The payee refused the payment.',
    next: 'Nothing was paid. The invoice may be used or withdrawn: ask for a new one.',
  },
  invoice_expired: { what: 'The invoice expired before it was paid.', next: 'Nothing was paid. Ask for a new one.' },
  timeout: { what: 'No way worked in the time given.', next: 'Nothing was paid. You can try again.' },
  recipient_error: { what: 'The payee could not take the payment.', next: 'Nothing was paid. Try again later or ask the payee.' },
  all_routes_failed: {
    what: 'Every way that was tried failed.',
    next: 'Nothing was paid. Try again later, or pay a smaller amount.',
  },
  channel_closed: { what: 'The channel closed before the payment could leave.', next: 'Nothing was paid. Try again over another channel.' },
};

const FIELDS: Record<string, string> = {
  text: 'That text',
  input: 'That text',
  mnemonic: 'These words',
  passphrase: 'That passphrase',
  address: 'That address',
  node_id: 'That node id',
  nodeId: 'That node id',
  amount_msat: 'That amount',
  amount_sat: 'That amount',
  description: 'That description',
};

const NETWORKS: Record<string, string> = {
  bitcoin: 'Bitcoin mainnet',
  mainnet: 'Bitcoin mainnet',
  testnet: 'the test network',
  signet: 'signet',
  regtest: 'the local test network (regtest)',
};

/** All codes this page has words for: every one of the wallet, or it does not compile. */
export const KNOWN_CODES: readonly string[] = Object.keys(REASONS);

/** Says what an error means. Anything may be given; what is not known is shown as it is. */
export function explain(thrown: unknown): Explanation {
  const { message, ...data } = (thrown ?? {}) as Data;
  const reason = reasonOf(codeOf(thrown));
  if (reason) return reason(data);
  return { what: `Something went wrong: ${word(message, 'no reason was given')}.`, next: 'Try again; if it stays, reload the page.' };
}

/** Says why a payment failed. */
export function explainPayment(failure: { code: string; reason: string }): Explanation {
  const own = PAYMENT_REASONS[failure.code];
  if (own) return own;
  const reason = reasonOf(failure.code);
  if (reason) return reason({ reason: failure.reason });
  return { what: `The payment failed: ${word(failure.reason, failure.code)}.`, next: 'Nothing was paid. You can try again.' };
}

function reasonOf(code: string): ((data: Data) => Explanation) | undefined {
  return Object.hasOwn(REASONS, code) ? REASONS[code as Code] : undefined;
}

function word(value: unknown, unset = 'unknown'): string {
  return typeof value === 'string' && value !== '' ? value.replace(/\.$/, '') : unset;
}

function tail(reason: unknown): string {
  return typeof reason === 'string' && reason !== '' ? `: ${word(reason)}` : '';
}

/** Why the chain server is of no use, as the wallet says it; unset where there is just no answer. */
export function chainTrouble(reason: unknown): string {
  if (typeof reason !== 'string' || reason === '') return 'The Bitcoin network cannot be reached.';
  return `The chain server cannot be used: ${word(reason).replace(/^the chain server /, 'it ')}.`;
}

function sat(value: unknown): string {
  return typeof value === 'bigint' ? `${satText(value)} sat` : 'some sat';
}

/** What a network is called in a sentence. */
export function networkName(network: string): string {
  return NETWORKS[network] ?? network;
}

/** Names a node as people know it, or by a short form of its id. */
export function nodeName(nodeId: string, known: { nodeId: string; alias: string }[]): string {
  return known.find((node) => node.nodeId === nodeId)?.alias ?? shortId(nodeId);
}
