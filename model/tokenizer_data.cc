#include "model/tokenizer_data.h"

#include <utility>

#include "model/utf8.h"

namespace kvasir::model {
namespace {

constexpr size_t kMaxTokens = 1 << 22;

/// FNV-1a, 64 bits. Lengths go in before contents, so that no two sources run together alike.
class Fingerprint {
 public:
  void Add(uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) Mix(static_cast<unsigned>(number >> shift & 0xFF));
  }
  void Add(std::string_view text) {
    Add(uint64_t{text.size()});
    for (const char c : text) Mix(static_cast<unsigned char>(c));
  }
  uint64_t value() const { return value_; }

 private:
  void Mix(unsigned byte) { value_ = (value_ ^ byte) * 0x100000001B3u; }

  uint64_t value_ = 0xCBF29CE484222325u;
};

uint64_t FingerprintOf(const TokenizerSource& source) {
  Fingerprint hash;
  hash.Add(static_cast<uint64_t>(source.pre_tokenizer));
  hash.Add(uint64_t{source.whole_words_first});
  hash.Add(uint64_t{source.texts.size()});
  for (size_t id = 0; id < source.texts.size(); ++id) {
    hash.Add(source.texts[id]);
    hash.Add(static_cast<uint64_t>(source.kinds[id]));
  }
  hash.Add(uint64_t{source.merges.size()});
  for (const auto& [left, right] : source.merges) {
    hash.Add(left);
    hash.Add(right);
  }
  for (const TokenId id : source.late_added) hash.Add(static_cast<uint64_t>(id));
  return hash.value();
}

using Vocabulary = std::unordered_map<std::string_view, TokenId>;

/// Text to id of everything that merging may make.
Result<Vocabulary> ReadVocabulary(const TokenizerSource& source) {
  Vocabulary vocabulary;
  vocabulary.reserve(source.texts.size());
  for (size_t id = 0; id < source.texts.size(); ++id) {
    if (source.kinds[id] != TokenKind::kNormal && source.kinds[id] != TokenKind::kAdded) continue;
    if (!vocabulary.emplace(source.texts[id], static_cast<TokenId>(id)).second) {
      return Corruption("token \"" + std::string(source.texts[id]) + "\" is there twice");
    }
  }
  return vocabulary;
}

Result<std::vector<BpeMerge>> ReadMerges(const TokenizerSource& source,
                                         const Vocabulary& vocabulary) {
  const auto find = [&](std::string_view text) {
    const auto found = vocabulary.find(text);
    return found == vocabulary.end() ? kNoToken : found->second;
  };
  std::vector<BpeMerge> merges;
  merges.reserve(source.merges.size());
  std::string joined;
  for (const auto& [left, right] : source.merges) {
    joined.assign(left).append(right);
    const auto rank = static_cast<uint32_t>(merges.size());
    const BpeMerge merge = {find(left), find(right), rank, find(joined)};
    // Control tokens are not in `vocabulary`: no merge can make one.
    if (merge.left == kNoToken || merge.right == kNoToken || merge.result == kNoToken) {
      return Corruption("merge " + std::to_string(rank) + " (\"" + std::string(left) + " " +
                        std::string(right) + "\") uses a token that is not in the vocabulary");
    }
    merges.push_back(merge);
  }
  return merges;
}

Status CheckSizes(const TokenizerSource& source) {
  if (source.texts.empty() || source.texts.size() > kMaxTokens) {
    return Corruption(std::to_string(source.texts.size()) + " tokens, 1 to 4194304 are allowed");
  }
  if (source.kinds.size() != source.texts.size()) {
    return Corruption(std::to_string(source.texts.size()) + " tokens, but " +
                      std::to_string(source.kinds.size()) + " token types");
  }
  for (const auto& id : {source.bos, source.eos}) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= source.texts.size())) {
      return Corruption("the begin or end token " + std::to_string(*id) +
                        " is not in the vocabulary");
    }
  }
  return Status::Ok();
}

void FillTexts(const TokenizerSource& source, TokenizerData& data) {
  data.kinds = source.kinds;
  data.starts.reserve(source.texts.size() + 1);
  for (size_t id = 0; id < source.texts.size(); ++id) {
    data.starts.push_back(data.bytes.size());
    std::optional<std::string> bytes;
    if (source.kinds[id] == TokenKind::kNormal) bytes = BytesOfAlphabet(source.texts[id]);
    data.bytes.append(bytes ? std::string_view(*bytes) : source.texts[id]);
  }
  data.starts.push_back(data.bytes.size());
}

void FillByteTokens(const Vocabulary& vocabulary, TokenizerData& data) {
  for (size_t byte = 0; byte < 256; ++byte) {
    std::string character;
    AppendCodePoint(ByteAlphabet()[byte], character);
    const auto found = vocabulary.find(character);
    data.byte_tokens[byte] = found == vocabulary.end() ? kNoToken : found->second;
  }
}

void FillSpecial(const TokenizerSource& source, TokenizerData& data) {
  for (const TokenId id : source.late_added) {
    data.late_special.Add(source.texts[static_cast<size_t>(id)], id);
  }
  for (size_t id = 0; id < source.texts.size(); ++id) {
    const bool special =
        source.kinds[id] == TokenKind::kControl || source.kinds[id] == TokenKind::kAdded;
    const std::string_view text = source.texts[id];
    if (special && data.late_special.Find(text) == kNoToken) {
      data.special.Add(text, static_cast<TokenId>(id));
    }
  }
}

}  // namespace

Result<std::shared_ptr<const TokenizerData>> CompileTokenizer(const TokenizerSource& source) {
  KVASIR_RETURN_IF_ERROR(CheckSizes(source));
  KVASIR_ASSIGN_OR_RETURN(const Vocabulary vocabulary, ReadVocabulary(source));
  KVASIR_ASSIGN_OR_RETURN(const auto merges, ReadMerges(source, vocabulary));
  KVASIR_ASSIGN_OR_RETURN(PreTokenizer words, PreTokenizer::Create(source.pre_tokenizer));
  auto data = std::make_shared<TokenizerData>(std::move(words), BpeMergeTable(merges));
  FillTexts(source, *data);
  FillByteTokens(vocabulary, *data);
  FillSpecial(source, *data);
  if (source.whole_words_first) {
    for (const auto& [text, id] : vocabulary) data->whole_words.emplace(data->Bytes(id), id);
  }
  data->bos = source.bos;
  data->eos = source.eos;
  data->add_bos = source.add_bos && source.bos.has_value();
  data->fingerprint = FingerprintOf(source);
  return std::shared_ptr<const TokenizerData>(std::move(data));
}

}  // namespace kvasir::model
