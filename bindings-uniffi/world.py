"""The regtest world with real nodes, as the tests drive it."""

import asyncio
import json
import subprocess
import urllib.error
import urllib.request


class World:
    """The regtest world; blocks come when a test asks for them."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--block-secs", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the devnet ended with {self.process.wait()}")
        self.described = json.loads(line)
        self.peers = {peer["name"]: peer for peer in self.described["peers"]}

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    async def post(self, path, body=None):
        request = urllib.request.Request(
            self.described["control_url"] + path,
            data=json.dumps(body or {}).encode(),
            headers={"content-type": "application/json"},
        )

        def ask():
            try:
                with urllib.request.urlopen(request, timeout=90) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None

        return await asyncio.to_thread(ask)


async def until(what, look, secs=60):
    """Waits until `look` finds something."""
    for _ in range(secs * 10):
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {secs} s: {what}")
