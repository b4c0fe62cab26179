"""A `kvasir serve` of its own for tests in Python: a temporary store, the default model, a free port."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class Server:
    """`flags` go to `serve`; a key with every scope is made before it starts for each space of `keys`.

    Asks KVASIR_COMMAND and KVASIR_MODEL which program and model. Starts at once; ready when this returns, unless told
    not to `wait`. `stop` takes the store away too.
    """

    def __init__(self, *flags, keys=(), store=None, wait=True):
        self.folder = tempfile.mkdtemp(prefix="kvasir-test-")
        self.store = store or os.path.join(self.folder, "store")
        self.log = os.path.join(self.folder, "access.log")
        self.keys = [self.make_key(space, "read,write,forget,admin") for space in keys]
        self.process = subprocess.Popen(
            self._words("serve", *flags, "--json", "--port", "0", "--model", os.environ["KVASIR_MODEL"],
                        "--access-log", self.log),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]
        if wait:
            self.wait_until_ready()

    def _words(self, *words):
        return [os.environ["KVASIR_COMMAND"], *words, "--store", self.store]

    def wait_until_ready(self):
        """Asked, not slept for: the server says 503 until the model is there."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url + "/readyz"):
                    return
            except urllib.error.HTTPError:
                time.sleep(0.05)
        raise TimeoutError("kvasir serve was not ready within two minutes")

    def make_key(self, space, scopes="read,write,forget"):
        made = subprocess.run(
            self._words("key", "create", "--space", space, "--scopes", scopes, "--json"),
            check=True, capture_output=True, text=True)
        return json.loads(made.stdout)["key"]

    def call(self, method, path, body=None, key=None, headers=None):
        """Status and JSON of the answer, errors included."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Content-Type": "application/json", **(headers or {})})
        if key:
            request.add_header("X-API-Key", key)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def json(self, *words, **more):
        """The JSON of an answer that must be a good one."""
        status, answer = self.call(*words, **more)
        if status >= 400:
            raise AssertionError(f"{words[:2]} was answered {status}: {answer}")
        return answer

    def remember(self, **memory):
        return self.json("POST", "/v1/memories", memory)

    def text(self, path, key=None):
        request = urllib.request.Request(self.url + path, headers={"X-API-Key": key} if key else {})
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()

    def stop(self):
        """The exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return code
