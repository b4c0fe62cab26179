"""deploy/nginx.conf as it stands, but for its ports, its name and its certificate."""

import contextlib
import getpass
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from server import Server

SITE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
NAME = "memory.example"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, upstream):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kvasir-nginx-"))
        self.plain, self.tls = free_port(), free_port()
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        site = SITE.read_text()
        for old, new in [("listen 80;", f"listen 127.0.0.1:{self.plain};"), ("listen [::]:80;", ""),
                         ("listen 443 ssl", f"listen 127.0.0.1:{self.tls} ssl"), ("listen [::]:443 ssl http2;", ""),
                         ("127.0.0.1:7077", upstream), ("/etc/ssl/certs/memory.example.pem", str(certificate)),
                         ("/etc/ssl/private/memory.example.key", str(key))]:
            assert old in site, old
            site = site.replace(old, new)
        (self.folder / "site.conf").write_text(site)
        temporary = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # Started by root, nginx would write into our folder as somebody else.
        user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\n{user}pid {self.folder}/pid;\nerror_log {self.folder}/error.log;\nworker_processes 1;\n"
            f"events {{}}\nhttp {{\n  access_log off;\n{temporary}  include {self.folder}/site.conf;\n}}\n")
        self.process = subprocess.Popen(
            [os.environ["KVASIR_NGINX"], "-p", self.folder, "-c", self.folder / "nginx.conf"],
            stderr=subprocess.DEVNULL)
        self.trusted = ssl.create_default_context(cafile=certificate)
        self._wait()

    def _wait(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.tls)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError((self.folder / "error.log").read_text())

    def connect(self):
        """A TLS connection to the site by its name, its certificate checked."""
        raw = socket.create_connection(("127.0.0.1", self.tls), timeout=60)
        return self.trusted.wrap_socket(raw, server_hostname=NAME)

    def call(self, method, path, body=None, headers=None, chunked=False):
        if chunked:
            body = iter([body])
        with self.open() as connection:
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer, answer.read()

    @contextlib.contextmanager
    def open(self):
        connection = http.client.HTTPConnection(NAME, timeout=60)
        connection.sock = socket_of_it = self.connect()
        with contextlib.closing(connection), socket_of_it:
            yield connection

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--behind-proxy", "--host-name", NAME, keys=["*"])
        cls.site = Nginx(cls.server.url.removeprefix("http://"))
        cls.headers = {"Authorization": "Bearer " + cls.server.keys[0], "Content-Type": "application/json"}
        cls.site.call("POST", "/v1/memories", json.dumps({"text": "Bob counts the boats."}), cls.headers)

    @classmethod
    def tearDownClass(cls):
        cls.site.stop()
        cls.server.stop()

    def test_memories_pass_through_tls(self):
        answer, _ = self.site.call("POST", "/v1/memories", json.dumps(
            {"id": "a/b", "text": "Ada moved to Lisbon in May."}), self.headers)
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.getheader("Strict-Transport-Security"), "max-age=31536000")
        answer, body = self.site.call("GET", "/v1/memories/a%2Fb", headers=self.headers)
        self.assertEqual((answer.status, json.loads(body)["id"]), (200, "a/b"))

    def test_without_a_key_or_with_another_name_nobody_gets_in(self):
        self.assertEqual(self.site.call("GET", "/v1/memories")[0].status, 401)
        answer, _ = self.site.call("GET", "/v1/memories", headers={**self.headers, "Host": "evil.example"})
        self.assertEqual(answer.status, 403)
        answer, _ = self.site.call("GET", "/v1/memories", headers={**self.headers, "Origin": "https://evil.example"})
        self.assertEqual(answer.status, 403)
        answer, _ = self.site.call("GET", "/v1/memories", headers={**self.headers, "Origin": f"https://{NAME}"})
        self.assertEqual(answer.status, 200)

    def test_plain_http_is_sent_to_tls(self):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.site.plain, timeout=20)) as connection:
            connection.request("GET", "/v1/memories?limit=1", headers={"Host": NAME})
            answer = connection.getresponse()
            answer.read()
        self.assertEqual((answer.status, answer.getheader("Location")),
                         (301, f"https://{NAME}/v1/memories?limit=1"))

    def test_chunked_and_large_bodies_arrive_whole(self):
        answer, _ = self.site.call("POST", "/v1/memories", json.dumps({"text": "chunk by chunk"}).encode(),
                                   {**self.headers, "Transfer-Encoding": "chunked"}, chunked=True)
        self.assertEqual(answer.status, 201)
        lines = "".join(json.dumps({"id": f"line-{i}", "text": "short", "bad": "x" * 100_000}) + "\n"
                        for i in range(100))
        answer, body = self.site.call("POST", "/v1/memories:batch", lines,
                                      {**self.headers, "Content-Type": "application/x-ndjson"})
        self.assertEqual((answer.status, body.count(b"\n")), (200, 100))

    def test_tokens_come_one_by_one(self):
        times = []
        with self.site.open() as connection:
            connection.request("POST", "/v1/ask", json.dumps(
                {"question": "What does Bob count?", "max_new_tokens": 16, "stream": True}), self.headers)
            answer = connection.getresponse()
            while line := answer.readline():
                if line.startswith(b"event: "):
                    times.append((time.monotonic(), line))
        self.assertTrue(times[-1][1].startswith(b"event: done"), times)
        self.assertGreater(times[-1][0] - times[0][0], 0.01, "all at once: something held them back")

    def metric(self, name):
        _, text = self.server.text("/metrics", self.server.keys[0])
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    def test_a_client_that_leaves_stops_the_model(self):
        left = 'kvasir_http_requests_total{method="POST",route="/v1/ask",status="499"}'
        body = json.dumps({"question": "What does Bob count?", "max_new_tokens": 1500, "stream": True})
        with self.site.connect() as raw:
            raw.sendall((f"POST /v1/ask HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {len(body)}\r\n"
                         + "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                         + "\r\n" + body).encode())
            heard = b""
            while b"event: hop" not in heard:
                heard += raw.recv(4096)
                self.assertNotIn(b"event: error", heard)
        end = time.monotonic() + 60
        # The one that is left asks how many there are.
        while self.metric("kvasir_http_requests_in_flight") > 1:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        # An answer that was finished would have been counted as 200.
        self.assertEqual(self.metric(left), 1)

    def test_metrics_can_be_read_on_the_machine_itself(self):
        answer, body = self.site.call("GET", "/metrics", headers=self.headers)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"kvasir_http_requests_total", body)


if __name__ == "__main__":
    unittest.main()
