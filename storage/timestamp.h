// RFC 3339 times, as filters compare them. One implementation for the whole library.
#ifndef STORAGE_TIMESTAMP_H_
#define STORAGE_TIMESTAMP_H_

#include <optional>
#include <string>
#include <string_view>

#include "kvasir/types.h"

namespace kvasir::storage {

/// "2026-05-01T12:00:00Z", "…+02:00", fractions (cut to milliseconds), or a bare date (midnight
/// UTC); years 0000 to 9999. Nothing if `text` is anything else.
std::optional<Timestamp> ParseRfc3339(std::string_view text);

/// UTC with "Z"; milliseconds only where there are any.
std::string FormatRfc3339(Timestamp time);

}  // namespace kvasir::storage

#endif  // STORAGE_TIMESTAMP_H_
