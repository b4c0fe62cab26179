// The small types by which storage and its callers name spaces, documents, segments and models.
#ifndef STORAGE_IDS_H_
#define STORAGE_IDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

namespace kvasir::storage {

/// A space (memory bank) of one store. Handed out once and never reused, also after it is erased.
enum class SpaceId : std::uint32_t {};

/// Document number within a space: from 0, never reused (it is part of the encoded text).
using DocumentNumber = std::uint64_t;

/// Longer documents under one title are no turns of a conversation: each speaks for itself.
inline constexpr std::uint64_t kTurnTokens = 64;

/// The documents just before and behind one: of the same session or, outside of sessions and among
/// those of at most kTurnTokens, of the same title. What was said next to it.
struct Neighbours {
  std::optional<DocumentNumber> before;
  std::optional<DocumentNumber> after;
};

/// Store-wide counter; one value is stamped on everything that one version of a document consists
/// of.
using Generation = std::uint64_t;

/// What a segment was encoded with (weights, adapter, tokenizer, pooling, quantiser): opaque here.
using ModelFingerprint = std::array<std::uint8_t, 16>;

/// One segment of one document. Segments count from 0 within the document.
struct SegmentKey {
  SpaceId space{};
  DocumentNumber document = 0;
  std::uint32_t segment = 0;
  friend auto operator<=>(const SegmentKey&, const SegmentKey&) = default;  // NOLINT: no pointer
};

}  // namespace kvasir::storage

#endif  // STORAGE_IDS_H_
