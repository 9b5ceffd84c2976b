"""What Python, Kotlin and Swift see of the sample API. Usage: python3 run.py FOLDER-OF-THE-BINDINGS"""

import asyncio
import pathlib
import sys
import unittest

sys.path.insert(0, sys.argv.pop(1))
import kite_api_tests as api  # noqa: E402

LARGE = 2**64 - 1


class SampleTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.sample = await api.Sample.open("Alice")

    async def test_functions(self):
        self.assertRegex(api.sample_version(), r"^\d+\.\d+\.\d+$")
        self.assertTrue(await api.sample_exists("there"))

    async def test_amounts_keep_64_bits(self):
        self.assertEqual((await self.sample.pay_invoice("ab", 5)).amount_msat, 5)
        self.assertEqual((await self.sample.pay_invoice("ab", None)).amount_msat, LARGE)

    async def test_records_go_there_and_back(self):
        payment = api.Payment(payment_hash="00", amount_msat=LARGE, status=api.Status.SUCCEEDED, channels=["a"])
        self.assertEqual(self.sample.mirror(payment), payment)
        self.assertIsNone(payment.note)

    async def test_enumerations(self):
        parsed = self.sample.parse("bc1")
        self.assertTrue(parsed.is_BITCOIN_ADDRESS())
        self.assertEqual(parsed.address, "bc1")

    async def test_errors_carry_their_fields(self):
        with self.assertRaises(api.SampleError.InvoiceExpired) as caught:
            await self.sample.pay_invoice("expired", None)
        self.assertEqual(caught.exception.expired_at_secs, LARGE)
        self.assertEqual(str(caught.exception), f"the invoice expired at {LARGE}")
        with self.assertRaises(api.SampleError.NoRoute):
            await api.Sample.open("")

    async def test_a_listener_hears(self):
        heard = []

        class Listener(api.SampleListener):
            def payment_changed(self, payment, seq):
                heard.append((payment.payment_hash, seq))

        self.sample.set_listener(Listener())
        await self.sample.pay_invoice("ab", None)
        self.assertEqual(heard, [("ab", 7)])

    async def test_calls_run_side_by_side(self):
        paid = await asyncio.gather(*(self.sample.pay_invoice(str(n), n) for n in range(50)))
        self.assertEqual([payment.amount_msat for payment in paid], list(range(50)))

    async def test_a_panic_is_an_exception_and_the_process_goes_on(self):
        for broken in [self.sample.break_at_once, self.sample.break_later]:
            with self.assertRaises(api.InternalError) as caught:
                answer = broken()
                if asyncio.iscoroutine(answer):
                    await answer
            self.assertIn("the sample broke", str(caught.exception))
        self.assertEqual(self.sample.name(), "Alice")
        self.assertEqual((await self.sample.pay_invoice("ab", 5)).amount_msat, 5)

    def test_docs(self):
        self.assertIn("Pays an invoice", api.Sample.pay_invoice.__doc__)
        self.assertIn("Done, as `Sample.pay_invoice` tells.", pathlib.Path(api.__file__).read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
