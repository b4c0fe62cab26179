#include "model/tokenizer.h"

#include <limits>
#include <utility>

#include "model/tokenizer_data.h"
#include "model/utf8.h"

namespace kvasir::model {
namespace {

/// One call of Encode: its options and buffers.
class Encoding {
 public:
  Encoding(const TokenizerData& data, EncodeOptions options)
      : data_(data), options_(options), bpe_(data.byte_tokens, data.merges) {}

  Result<std::vector<TokenSpan>> Run(std::string_view text) {
    KVASIR_RETURN_IF_ERROR(Split(text, 0, data_.special, [&](std::string_view rest, size_t at) {
      return Split(rest, at, data_.late_special,
                   [&](std::string_view plain, size_t begin) { return Words(plain, begin); });
    }));
    CoverAll(text.size());
    return std::move(tokens_);
  }

 private:
  /// Puts the special tokens of `text` out and hands what lies between them on.
  template <typename Next>
  Status Split(std::string_view text, size_t offset, const SpecialTokens& special, Next next) {
    size_t plain = 0;
    const auto hand_on = [&](size_t end) {
      return end == plain ? Status() : next(text.substr(plain, end - plain), offset + plain);
    };
    for (size_t at = 0; !special.empty() && at < text.size();) {
      const SpecialTokens::Match match = special.Next(text, at);
      at = match.end;
      if (match.id == kNoToken || !MayStand(match.id)) continue;
      KVASIR_RETURN_IF_ERROR(hand_on(match.begin));
      tokens_.push_back({match.id, offset + match.begin, offset + match.end});
      plain = match.end;
    }
    return hand_on(text.size());
  }

  /// Written text makes no control tokens unless the caller vouches for it.
  bool MayStand(TokenId id) const {
    return options_.parse_special || data_.kinds[static_cast<size_t>(id)] != TokenKind::kControl;
  }

  Status Words(std::string_view text, size_t offset) {
    KVASIR_RETURN_IF_ERROR(data_.pre_tokenizer.Split(text, ends_));
    size_t begin = 0;
    for (const size_t end : ends_) {
      const std::string_view word = text.substr(begin, end - begin);
      const auto whole = data_.whole_words.find(word);
      if (whole != data_.whole_words.end()) {
        tokens_.push_back({whole->second, offset + begin, offset + end});
      } else {
        bpe_.Encode(word, offset + begin, tokens_);
      }
      begin = end;
    }
    return Status::Ok();
  }

  /// Bytes without a token of their own go with the token before them, or the first one.
  void CoverAll(size_t size) {
    if (tokens_.empty()) return;
    tokens_.front().begin = 0;
    for (size_t i = 0; i + 1 < tokens_.size(); ++i) tokens_[i].end = tokens_[i + 1].begin;
    tokens_.back().end = size;
  }

  const TokenizerData& data_;
  const EncodeOptions options_;
  BpeEncoder bpe_;
  std::vector<size_t> ends_;
  std::vector<TokenSpan> tokens_;
};

}  // namespace

Result<Tokenizer> Tokenizer::Build(const TokenizerSource& source) {
  auto data = CompileTokenizer(source);
  if (!data.ok()) return data.status().WithContext(source.name);
  return Tokenizer(std::move(data).value());
}

Result<std::vector<TokenSpan>> Tokenizer::EncodeWithOffsets(std::string_view text,
                                                            EncodeOptions options) const {
  if (text.size() >= std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument("a text of 4 GiB or more cannot be tokenized at once");
  }
  KVASIR_RETURN_IF_ERROR(ValidateUtf8(text));
  return Encoding(*data_, options).Run(text);
}

Result<std::vector<TokenId>> Tokenizer::Encode(std::string_view text, EncodeOptions options) const {
  KVASIR_ASSIGN_OR_RETURN(const auto spans, EncodeWithOffsets(text, options));
  std::vector<TokenId> ids;
  ids.reserve(spans.size());
  for (const TokenSpan& span : spans) ids.push_back(span.id);
  return ids;
}

std::string Tokenizer::Decode(std::span<const TokenId> tokens, bool with_control) const {
  StreamDecoder decoder(*this, with_control);
  std::string text;
  for (const TokenId token : tokens) text += decoder.Push(token);
  return text + decoder.Finish();
}

std::string_view Tokenizer::TokenBytes(TokenId id) const {
  return data_->Knows(id) ? data_->Bytes(id) : std::string_view();
}

int Tokenizer::vocab_size() const { return static_cast<int>(data_->kinds.size()); }

std::optional<TokenId> Tokenizer::FindSpecial(std::string_view text) const {
  for (const SpecialTokens* tokens : {&data_->special, &data_->late_special}) {
    const TokenId id = tokens->Find(text);
    if (id != kNoToken) return id;
  }
  return std::nullopt;
}

bool Tokenizer::IsControl(TokenId id) const {
  return data_->Knows(id) && data_->kinds[static_cast<size_t>(id)] == TokenKind::kControl;
}

std::optional<TokenId> Tokenizer::bos() const { return data_->bos; }
std::optional<TokenId> Tokenizer::eos() const { return data_->eos; }
bool Tokenizer::add_bos() const { return data_->add_bos; }
uint64_t Tokenizer::fingerprint() const { return data_->fingerprint; }

std::string StreamDecoder::Push(TokenId token) {
  std::string out;
  if (tokenizer_.IsControl(token) && !with_control_) return out;
  held_ += tokenizer_.TokenBytes(token);
  const size_t unfinished = AppendUtf8Lossy(held_, out);
  held_.erase(0, held_.size() - unfinished);
  return out;
}

std::string StreamDecoder::Finish() {
  if (held_.empty()) return {};
  held_.clear();
  std::string out;
  AppendCodePoint(0xFFFD, out);
  return out;
}

}  // namespace kvasir::model
