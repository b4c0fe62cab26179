// What the tests of the store share: a folder that goes away, a clock to turn, documents to write.
#ifndef TESTS_UNIT_STORAGE_TESTING_H_
#define TESTS_UNIT_STORAGE_TESTING_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "storage/store.h"

namespace kvasir::storage {

class TempFolder {
 public:
  TempFolder() {
    // In memory where there is such a folder: hundreds of stores are made, each with many fsyncs.
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const auto base = std::filesystem::is_directory(memory, error)
                          ? memory
                          : std::filesystem::temp_directory_path();
    std::string pattern = (base / "kvasir-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class TestClock final : public Clock {
 public:
  Timestamp Now() override { return now; }
  Timestamp now{std::chrono::milliseconds(1'700'000'000'000)};
};

inline constexpr ModelFingerprint kTestModel = {1, 2, 3, 4, 5, 6, 7, 8};

inline ModelIdentity TestModel() { return {.fingerprint = kTestModel, .name = "test model"}; }

/// A record of 2 layers with one chunk per 64 tokens; every byte of the codes is `fill`.
inline std::string TestRecord(SegmentKind kind, std::uint32_t tokens, int fill,
                              const ModelFingerprint& model = kTestModel) {
  const SegmentShape shape{.quantiser = Quantiser::kInt8,
                           .layers = {3, 7},
                           .chunks = (tokens + 63) / 64,
                           .tokens = tokens,
                           .vector_length = 24,
                           .scales_per_vector = 1};
  auto builder = SegmentBuilder::Create(kind, model, shape);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    for (const auto part : {SegmentPart::kKeys, SegmentPart::kValues}) {
      if (kind == SegmentKind::kRouter && part == SegmentPart::kValues) continue;
      const auto codes = builder->Codes(layer, part);
      std::memset(codes.data(), fill, codes.size());
      for (float& scale : builder->Scales(layer, part)) scale = static_cast<float>(fill + layer);
    }
  }
  return std::move(*builder).Finish();
}

/// A document of one segment per line of `text`.
inline DocumentWrite MakeWrite(const std::string& id, const std::string& text,
                               const std::string& space = "default") {
  DocumentWrite write;
  write.record.id = id;
  write.record.space = space;
  write.record.text = text;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? text.size() : newline + 1;
    const auto tokens = static_cast<std::uint32_t>(end - begin);
    write.segments.push_back({.entry = {.span = {begin, end}, .tokens = tokens},
                              .router = TestRecord(SegmentKind::kRouter, tokens, 1),
                              .kv = TestRecord(SegmentKind::kKv, tokens, 2)});
    begin = end;
  }
  return write;
}

inline std::string Numbered(std::string_view before, std::uint64_t number,
                            std::string_view after = "") {
  std::string text(before);
  return text.append(std::to_string(number)).append(after);
}

/// One-element vector of a move-only-friendly write.
inline std::vector<DocumentWrite> One(DocumentWrite write) {
  std::vector<DocumentWrite> writes;
  writes.push_back(std::move(write));
  return writes;
}

inline StoreOptions TestOptions() {
  StoreOptions options;
  options.low_water_bytes = 0;
  options.model = TestModel();
  return options;
}

inline std::unique_ptr<Store> OpenStore(const std::string& path,
                                        const StoreOptions& options = TestOptions()) {
  auto store = Store::Open(path, options);
  EXPECT_TRUE(store.ok()) << store.status().message();
  return store.ok() ? *std::move(store) : nullptr;
}

inline std::vector<std::string> Problems(const Store& store) {
  const auto report = store.Verify();
  if (!report.ok()) return {report.status().message()};
  return report->problems;
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

#define ASSERT_OK(expression)                                       \
  do {                                                              \
    const auto& checked_result = (expression);                      \
    ASSERT_TRUE(checked_result.ok()) << StatusText(checked_result); \
  } while (false)
#define EXPECT_OK(expression)                                       \
  do {                                                              \
    const auto& checked_result = (expression);                      \
    EXPECT_TRUE(checked_result.ok()) << StatusText(checked_result); \
  } while (false)

inline std::string StatusText(const Status& status) { return status.message(); }
template <typename T>
std::string StatusText(const Result<T>& result) {
  return result.status().message();
}

}  // namespace kvasir::storage

#endif  // TESTS_UNIT_STORAGE_TESTING_H_
