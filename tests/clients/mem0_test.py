"""mem0's own client `MemoryClient`, and the calls that its self-hosted server documents."""

import logging
import os
import tempfile
import unittest

# Read when the package is loaded: where it keeps its settings.
os.environ["MEM0_DIR"] = tempfile.mkdtemp(prefix="kvasir-mem0-")

from mem0 import MemoryClient  # noqa: E402
from mem0.exceptions import MemoryNotFoundError  # noqa: E402

from server import Server  # noqa: E402


def setUpModule():
    """mem0's client logs each refusal that is wanted here."""
    global server
    logging.disable(logging.CRITICAL)
    server = Server()


def tearDownModule():
    server.stop()


class Client(unittest.TestCase):
    """Everything here is unchanged code for mem0's hosted service but for `host`."""

    @classmethod
    def setUpClass(cls):
        cls.client = MemoryClient(api_key="none yet", host=server.url)

    def test_the_life_of_a_memory(self):
        added = self.client.add("Ada moved to Lisbon in May.", user_id="ada", metadata={"topic": "home"})
        memory_id = added["results"][0]["id"]
        self.assertEqual(added["results"][0]["event"], "ADD")
        self.assertIn("Lisbon", self.client.get(memory_id)["memory"])

        found = self.client.search("Where does Ada live?", filters={"user_id": "ada"}, top_k=3)
        self.assertEqual(found["results"][0]["id"], memory_id)
        self.assertGreater(found["results"][0]["score"], 0)
        nobody = self.client.search("Where does Ada live?", filters={"user_id": "bob"})
        self.assertEqual(nobody["results"], [])

        self.client.update(memory_id, text="Ada moved to Porto in June.")
        history = self.client.history(memory_id)
        self.assertEqual([entry["event"] for entry in history], ["ADD", "UPDATE"])
        self.assertEqual(self.client.get_all(filters={"user_id": "ada"})["results"][0]["memory"],
                         "Ada moved to Porto in June.")
        self.client.delete(memory_id)
        with self.assertRaises(MemoryNotFoundError):
            self.client.get(memory_id)

    def test_filters_and_pages(self):
        for i in range(5):
            self.client.add([{"role": "user", "content": f"Run {i} was fine."}],
                            filters={"user_id": "runner", "run_id": f"run-{i % 2}"}, metadata={"lap": i})
        page = self.client.get_all(filters={"user_id": "runner"}, page=2, page_size=2)
        self.assertEqual((page["count"], len(page["results"])), (5, 2))
        evens = self.client.get_all(filters={"AND": [{"user_id": "*"}, {"run_id": "run-0"}]})
        self.assertEqual(evens["count"], 3)
        late = self.client.search("fine", filters={"AND": [{"user_id": "runner"}, {"metadata": {"lap": {"gte": 3}}}]})
        self.assertEqual(len(late["results"]), 2)
        self.client.delete_all(user_id="runner")
        self.assertEqual(self.client.get_all(filters={"user_id": "runner"})["count"], 0)

    def test_what_is_not_offered_is_refused(self):
        for call in (lambda: self.client.users(),
                     lambda: self.client.batch_delete([{"memory_id": "x"}]),
                     lambda: self.client.search("x", filters={"user_id": "u"}, categories=["a"])):
            with self.assertRaises(Exception):
                call()


class SelfHosted(unittest.TestCase):
    def test_the_documented_calls(self):
        status, added = server.call("POST", "/memories", {
            "messages": [{"role": "user", "content": "I like black tea."},
                         {"role": "assistant", "content": "Noted."}],
            "user_id": "tea", "run_id": "r1", "metadata": {"topic": "drinks"}, "infer": False})
        self.assertEqual(status, 200)
        memory_id = added["results"][0]["id"]
        self.assertEqual(server.call("GET", f"/memories/{memory_id}")[1]["user_id"], "tea")
        self.assertEqual(len(server.call("GET", "/memories?user_id=tea")[1]["results"]), 1)
        found = server.call("POST", "/search", {"query": "What do I drink?", "user_id": "tea"})[1]
        self.assertEqual(found["results"][0]["id"], memory_id)
        self.assertEqual(server.call("PUT", f"/memories/{memory_id}", {"text": "I like green tea."})[0], 200)
        self.assertEqual(len(server.call("GET", f"/memories/{memory_id}/history")[1]), 2)
        self.assertEqual(server.call("DELETE", f"/memories/{memory_id}")[0], 200)
        status, error = server.call("GET", f"/memories/{memory_id}")
        self.assertEqual((status, list(error)), (404, ["detail"]))
        self.assertEqual(server.call("DELETE", "/memories?user_id=tea")[0], 200)


class ZKeys(unittest.TestCase):
    """Last: from the first key on, nobody gets in without one."""

    def test_a_client_with_a_key_lives_in_its_space(self):
        ada = MemoryClient(api_key=server.make_key("ada"), host=server.url)
        bob = MemoryClient(api_key=server.make_key("bob"), host=server.url)
        memory_id = ada.add("Ada's secret.", user_id="u")["results"][0]["id"]
        self.assertEqual(bob.get_all(filters={"user_id": "u"})["count"], 0)
        with self.assertRaises(MemoryNotFoundError):
            bob.get(memory_id)
        with self.assertRaises(ValueError):
            MemoryClient(api_key="wrong", host=server.url)


if __name__ == "__main__":
    unittest.main()
