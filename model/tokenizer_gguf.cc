// Tokenizer from `tokenizer.ggml.*`.
#include <string>
#include <utility>

#include "model/gguf.h"
#include "model/tokenizer.h"
#include "model/tokenizer_source.h"

namespace kvasir::model {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

std::string Key(std::string_view name) { return std::string(kPrefix) + std::string(name); }

/// llama.cpp's token types, by their numbers in the file.
TokenKind KindOf(int64_t type) {
  switch (type) {
    case 2:  // unknown
    case 3:  // control
      return TokenKind::kControl;
    case 4:  // user defined
      return TokenKind::kAdded;
    case 5:
      return TokenKind::kUnused;
    default:
      return TokenKind::kNormal;
  }
}

Result<std::vector<TokenKind>> ReadKinds(const GgufFile& file, size_t tokens) {
  std::vector<TokenKind> kinds(tokens, TokenKind::kNormal);
  const std::string key = Key("token_type");
  if (file.FindValue(key) == nullptr) return kinds;
  KVASIR_ASSIGN_OR_RETURN(const GgufArray* types, file.Array(key));
  if (types->count != tokens) {
    return Corruption(file.path().string() + ": " + std::to_string(tokens) + " tokens, but " +
                      std::to_string(types->count) + " token types");
  }
  for (size_t i = 0; i < tokens; ++i) {
    KVASIR_ASSIGN_OR_RETURN(const int64_t type, types->Integer(i));
    kinds[i] = KindOf(type);
  }
  return kinds;
}

Result<std::optional<TokenId>> ReadId(const GgufFile& file, std::string_view name, size_t tokens) {
  const std::string key = Key(name);
  if (file.FindValue(key) == nullptr) return std::optional<TokenId>();
  KVASIR_ASSIGN_OR_RETURN(const int64_t id, file.Integer(key));
  if (id < 0 || std::cmp_greater_equal(id, tokens)) {
    return Corruption(file.path().string() + ": " + key + " " + std::to_string(id) +
                      " is not in the vocabulary");
  }
  return std::optional<TokenId>(static_cast<TokenId>(id));
}

Result<PreTokenizerKind> ReadPreTokenizer(const GgufFile& file) {
  KVASIR_ASSIGN_OR_RETURN(const auto model, file.MetadataString(Key("model")));
  if (model != "gpt2") {
    return Unavailable(file.path().string() + ": tokenizer \"" + std::string(model) +
                       "\" is not supported; byte-level BPE (\"gpt2\") is");
  }
  KVASIR_ASSIGN_OR_RETURN(const auto name, file.MetadataString(Key("pre")));
  const auto kind = PreTokenizerByName(name);
  if (!kind) {
    return Unavailable(file.path().string() + ": pre-tokenizer \"" + std::string(name) +
                       "\" is not supported; smollm, qwen2, llama-bpe and gpt-2 are");
  }
  return *kind;
}

}  // namespace

Result<Tokenizer> Tokenizer::FromGguf(const GgufFile& file) {
  TokenizerSource source;
  source.name = file.path().string();
  KVASIR_ASSIGN_OR_RETURN(source.pre_tokenizer, ReadPreTokenizer(file));
  KVASIR_ASSIGN_OR_RETURN(const auto texts, file.Strings(Key("tokens")));
  source.texts.assign(texts.begin(), texts.end());
  KVASIR_ASSIGN_OR_RETURN(source.kinds, ReadKinds(file, texts.size()));
  KVASIR_ASSIGN_OR_RETURN(const auto merges, file.Strings(Key("merges")));
  source.merges.reserve(merges.size());
  for (const std::string_view merge : merges) {
    auto pair = SplitMerge(merge);
    if (!pair.ok()) return pair.status().WithContext(source.name);
    source.merges.push_back(*pair);
  }
  KVASIR_ASSIGN_OR_RETURN(source.bos, ReadId(file, "bos_token_id", texts.size()));
  KVASIR_ASSIGN_OR_RETURN(source.eos, ReadId(file, "eos_token_id", texts.size()));
  // Llama 3's files leave out both of what llama.cpp takes for granted for this pre-tokenizer.
  const bool is_llama = source.pre_tokenizer == PreTokenizerKind::kLlamaBpe;
  source.whole_words_first = is_llama;
  source.add_bos = is_llama;
  if (file.FindValue(Key("add_bos_token")) != nullptr) {
    KVASIR_ASSIGN_OR_RETURN(source.add_bos, file.Bool(Key("add_bos_token")));
  }
  return Build(source);
}

}  // namespace kvasir::model
