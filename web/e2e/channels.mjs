// The way to a channel that can be used, and what the page shows of channels.

import { isDeepStrictEqual } from 'node:util';

/** How often the page looks at its wallet when nothing happens, and a little more. */
export const REFRESH_MILLIS = 2_200;

/** How many channels the page shows in this state. */
export function channelsThatAre(wallet, state) {
  return wallet.page.locator(`[data-testid=channel][data-state=${state}]`).count();
}

/** Lets the faucet fill the wallet, and waits for the block that confirms it. */
export async function fill(wallet, world) {
  await wallet.press('faucet');
  await wallet.until('the coins are seen', () => wallet.msat('total'), (total) => total > 0n);
  await world.mine(1);
  await wallet.until('the coins are confirmed', () => wallet.msat('onchain'), (onchain) => onchain > 0n);
}

/** Opens a channel with alice, and waits until it can be used. */
export async function openChannel(wallet, world, amountSat) {
  // Coins can be spent once the wallet has seen their block.
  await wallet.page.waitForTimeout(2 * REFRESH_MILLIS);
  await wallet.go('channels');
  await wallet.press('open-channel');
  await wallet.see('channel-amount');
  await wallet.at('node-alice').check({ force: true });
  await wallet.type('channel-amount', amountSat.toString());
  await wallet.press('channel-review');
  await wallet.see('channel-quote');
  await wallet.press('channel-open');
  await minedUntilReady(wallet, world);
}

/**
 * Mines until the channel can be used: its funding transaction may still be on its way when a block is made. Ever slower: on a
 * busy machine the wallet would not see one block before the next.
 */
export async function minedUntilReady(wallet, world) {
  await wallet.until('the channel waits for blocks', () => channelsThatAre(wallet, 'pending'), (count) => count === 1);
  await wallet.shot('channel-opening');
  let pause = 0;
  await wallet.until(
    'the channel is ready',
    async () => {
      await world.mine(1);
      pause += 200;
      await wallet.page.waitForTimeout(pause);
      return channelsThatAre(wallet, 'ready');
    },
    (count) => count === 1,
    90_000,
  );
}

/** Waits until the channel can be used again after a start. */
export async function reconnected(wallet) {
  await wallet.go('channels');
  await wallet.until('the channel is ready', () => wallet.text('channel-state'), (state) => state === 'Ready', 60_000);
}

/** The balances once nothing is under way: after a start, and when both sides have let go of the last payment. */
export function settled(wallet) {
  let before;
  return wallet.until(
    'nothing is under way',
    async () => {
      await wallet.page.waitForTimeout(REFRESH_MILLIS);
      return wallet.balances();
    },
    (now) => {
      const same = isDeepStrictEqual(now, before);
      before = now;
      return same && now.inFlight === 0n && now.spendable > 0n;
    },
  );
}
