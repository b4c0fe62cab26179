// What a write with an idempotency key said, as it is kept.
#ifndef STORAGE_ONCE_H_
#define STORAGE_ONCE_H_

#include <string>
#include <string_view>

#include "kvasir/requests.h"
#include "kvasir/status.h"

namespace kvasir::storage {

inline constexpr std::size_t kMaxOnceKeyBytes = 255;

struct OnceRow {
  std::string request_hash;  ///< 16 bytes, keyed.
  RememberReceipt receipt;
};

std::string EncodeOnceRow(const OnceRow& row, std::string_view checked_key);
/// kCorruption for anything that EncodeOnceRow did not write.
Result<OnceRow> DecodeOnceRow(std::string_view bytes, std::string_view checked_key);

}  // namespace kvasir::storage

#endif  // STORAGE_ONCE_H_
