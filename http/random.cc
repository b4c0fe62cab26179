#include "http/random.h"

#include <sys/random.h>

#include <array>
#include <cassert>
#include <cstdlib>

namespace kvasir::http {

std::string RandomHex(std::size_t bytes) {
  std::array<unsigned char, 256> raw;
  assert(bytes <= raw.size());
  // Up to 256 bytes come whole and are not interrupted (getrandom(2)).
  if (getrandom(raw.data(), bytes, 0) != static_cast<ssize_t>(bytes)) std::abort();
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    text.push_back(kDigits[raw[i] >> 4]);
    text.push_back(kDigits[raw[i] & 15]);
  }
  return text;
}

}  // namespace kvasir::http
