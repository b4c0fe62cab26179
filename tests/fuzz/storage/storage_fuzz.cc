// The first byte chooses a decoder. Rows and segments get a right checksum first, so that the
// fuzzer reaches what lies behind it.
#include <xxhash.h>

#include <cstring>
#include <string>

#include "storage/analyzer.h"
#include "storage/coding.h"
#include "storage/filter.h"
#include "storage/high_water.h"
#include "storage/ledger.h"
#include "storage/pending_erase.h"
#include "storage/postings.h"
#include "storage/records.h"
#include "storage/segment.h"
#include "storage/store_identity.h"
#include "storage/timestamp.h"

namespace kvasir::storage {
namespace {

std::string SealedRow(std::string_view bytes, std::string_view key = "k") {
  std::string row(bytes);
  SealRow(&row, key);
  return row;
}

void TrySegment(std::string_view bytes, SegmentKind kind) {
  std::string record(bytes);
  if (record.size() > 8) {
    const std::uint64_t checksum = XXH3_64bits(record.data(), record.size() - 8);
    std::memcpy(record.data() + record.size() - 8, &checksum, 8);
  }
  const auto view = SegmentView::Parse(record, kind);
  if (!view.ok()) return;
  unsigned sum = 0;
  for (std::size_t layer = 0; layer < view->layers().size(); ++layer) {
    for (const std::byte code : view->Codes(layer, SegmentPart::kKeys)) {
      sum += static_cast<unsigned>(code);
    }
    sum += static_cast<unsigned>(view->Scales(layer, SegmentPart::kKeys).size());
  }
  static volatile unsigned sink;
  sink = sum;
}

void TryBody(std::string_view bytes) {
  Document document;
  if (bytes.size() >= 9) std::memcpy(&document.generation, bytes.data() + 1, 8);
  (void)DecodeBody(SealedRow(bytes), "k", &document);
}

void TryOne(unsigned choice, std::string_view bytes) {
  PostingValue posting;
  switch (choice % 12) {
    case 0:
      return TrySegment(bytes, SegmentKind::kRouter);
    case 1:
      return TrySegment(bytes, SegmentKind::kKv);
    case 2:
      return (void)DecodeHead(SealedRow(bytes), "k");
    case 3:
      return TryBody(bytes);
    case 4:
      return (void)DecodeForward(SealedRow(bytes), "k");
    case 5:
      return (void)DecodePosting(bytes, &posting);
    case 6:
      return (void)DecodeSpaceRow(SealedRow(bytes), "k");
    case 7:
      return (void)DecodePendingErase(SealedRow(bytes), "k");
    case 8:
      (void)DecodeLedgerEntry(bytes);
      return (void)DecodeStoreRow(SealedRow(bytes, "H"));
    case 9:
      (void)StoreIdentity::Decode(bytes);
      return (void)HighWaterFile::DecodeSlot(bytes);
    case 10:
      (void)ParseRfc3339(bytes);
      return (void)FoldCase(bytes);
    default:
      return (void)Terms(bytes);
  }
}

}  // namespace
}  // namespace kvasir::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  kvasir::storage::TryOne(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
