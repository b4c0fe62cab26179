// Tokenizer from a tokenizer.json of the `tokenizers` library.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "model/json.h"
#include "model/tokenizer.h"
#include "model/tokenizer_source.h"

namespace kvasir::model {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxId = (1 << 22) - 1;

std::string TextOf(const json& object, std::string_view key) {
  const json* value = Member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool IsTrue(const json& object, std::string_view key, bool fallback = false) {
  const json* value = Member(object, key);
  return value == nullptr ? fallback : value->is_boolean() && value->get<bool>();
}

Status Unsupported(std::string_view what) {
  return Unavailable(std::string(what) + " is not supported");
}

Result<TokenId> ReadId(const json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMaxId) {
    return Corruption("a token's id is not a natural number below 4194304");
  }
  return value.get<TokenId>();
}

/// Gives token `id` its text; ids that nobody names stay unused.
void Put(TokenizerSource& source, TokenId id, std::string_view text, TokenKind kind) {
  const auto at = static_cast<size_t>(id);
  if (at >= source.texts.size()) {
    source.texts.resize(at + 1);
    source.kinds.resize(at + 1, TokenKind::kUnused);
  }
  source.texts[at] = text;
  source.kinds[at] = kind;
}

Status ReadVocabulary(const json& model, TokenizerSource& source) {
  const json* vocabulary = Member(model, "vocab");
  if (vocabulary == nullptr || !vocabulary->is_object()) return Corruption("no vocabulary");
  for (const auto& [text, value] : vocabulary->get_ref<const json::object_t&>()) {
    KVASIR_ASSIGN_OR_RETURN(const TokenId id, ReadId(value));
    const auto at = static_cast<size_t>(id);
    if (at < source.kinds.size() && source.kinds[at] != TokenKind::kUnused) {
      return Corruption("two tokens have the id " + std::to_string(id));
    }
    Put(source, id, text, TokenKind::kNormal);
  }
  return Status::Ok();
}

/// "a b", or ["a", "b"] as newer files have it.
Result<std::pair<std::string_view, std::string_view>> ReadMerge(const json& merge) {
  if (merge.is_string()) return SplitMerge(merge.get_ref<const std::string&>());
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return std::pair<std::string_view, std::string_view>(merge[0].get_ref<const std::string&>(),
                                                         merge[1].get_ref<const std::string&>());
  }
  return Corruption("a merge is not two tokens");
}

Status ReadModel(const json& root, TokenizerSource& source) {
  const json* model = Member(root, "model");
  if (model == nullptr || !model->is_object()) return Corruption("no \"model\"");
  const std::string type = TextOf(*model, "type");
  if (!type.empty() && type != "BPE") return Unsupported("tokenizer model " + Quoted(type));
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix", "unk_token"}) {
    if (!TextOf(*model, key).empty()) return Unsupported(Quoted(key));
  }
  if (Member(*model, "dropout") != nullptr) return Unsupported("dropout");
  if (IsTrue(*model, "byte_fallback")) return Unsupported("byte fallback");
  source.whole_words_first = IsTrue(*model, "ignore_merges");
  KVASIR_RETURN_IF_ERROR(ReadVocabulary(*model, source));
  const json* merges = Member(*model, "merges");
  if (merges == nullptr || !merges->is_array()) return Corruption("no merges");
  source.merges.reserve(merges->size());
  for (const json& merge : *merges) {
    KVASIR_ASSIGN_OR_RETURN(source.merges.emplace_back(), ReadMerge(merge));
  }
  return Status::Ok();
}

Status ReadAddedToken(const json& token, TokenizerSource& source) {
  const json* id_value = Member(token, "id");
  const json* content = Member(token, "content");
  if (id_value == nullptr || content == nullptr || !content->is_string()) {
    return Corruption("an added token has no id or no content");
  }
  const auto& text = content->get_ref<const std::string&>();
  for (const char* key : {"single_word", "lstrip", "rstrip"}) {
    if (IsTrue(token, key)) {
      return Unsupported(Quoted(key) + " of token " + Quoted(text));
    }
  }
  KVASIR_ASSIGN_OR_RETURN(const TokenId id, ReadId(*id_value));
  const auto at = static_cast<size_t>(id);
  if (at < source.texts.size() && source.kinds[at] != TokenKind::kUnused &&
      source.texts[at] != text) {
    return Corruption("added token " + Quoted(text) + " has the id of another");
  }
  const bool special = IsTrue(token, "special");
  Put(source, id, text, special ? TokenKind::kControl : TokenKind::kAdded);
  if (IsTrue(token, "normalized", !special)) source.late_added.push_back(id);
  return Status::Ok();
}

Status ReadAddedTokens(const json& root, TokenizerSource& source) {
  const json* tokens = Member(root, "added_tokens");
  if (tokens == nullptr) return Status::Ok();
  if (!tokens->is_array()) return Corruption("\"added_tokens\" is not an array");
  for (const json& token : *tokens) KVASIR_RETURN_IF_ERROR(ReadAddedToken(token, source));
  return Status::Ok();
}

