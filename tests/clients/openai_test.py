"""The client `openai` from PyPI, pointed at kvasir by nothing but its base URL."""

import unittest

import openai

from server import Server


class OpenAi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.client = openai.OpenAI(base_url=cls.server.url + "/v1", api_key="none yet", max_retries=0)
        cls.server.call("POST", "/v1/memories", {"id": "ada", "text": "Ada moved to Lisbon in May."})

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.stop()

    def complete(self, text="Where does Ada live?", **fields):
        return self.client.chat.completions.create(
            model="kvasir", messages=[{"role": "user", "content": text}], max_tokens=12, **fields)

    def test_a_completion_answers_from_the_memories_and_names_them(self):
        completion = self.complete()
        choice = completion.choices[0]
        self.assertIn(choice.finish_reason, ("stop", "length"))
        self.assertTrue(choice.message.content)
        self.assertEqual(completion.usage.total_tokens,
                         completion.usage.prompt_tokens + completion.usage.completion_tokens)
        self.assertEqual(completion.model_extra["kvasir"]["citations"][0]["id"], "ada")

    def test_a_stream_brings_the_same_answer_in_pieces(self):
        whole = self.complete().choices[0].message.content
        pieces, usage = [], None
        for chunk in self.complete(stream=True, stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            pieces += [choice.delta.content or "" for choice in chunk.choices]
        self.assertEqual("".join(pieces).strip(), whole.strip())
        self.assertGreater(len(pieces), 2)
        self.assertGreater(usage.completion_tokens, 0)

    def test_a_stream_can_be_left(self):
        with self.complete(stream=True) as stream:
            next(iter(stream))
        self.assertTrue(self.complete().choices)

    def test_earlier_turns_are_understood(self):
        completion = self.client.chat.completions.create(model="kvasir", max_tokens=4, messages=[
            {"role": "system", "content": "Answer briefly."},
            {"role": "user", "content": "I ask about Ada."},
            {"role": "assistant", "content": "What do you want to know?"},
            {"role": "user", "content": "Where does she live?"}])
        self.assertIn("ada", completion.model_extra["kvasir"]["hops"][0]["ids"])
        self.assertTrue(completion.choices[0].message.content)

    def test_mistakes_become_the_exceptions_of_the_client(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.complete(n=2)
        self.assertIn("\"n\"", str(caught.exception))
        with self.assertRaises(openai.NotFoundError):
            self.client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": "Hello?"}])

    def test_the_models_are_listed(self):
        self.assertEqual([model.id for model in self.client.models.list()], ["kvasir"])

    def test_z_keys_are_needed_once_there_is_one(self):
        key = self.server.make_key("default", "read")
        with self.assertRaises(openai.AuthenticationError):
            self.complete()
        self.assertTrue(self.client.with_options(api_key=key).models.list().data)


if __name__ == "__main__":
    unittest.main()
