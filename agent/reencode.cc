#include "agent/reencode.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/remember.h"

namespace kvasir::agent {
namespace {

constexpr std::uint32_t kPage = 64;  // Memories read at once.

class Reencoder {
 public:
  Reencoder(Bank& bank, const CallOptions& options) : bank_(bank), options_(options) {
    progress_.stage = "encode";
  }

  Result<std::uint64_t> Run() {
    const std::vector<SpaceInfo> spaces = bank_.store().Spaces();
    for (const SpaceInfo& space : spaces) progress_.total += space.memories;
    for (const SpaceInfo& info : spaces) {
      KVASIR_ASSIGN_OR_RETURN(const storage::SpaceId space, bank_.store().FindSpace(info.name));
      KVASIR_RETURN_IF_ERROR(Space(space));
    }
    return encoded_;
  }

 private:
  Status Space(storage::SpaceId space) {
    storage::ListQuery query;
    query.limit = kPage;
    for (;;) {
      KVASIR_ASSIGN_OR_RETURN(const storage::ListResult page, bank_.store().List(space, query));
      KVASIR_RETURN_IF_ERROR(Page(page.documents));
      if (!page.next) return Status::Ok();
      query.from = *page.next;
    }
  }

  Status Page(const std::vector<storage::Document>& documents) {
    for (const storage::Document& document : documents) {
      if (options_.stop.stop_requested()) return Cancelled("reencode was stopped");
      if (!IsEncoded(document)) KVASIR_RETURN_IF_ERROR(Encode(document));
      ++progress_.done;
      if (options_.progress) options_.progress(progress_);
    }
    return Status::Ok();
  }

  // A version's segments are written together: the first one speaks for all.
  bool IsEncoded(const storage::Document& document) const {
    const storage::SegmentRequest first{{document.space, document.record.number, 0},
                                        document.generation};
    return bank_.store().ReadRouter({&first, 1}).front().ok();
  }

  Status Encode(const storage::Document& document) {
    KVASIR_ASSIGN_OR_RETURN(Draft draft, DraftReencode(bank_, document));
    Draft* one = &draft;
    KVASIR_RETURN_IF_ERROR(EncodeDrafts(bank_, {&one, 1}, options_.stop, {}));
    const auto committed = CommitDrafts(bank_, {&one, 1});
    // Edited or forgotten meanwhile: whoever did that used this model.
    const StatusCode code = committed.status().code();
    if (code == StatusCode::kConflict || code == StatusCode::kNotFound) return Status::Ok();
    KVASIR_RETURN_IF_ERROR(committed.status());
    ++encoded_;
    return Status::Ok();
  }

  Bank& bank_;
  const CallOptions& options_;
  Progress progress_;
  std::uint64_t encoded_ = 0;
};

}  // namespace

Result<std::uint64_t> Reencode(Bank& bank, const CallOptions& options) {
  KVASIR_RETURN_IF_ERROR(bank.NeedAnyModel());
  {
    const std::lock_guard commits(bank.commits());
    KVASIR_RETURN_IF_ERROR(bank.store().SetModel(bank.identity()));
    // What was loaded under another model is nobody's now.
    bank.router_index()->DropAll();
    bank.kv_pages()->DropAll();
  }
  return Reencoder(bank, options).Run();
}

}  // namespace kvasir::agent
