// What every fuzz check needs: saying that something must hold, and bytes as text.
#ifndef KVASIR_TESTS_FUZZ_REQUIRE_H_
#define KVASIR_TESTS_FUZZ_REQUIRE_H_

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace kvasir::testing {

/// Unlike assert, in every build.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace kvasir::testing

#endif  // KVASIR_TESTS_FUZZ_REQUIRE_H_
