#include "tests/fuzz/storage/checks.h"

#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "storage/analyzer.h"
#include "storage/coding.h"
#include "storage/filter.h"
#include "storage/high_water.h"
#include "storage/keys.h"
#include "storage/ledger.h"
#include "storage/once.h"
#include "storage/pending_erase.h"
#include "storage/postings.h"
#include "storage/records.h"
#include "storage/segment.h"
#include "storage/store_identity.h"
#include "storage/timestamp.h"
#include "tests/fuzz/require.h"

namespace kvasir::testing {
namespace {

using namespace storage;  // NOLINT(google-build-using-namespace): this file is about nothing else

constexpr std::string_view kKey = "k";
constexpr std::string_view kStoreKey = "H";  // The store row's own key.

/// The bytes with the checksum that they would need: the fuzzer reaches what lies behind it.
std::string Sealed(std::string_view bytes, std::string_view key = kKey) {
  std::string row(bytes);
  SealRow(&row, key);
  return row;
}

/// The same for what ends with XXH3-64 of everything before: its last bytes are replaced.
std::string Checked(std::string_view bytes) {
  std::string record(bytes);
  constexpr std::size_t kChecksum = sizeof(std::uint64_t);
  if (record.size() > kChecksum) {
    const std::uint64_t checksum = XXH3_64bits(record.data(), record.size() - kChecksum);
    std::memcpy(record.data() + record.size() - kChecksum, &checksum, kChecksum);
  }
  return record;
}

/// A ledger entry's key is made of the sequence number in it.
std::string SealedEntry(std::string_view bytes) {
  std::uint64_t sequence = 0;
  if (bytes.size() >= 2 + sizeof(sequence)) {
    std::memcpy(&sequence, bytes.data() + 2, sizeof(sequence));
  }
  return Sealed(bytes, LedgerKey(sequence));
}

/// What `decode` accepts, `encode` writes so that it is read back and written the same.
template <typename Decode, typename Encode>
void RoundTrip(std::string_view bytes, Decode decode, Encode encode) {
  const auto value = decode(bytes);
  if (!value.ok()) return;
  const std::string written = encode(*value);
  const auto again = decode(written);
  Require(again.ok(), "what was written can be read");
  Require(encode(*again) == written, "what was read is written the same");
}

Result<Document> DecodeWholeBody(std::string_view row) {
  Document document;
  // Generation is the head's; a body of another one is refused, so it is taken from the bytes.
  if (row.size() >= 9) std::memcpy(&document.generation, row.data() + 1, sizeof(std::uint64_t));
  KVASIR_RETURN_IF_ERROR(DecodeBody(row, kKey, &document));
  return document;
}

Result<PostingValue> DecodeOnePosting(std::string_view row) {
  PostingValue value;
  if (!DecodePosting(row, &value)) return Corruption("posting");
  return value;
}

void CheckSlot(std::string_view bytes) {
  const auto mark = HighWaterFile::DecodeSlot(bytes);
  if (!mark) return;
  Require(HighWaterFile::DecodeSlot(HighWaterFile::EncodeSlot(*mark)) == mark,
          "a high-water mark is written and read back");
}

std::size_t CodePoints(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

void ReadParts(const SegmentView& view, SegmentKind kind) {
  const SegmentShape shape = view.shape();
  const std::uint64_t codes =
      std::uint64_t{shape.chunks} * shape.vector_length * CodeBytes(shape.quantiser);
  std::vector<SegmentPart> parts = {SegmentPart::kKeys};
  if (kind == SegmentKind::kKv) parts.push_back(SegmentPart::kValues);
  unsigned sum = 0;
  for (std::size_t layer = 0; layer < shape.layers.size(); ++layer) {
    for (const SegmentPart part : parts) {
      Require(view.Codes(layer, part).size() == codes, "every code is there");
      for (const std::byte code : view.Codes(layer, part)) sum += static_cast<unsigned>(code);
      for (const float& scale : view.Scales(layer, part)) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &scale, sizeof(bits));
        sum += bits;
      }
    }
  }
  const volatile unsigned sink = sum;  // Reading is the test: it must not be optimised away.
  static_cast<void>(sink);
}

}  // namespace

void CheckSegment(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const auto kind =
      (std::to_integer<int>(bytes[0]) & 1) == 0 ? SegmentKind::kRouter : SegmentKind::kKv;
  const std::string record = Checked(AsText(bytes.subspan(1)));
  const auto view = SegmentView::Parse(record, kind);
  if (!view.ok()) return;
  ReadParts(*view, kind);
  std::string again = record;
  Require(SealSegment(&again, kind, view->key(), view->generation()).ok(), "it can be sealed");
  Require(again == record, "sealing it again changes nothing");
}

void CheckRows(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::string_view row = AsText(bytes.subspan(1));
  const auto keyed = [](auto decode) {
    return [decode](std::string_view sealed) { return decode(sealed, kKey); };
  };
  const auto encoded = [](auto encode) {
    return [encode](const auto& value) { return encode(value, kKey); };
  };
  switch (std::to_integer<unsigned>(bytes[0]) % 11) {
    case 0:
      return RoundTrip(Sealed(row), keyed(DecodeHead), encoded(EncodeHead));
    case 1:
      return RoundTrip(Sealed(row), DecodeWholeBody, encoded(EncodeBody));
    case 2:
      return RoundTrip(Sealed(row), keyed(DecodeForward), encoded(EncodeForward));
    case 3:
      return RoundTrip(row, DecodeOnePosting, EncodePosting);
    case 4:
      return RoundTrip(Sealed(row), keyed(DecodeSpaceRow), encoded(EncodeSpaceRow));
    case 5:
      return RoundTrip(Sealed(row), keyed(DecodePendingErase), encoded(EncodePendingErase));
    case 6:
      return RoundTrip(SealedEntry(row), DecodeLedgerEntry, EncodeLedgerEntry);
    case 7:
      return RoundTrip(Sealed(row, kStoreKey), DecodeStoreRow, EncodeStoreRow);
    case 8:
      return CheckSlot(Checked(row));
    case 10:
      return RoundTrip(Sealed(row), keyed(DecodeOnceRow), encoded(EncodeOnceRow));
    default:
      return RoundTrip(Checked(row), StoreIdentity::Decode,
                       [](const StoreIdentity& identity) { return identity.Encode(); });
  }
}

void CheckText(std::span<const std::byte> bytes) {
  const std::string_view text = AsText(bytes);
  const std::vector<std::string> terms = Terms(text);
  for (const std::string& term : terms) Require(!term.empty(), "no term is empty");
  Require(Terms(text) == terms, "the same text gives the same terms");
  const std::string folded = FoldCase(text);
  if (IsCleanUtf8(text)) {
    Require(CodePoints(folded) == CodePoints(text), "folding keeps the number of code points");
    Require(IsCleanUtf8(folded), "what is folded is UTF-8");
  }
  const auto time = ParseRfc3339(text);
  Require(!time || ParseRfc3339(FormatRfc3339(*time)) == time, "a time is written and read back");
}

}  // namespace kvasir::testing
