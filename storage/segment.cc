#include "storage/segment.h"

#include <xxhash.h>

#include <cassert>
#include <cstring>

namespace kvasir::storage {
namespace {

constexpr std::uint32_t kRouterMagic = 0x5253564B;  // "KVSR"
constexpr std::uint32_t kKvMagic = 0x4B53564B;      // "KVSK"
constexpr std::uint16_t kFormatVersion = 1;
constexpr std::size_t kChecksumBytes = 8;

constexpr std::uint64_t Aligned(std::uint64_t offset) {
  return (offset + kSegmentAlignment - 1) / kSegmentAlignment * kSegmentAlignment;
}

std::uint32_t MagicOf(SegmentKind kind) {
  return kind == SegmentKind::kRouter ? kRouterMagic : kKvMagic;
}
std::uint32_t PartsOf(SegmentKind kind) { return kind == SegmentKind::kRouter ? 1 : 2; }

Status Bad(const char* what) { return Corruption(std::string("segment record: bad ") + what); }

// Offsets follow from the counts alone. With the bounds of CheckCounts nothing here can overflow.
std::uint64_t PartBytes(const SegmentHeader& h) {
  return Aligned(h.codes_bytes) + Aligned(h.scales_bytes);
}
std::uint64_t DataBegin(std::uint64_t layers) {
  return Aligned(sizeof(SegmentHeader) + layers * sizeof(std::uint32_t));
}
std::uint64_t CodesOffset(const SegmentHeader& h, std::size_t layer_index, SegmentPart part) {
  const std::uint64_t index = layer_index * h.parts + static_cast<std::uint64_t>(part);
  return DataBegin(h.layers) + index * PartBytes(h);
}
std::uint64_t TotalBytes(const SegmentHeader& h) {
  return DataBegin(h.layers) + std::uint64_t{h.layers} * h.parts * PartBytes(h) + kChecksumBytes;
}

SegmentHeader ReadHeader(std::string_view record) {
  SegmentHeader header;
  std::memcpy(&header, record.data(), sizeof(header));
  return header;
}

// Null, or the name of the first count that is out of bounds.
const char* BadCount(const SegmentHeader& h) {
  if (h.quantiser < 1 || h.quantiser > 3) return "quantiser";
  if (h.layers == 0 || h.layers > kMaxSegmentLayers) return "layer count";
  if (h.chunks == 0 || h.chunks > kMaxSegmentChunks) return "chunk count";
  if (h.tokens < h.chunks) return "token count";
  if (h.vector_length == 0 || h.vector_length > kMaxVectorLength) return "vector length";
  const bool scaled = static_cast<Quantiser>(h.quantiser) == Quantiser::kInt8;
  if (!scaled && h.scales_per_vector != 0) return "scale count";
  if (scaled && (h.scales_per_vector == 0 || h.vector_length % h.scales_per_vector != 0)) {
    return "scale count";
  }
  return nullptr;
}

void FillLengths(SegmentHeader* h) {
  h->codes_bytes =
      std::uint64_t{h->chunks} * h->vector_length * CodeBytes(static_cast<Quantiser>(h->quantiser));
  h->scales_bytes = std::uint64_t{h->chunks} * h->scales_per_vector * sizeof(float);
  h->total_bytes = TotalBytes(*h);
}

std::uint64_t Checksum(std::string_view record) {
  return XXH3_64bits(record.data(), record.size() - kChecksumBytes);
}

bool LayersAscend(std::string_view record, std::uint32_t count) {
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t layer = 0;
    std::memcpy(&layer, record.data() + sizeof(SegmentHeader) + i * sizeof(layer), sizeof(layer));
    if (i > 0 && layer <= last) return false;
    last = layer;
  }
  return true;
}

// Everything but identity and checksum.
Status CheckForm(std::string_view record, SegmentKind kind) {
  if (record.size() < sizeof(SegmentHeader) + kChecksumBytes) return Bad("length");
  const SegmentHeader header = ReadHeader(record);
  if (header.magic != MagicOf(kind) || header.kind != static_cast<std::uint8_t>(kind)) {
    return Bad("magic");
  }
  if (header.format_version != kFormatVersion) {
    return Corruption("segment record: format version " + std::to_string(header.format_version) +
                      "; this kvasir reads " + std::to_string(kFormatVersion));
  }
  if (header.parts != PartsOf(kind) || header.reserved != 0) return Bad("part count");
  if (const char* field = BadCount(header)) return Bad(field);
  SegmentHeader expected = header;
  FillLengths(&expected);
  if (std::memcmp(&expected, &header, sizeof(header)) != 0) return Bad("lengths");
  if (header.total_bytes != record.size()) return Bad("length");
  if (!LayersAscend(record, header.layers)) return Bad("layer ids");
  return Status::Ok();
}

}  // namespace

std::size_t CodeBytes(Quantiser quantiser) {
  switch (quantiser) {
    case Quantiser::kInt8:
      return 1;
    case Quantiser::kBf16:
      return 2;
    case Quantiser::kF32:
      return 4;
  }
  return 0;
}

