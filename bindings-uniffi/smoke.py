"""The wallet through UniFFI, as Kotlin, Swift and Python have it. Usage: python3 smoke.py FOLDER-OF-THE-BINDINGS"""

import importlib.metadata
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
import kite_wallet as kite  # noqa: E402

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
# Nothing listens there: all of this works without a network.
NOWHERE = "http://127.0.0.1:9"


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
        await wallet.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
