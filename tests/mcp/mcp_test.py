"""Both eras of the protocol on both transports, driven by the SDK that agents are built with."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import anyio
import httpx2
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from server import Server

ERAS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
TOOLS = ["memory_remember", "memory_recall", "memory_ask", "memory_list", "memory_get",
         "memory_update", "memory_forget"]


def words(store, *more):
    return ["mcp", "--store", store, "--model", os.environ["KVASIR_MODEL"], "--quiet", *more]


def run_async(test):
    """A test case that is a coroutine, with a bound on how long it may hang."""

    async def bounded(self):
        with anyio.fail_after(120):
            await test(self)

    return lambda self: anyio.run(bounded, self)


class Journey:
    """What every client on every transport must be able to do."""

    async def travel(self, client, mark):
        listed = await client.list_tools()
        self.assertEqual([tool.name for tool in listed.tools], TOOLS)
        made = await client.call_tool("memory_remember", {
            "id": mark, "text": f"Ada moved to Lisbon in May. {mark}", "session": mark})
        self.assertFalse(made.is_error, made)
        self.assertEqual(made.structured_content["outcome"], "created")

        found = await client.call_tool("memory_recall", {"query": "Where does Ada live?", "session": mark})
        self.assertEqual(found.structured_content["hits"][0]["id"], mark)
        self.assertEqual(json.loads(found.content[0].text), found.structured_content)

        heard = []

        async def hear(progress, total, message):
            heard.append((progress, message))

        answer = await client.call_tool(
            "memory_ask", {"question": "Where does Ada live?", "session": mark, "max_new_tokens": 8},
            progress_callback=hear)
        self.assertEqual(answer.structured_content["citations"][0]["id"], mark)
        self.assertIn("hop 1", heard[0][1])
        self.assertEqual([count for count, _ in heard], list(range(1, len(heard) + 1)))

        got = (await client.call_tool("memory_get", {"id": mark})).structured_content
        edited = await client.call_tool("memory_update", {
            "id": mark, "text": f"Ada moved to Porto. {mark}", "if_match": got["etag"]})
        self.assertEqual(edited.structured_content["version"], 2)
        page = await client.call_tool("memory_list", {"session": mark})
        self.assertEqual(page.structured_content["memories"][0]["text"], f"Ada moved to Porto. {mark}")

        uri = f"memory://default/{mark}"
        resources = await client.list_resources()
        self.assertIn(uri, [str(resource.uri) for resource in resources.resources])
        templates = await client.list_resource_templates()
        self.assertEqual(templates.resource_templates[0].uri_template, "memory://{space}/{id}")
        read = await client.read_resource(uri)
        self.assertEqual(read.contents[0].text, f"Ada moved to Porto. {mark}")

        gone = await client.call_tool("memory_forget", {"ids": [mark]})
        self.assertTrue(gone.structured_content["physical"])
        missing = await client.call_tool("memory_get", {"id": mark})
        self.assertTrue(missing.is_error)
        self.assertIn("not_found", missing.content[0].text)
        with self.assertRaises(MCPError):
            await client.read_resource(uri)
        with self.assertRaises(MCPError):
            await client.call_tool("memory_destroy", {})


class Stdio(unittest.TestCase, Journey):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kvasir-mcp-")
        self.store = os.path.join(self.folder, "store")

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, *more, **options):
        return Client(StdioServerParameters(
            command=os.environ["KVASIR_COMMAND"], args=words(self.store, *more),
            env={"OMP_WAIT_POLICY": "passive"}), **options)

    @run_async
    async def test_the_whole_journey_in_both_eras(self):
        for mode, revision in ERAS.items():
            async with self.client(mode=mode) as client:
                self.assertEqual(client.protocol_version, revision)
                self.assertEqual(client.server_info.name, "kvasir")
                await self.travel(client, "stdio-" + mode)

    @run_async
    async def test_a_cancelled_answer_stops_and_the_server_goes_on(self):
        async with self.client() as client:
            for i in range(3):
                await client.call_tool("memory_remember", {"text": f"Ada counted to {i} in Lisbon."})
            begun = anyio.Event()

            async def hear(progress, total, message):
                begun.set()

            async def ask():
                answer = await client.call_tool(
                    "memory_ask", {"question": "How far did Ada count?", "max_new_tokens": 1500},
                    progress_callback=hear)
                self.fail(f"answered before it said how far it was: {answer}")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                await begun.wait()
                tasks.cancel_scope.cancel()
            found = await client.call_tool("memory_recall", {"query": "Lisbon"})
            self.assertEqual(len(found.structured_content["hits"]), 3)

    @run_async
    async def test_read_only_has_no_writers(self):
        async with self.client() as client:
            await client.call_tool("memory_remember", {"text": "Ada moved to Lisbon."})
        async with self.client("--read-only") as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            self.assertEqual(names, ["memory_recall", "memory_ask", "memory_list", "memory_get"])
            with self.assertRaises(MCPError):
                await client.call_tool("memory_remember", {"text": "x"})
            found = await client.call_tool("memory_recall", {"query": "Lisbon"})
            self.assertEqual(len(found.structured_content["hits"]), 1)

    def test_hostile_lines_are_answered_one_line_each_and_the_end_is_clean(self):
        lines = [
            b"{", b"[" * 100_000, b"\xff\xfe\x00", b'{"jsonrpc":"2.0","id":1,"method":"\xc3"}',
            b"x" * (9 << 20), b"[]", b"null", b"", b'{"jsonrpc":"2.0","id":1,"result":{}}',
            b'{"jsonrpc":"2.0","id":7,"method":"ping"}',
        ]
        ran = subprocess.run([os.environ["KVASIR_COMMAND"], *words(self.store)],
                             input=b"\n".join(lines), capture_output=True, timeout=120)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        replies = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual([reply.get("error", {}).get("code") for reply in replies if reply["id"] is None],
                         [-32700, -32700, -32700, -32700, -32600, -32600, -32600])
        self.assertEqual([reply for reply in replies if reply["id"] == 7],
                         [{"jsonrpc": "2.0", "id": 7, "result": {}}])


class Http(unittest.TestCase, Journey):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    @contextlib.asynccontextmanager
    async def client(self, key=None, **options):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(self.server.url + "/mcp", http_client=http)
            async with Client(transport, **options) as client:
                yield client

    @run_async
    async def test_1_the_whole_journey_in_both_eras(self):
        for mode, revision in ERAS.items():
            async with self.client(mode=mode) as client:
                self.assertEqual(client.protocol_version, revision)
                await self.travel(client, "http-" + mode)

    @run_async
    async def test_2_keys_divide_the_spaces(self):
        """Last: from the first key on, nobody gets in without one."""
        ada, bob = self.server.make_key("ada"), self.server.make_key("bob")
        async with self.client(bob) as client:
            await client.call_tool("memory_remember", {"id": "bobs", "text": "Bob's secret is blue."})
        async with self.client(ada) as client:
            for tool, arguments in [("memory_get", {"id": "ID"}),
                                    ("memory_update", {"id": "ID", "text": "x"}),
                                    ("memory_forget", {"ids": ["ID"]})]:
                replies = []
                for name in ("bobs", "none"):
                    mine = json.loads(json.dumps(arguments).replace("ID", name))
                    reply = await client.call_tool(tool, mine)
                    self.assertTrue(reply.is_error)
                    replies.append(reply.content[0].text.replace(name, "ID"))
                self.assertEqual(replies[0], replies[1])
            found = await client.call_tool("memory_recall", {"query": "secret"})
            self.assertEqual(found.structured_content["hits"], [])
            self.assertEqual((await client.list_resources()).resources, [])
            with self.assertRaises(MCPError):
                await client.read_resource("memory://bob/bobs")


if __name__ == "__main__":
    unittest.main()
