#include "http/message.h"

#include <algorithm>

namespace kvasir::http {

std::optional<std::string_view> RequestHead::Header(std::string_view lower_case_name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const HeaderField& field) {
    return field.name == lower_case_name;
  });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

Result<std::string> ReadAll(BodyReader& body) {
  std::string all;
  // Grown as bytes come, not to what the client promised.
  constexpr std::size_t kStep = 64 * 1024;
  while (body.remaining() > 0) {
    const std::size_t old_size = all.size();
    all.resize(old_size + std::min<std::size_t>(kStep, body.remaining()));
    auto count = body.Read(std::span(all).subspan(old_size));
    if (!count.ok()) return std::move(count).status();
    all.resize(old_size + *count);
  }
  return all;
}

}  // namespace kvasir::http
