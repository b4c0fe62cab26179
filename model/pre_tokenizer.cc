#include "model/pre_tokenizer.h"

#include <string>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace kvasir::model {
namespace {

// Unicode's White_Space, spelled out: PCRE2's \s also takes U+180E, which it is no longer.
#define KVASIR_SPACE                                                                          \
  "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}" \
  "\\x{205F}\\x{3000}"
#define KVASIR_OTHER "[^" KVASIR_SPACE "\\p{L}\\p{N}]"  // Neither space, letter nor number.

// Possessive repeats (++) wherever giving back could not lead to a match: they keep a word of ten
// million letters from growing the matcher's stack.
constexpr char kGpt2[] =
    "'(?:s|t|re|ve|m|ll|d)"
    "| ?\\p{L}++"
    "| ?\\p{N}++"
    "| ?" KVASIR_OTHER
    "++"
    "|[" KVASIR_SPACE "]+(?![^" KVASIR_SPACE
    "])"
    "|[" KVASIR_SPACE "]++";

// `tokenizers` first cuts every digit out and runs GPT-2's pattern over what is between; one
// pattern does both when a digit counts as the end of the text for the look-ahead.
constexpr char kSmollm[] =
    "\\p{N}"
    "|'(?:s|t|re|ve|m|ll|d)"
    "| ?\\p{L}++"
    "| ?" KVASIR_OTHER
    "++"
    "|[" KVASIR_SPACE "]+(?![^" KVASIR_SPACE
    "\\p{N}])"
    "|[" KVASIR_SPACE "]++";

#define KVASIR_LLAMA_PATTERN(DIGITS)       \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)"           \
  "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}++"        \
  "|" DIGITS "| ?" KVASIR_OTHER            \
  "++[\\r\\n]*+"                           \
  "|[" KVASIR_SPACE                        \
  "]*[\\r\\n]++"                           \
  "|[" KVASIR_SPACE "]+(?![^" KVASIR_SPACE \
  "])"                                     \
  "|[" KVASIR_SPACE "]++"

const char* PatternOf(PreTokenizerKind kind) {
  switch (kind) {
    case PreTokenizerKind::kGpt2:
      return kGpt2;
    case PreTokenizerKind::kSmollm:
      return kSmollm;
    case PreTokenizerKind::kLlamaBpe:
      return KVASIR_LLAMA_PATTERN("\\p{N}{1,3}+");
    case PreTokenizerKind::kQwen2:
      return KVASIR_LLAMA_PATTERN("\\p{N}");
  }
  return "";
}

std::string Message(int code) {
  PCRE2_UCHAR text[128] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

/// Backtracking over one run of spaces costs at most a step per byte.
uint32_t MatchLimit(size_t text_size) {
  constexpr size_t kSpare = 1'000'000;
  return static_cast<uint32_t>(std::min<size_t>(text_size, 1u << 31) + kSpare);
}

struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct PreTokenizer::Pattern {
  explicit Pattern(pcre2_code* compiled) : code(compiled) {}
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() { pcre2_code_free(code); }

  pcre2_code* code;
};

std::optional<PreTokenizerKind> PreTokenizerByName(std::string_view name) {
  if (name == "gpt-2") return PreTokenizerKind::kGpt2;
  if (name == "smollm") return PreTokenizerKind::kSmollm;
  if (name == "llama-bpe") return PreTokenizerKind::kLlamaBpe;
  if (name == "qwen2") return PreTokenizerKind::kQwen2;
  return std::nullopt;
}

Result<PreTokenizer> PreTokenizer::Create(PreTokenizerKind kind) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(PatternOf(kind)), PCRE2_ZERO_TERMINATED,
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK, &error, &offset, nullptr);
  if (code == nullptr) {
    return Internal("pre-tokenizer: " + Message(error) + " at " + std::to_string(offset));
  }
  // Without just-in-time compilation (not on every machine) matching is slower, nothing else.
  static_cast<void>(pcre2_jit_compile(code, PCRE2_JIT_COMPLETE));
  return PreTokenizer(kind, std::make_shared<const Pattern>(code));
}

Status PreTokenizer::Split(std::string_view text, std::vector<size_t>& ends) const {
  ends.clear();
  const std::unique_ptr<pcre2_match_data, FreeMatchData> match(pcre2_match_data_create(1, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeMatchContext> context(
      pcre2_match_context_create(nullptr));
  if (!match || !context) return Internal("pre-tokenizer: out of memory");
  pcre2_set_match_limit(context.get(), MatchLimit(text.size()));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  for (size_t at = 0; at < text.size();) {
    const auto try_match = [&](uint32_t options) {
      return pcre2_match(pattern_->code, subject, text.size(), at, PCRE2_NO_UTF_CHECK | options,
                         match.get(), context.get());
    };
    int found = try_match(0);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = try_match(PCRE2_NO_JIT);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
      return Internal("pre-tokenizer: " + Message(found));
    }
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match.get());
    // Every pattern takes every character, so a gap cannot be; as in `tokenizers` it would be a
    // word of its own.
    if (found < 0 || range[1] <= at) {
      ends.push_back(text.size());
      break;
    }
    if (range[0] > at) ends.push_back(range[0]);
    ends.push_back(range[1]);
    at = range[1];
  }
  return Status::Ok();
}

}  // namespace kvasir::model
