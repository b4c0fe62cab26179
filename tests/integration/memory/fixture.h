// What the end-to-end tests share: the real model, a folder that goes away, a clock to turn.
#ifndef KVASIR_TESTS_INTEGRATION_MEMORY_FIXTURE_H_
#define KVASIR_TESTS_INTEGRATION_MEMORY_FIXTURE_H_

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/kvasir.h"
#include "sdk/src/embedded_memory.h"
#include "storage/clock.h"
#include "tests/support/test_model.h"

namespace kvasir {

class TestClock final : public storage::Clock {
 public:
  Timestamp Now() override { return Timestamp(std::chrono::milliseconds(millis_.load())); }
  void Advance(std::chrono::milliseconds by) { millis_ += by.count(); }

 private:
  std::atomic<std::int64_t> millis_{1'780'000'000'000};
};

/// "m7": built without operator+, whose inlining GCC 12 warns of (its bug 105651).
std::string Name(std::string_view prefix, std::size_t number, std::string_view suffix = "");
/// Requests with all else at its default.
RecallRequest Query(std::string_view text);
ForgetRequest ForgetIds(std::vector<std::string> ids);
UpdateRequest EditText(std::string_view id, std::string_view text);

/// A store of its own on the default model; every test is skipped, visibly, without that model.
class MemoryTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  OpenOptions Options() const;
  /// Opens the test's store (again, if it is open), or fails the test.
  void Open(OpenOptions options);
  void Open() { Open(Options()); }
  Memory& memory() { return *memory_; }
  void Close() { memory_.reset(); }
  TestClock& clock() { return clock_; }
  const std::filesystem::path& folder() const { return folder_->path(); }

  RememberReceipt Remember(const RememberRequest& request);
  RememberReceipt Remember(const std::string& id, const std::string& text);
  /// One after another in one batch; ids are `prefix` and a number.
  void RememberMany(std::string_view prefix, const std::vector<std::string>& texts);
  /// Ids of the hits, best first.
  std::vector<std::string> Recall(const RecallRequest& request);
  std::vector<std::string> Recall(const std::string& query);
  /// Writes an adapter of random routers for the default model and returns its path.
  std::string OtherAdapter() const;

 private:
  std::string model_;
  TestClock clock_;
  std::unique_ptr<sdk::TemporaryFolder> folder_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace kvasir

#endif  // KVASIR_TESTS_INTEGRATION_MEMORY_FIXTURE_H_
