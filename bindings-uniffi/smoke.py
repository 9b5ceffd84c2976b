"""The wallet through UniFFI, as Kotlin, Swift and Python have it. Usage: python3 smoke.py FOLDER-OF-THE-BINDINGS"""

import asyncio
import gc
import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BINDINGS = sys.argv.pop(1)
sys.path.insert(0, BINDINGS)
import kite_wallet as kite  # noqa: E402

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
# Wallets that earlier versions and other machines have written.
STORES = pathlib.Path(__file__).parent.parent / "scenarios/stores"
# Nothing listens there: all of this works without a network.
NOWHERE = "http://127.0.0.1:9"
KEY = "5a" * 31 + "01"


class WalletTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.config = kite.WalletConfig(network="regtest", data=f"{self.folder.name}/alice", esplora_url=NOWHERE)

    def test_functions(self):
        self.assertRegex(kite.version(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(kite.version(), importlib.metadata.version("kite-wallet"))
        kite.check_mnemonic(WORDS)
        with self.assertRaises(kite.WalletError.InvalidInput):
            kite.check_mnemonic("abandon abandon")

    async def test_a_wallet_is_made_closed_and_opened_again(self):
        self.assertFalse(await kite.wallet_exists(self.config))
        wallet = await kite.Wallet.create(self.config, "tea", WORDS)
        info = await wallet.info()
        self.assertEqual(info.network, "regtest")
        self.assertEqual(len(info.node_id), 66)
        self.assertEqual(await wallet.mnemonic("tea"), WORDS)
        self.assertEqual((await wallet.balance()).total_msat, 0)
        self.assertTrue((await wallet.new_address()).startswith("bcrt1"))
        with self.assertRaises(kite.WalletError.AlreadyOpen):
            await kite.Wallet.open(self.config, "tea")
        await wallet.stop()
        with self.assertRaises(kite.WalletError.Stopped):
            await wallet.info()
        self.assertTrue(await kite.wallet_exists(self.config))
        with self.assertRaises(kite.WalletError.WrongPassphrase):
            await kite.Wallet.open(self.config, "coffee")
        with self.assertRaises(kite.WalletError.AlreadyExists):
            await kite.Wallet.create(self.config, "tea", None)
        again = await kite.Wallet.open(self.config, "tea")
        self.assertEqual((await again.info()).node_id, info.node_id)
        await again.stop()

    async def test_every_wallet_of_before_opens_as_it_was(self):
        stores = [folder for folder in STORES.iterdir() if folder.is_dir()]
        self.assertTrue(stores)
        for folder in stores:
            expected = json.loads((folder / "expected.json").read_text())
            copy = pathlib.Path(self.folder.name) / folder.name
            copy.mkdir()
            shutil.copy(folder / "wallet.sqlite", copy)
            self.config.data = str(copy)
            wallet = await kite.Wallet.open(self.config, expected["passphrase"])
            channels = await wallet.list_channels()
            payments = await wallet.list_payments(kite.PaymentFilter(limit=100))
            found = {
                "passphrase": expected["passphrase"],
                "mnemonic": await wallet.mnemonic(expected["passphrase"]),
                "nodeId": (await wallet.info()).node_id,
                "totalMsat": (await wallet.balance()).total_msat,
                "channels": [{"fundingTxid": it.funding_txid, "capacitySat": it.capacity_sat} for it in channels],
                "payments": [{"id": it.id, "amountMsat": it.amount_msat} for it in payments],
            }
            await wallet.stop()
            self.assertEqual(found, expected)

    async def test_mainnet_and_a_missing_wallet_are_refused(self):
        self.config.network = "bitcoin"
        with self.assertRaises(kite.WalletError.MainnetNotAccepted):
            await kite.Wallet.create(self.config, "tea", None)
        self.config.network = "regtest"
        with self.assertRaises(kite.WalletError.NoWallet):
            await kite.Wallet.open(self.config, "tea")

    async def test_texts_are_read(self):
        wallet = await kite.Wallet.create(self.config, "tea", None)
        parsed = wallet.parse(f" bitcoin:{await wallet.new_address()}?amount=0.00000001 ")
        self.assertTrue(parsed.is_BITCOIN_ADDRESS())
        self.assertEqual(parsed.amount_sat, 1)
        with self.assertRaises(kite.WalletError) as caught:
            wallet.parse("no invoice")
        self.assertNotEqual(str(caught.exception), "")
        with self.assertRaises(kite.WalletError.NotFound) as caught:
            await wallet.get_payment("ab" * 16)
        self.assertEqual(str(caught.exception), "there is no such payment")
        self.assertEqual(caught.exception.what, "payment")
        await wallet.stop()

    async def opened_soon(self):
        """Opened as soon as whatever had it open before has let it go."""
        for _ in range(200):
            gc.collect()
            try:
                return await kite.Wallet.open_with_device_key(self.config, KEY)
            except kite.WalletError.AlreadyOpen:
                await asyncio.sleep(0.1)
        raise AssertionError("the wallet stays open")

    async def test_many_threads_call_at_once(self):
        wallet = await kite.Wallet.create_with_device_key(self.config, KEY, None)

        async def invoices(thread):
            return [await wallet.make_invoice(invoice(thread * 10 + number)) for number in range(1, 9)]

        async def in_threads():
            # Each with an event loop of its own.
            run = [asyncio.to_thread(asyncio.run, invoices(thread)) for thread in range(8)]
            return [made for some in await asyncio.gather(*run) for made in some]

        made = await in_threads()
        self.assertEqual(len({one.payment_hash for one in made}), 64)
        listed = await wallet.list_payments(kite.PaymentFilter(limit=100))
        self.assertEqual({one.payment_id for one in made}, {payment.id for payment in listed})
        await wallet.stop()

    async def test_two_wallets_live_in_one_process(self):
        other = kite.WalletConfig(network="regtest", data=f"{self.folder.name}/bob", esplora_url=NOWHERE)
        one = await kite.Wallet.create_with_device_key(self.config, KEY, None)
        two = await kite.Wallet.create_with_device_key(other, KEY, None)
        self.assertNotEqual((await one.info()).node_id, (await two.info()).node_id)
        await asyncio.gather(*(wallet.make_invoice(invoice(1)) for wallet in [one, two] for _ in range(10)))
        with self.assertRaises(kite.WalletError.AlreadyOpen):
            await kite.Wallet.open_with_device_key(other, KEY)
        await one.stop()
        self.assertEqual(len(await two.list_payments(kite.PaymentFilter(limit=100))), 10)
        await two.stop()

    async def test_a_wallet_dropped_while_busy_ends_with_its_last_call(self):
        wallet = await kite.Wallet.create_with_device_key(self.config, KEY, None)
        node_id = (await wallet.info()).node_id
        waiting = asyncio.ensure_future(wallet.next_event())
        busy = [asyncio.ensure_future(wallet.new_address()) for _ in range(32)]
        await asyncio.sleep(0)
        del wallet
        gc.collect()
        self.assertEqual(len(set(await asyncio.gather(*busy))), 32)
        waiting.cancel()
        del waiting, busy
        again = await self.opened_soon()
        self.assertEqual((await again.info()).node_id, node_id)
        await again.stop()

    async def test_an_app_that_is_killed_in_any_call_loses_nothing_that_it_was_answered(self):
        await (await kite.Wallet.create_with_device_key(self.config, KEY, None)).stop()
        told = set()
        for answers in [1, 7, 40]:
            app = subprocess.Popen(
                [sys.executable, __file__, BINDINGS, "app", self.config.data], stdout=subprocess.PIPE, text=True
            )
            told |= {app.stdout.readline().strip() for _ in range(answers)}
            app.kill()
            # A line that it began is no answer.
            told |= {line.strip() for line in app.stdout if line.endswith("\n")}
            app.wait(timeout=10)
            app.stdout.close()
            wallet = await kite.Wallet.open_with_device_key(self.config, KEY)
            kept = {payment.id for payment in await wallet.list_payments(kite.PaymentFilter(limit=1000))}
            self.assertEqual(told - kept, set())
            await wallet.stop()
        self.assertGreaterEqual(len(told), 48)


def invoice(amount_msat):
    return kite.InvoiceRequest(amount_msat=amount_msat, description="tea", expiry_secs=None)


async def app(data):
    """An app to be killed: it makes invoices as fast as it can and prints the id of each."""
    config = kite.WalletConfig(network="regtest", data=data, esplora_url=NOWHERE)
    wallet = await kite.Wallet.open_with_device_key(config, KEY)

    async def make():
        # An end of its own, should nobody kill it.
        for number in range(1, 500):
            print((await wallet.make_invoice(invoice(number))).payment_id, flush=True)

    await asyncio.gather(*(make() for _ in range(4)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["app"]:
        asyncio.run(app(sys.argv[2]))
    else:
        unittest.main(verbosity=2)
