// kvasir::Memory on this process's own store and model: where storage, model and agent are wired.
#ifndef SDK_SRC_EMBEDDED_MEMORY_H_
#define SDK_SRC_EMBEDDED_MEMORY_H_

#include <filesystem>
#include <memory>
#include <string>

#include "agent/bank.h"
#include "kvasir/memory.h"
#include "storage/clock.h"

namespace kvasir::sdk {

/// What a test passes in instead of the machine's own; null: the machine's.
struct Seams {
  storage::Clock* clock = nullptr;
  storage::RandomSource* random = nullptr;
};

/// See Memory::Open.
Result<std::unique_ptr<Memory>> OpenEmbedded(const std::string& path, const OpenOptions& options,
                                             const Seams& seams = {});

/// A folder that is erased with everything in it when this dies. Move-only.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make();
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Every method may be called from any thread. No exception leaves it.
class EmbeddedMemory final : public Memory {
 public:
  EmbeddedMemory(std::unique_ptr<agent::Bank> bank, std::string backend)
      : bank_(std::move(bank)), backend_(std::move(backend)) {}

  Result<RememberReceipt> Remember(const RememberRequest& request,
                                   const CallOptions& options) override;
  std::vector<Result<RememberReceipt>> RememberBatch(std::span<const RememberRequest> requests,
                                                     const CallOptions& options) override;
  Result<RecallResult> Recall(const RecallRequest& request, const CallOptions& options) override;
  Result<AskResult> Ask(const AskRequest& request, const CallOptions& options) override;
  Result<ForgetReceipt> Forget(const ForgetRequest& request, const CallOptions& options) override;
  Result<ForgetReceipt> Compact(const CallOptions& options) override;
  Result<MemoryRecord> Get(const std::string& id, const std::string& space) override;
  Result<RememberReceipt> Update(const UpdateRequest& request, const CallOptions& options) override;
  Result<std::vector<MemoryRecord>> History(const std::string& id,
                                            const std::string& space) override;
  Result<ListPage> List(const ListRequest& request) override;
  Result<std::vector<SessionInfo>> Sessions(const std::string& space) override;
  Result<Stats> GetStats() override;
  Result<VerifyReport> Verify(const CallOptions& options) override;
  Status Backup(const std::string& folder, const CallOptions& options) override;
  Result<std::uint64_t> Reencode(const CallOptions& options) override;

  /// The store lies in `folder`, which goes after it.
  void Keep(TemporaryFolder folder) {
    folder_ = std::make_unique<TemporaryFolder>(std::move(folder));
  }

 private:
  std::unique_ptr<TemporaryFolder> folder_;  // First, so that it outlives the store.
  std::unique_ptr<agent::Bank> bank_;
  std::string backend_;
};

}  // namespace kvasir::sdk

#endif  // SDK_SRC_EMBEDDED_MEMORY_H_