Result<SegmentBuilder> SegmentBuilder::Create(SegmentKind kind, const ModelFingerprint& fingerprint,
                                              const SegmentShape& shape) {
  SegmentHeader header{};
  header.magic = MagicOf(kind);
  header.format_version = kFormatVersion;
  header.kind = static_cast<std::uint8_t>(kind);
  header.quantiser = static_cast<std::uint8_t>(shape.quantiser);
  std::memcpy(header.fingerprint, fingerprint.data(), fingerprint.size());
  header.layers = static_cast<std::uint32_t>(shape.layers.size());
  header.chunks = shape.chunks;
  header.tokens = shape.tokens;
  header.vector_length = shape.vector_length;
  header.scales_per_vector = shape.scales_per_vector;
  header.parts = PartsOf(kind);
  if (const char* field = BadCount(header)) {
    return InvalidArgument(std::string("segment shape: ") + field + " is out of bounds");
  }
  FillLengths(&header);
  if (header.total_bytes > kMaxSegmentBytes) {
    return InvalidArgument("segment shape: a record of " + std::to_string(header.total_bytes) +
                           " bytes is over the limit");
  }
  std::string bytes(header.total_bytes, '\0');
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), shape.layers.data(),
              shape.layers.size() * sizeof(std::uint32_t));
  if (!LayersAscend(bytes, header.layers)) {
    return InvalidArgument("segment shape: layers are not strictly ascending");
  }
  return SegmentBuilder(std::move(bytes));
}

std::span<std::byte> SegmentBuilder::Codes(std::size_t layer_index, SegmentPart part) {
  const SegmentHeader header = ReadHeader(bytes_);
  assert(layer_index < header.layers && static_cast<std::uint32_t>(part) < header.parts);
  auto* begin =
      reinterpret_cast<std::byte*>(bytes_.data() + CodesOffset(header, layer_index, part));
  return {begin, header.codes_bytes};
}

std::span<float> SegmentBuilder::Scales(std::size_t layer_index, SegmentPart part) {
  const SegmentHeader header = ReadHeader(bytes_);
  assert(layer_index < header.layers && static_cast<std::uint32_t>(part) < header.parts);
  const std::uint64_t offset = CodesOffset(header, layer_index, part) + Aligned(header.codes_bytes);
  return {reinterpret_cast<float*>(bytes_.data() + offset), header.scales_bytes / sizeof(float)};
}

std::string SegmentBuilder::Finish() && { return std::move(bytes_); }

Status SealSegment(std::string* record, SegmentKind kind, const SegmentKey& key,
                   Generation generation) {
  if (Status form = CheckForm(*record, kind); !form.ok()) return InvalidArgument(form.message());
  SegmentHeader header = ReadHeader(*record);
  header.space = static_cast<std::uint32_t>(key.space);
  header.segment = key.segment;
  header.document = key.document;
  header.generation = generation;
  std::memcpy(record->data(), &header, sizeof(header));
  const std::uint64_t checksum = Checksum(*record);
  std::memcpy(record->data() + record->size() - kChecksumBytes, &checksum, sizeof(checksum));
  return Status::Ok();
}

Result<SegmentView> SegmentView::Parse(std::string_view record, SegmentKind kind,
                                       bool verify_checksum) {
  if (reinterpret_cast<std::uintptr_t>(record.data()) % alignof(SegmentHeader) != 0) {
    return Internal("segment record: its buffer is not aligned to 8 bytes");
  }
  KVASIR_RETURN_IF_ERROR(CheckForm(record, kind));
  if (verify_checksum) {
    std::uint64_t stored = 0;
    std::memcpy(&stored, record.data() + record.size() - kChecksumBytes, sizeof(stored));
    if (stored != Checksum(record)) return Bad("checksum");
  }
  return SegmentView(record);
}

const SegmentHeader& SegmentView::header() const {
  return *reinterpret_cast<const SegmentHeader*>(bytes_.data());
}

SegmentKey SegmentView::key() const {
  return {static_cast<SpaceId>(header().space), header().document, header().segment};
}

ModelFingerprint SegmentView::fingerprint() const {
  ModelFingerprint fingerprint;
  std::memcpy(fingerprint.data(), header().fingerprint, fingerprint.size());
  return fingerprint;
}

std::span<const std::uint32_t> SegmentView::layers() const {
  return {reinterpret_cast<const std::uint32_t*>(bytes_.data() + sizeof(SegmentHeader)),
          header().layers};
}

SegmentShape SegmentView::shape() const {
  return {.quantiser = quantiser(),
          .layers = {layers().begin(), layers().end()},
          .chunks = chunks(),
          .tokens = tokens(),
          .vector_length = vector_length(),
          .scales_per_vector = scales_per_vector()};
}

std::span<const std::byte> SegmentView::Codes(std::size_t layer_index, SegmentPart part) const {
  assert(layer_index < header().layers && static_cast<std::uint32_t>(part) < header().parts);
  const char* begin = bytes_.data() + CodesOffset(header(), layer_index, part);
  return {reinterpret_cast<const std::byte*>(begin), header().codes_bytes};
}

std::span<const float> SegmentView::Scales(std::size_t layer_index, SegmentPart part) const {
  assert(layer_index < header().layers && static_cast<std::uint32_t>(part) < header().parts);
  const std::uint64_t offset =
      CodesOffset(header(), layer_index, part) + Aligned(header().codes_bytes);
  return {reinterpret_cast<const float*>(bytes_.data() + offset),
          header().scales_bytes / sizeof(float)};
}

}  // namespace kvasir::storage