/// Text is not normalised here (see Tokenizer), so only what NFC text passes unchanged may be
/// asked.
Status CheckNormalizer(const json& root) {
  const json* normalizer = Member(root, "normalizer");
  if (normalizer == nullptr) return Status::Ok();
  const std::string type = TextOf(*normalizer, "type");
  return type == "NFC" ? Status::Ok() : Unsupported("normalizer " + Quoted(type));
}

/// The pattern of a Split step, as the published tokenizers write it.
std::optional<PreTokenizerKind> KindOfPattern(std::string_view pattern) {
  static constexpr std::string_view kFront =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)";
  static constexpr std::string_view kBack =
      R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  if (!pattern.starts_with(kFront) || !pattern.ends_with(kBack) ||
      pattern.size() < kFront.size() + kBack.size()) {
    return std::nullopt;
  }
  pattern.remove_prefix(kFront.size());
  pattern.remove_suffix(kBack.size());
  if (pattern == R"(\p{N})") return PreTokenizerKind::kQwen2;
  if (pattern == R"(\p{N}{1,3})") return PreTokenizerKind::kLlamaBpe;
  return std::nullopt;
}

/// The steps of a pre-tokenizer: one, or a Sequence of them.
std::vector<const json*> Steps(const json& pre) {
  if (TextOf(pre, "type") != "Sequence") return {&pre};
  std::vector<const json*> steps;
  const json* list = Member(pre, "pretokenizers");
  if (list != nullptr && list->is_array()) {
    for (const json& step : *list) steps.push_back(&step);
  }
  return steps;
}

Result<PreTokenizerKind> ReadPreTokenizer(const json& root) {
  const json* pre = Member(root, "pre_tokenizer");
  if (pre == nullptr) return Corruption("no \"pre_tokenizer\"");
  const auto steps = Steps(*pre);
  if (steps.empty() || steps.size() > 2 || TextOf(*steps.back(), "type") != "ByteLevel" ||
      IsTrue(*steps.back(), "add_prefix_space")) {
    return Unsupported("this pre-tokenizer");
  }
  const bool own_pattern = IsTrue(*steps.back(), "use_regex", true);
  if (steps.size() == 1 && own_pattern) return PreTokenizerKind::kGpt2;
  const json& first = *steps.front();
  if (TextOf(first, "type") == "Digits" && IsTrue(first, "individual_digits") && own_pattern) {
    return PreTokenizerKind::kSmollm;
  }
  const json* pattern = Member(first, "pattern");
  if (TextOf(first, "type") == "Split" && TextOf(first, "behavior") == "Isolated" &&
      !IsTrue(first, "invert") && pattern != nullptr && !own_pattern) {
    if (const auto kind = KindOfPattern(TextOf(*pattern, "Regex"))) return *kind;
  }
  return Unsupported("this pre-tokenizer");
}

/// A template that opens with a special token asks for it in front of every text.
void ReadTemplate(const json& processor, TokenizerSource& source) {
  const json* steps = Member(processor, "processors");
  if (steps != nullptr && steps->is_array()) {
    for (const json& step : *steps) ReadTemplate(step, source);
    return;
  }
  const json* single = Member(processor, "single");
  if (single == nullptr || !single->is_array() || single->empty()) return;
  const json* first = Member(single->front(), "SpecialToken");
  if (first == nullptr) return;
  const auto found = std::ranges::find(source.texts, TextOf(*first, "id"));
  if (found == source.texts.end()) return;
  source.bos = static_cast<TokenId>(found - source.texts.begin());
  source.add_bos = true;
}

Status ReadAll(const json& root, TokenizerSource& source) {
  if (!root.is_object()) return Corruption("not an object");
  KVASIR_RETURN_IF_ERROR(CheckNormalizer(root));
  KVASIR_ASSIGN_OR_RETURN(source.pre_tokenizer, ReadPreTokenizer(root));
  KVASIR_RETURN_IF_ERROR(ReadModel(root, source));
  KVASIR_RETURN_IF_ERROR(ReadAddedTokens(root, source));
  if (const json* processor = Member(root, "post_processor")) ReadTemplate(*processor, source);
  for (const char* name : {"<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>"}) {
    const auto found = std::ranges::find(source.texts, name);
    if (found == source.texts.end()) continue;
    source.eos = static_cast<TokenId>(found - source.texts.begin());
    break;
  }
  return Status::Ok();
}

}  // namespace

Result<Tokenizer> Tokenizer::FromJson(std::string_view text, std::string_view source_name) {
  KVASIR_ASSIGN_OR_RETURN(const json root, ParseJson(text, source_name));
  TokenizerSource source;
  source.name = source_name;
  KVASIR_RETURN_IF_ERROR(ReadAll(root, source).WithContext(source_name));
  return Build(source);
}

}  // namespace kvasir::model
