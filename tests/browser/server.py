"""A `kvasir serve` of its own: a temporary store, the default model, a free port."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class Server:
    """Starts at once; `wait_until_ready` when it is needed; `stop` takes the store away too."""

    def __init__(self, store=None, key_scopes=None):
        self.folder = tempfile.mkdtemp(prefix="kvasir-browser-")
        self.store = store or os.path.join(self.folder, "store")
        self.key = self._create_key(key_scopes) if key_scopes else None
        self.process = subprocess.Popen(
            self._words("serve", "--json", "--port", "0", "--model", os.environ["KVASIR_MODEL"],
                        "--access-log", os.path.join(self.folder, "access.log")),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def _words(self, *words):
        return [os.environ["KVASIR_COMMAND"], *words, "--store", self.store]

    def _create_key(self, scopes):
        words = self._words("key", "create", "--space", "*", "--scopes", scopes, "--json")
        made = subprocess.run(words, check=True, capture_output=True, text=True)
        return json.loads(made.stdout)["key"]

    def wait_until_ready(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(self.url + "/readyz"):
                    return self
            except urllib.error.HTTPError:
                time.sleep(0.1)
        raise TimeoutError("kvasir serve was not ready within a minute")

    def call(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers={
            "Content-Type": "application/json", **(headers or {})})
        if self.key:
            request.add_header("Authorization", "Bearer " + self.key)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def remember(self, **memory):
        return self.call("POST", "/v1/memories", memory)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
