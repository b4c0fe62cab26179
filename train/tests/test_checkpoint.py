import pytest

from kvasir_train.checkpoint import Checkpoint
from kvasir_train.data import Passage
from kvasir_train.features import Framer


def test_settings_are_read_from_the_file(checkpoint):
    s = checkpoint.settings
    assert (s.hidden, s.layers, s.heads, s.kv_heads, s.head_dim) == (32, 3, 4, 2, 8)


def test_a_missing_tensor_is_named(checkpoint):
    with pytest.raises(ValueError, match="blk.9.attn_q.weight"):
        checkpoint.tensor("blk.9.attn_q.weight")


def test_merges_apply_and_digits_stand_alone(checkpoint):
    tokenizer = checkpoint.tokenizer()
    assert len(tokenizer.encode("hel")) == 1
    assert len(tokenizer.encode("12")) == 2


def test_only_templates_may_hold_special_tokens(checkpoint):
    tokenizer = checkpoint.tokenizer()
    assert tokenizer.encode("<|im_start|>") == [1]
    assert 1 not in tokenizer.encode_plain(["<|im_start|>"])[0]


def test_a_title_stands_before_the_text_on_its_own_line(checkpoint):
    tokenizer = checkpoint.tokenizer()
    framer = Framer(tokenizer, limit=100)
    titled, plain = framer.documents([Passage("ab", "c"), Passage("", "c")])
    assert titled == [1, *tokenizer.encode("ab"), *tokenizer.encode("\n"), *tokenizer.encode("c")]
    assert plain == [1, *tokenizer.encode("c")]


def test_another_architecture_is_refused(tmp_path):
    import gguf

    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match="qwen3"):
        Checkpoint(str(path))
