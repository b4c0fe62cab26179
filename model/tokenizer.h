// Text to tokens and back: byte-level byte-pair encoding.
#ifndef KVASIR_MODEL_TOKENIZER_H_
#define KVASIR_MODEL_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::model {

class GgufFile;
struct TokenizerData;
struct TokenizerSource;

using TokenId = int32_t;

struct EncodeOptions {
  /// Whether the text of a control token ("<|im_start|>") becomes that token. Leave it off for
  /// everything that a user or a document wrote: then no control token can come out, whatever the
  /// text says.
  bool parse_special = false;
};

/// A token and the bytes [begin, end) of the text that it stands for. The spans of a text's tokens
/// follow one another and cover all of it (bytes without a token go with their neighbour); a span
/// may cut a character in two.
struct TokenSpan {
  TokenId id = 0;
  size_t begin = 0;
  size_t end = 0;

  friend bool operator==(const TokenSpan&, const TokenSpan&) = default;
};

/// Gives the same ids as the `tokenizers` library (its `encode_special_tokens` is the opposite of
/// parse_special), except that it never normalises text: bring it in NFC where the model wants
/// that. Bytes that the vocabulary has no token for are left out (SmolLM2 lacks some control
/// characters). Immutable: one tokenizer may be used from many threads. Cheap to copy (shared
/// tables).
class Tokenizer {
 public:
  /// From `tokenizer.ggml.*`. kUnavailable for another kind than byte-level BPE or an unknown
  /// pre-tokenizer (known: smollm, qwen2, llama-bpe, gpt-2); kCorruption for tables that contradict
  /// themselves. Copies what it needs.
  static Result<Tokenizer> FromGguf(const GgufFile& file);
  /// From a tokenizer.json with a BPE model and one of the same pre-tokenizers. `source` names the
  /// file in errors. The file does not say which token ends a text: eos() is the first known of
  /// <|im_end|>, <|eot_id|>, <|end_of_text|>, <|endoftext|>.
  static Result<Tokenizer> FromJson(std::string_view json, std::string_view source);

  /// The text's tokens, nothing put before or after. kInvalidArgument unless `text` is UTF-8.
  /// O(n log n) at worst, for one endless word too; about 10 MB/s.
  Result<std::vector<TokenId>> Encode(std::string_view text, EncodeOptions options = {}) const;
  /// The same with each token's bytes. At most 4 GiB of text.
  Result<std::vector<TokenSpan>> EncodeWithOffsets(std::string_view text,
                                                   EncodeOptions options = {}) const;

  /// The text of the tokens as UTF-8: bytes that are none become U+FFFD. Control tokens are left
  /// out unless asked for; unknown ids are skipped.
  std::string Decode(std::span<const TokenId> tokens, bool with_control = false) const;
  /// The bytes that a token stands for, maybe a part of a character; for a control token its name.
  /// Empty for an id out of range.
  std::string_view TokenBytes(TokenId id) const;

  int vocab_size() const;
  /// The control or added token of exactly this text ("<|im_end|>"); nothing when there is none.
  std::optional<TokenId> FindSpecial(std::string_view text) const;
  /// Whether the token is a control token, which text cannot make unless parse_special is on.
  bool IsControl(TokenId id) const;

  std::optional<TokenId> bos() const;
  std::optional<TokenId> eos() const;
  /// Whether the model wants bos() in front of every text; Encode leaves that to the caller.
  bool add_bos() const;
  /// A hash of everything that decides which ids a text gets; equal across platforms.
  uint64_t fingerprint() const;

 private:
  explicit Tokenizer(std::shared_ptr<const TokenizerData> data) : data_(std::move(data)) {}
  static Result<Tokenizer> Build(const TokenizerSource& source);

  std::shared_ptr<const TokenizerData> data_;
};

/// Decodes a growing sequence: gives out whole characters only and keeps the bytes of an unfinished
/// one back. All that Push and Finish return, put together, is what Decode returns. Copies the
/// tokenizer; for one thread.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool with_control = false)
      : tokenizer_(std::move(tokenizer)), with_control_(with_control) {}

  /// The characters that this token completes, maybe none.
  std::string Push(TokenId token);
  /// What is still held back: an unfinished character becomes U+FFFD. Ready for another sequence.
  std::string Finish();

 private:
  Tokenizer tokenizer_;
  bool with_control_;
  std::string held_;
};

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_TOKENIZER_H_
