"""A wallet that pays and is paid over TCP by nodes that nobody here wrote, from Python, and what its files then show.

Usage: python3 payment.py FOLDER-OF-THE-BINDINGS PROGRAM-OF-THE-DEVNET
"""

import asyncio
import pathlib
import queue
import sys
import tempfile
import threading
import unittest

from world import World, until

sys.path.insert(0, sys.argv.pop(1))
DEVNET = sys.argv.pop(1)
import kite_wallet as kite  # noqa: E402

CHANNEL_SAT = 500_000
PAID_MSAT = 20_000_000
RECEIVED_MSAT = 7_000_000
DEVICE_KEY = "5a" * 31 + "01"
DESCRIPTION = "a pot of darjeeling"


def send_request(text):
    return kite.SendRequest(
        input=text, amount_msat=None, max_fee_msat=None, timeout_secs=30, idempotency_key=None, note=None
    )


class PaymentTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(DEVNET)
        cls.addClassCleanup(cls.world.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = kite.WalletConfig(
            network="regtest", data=f"{folder.name}/wallet", esplora_url=self.world.described["esplora_url"]
        )

    async def funded(self, wallet):
        address = await wallet.new_address()
        await self.world.post("/faucet", {"address": address, "sats": 1_000_000})
        await self.world.post("/regtest/mine/1")

        async def coins():
            await wallet.refresh()
            return (await wallet.balance()).onchain_sat == 1_000_000

        await until("the coins are seen", coins)

    async def channel(self, wallet):
        alice = self.world.peers["alice"]
        await wallet.connect_peer(alice["node_id"], alice["address"])
        request = kite.OpenChannelRequest(
            node_id=alice["node_id"], amount_sat=CHANNEL_SAT, feerate_sat_per_vb=None
        )
        self.assertGreater((await wallet.estimate_open_channel(request)).fee_sat, 0)
        await wallet.open_channel(request)

        async def state(wanted):
            await wallet.refresh()
            channels = await wallet.list_channels()
            return channels and channels[0].state == wanted and channels[0]

        await until("the channel waits for blocks", lambda: state(kite.ChannelState.PENDING))

        async def ready():
            # The funding transaction may still be on its way to the miner.
            await self.world.post("/regtest/mine/1")
            return await state(kite.ChannelState.READY)

        return await until("the channel is ready", ready)

    async def test_pays_over_three_hops_is_paid_and_its_files_tell_nothing(self):
        wallet = await kite.Wallet.create_with_device_key(self.config, DEVICE_KEY, None)
        words = await wallet.mnemonic_with_device_key(DEVICE_KEY)
        await wallet.start()
        await self.funded(wallet)
        channel = await self.channel(wallet)

        bill = (await self.world.post("/peers/carol/invoice", {"amount_msat": PAID_MSAT, "description": DESCRIPTION}))[
            "invoice"
        ]

        async def quote():
            try:
                return await wallet.prepare_send(send_request(bill))
            except kite.WalletError.NoRoute:
                # The graph is still on its way from the peer.
                return None

        quoted = await until("there is a route", quote)
        self.assertEqual((quoted.amount_msat, quoted.description), (PAID_MSAT, DESCRIPTION))
        started = await wallet.send(quoted)
        paid = await wallet.wait_payment(started.id, 60)
        self.assertEqual(paid.status, kite.PaymentStatus.SUCCEEDED, paid.failure)
        self.assertEqual(paid.hops, 3)
        self.assertGreater(paid.fee_msat, 0)
        self.assertLessEqual(paid.fee_msat, quoted.max_fee_msat)
        with self.assertRaises(kite.WalletError.AlreadyPaid):
            await wallet.prepare_send(send_request(bill))

        before = await wallet.balance()
        asked = await wallet.make_invoice(
            kite.InvoiceRequest(amount_msat=RECEIVED_MSAT, description="a scone", expiry_secs=None)
        )

        async def pay():
            try:
                return await self.world.post("/peers/alice/pay", {"invoice": asked.invoice})
            except AssertionError:
                # The payment is known to have succeeded a round trip before its amount can be spent by the other side.
                return None

        await until("alice pays", pay, 10)
        received = await wallet.wait_payment(asked.payment_id, 60)
        self.assertEqual((received.status, received.amount_msat), (kite.PaymentStatus.SUCCEEDED, RECEIVED_MSAT))
        self.assertEqual((await wallet.balance()).total_msat, before.total_msat + RECEIVED_MSAT)

        await wallet.stop()
        self.assert_nothing_shows(
            words,
            [bill, asked.invoice, DESCRIPTION, "a scone", channel.node_id, channel.funding_txid, paid.preimage]
            + [paid.payment_hash, received.payment_hash, self.world.peers["alice"]["address"], DEVICE_KEY],
            [PAID_MSAT, RECEIVED_MSAT, CHANNEL_SAT * 1000],
        )

        for key in ["5a" * 32, "not hex"]:
            with self.assertRaises((kite.WalletError.WrongPassphrase, kite.WalletError.InvalidInput)):
                await kite.Wallet.open_with_device_key(self.config, key)
        with self.assertRaises(kite.WalletError.Refused):
            await kite.Wallet.open(self.config, "tea")
        again = await kite.Wallet.open_with_device_key(self.config, DEVICE_KEY)
        self.assertEqual((await again.get_payment(paid.id)).preimage, paid.preimage)
        self.assertEqual((await again.balance()).total_msat, before.total_msat + RECEIVED_MSAT)
        await again.stop()

    async def test_a_listener_that_throws_or_takes_its_time_hears_the_rest_in_order_and_holds_up_no_call(self):
        wallet = await kite.Wallet.create_with_device_key(self.config, DEVICE_KEY, None)
        told, go_on = queue.Queue(), threading.Event()

        class Listener(kite.EventListener):
            def on_event(self, event):
                told.put(event.event)
                if event.event.is_SYNCED():
                    raise ArithmeticError("the app's own fault")
                if event.event.is_PEER_CONNECTED():
                    go_on.wait()

        async def heard():
            return await asyncio.to_thread(told.get, timeout=30)

        alice = self.world.peers["alice"]
        await wallet.set_listener(Listener())
        await wallet.start()
        self.assertTrue((await heard()).is_SYNCED())
        await wallet.connect_peer(alice["node_id"], alice["address"])
        self.assertTrue((await heard()).is_PEER_CONNECTED())
        # The listener has not returned.
        self.assertTrue((await wallet.list_peers())[0].connected)
        await wallet.make_invoice(kite.InvoiceRequest(amount_msat=1, description="tea", expiry_secs=None))
        await wallet.disconnect_peer(alice["node_id"])
        self.assertTrue(told.empty())
        go_on.set()
        self.assertTrue((await heard()).is_PEER_DISCONNECTED())
        await wallet.stop()
        self.assertTrue((await heard()).is_STOPPED())

    def assert_nothing_shows(self, words, texts, amounts):
        """No text, no bytes behind its hex, no amount in any usual form is in a file of the wallet."""
        needles = [words.encode()] + [text.encode() for text in texts]
        for text in texts:
            try:
                needles += [bytes.fromhex(text), bytes.fromhex(text)[::-1]]
            except ValueError:
                pass
        for amount in amounts:
            needles += [str(amount).encode(), amount.to_bytes(8, "big"), amount.to_bytes(8, "little")]
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        content = b"".join(path.read_bytes() for path in files)
        self.assertIn(b"SQLite format 3", content)
        for needle in needles:
            self.assertNotIn(needle, content, needle)
        # Words can also be told by pairs; single ones are too common in any file.
        listed = words.split()
        for pair in zip(listed, listed[1:]):
            self.assertNotIn(" ".join(pair).encode(), content)


if __name__ == "__main__":
    unittest.main(verbosity=2)
