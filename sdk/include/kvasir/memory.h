// The one class that most programs need: a memory bank that remembers, recalls, answers and
// forgets.
#ifndef KVASIR_MEMORY_H_
#define KVASIR_MEMORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/requests.h"
#include "kvasir/status.h"
#include "kvasir/types.h"

namespace kvasir {

enum class Quantiser : std::uint8_t { kInt8 = 1, kBf16 = 2, kF32 = 3 };

struct OpenOptions {
  bool create = true;  ///< Make the store if there is none.
  bool read_only =
      false;  ///< Refuse every write; the store may be read while another process does so.
  std::string model{};    ///< Path of a GGUF or of a folder with safetensors; empty: the default
                          ///< model's cached file.
  std::string adapter{};  ///< Path; empty: the one shipped for that model; "none": the model's own
                          ///< projections route.
  Quantiser quantiser = Quantiser::kInt8;  ///< For new segments; each segment knows its own.
  std::string backend{};  ///< "", "cpu", "reference", "cuda"; empty: the best there is.
  int threads = 0;        ///< 0: one per core.
  /// The most bytes that the router indexes of all spaces, the cache of their keys and the cache of
  /// keys and values may take; 0: no limit. The last gets 64 MiB, but at most a quarter. An index
  /// that does not fit keeps sketches in memory (about an eighth) and reads keys from the store as
  /// a question needs them: the same scores, later. Spaces that were asked longest ago leave
  /// memory first; one that does not fit even alone says kUnavailable and how much it needs. Not
  /// counted: the model, the store's own caches (128 MiB at most, without a limit 576 MiB), what a
  /// call works with.
  std::uint64_t memory_bytes = 0;
  std::string
      reasoner_url{};  ///< OpenAI-compatible chat endpoint for `ask`; empty: the local model.
  std::string reasoner_model{};
  std::string reasoner_key_file{};  ///< First line is the key. Never logged.
  bool accept_loss =
      false;  ///< Open although the commit ledger says that synced writes are missing.
  bool load_model =
      true;  ///< false: enough for list, get, forget, verify, export; others say kUnavailable.
  /// Told, while the store opens, what its user should know of the model; one line each.
  std::function<void(std::string_view)> on_warning{};
};

/// A store of memories on disk, with its model. Open one per process and share it: every method may
/// be called from any thread. A write is durable (fsynced) and visible to every reader when the
/// call returns. Close by destroying.
class Memory {
 public:
  /// Opens or creates the store in folder `path` ("~" is expanded). Errors: kConflict when another
  /// process holds it (the message names the pid), kCorruption, kUnavailable (model missing),
  /// kNoSpace, kPermissionDenied.
  static Result<std::unique_ptr<Memory>> Open(const std::string& path,
                                              const OpenOptions& options = {});
  /// A store in a fresh temporary folder that is erased when this object goes. The same engine as
  /// Open.
  static Result<std::unique_ptr<Memory>> InMemory(const OpenOptions& options = {});

  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Splits into segments, encodes, stores in one atomic synced batch. Cost: one model pass over
  /// the text.
  virtual Result<RememberReceipt> Remember(const RememberRequest& request,
                                           const CallOptions& options = {}) = 0;
  /// Many at once: segments of all of them share the model's batches. One receipt or error per
  /// request, same order. The outer status fails only when nothing further could be tried (disk
  /// full, cancelled); receipts so far are kept.
  virtual std::vector<Result<RememberReceipt>> RememberBatch(
      std::span<const RememberRequest> requests, const CallOptions& options = {}) = 0;

  virtual Result<RecallResult> Recall(const RecallRequest& request,
                                      const CallOptions& options = {}) = 0;
  virtual Result<AskResult> Ask(const AskRequest& request, const CallOptions& options = {}) = 0;

  /// Erases. Physical before it returns unless `defer`. All or nothing per memory; repeatable after
  /// a crash.
  virtual Result<ForgetReceipt> Forget(const ForgetRequest& request,
                                       const CallOptions& options = {}) = 0;
  /// Physically erases what deferred forgets and expiry left behind.
  virtual Result<ForgetReceipt> Compact(const CallOptions& options = {}) = 0;

  virtual Result<MemoryRecord> Get(const std::string& id,
                                   const std::string& space = std::string(kDefaultSpace)) = 0;
  virtual Result<RememberReceipt> Update(const UpdateRequest& request,
                                         const CallOptions& options = {}) = 0;
  /// All versions, oldest first; the last one is the present.
  virtual Result<std::vector<MemoryRecord>> History(
      const std::string& id, const std::string& space = std::string(kDefaultSpace)) = 0;
  virtual Result<ListPage> List(const ListRequest& request) = 0;
  virtual Result<std::vector<SessionInfo>> Sessions(
      const std::string& space = std::string(kDefaultSpace)) = 0;
  virtual Result<Stats> GetStats() = 0;

  /// Reads everything and checks every checksum, the ledger against the rows, and the index against
  /// the segments.
  virtual Result<VerifyReport> Verify(const CallOptions& options = {}) = 0;
  /// A consistent copy while others read and write; verified before it returns. `folder` may hold
  /// earlier backups.
  virtual Status Backup(const std::string& folder, const CallOptions& options = {}) = 0;
  /// Encodes again, from the kept original text, every memory whose segments another model made.
  virtual Result<std::uint64_t> Reencode(const CallOptions& options = {}) = 0;

 protected:
  Memory() = default;
};

/// Puts the newest backup in `folder` into the new folder `path`. Never overwrites.
Status RestoreBackup(const std::string& folder, const std::string& path);

/// Version of this library, for example "0.1.0".
std::string_view Version();

}  // namespace kvasir

#endif  // KVASIR_MEMORY_H_
