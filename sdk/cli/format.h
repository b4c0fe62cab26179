// The one door to {fmt}: text from a pattern checked at compile time.
#ifndef SDK_CLI_FORMAT_H_
#define SDK_CLI_FORMAT_H_

#include <fmt/format.h>

#include <string>
#include <utility>

namespace kvasir::cli {

template <typename... Args>
std::string Format(fmt::format_string<Args...> pattern, Args&&... args) {
  return fmt::format(pattern, std::forward<Args>(args)...);
}

}  // namespace kvasir::cli

#endif  // SDK_CLI_FORMAT_H_
