// What a document is to the store, and its bytes: head (all that filters and lists need), body
// (text, messages, segment table). docs/data_format.md specifies every byte.
#ifndef STORAGE_RECORDS_H_
#define STORAGE_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/status.h"
#include "kvasir/types.h"
#include "storage/ids.h"

namespace kvasir::storage {

inline constexpr std::size_t kMaxIdBytes = 512;  ///< Ids, sessions, users, agents, space names.
inline constexpr std::size_t kMaxTitleBytes = 4096;
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxMetadataKeys = 64;
inline constexpr std::size_t kMaxMetadataKeyBytes = 128;
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{64} << 10;
inline constexpr std::uint32_t kMaxSegments = 1U << 20;

/// Where one segment lies in the text, and how many tokens the model saw.
struct SegmentEntry {
  Span span;
  std::uint32_t tokens = 0;
  friend bool operator==(const SegmentEntry&, const SegmentEntry&) = default;
};

/// A document as it is read back. A head read alone has empty text, messages and segments.
struct Document {
  MemoryRecord record;
  SpaceId space{};
  Generation generation = 0;
  std::vector<SegmentEntry> segments;
};

/// Lower-case hex SHA-256 of `title`, one zero byte, `text` (neither can hold a zero byte).
std::string ContentHash(std::string_view title, std::string_view text);

/// True if `text` is UTF-8 (shortest forms, no surrogates, at most U+10FFFF) without zero bytes.
bool IsCleanUtf8(std::string_view text);

/// Checks every length and every string of what is about to be stored; kInvalidArgument names the
/// field. Spans must be in order, inside the text, and end on code points.
Status ValidateRecord(const MemoryRecord& record);
Status ValidateSegments(std::string_view text, const std::vector<SegmentEntry>& segments);

/// Codecs. Decoding treats the bytes as hostile: kCorruption, never a crash. `checked_key` is the
/// row's key: it is part of the checksum, so a row under another key is not taken for this one.
std::string EncodeHead(const Document& document, std::string_view checked_key);
Result<Document> DecodeHead(std::string_view bytes, std::string_view checked_key);
std::string EncodeBody(const Document& document, std::string_view checked_key);
/// Fills text, messages and segments of `document`; refuses a body of another generation.
Status DecodeBody(std::string_view bytes, std::string_view checked_key, Document* document);

}  // namespace kvasir::storage

#endif  // STORAGE_RECORDS_H_
