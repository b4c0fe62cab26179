// The bytes of one encoded segment: a ROUTER record (what routing scans) and a KV record (what
// attention reads). Both have one layout; docs/data_format.md specifies every byte.
//
//   header, 104 bytes | layer ids, u32 each | per layer and part: codes, then scales | XXH3-64
//
// Every array starts at a multiple of 64 bytes from the record's start. A router record has one
// part per layer (the unit key vectors), a KV record two (keys, values). Numbers are little-endian.
#ifndef STORAGE_SEGMENT_H_
#define STORAGE_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/memory.h"
#include "kvasir/status.h"
#include "storage/ids.h"

namespace kvasir::storage {

enum class SegmentKind : std::uint8_t { kRouter = 1, kKv = 2 };

/// Which array of a layer. Router records have kRouterKeys only; KV records kKeys and kValues.
enum class SegmentPart : std::uint8_t { kRouterKeys = 0, kKeys = 0, kValues = 1 };

inline constexpr std::uint32_t kSegmentAlignment = 64;  // One cache line, one AVX-512 register.
inline constexpr std::uint32_t kMaxSegmentLayers = 1024;
inline constexpr std::uint32_t kMaxSegmentChunks = 1U << 16;
inline constexpr std::uint32_t kMaxVectorLength = 1U << 16;
inline constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1} << 30;

/// What a record holds. `vector_length` numbers per chunk (kv_heads * head_dim, or the router's
/// dimension). With kInt8 each vector has `scales_per_vector` float32 scales (1, or one per head
/// group; it divides vector_length); with kBf16 and kF32 it is 0.
struct SegmentShape {
  Quantiser quantiser = Quantiser::kInt8;
  std::vector<std::uint32_t> layers;  ///< Model layer of each block, strictly ascending.
  std::uint32_t chunks = 0;           ///< ceil(tokens / pooling length); >= 1.
  std::uint32_t tokens = 0;           ///< >= chunks.
  std::uint32_t vector_length = 0;
  std::uint32_t scales_per_vector = 1;
  friend bool operator==(const SegmentShape&, const SegmentShape&) = default;
};

/// Bytes of one number: 1, 2 or 4.
std::size_t CodeBytes(Quantiser quantiser);

/// The header as it lies on disk. Identity fields are stamped by the store when it commits.
struct SegmentHeader {
  std::uint32_t magic;           // "KVSR" or "KVSK"
  std::uint16_t format_version;  // 1
  std::uint8_t kind;
  std::uint8_t quantiser;
  std::uint32_t space;
  std::uint32_t segment;
  std::uint64_t document;
  std::uint64_t generation;
  std::uint8_t fingerprint[16];
  std::uint32_t layers;
  std::uint32_t chunks;
  std::uint32_t tokens;
  std::uint32_t vector_length;
  std::uint32_t scales_per_vector;
  std::uint32_t parts;
  std::uint64_t total_bytes;   // Of the whole record, checksum included.
  std::uint64_t codes_bytes;   // Of one part of one layer, without padding.
  std::uint64_t scales_bytes;  // Of one part of one layer, without padding; 0 without scales.
  std::uint64_t reserved;      // 0
};
static_assert(sizeof(SegmentHeader) == 104);
static_assert(alignof(SegmentHeader) == 8);

/// Builds one record: create, fill each layer's arrays in place, finish.
///
///   KVASIR_ASSIGN_OR_RETURN(auto builder, SegmentBuilder::Create(SegmentKind::kRouter, print, s));
///   std::memcpy(builder.Codes(l, SegmentPart::kRouterKeys).data(), …);
///   write.router = std::move(builder).Finish();
///
/// The result is *unsealed*: it has neither identity nor checksum; Store::Commit stamps both.
/// Thread-compatible.
class SegmentBuilder {
 public:
  /// Zero-filled arrays for `shape`. Error: kInvalidArgument names the field that is out of bounds.
  static Result<SegmentBuilder> Create(SegmentKind kind, const ModelFingerprint& fingerprint,
                                       const SegmentShape& shape);

  /// Codes of block `layer_index` (an index into shape.layers): chunks * vector_length numbers of
  /// CodeBytes each, chunk-major. Valid until Finish. 64-byte multiples from the record's start.
  std::span<std::byte> Codes(std::size_t layer_index, SegmentPart part);
  /// Scales: chunks * scales_per_vector floats, chunk-major; empty unless kInt8.
  std::span<float> Scales(std::size_t layer_index, SegmentPart part);

  std::string Finish() &&;

 private:
  explicit SegmentBuilder(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// Stamps identity and checksum on an unsealed (or older) record. kInvalidArgument if `record` is
/// not a well-formed record of `kind`.
Status SealSegment(std::string* record, SegmentKind kind, const SegmentKey& key,
                   Generation generation);

/// A checked, read-only view of one sealed record. Borrows the bytes: they must stay and must be
/// aligned to 8 (any heap buffer is). Cheap to copy; safe to read from many threads.
class SegmentView {
 public:
  SegmentView() = default;

  /// Checks magic, version, every count and offset, the exact length and (unless told otherwise)
  /// the XXH3-64 of all bytes: kCorruption says which. Cost: one pass over the bytes.
  static Result<SegmentView> Parse(std::string_view record, SegmentKind kind,
                                   bool verify_checksum = true);

  SegmentKey key() const;
  Generation generation() const { return header().generation; }
  ModelFingerprint fingerprint() const;
  Quantiser quantiser() const { return static_cast<Quantiser>(header().quantiser); }
  std::uint32_t chunks() const { return header().chunks; }
  std::uint32_t tokens() const { return header().tokens; }
  std::uint32_t vector_length() const { return header().vector_length; }
  std::uint32_t scales_per_vector() const { return header().scales_per_vector; }
  std::span<const std::uint32_t> layers() const;
  SegmentShape shape() const;

  /// As SegmentBuilder's, read-only. `layer_index` < layers().size() (asserted).
  std::span<const std::byte> Codes(std::size_t layer_index, SegmentPart part) const;
  std::span<const float> Scales(std::size_t layer_index, SegmentPart part) const;
  std::string_view bytes() const { return bytes_; }

 private:
  explicit SegmentView(std::string_view bytes) : bytes_(bytes) {}
  const SegmentHeader& header() const;
  std::string_view bytes_;
};

}  // namespace kvasir::storage

#endif  // STORAGE_SEGMENT_H_
