"""The scenarios in Python: see scenarios/README.md.

Usage: python3 scenarios.py FOLDER-OF-THE-BINDINGS PROGRAM-OF-THE-DEVNET
"""

import asyncio
import enum
import inspect
import json
import pathlib
import re
import sys
import tempfile
import time
import typing
import unittest

from world import World

sys.path.insert(0, sys.argv.pop(1))
DEVNET = sys.argv.pop(1)
import kite_wallet as kite  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs/embed/snippets"))
from pay import pay  # noqa: E402

FOLDER = ROOT / "scenarios"
PATIENCE_SECS = 60
# A payment is known to one side a round trip before the other can spend it.
WORLD_PATIENCE_SECS = 10
PAUSE_SECS = 0.1
FUNCTIONS = {"version", "checkMnemonic", "walletExists"}
CONSTRUCTORS = {"create", "createWithDeviceKey", "open", "openWithDeviceKey"}


def snake(name):
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def camel(name):
    first, *others = name.lower().split("_")
    return first + "".join(map(str.capitalize, others))


def built(kind, value):
    """A value of JSON as the parameter of this type takes it."""
    kind = next((inner for inner in typing.get_args(kind) if inner is not type(None)), kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum) and isinstance(value, str):
        return kind[snake(value).upper()]
    if isinstance(value, dict):
        hints = typing.get_type_hints(kind.__init__)
        return kind(**{snake(name): built(hints[snake(name)], field) for name, field in value.items()})
    return value


def plain(value):
    """An answer as TypeScript has it, without what is unset."""
    if isinstance(value, enum.Enum):
        return camel(value.name)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    name = type(value).__name__
    # The class of an enumeration's variant is named `Event.PAYMENT_SENT`.
    tag = {"type": camel(name.partition(".")[2])} if "." in name else {}
    return tag | fields(value)


def fields(value):
    return {camel(name): plain(field) for name, field in vars(value).items() if field is not None}


def failure(error):
    kind = type(error).__name__
    return {"kind": kind[0].lower() + kind[1:], "message": str(error)} | fields(error)


