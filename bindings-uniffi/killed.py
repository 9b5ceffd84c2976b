"""An app that is killed while it pays, sends coins or opens a channel, and asks again: what it began is made once.

Usage: python3 killed.py FOLDER-OF-THE-BINDINGS PROGRAM-OF-THE-DEVNET
"""

import asyncio
import pathlib
import subprocess
import sys
import tempfile
import unittest

from world import World, until

BINDINGS = sys.argv.pop(1)
sys.path.insert(0, BINDINGS)
DEVNET = sys.argv.pop(1)
import kite_wallet as kite  # noqa: E402

# In several coins: what would be paid a second time finds one, though the change of the first waits for its block.
COINS, COIN_SAT = 5, 1_000_000
CHANNEL_SAT = 300_000
PAID_MSAT = 2_000_000
SENT_SAT = 30_000
DEVICE_KEY = "5a" * 31 + "01"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
# How long after a call began the app is killed: before it is stored, while it is, between that and the answer, after it.
MOMENTS = [0, 0.003, 0.01, 0.015, 0.02, 0.03, 0.1, 0.5]


def config(data, esplora_url):
    return kite.WalletConfig(network="regtest", data=data, esplora_url=esplora_url)


async def pay(wallet, name, invoice):
    quote = await wallet.prepare_send(kite.SendRequest(input=invoice, timeout_secs=30, idempotency_key=name))
    return await wallet.send(quote)


async def send(wallet, name, address):
    return await wallet.send_onchain(
        kite.OnchainRequest(address=address, amount_sat=SENT_SAT, idempotency_key=name)
    )


async def open_channel(wallet, _, node_id):
    return await wallet.open_channel(kite.OpenChannelRequest(node_id=node_id, amount_sat=CHANNEL_SAT))


CALLS = {"pay": pay, "send": send, "open_channel": open_channel}


async def ready(wallet):
    """Online: its channels can be used, if it has any."""
    await wallet.start()

    async def usable():
        channels = await wallet.list_channels()
        peers = await wallet.list_peers()
        is_usable = all(channel.usable for channel in channels if channel.state == kite.ChannelState.READY)
        return (await wallet.info()).synced and is_usable and all(peer.connected for peer in peers)

    await until("the wallet is online", usable)


class KilledTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(DEVNET)
        cls.addClassCleanup(cls.world.stop)

    async def asyncSetUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = str(pathlib.Path(folder.name) / "wallet")
        wallet = await kite.Wallet.create_with_device_key(self.config(), DEVICE_KEY, None)
        await wallet.start()
        for _ in range(COINS):
            await self.world.post("/faucet", {"address": await wallet.new_address(), "sats": COIN_SAT})
        await self.mine(wallet)
        await wallet.connect_peer(self.alice["node_id"], self.alice["address"])
        await wallet.stop()

    def config(self):
        return config(self.data, self.world.described["esplora_url"])

    @property
    def alice(self):
        return self.world.peers["alice"]

    async def mine(self, wallet):
        """Blocks, until all coins are in one."""

        async def settled():
            await self.world.post("/regtest/mine/1")
            await wallet.refresh()
            balance = await wallet.balance()
            return balance.onchain_sat > 0 and balance.onchain_pending_sat == 0

        await until("all coins are in a block", settled)

    async def opened(self):
        wallet = await kite.Wallet.open_with_device_key(self.config(), DEVICE_KEY)
        await ready(wallet)
        return wallet

    async def kill_in(self, call, name, argument, moment):
        """Kills an app that had just begun this call. Says whether it had its answer."""
        app = subprocess.Popen(
            [sys.executable, __file__, BINDINGS, DEVNET, "app", self.data, self.config().esplora_url, call, name, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.assertEqual(await asyncio.to_thread(app.stdout.readline), "ready\n")
            app.stdin.write("go\n")
            app.stdin.flush()
            await asyncio.sleep(moment)
        finally:
            app.kill()
            app.wait(timeout=10)
        answer = app.stdout.read()
        app.stdin.close()
        app.stdout.close()
        return answer == "answered\n"

    async def test_an_app_that_is_killed_while_it_pays_and_asks_again_pays_once(self):
        wallet = await self.opened()
        await open_channel(wallet, None, self.alice["node_id"])

        async def is_ready():
            await self.world.post("/regtest/mine/1")
            await wallet.refresh()
            return any(channel.usable for channel in await wallet.list_channels())

        await until("the channel is ready", is_ready)
        await wallet.stop()
        answered = []
        for moment in MOMENTS:
            name = f"pay after {moment}"
            asked = {"amount_msat": PAID_MSAT, "description": name}
            invoice = (await self.world.post("/peers/alice/invoice", asked))["invoice"]
            wallet = await kite.Wallet.open_with_device_key(self.config(), DEVICE_KEY)
            before = (await wallet.balance()).total_msat
            await wallet.stop()
            answered.append(await self.kill_in("pay", name, invoice, moment))

            wallet = await self.opened()
            again = await pay(wallet, name, invoice)
            paid = await wallet.wait_payment(again.id, 60)
            self.assertEqual(paid.status, kite.PaymentStatus.SUCCEEDED, paid.failure)
            made = [it for it in await wallet.list_payments(kite.PaymentFilter(limit=100)) if it.invoice == invoice]
            self.assertEqual([it.id for it in made], [again.id])
            self.assertEqual((await wallet.balance()).total_msat, before - PAID_MSAT)
            await wallet.stop()
        self.assert_both(answered)

    async def test_an_app_that_is_killed_while_it_sends_coins_and_asks_again_sends_once(self):
        answered = []
        for count, moment in enumerate(MOMENTS):
            name = f"send after {moment}"
            answered.append(await self.kill_in("send", name, ADDRESS, moment))
            wallet = await self.opened()
            again = await send(wallet, name, ADDRESS)
            self.assertEqual(again.amount_msat, SENT_SAT * 1000)
            sent = await self.made(wallet, kite.PaymentKind.ONCHAIN)
            self.assertEqual(len(sent), count + 1)
            self.assertIn(again.id, sent)
            await self.mine(wallet)
            balance = await wallet.balance()
            self.assertEqual(len(await self.made(wallet, kite.PaymentKind.ONCHAIN)), count + 1)
            # What has left beside the amounts is fees.
            left = COINS * COIN_SAT - balance.onchain_sat - (count + 1) * SENT_SAT
            self.assertTrue(0 < left < (count + 1) * SENT_SAT, left)
            await wallet.stop()
        self.assert_both(answered)

    async def test_an_app_that_is_killed_while_it_opens_a_channel_and_looks_first_opens_one(self):
        answered = []
        for count, moment in enumerate(MOMENTS):
            answered.append(await self.kill_in("open_channel", "", self.alice["node_id"], moment))
            wallet = await self.opened()

            async def alive():
                states = [channel.state for channel in await wallet.list_channels()]
                return [state for state in states if state not in (kite.ChannelState.FAILED, kite.ChannelState.CLOSED)]

            async def decided():
                return kite.ChannelState.OPENING not in await alive()

            await until("what was begun goes on or has failed", decided)
            if len(await alive()) == count:
                await open_channel(wallet, None, self.alice["node_id"])
                await until("it is under way", decided)
            self.assertEqual(len(await alive()), count + 1)
            self.assertEqual(len(await self.made(wallet, kite.PaymentKind.CHANNEL_OPEN)), count + 1)
            await self.mine(wallet)
            self.assertEqual(len(await self.made(wallet, kite.PaymentKind.CHANNEL_OPEN)), count + 1)
            await wallet.stop()
        self.assert_both(answered)

    async def made(self, wallet, kind):
        outgoing = kite.PaymentFilter(direction=kite.Direction.OUTGOING, limit=100)
        return [payment.id for payment in await wallet.list_payments(outgoing) if payment.kind == kind]

    def assert_both(self, answered):
        """Some were killed before their answer, and some after it."""
        self.assertEqual(set(answered), {True, False}, answered)


async def app(data, esplora_url, call, name, argument):
    """An app to be killed: it says when it is ready, and begins its call when it is told."""
    wallet = await kite.Wallet.open_with_device_key(config(data, esplora_url), DEVICE_KEY)
    await ready(wallet)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await CALLS[call](wallet, name, argument)
    print("answered", flush=True)
    # Until it is killed; an end of its own, should nobody do that.
    await asyncio.sleep(30)


if __name__ == "__main__":
    if sys.argv[1:2] == ["app"]:
        asyncio.run(app(*sys.argv[2:]))
    else:
        unittest.main(verbosity=2)
