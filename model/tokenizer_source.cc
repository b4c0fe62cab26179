#include "model/tokenizer_source.h"

#include "model/utf8.h"

namespace kvasir::model {
namespace {

constexpr bool StandsForItself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> MakeAlphabet() {
  std::array<char32_t, 256> alphabet = {};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    alphabet[byte] = StandsForItself(byte) ? byte : next++;
  }
  return alphabet;
}

constexpr std::array<char32_t, 256> kAlphabet = MakeAlphabet();
constexpr size_t kAlphabetEnd = 0x100 + 68;

/// Character to byte, −1 outside the alphabet.
constexpr std::array<int16_t, kAlphabetEnd> MakeInverse() {
  std::array<int16_t, kAlphabetEnd> inverse = {};
  inverse.fill(-1);
  for (int byte = 0; byte < 256; ++byte) {
    inverse[kAlphabet[static_cast<size_t>(byte)]] = static_cast<int16_t>(byte);
  }
  return inverse;
}

constexpr std::array<int16_t, kAlphabetEnd> kInverse = MakeInverse();

}  // namespace

const std::array<char32_t, 256>& ByteAlphabet() { return kAlphabet; }

std::optional<std::string> BytesOfAlphabet(std::string_view text) {
  if (!ValidateUtf8(text).ok()) return std::nullopt;
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const char32_t character = NextCodePoint(text, at);
    if (character >= kAlphabetEnd || kInverse[character] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kInverse[character]));
  }
  return bytes;
}

Result<std::pair<std::string_view, std::string_view>> SplitMerge(std::string_view merge) {
  const size_t space = merge.find(' ', 1);
  if (space == std::string_view::npos || space + 1 == merge.size()) {
    return Corruption("merge \"" + std::string(merge.substr(0, 80)) + "\" is not two tokens");
  }
  return std::pair(merge.substr(0, space), merge.substr(space + 1));
}

}  // namespace kvasir::model
