#include "agent/segmenter.h"

#include <algorithm>
#include <string>

#include "agent/borders.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

// About twice the bytes that a full segment of English has: mostly one look ahead is enough.
constexpr std::size_t kWindowBytesPerToken = 8;

// How much of a full segment a border is worth: a sentence end halfway beats a word at the end.
double Worth(BorderKind kind) {
  switch (kind) {
    case BorderKind::kParagraph:
      return 0.75;
    case BorderKind::kLine:
      return 0.6;
    case BorderKind::kSentence:
      return 0.5;
    case BorderKind::kClause:
      return 0.1;
    case BorderKind::kWord:
      break;
  }
  return 0;
}

std::size_t NextCodePointStart(std::string_view text, std::size_t position) {
  ++position;
  while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
    ++position;
  }
  return position;
}

class Splitter {
 public:
  Splitter(const model::Tokenizer& tokenizer, std::string_view text,
           std::span<const std::size_t> turns, std::int64_t budget)
      : tokenizer_(tokenizer), text_(text), turns_(turns), budget_(budget) {}

  Result<std::vector<Span>> Run() {
    std::vector<Span> spans;
    for (std::size_t begin = 0; begin < text_.size();) {
      KVASIR_ASSIGN_OR_RETURN(const std::size_t end, SegmentEnd(begin));
      spans.push_back({begin, end});
      begin = end;
    }
    return spans;
  }

 private:
  Result<std::size_t> SegmentEnd(std::size_t begin) {
    KVASIR_RETURN_IF_ERROR(LookAhead(begin));
    const auto total = static_cast<std::int64_t>(tokens_.size());
    if (total <= budget_) return text_.size();  // LookAhead saw the end of the text.
    std::int64_t limit = budget_;
    // The end is near: two like parts instead of a full one and a rest.
    if (window_end_ == text_.size() && total < budget_ * 3 / 2) limit = total * 5 / 8;
    const std::vector<Border> borders = FindBorders(text_, begin, window_end_, turns_);
    for (;; --limit) {
      const std::size_t end = BestCut(begin, limit, borders);
      KVASIR_ASSIGN_OR_RETURN(const std::int64_t excess, Excess(begin, end));
      if (excess <= 0 || limit <= 1) return end;
      limit = std::max<std::int64_t>(limit - excess, 2);
    }
  }

  // Tokenises from `begin` until more than a segment is seen, or the text ends.
  Status LookAhead(std::size_t begin) {
    std::size_t bytes = static_cast<std::size_t>(budget_) * kWindowBytesPerToken;
    for (;; bytes *= 2) {
      const bool whole = bytes >= text_.size() - begin;
      window_end_ = whole ? text_.size() : model::CodePointStart(text_, begin + bytes);
      auto tokens = tokenizer_.EncodeWithOffsets(text_.substr(begin, window_end_ - begin));
      KVASIR_RETURN_IF_ERROR(tokens.status());
      tokens_ = *std::move(tokens);
      if (whole || static_cast<std::int64_t>(tokens_.size()) > budget_) return Status::Ok();
    }
  }

  // The best place to end a segment that may hold `limit` tokens of the window.
  std::size_t BestCut(std::size_t begin, std::int64_t limit, const std::vector<Border>& borders) {
    const std::size_t most = begin + tokens_[static_cast<std::size_t>(limit) - 1].end;
    std::size_t best = 0;
    double best_worth = -1;
    for (const Border& border : borders) {
      // The white space that ends a segment is not encoded, so that it may stick out.
      if (begin + Trimmed(text_.substr(begin, border.position - begin)).size() > most) break;
      const double filled = static_cast<double>(border.position - begin) /
                            static_cast<double>(std::max<std::size_t>(most - begin, 1));
      const double worth = std::min(filled, 1.0) + Worth(border.kind);
      if (filled >= 0.25 && worth >= best_worth) {
        best = border.position;
        best_worth = worth;
      }
    }
    if (best > begin) return best;
    const std::size_t cut = model::CodePointStart(text_, most);
    return cut > begin ? cut : NextCodePointStart(text_, begin);
  }

  Result<std::int64_t> Excess(std::size_t begin, std::size_t end) {
    KVASIR_ASSIGN_OR_RETURN(const auto alone,
                            tokenizer_.Encode(Trimmed(text_.substr(begin, end - begin))));
    return static_cast<std::int64_t>(alone.size()) - budget_;
  }

  const model::Tokenizer& tokenizer_;
  std::string_view text_;
  std::span<const std::size_t> turns_;
  std::int64_t budget_;
  std::vector<model::TokenSpan> tokens_;  // Of the window; offsets from its begin.
  std::size_t window_end_ = 0;
};

}  // namespace

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Result<std::vector<Span>> SplitText(const model::Tokenizer& tokenizer, std::string_view text,
                                    std::span<const std::size_t> turns, std::int64_t budget) {
  // A character of four bytes may take four tokens: less room could not hold one.
  if (budget < 4) return InvalidArgument("segments need room for at least 4 tokens");
  return Splitter(tokenizer, text, turns, budget).Run();
}

}  // namespace kvasir::agent
