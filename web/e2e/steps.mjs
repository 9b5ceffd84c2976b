// Steps of one life: each stands on the ones before it, so that after the first that fails the others are failures at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

/** Gives what declares the steps of one file. `wallet` says which page is looked at now, for a picture of what failed. */
export function stepsOf(wallet) {
  let failed;
  return (name, options, step) =>
    test(name, options, async () => {
      if (failed) assert.fail(`not tried, since the wallet failed before: ${failed}`);
      try {
        await step();
      } catch (error) {
        failed = name;
        await wallet()?.shot('failed').catch(() => undefined);
        throw error;
      }
    });
}
