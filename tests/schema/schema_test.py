"""schemathesis over every operation of the OpenAPI document: real server, real store, real model but for its answers.

Answers come from a reasoner of our own that says one sentence at once: what is asked here is whether every answer is
one that the document promises, not what the model says.
"""

import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

from server import Server

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance"]
SEED = 20261
EXAMPLES = int(os.environ.get("KVASIR_SCHEMA_EXAMPLES", "12"))


class Reasoner(http.server.BaseHTTPRequestHandler):
    """A chat completion, whatever is asked."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"model": "one-sentence", "choices": [{"message": {"content": "Ada lives in Lisbon."}}],
                           "usage": {"prompt_tokens": 9, "completion_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reasoner = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Reasoner)
        threading.Thread(target=cls.reasoner.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{cls.reasoner.server_port}"
        cls.server = Server("--reasoner", url, "--reasoner-model", "one-sentence")
        for id, text in [("ada", "Ada moved to Lisbon in May."), ("bob", "Bob counts ships.")]:
            cls.server.remember(id=id, text=text, user_id="u", session="s", metadata={"topic": "home"})

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0
        cls.reasoner.shutdown()

    def test_every_operation_keeps_its_promises(self):
        hooks = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hooks.py")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run",
                 self.server.url + "/v1/openapi.json", "--phases", "examples,coverage,fuzzing",
                 "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES), "--seed", str(SEED),
                 "--request-timeout", "20", "--workers", "2", "--warnings", "off", "--no-color"],
                capture_output=True, text=True, cwd=folder, timeout=280,
                env={**os.environ, "SCHEMATHESIS_HOOKS": hooks})
            print(done.stdout[-3000:], done.stderr[-1000:])
            self.assertEqual(done.returncode, 0)
            selected, all_there_are, tested = re.search(
                r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout).groups()
            self.assertEqual((selected, tested), (all_there_are, all_there_are))


if __name__ == "__main__":
    unittest.main()