def matches(expected, found):
    """Of an object the named fields, of a list every entry. None is unset."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(matches(value, found.get(name)) for name, value in expected.items())
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(matches, expected, found))
    return type(expected) is type(found) and expected == found


class Log:
    """The log in the one form that it has in every language."""

    varying = set((FOLDER / "varying.txt").read_text().split())

    def __init__(self):
        self.words = {}
        self.lines = []

    def write(self, line, varies):
        masked = self.masked(line, self.varying | set(varies))
        self.lines.append(json.dumps(masked, sort_keys=True, separators=(",", ":"), ensure_ascii=False))

    def masked(self, value, varies):
        if isinstance(value, dict):
            return {name: "*" if name in varies else self.masked(field, varies) for name, field in sorted(value.items())}
        if isinstance(value, list):
            return [self.masked(item, varies) for item in value]
        if isinstance(value, str):
            return re.sub(r"[0-9A-Za-z]+", lambda word: self.named(word[0]), value)
        return value

    def named(self, word):
        if not re.fullmatch(r"[0-9A-Fa-f]{32,}|(?=.{20})(bcrt1|lnbcrt).*", word, re.IGNORECASE):
            return word
        return f"<{self.words.setdefault(word, len(self.words) + 1)}>"


class Life:
    """Lives through the scenarios with one wallet after the other."""

    def __init__(self, world, folder):
        self.world = world
        self.folder = folder
        self.wallet = None
        self.variables = dict(world.peers)
        self.log = Log()

    async def live(self, scenario):
        for number, step in enumerate(scenario["steps"], 1):
            try:
                given = await self.take(step)
            except Exception as error:
                raise AssertionError(f"step {number}, {step}: {error!r}") from error
            if "as" in step:
                self.variables[step["as"]] = given
        lines, self.log.lines = self.log.lines, []
        return lines

    async def take(self, step):
        varies = step.get("varies", [])
        if "hear" in step:
            told = await self.hear()
            event = plain(told.event)
            if not matches(self.resolved(step["hear"]), event):
                raise AssertionError(f"the next event is {event}")
            self.log.write({"hear": event, "seq": told.seq}, varies)
            return told.event
        if "world" in step:
            given = await self.ask_world(step["world"], self.resolved(step.get("with", {})))
            self.log.write({"world": step["world"]}, varies)
            return given
        if "example" in step:
            given = await self.example(step["example"], self.resolved(step["with"]))
            if not matches(self.resolved(step.get("expect", {})), plain(given)):
                raise AssertionError(f"it gives {given}")
            self.log.write({"example": step["example"], "gives": plain(given)}, varies)
            return given
        return await self.ask_wallet(step, varies)

    async def ask_wallet(self, step, varies):
        patient = "until" in step
        call = step["until" if patient else "do"]
        end = time.monotonic() + (PATIENCE_SECS if patient else 0)
        while True:
            if patient and self.wallet:
                # Looks at the chain now, and not when it would anyway. What is wrong is told by the call itself.
                await asyncio.gather(self.wallet.refresh(), return_exceptions=True)
            try:
                given = await self.call(call, self.resolved(step.get("with", {})))
                outcome = {} if given is None else {"gives": plain(given)}
                expected = "fails" not in step
                if "expect" in step:
                    expected = matches(self.resolved(step["expect"]), plain(given))
            except kite.WalletError as error:
                given = failure(error)
                outcome = {"fails": given}
                expected = "fails" in step and matches(self.resolved(step["fails"]), given)
            if expected:
                self.log.write({"do": call} | outcome, varies)
                return given
            if time.monotonic() >= end:
                raise AssertionError(f"{call}: {outcome}")
            await asyncio.sleep(PAUSE_SECS)

    async def call(self, name, given):
        where = kite if name in FUNCTIONS else kite.Wallet if name in CONSTRUCTORS else self.wallet
        function = getattr(where, snake(name))
        hints = typing.get_type_hints(function)
        if "config" in hints:
            given = given | {"config": self.config(given.get("config", {}))}
        arguments = {
            name: built(hints[name], given.get(camel(name))) for name in inspect.signature(function).parameters
        }
        answer = function(**arguments)
        answer = await answer if inspect.isawaitable(answer) else answer
        if name in CONSTRUCTORS:
            self.wallet = answer
            return None
        return answer

    async def example(self, name, given):
        function = {"pay": pay}[name]
        config = built(kite.WalletConfig, self.config({}))
        return await function(config, **{snake(name): value for name, value in given.items()})

    def config(self, other):
        """The app's own settings, with those that the step names in their place."""
        own = {"network": "regtest", "data": "wallet", "esploraUrl": self.world.described["esplora_url"]}
        config = own | other
        return config | {"data": f"{self.folder}/{config['data']}"}

    async def hear(self):
        """The next event but for passing news, which depend on the network. It is handled."""
        end = time.monotonic() + PATIENCE_SECS
        while True:
            waiting = asyncio.ensure_future(self.wallet.next_event())
            while not (await asyncio.wait({waiting}, timeout=1))[0]:
                if time.monotonic() >= end:
                    raise AssertionError("no event comes")
                await asyncio.gather(self.wallet.refresh(), return_exceptions=True)
            told = await waiting
            if told.seq > 0:
                await self.wallet.event_handled(told.seq)
            if told.seq > 0 or told.event.is_STOPPED():
                return told

    async def ask_world(self, path, body):
        end = time.monotonic() + WORLD_PATIENCE_SECS
        while True:
            try:
                return await self.world.post(path, body)
            except AssertionError:
                if time.monotonic() >= end:
                    raise
                await asyncio.sleep(PAUSE_SECS)

    def resolved(self, value):
        """The same with each `$name` and `$name.field` replaced by what it stands for."""
        if isinstance(value, dict):
            return {name: self.resolved(field) for name, field in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        name, *path = value[1:].split(".")
        found = self.variables[name]
        for part in path:
            found = found[part] if isinstance(found, dict) else plain(found)[part]
        return found


class ScenarioTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_wallet_lives_through_all_scenarios_and_each_log_is_the_shared_one(self):
        world = World(DEVNET)
        self.addCleanup(world.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        life = Life(world, folder.name)
        files = sorted(FOLDER.glob("*.json"), key=lambda file: int(file.name.split("-")[0]))
        self.assertGreater(len(files), 5)
        for file in files:
            lines = await life.live(json.loads(file.read_text()))
            self.assertEqual(lines, file.with_suffix(".log").read_text().splitlines(), file.stem)


if __name__ == "__main__":
    unittest.main(verbosity=2)
