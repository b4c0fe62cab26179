#include "agent/remember.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "agent/forget.h"
#include "agent/packer.h"

namespace kvasir::agent {
namespace {

// One packed model pass (see EncoderOptions), and how often the stop token is asked.
constexpr std::size_t kPassTokens = 2048;
// Two fsyncs per commit are then less than a hundredth of its encoding.
constexpr std::uint64_t kCommitTokens = 8192;
constexpr std::size_t kCommitMemories = 256;
// An id may be taken by somebody else between planning and committing; not for ever.
constexpr int kAttempts = 3;

struct SegmentAt {
  Draft* draft;
  std::size_t segment;
};

Status EncodePass(Bank& bank, std::span<const SegmentAt> pass) {
  std::vector<model::TokenSequence> sequences;
  std::size_t tokens = 0;
  for (const SegmentAt& at : pass) {
    sequences.push_back(std::move(at.draft->tokens[at.segment]));
    tokens += sequences.back().size();
  }
  auto encoded = [&]() -> Result<std::vector<model::EncodedSegment>> {
    KVASIR_ASSIGN_OR_RETURN(const auto encoder, bank.encoders().Borrow());
    const Stopwatch stopwatch(bank.work(), WorkKind::kEncode, tokens);
    return encoder->Encode(sequences);
  }();
  KVASIR_RETURN_IF_ERROR(encoded.status());
  for (std::size_t i = 0; i < pass.size(); ++i) {
    KVASIR_ASSIGN_OR_RETURN(PackedSegment packed,
                            PackSegment((*encoded)[i], bank.options().quantiser, bank.model()));
    storage::SegmentWrite& write = pass[i].draft->write.segments[pass[i].segment];
    write.router = std::move(packed.router);
    write.kv = std::move(packed.kv);
    ++pass[i].draft->encoded;
  }
  return Status::Ok();
}

Status Index(Bank& bank, const Draft& draft, const std::vector<std::string>& routers,
             storage::Generation generation) {
  const auto index = bank.router_index() ? bank.router_index()->Loaded(draft.space) : nullptr;
  if (!index) return Status::Ok();
  if (draft.write.keep_segments) {
    index->Restamp(draft.number, generation);
    return Status::Ok();
  }
  KVASIR_RETURN_IF_ERROR(index->Replace(draft.number, generation, routers));
  return bank.router_index()->Fit(draft.space);
}

RememberReceipt ReceiptOf(const storage::DocumentReceipt& stored, RememberOutcome outcome) {
  return {.id = stored.id,
          .number = stored.number,
          .version = stored.version,
          .outcome = outcome,
          .segments = stored.segments,
          .tokens = stored.tokens,
          .content_hash = stored.content_hash};
}

// Runs many requests through planning, encoding and committing, a batch at a time.
class BatchWriter {
 public:
  BatchWriter(Bank& bank, std::span<const RememberRequest> requests, const CallOptions& options)
      : bank_(bank), requests_(requests), options_(options) {
    receipts_.resize(requests.size(), Cancelled("stopped before this memory was tried"));
    for (const RememberRequest& request : requests) progress_.total += BytesOf(request);
    progress_.stage = "encode";
  }

  std::vector<Result<RememberReceipt>> Run() {
    for (std::size_t i = 0; i < requests_.size() && !options_.stop.stop_requested(); ++i) Add(i);
    Flush();
    return std::move(receipts_);
  }

 private:
  struct Pending {
    std::size_t request;
    Draft draft;
  };

  static std::uint64_t BytesOf(const RememberRequest& request) {
    std::uint64_t bytes = request.text.size();
    for (const Message& message : request.messages) bytes += message.content.size();
    return bytes;
  }

  void Add(std::size_t request) {
    const RememberRequest& asked = requests_[request];
    // The same id twice in one call: the second is an edit of the first.
    if (!asked.id.empty() && !ids_.insert(asked.space + '\0' + asked.id).second) Flush();
    Result<Draft> draft = DraftRemember(bank_, asked);
    if (draft.status().code() == StatusCode::kConflict) {
      receipts_[request] = Alone(asked);  // Its idempotency key was taken a moment ago.
    } else if (!draft.ok()) {
      receipts_[request] = draft.status();
    } else if (draft->unchanged) {
      receipts_[request] = *std::move(draft->unchanged);
    } else {
      pending_tokens_ += draft->TokenCount();
      pending_.push_back({request, *std::move(draft)});
      if (pending_tokens_ >= kCommitTokens || pending_.size() >= kCommitMemories) Flush();
      return;
    }
    Advance(BytesOf(asked));
  }

  // Encodes and commits what is pending. Each memory gets its receipt or its own error.
  void Flush() {
    std::vector<Draft*> drafts;
    for (Pending& pending : pending_) drafts.push_back(&pending.draft);
    const Status encoded =
        EncodeDrafts(bank_, drafts, options_.stop, [this](std::uint64_t bytes) { Advance(bytes); });
    std::vector<Draft*> ready;
    std::vector<std::size_t> owners;
    for (Pending& pending : pending_) {
      if (pending.draft.Ready()) {
        ready.push_back(&pending.draft);
        owners.push_back(pending.request);
      } else if (!encoded.ok()) {
        receipts_[pending.request] = encoded;
      }
    }
    Commit(ready, owners);
    pending_.clear();
    pending_tokens_ = 0;
    ids_.clear();
  }

  void Commit(std::span<Draft* const> ready, std::span<const std::size_t> owners) {
    if (ready.empty()) return;
    Result<std::vector<RememberReceipt>> committed = CommitDrafts(bank_, ready);
    if (committed.ok()) {
      for (std::size_t i = 0; i < ready.size(); ++i) receipts_[owners[i]] = (*committed)[i];
    } else if (PlannedForThePast(committed.status())) {
      // Nothing went in: each goes by itself.
      for (const std::size_t request : owners) receipts_[request] = Alone(requests_[request]);
    } else {
      for (const std::size_t request : owners) receipts_[request] = committed.status();
    }
  }

  /// Whether somebody wrote or forgot one of these ids between plan and commit.
  static bool PlannedForThePast(const Status& status) {
    return status.code() == StatusCode::kConflict || status.code() == StatusCode::kNotFound;
  }

  Result<RememberReceipt> Alone(const RememberRequest& request) {
    Status last;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      KVASIR_ASSIGN_OR_RETURN(Draft draft, DraftRemember(bank_, request));
      if (draft.unchanged) return *std::move(draft.unchanged);
      Draft* one = &draft;
      KVASIR_RETURN_IF_ERROR(EncodeDrafts(bank_, {&one, 1}, options_.stop, {}));
      if (!draft.Ready()) return Cancelled("stopped while this memory was encoded");
      auto committed = CommitDrafts(bank_, {&one, 1});
      if (committed.ok()) return committed->front();
      last = committed.status();
      if (!PlannedForThePast(last)) break;
      // An expired memory may still hold the id.
      KVASIR_RETURN_IF_ERROR(PurgeExpired(bank_, /*defer=*/true, options_).status());
    }
    return last;
  }

  void Advance(std::uint64_t bytes) {
    progress_.done = std::min(progress_.done + bytes, progress_.total);
    if (options_.progress) options_.progress(progress_);
  }

  Bank& bank_;
  std::span<const RememberRequest> requests_;
  const CallOptions& options_;
  std::vector<Result<RememberReceipt>> receipts_;
  std::vector<Pending> pending_;
  std::uint64_t pending_tokens_ = 0;
  std::set<std::string> ids_;  // Of pending_.
  Progress progress_;
};

}  // namespace

Status EncodeDrafts(Bank& bank, std::span<Draft* const> drafts, const std::stop_token& stop,
                    const std::function<void(std::uint64_t)>& progress) {
  std::vector<SegmentAt> pass;
  std::size_t tokens = 0;
  const auto run = [&] {
    KVASIR_RETURN_IF_ERROR(EncodePass(bank, pass));
    for (const SegmentAt& at : pass) {
      const Span span = at.draft->write.segments[at.segment].entry.span;
      if (progress) progress(span.end - span.begin);
    }
    pass.clear();
    tokens = 0;
    return Status::Ok();
  };
  for (Draft* draft : drafts) {
    for (std::size_t segment = 0; segment < draft->tokens.size(); ++segment) {
      const std::size_t length = draft->tokens[segment].size();
      if (!pass.empty() && tokens + length > kPassTokens) {
        if (stop.stop_requested()) return Cancelled("stopped while memories were encoded");
        KVASIR_RETURN_IF_ERROR(run());
      }
      pass.push_back({draft, segment});
      tokens += length;
    }
  }
  if (pass.empty()) return Status::Ok();
  if (stop.stop_requested()) return Cancelled("stopped while memories were encoded");
  return run();
}

Result<std::vector<RememberReceipt>> CommitDrafts(Bank& bank, std::span<Draft* const> drafts) {
  std::vector<storage::DocumentWrite> writes;
  std::vector<std::vector<std::string>> routers(drafts.size());  // The store takes the rest.
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    for (const storage::SegmentWrite& segment : drafts[i]->write.segments) {
      routers[i].push_back(segment.router);
    }
    writes.push_back(std::move(drafts[i]->write));
  }
  const std::lock_guard commits(bank.commits());
  KVASIR_ASSIGN_OR_RETURN(const storage::CommitReceipt committed,
                          bank.store().Commit(std::move(writes)));
  std::vector<RememberReceipt> receipts;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const storage::DocumentReceipt& stored = committed.documents[i];
    if (!Index(bank, *drafts[i], routers[i], stored.generation).ok()) {
      bank.router_index()->Drop(drafts[i]->space);  // Rebuilt from the store when next asked.
    }
    receipts.push_back(ReceiptOf(stored, drafts[i]->outcome));
  }
  return receipts;
}

std::vector<Result<RememberReceipt>> RememberBatch(Bank& bank,
                                                   std::span<const RememberRequest> requests,
                                                   const CallOptions& options) {
  if (const Status model = bank.NeedModel(); !model.ok()) {
    return std::vector<Result<RememberReceipt>>(requests.size(), model);
  }
  return BatchWriter(bank, requests, options).Run();
}

Result<RememberReceipt> Update(Bank& bank, const UpdateRequest& request,
                               const CallOptions& options) {
  KVASIR_RETURN_IF_ERROR(bank.NeedModel());
  Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    KVASIR_ASSIGN_OR_RETURN(Draft draft, DraftUpdate(bank, request));
    if (draft.unchanged) return *std::move(draft.unchanged);
    Draft* one = &draft;
    KVASIR_RETURN_IF_ERROR(EncodeDrafts(bank, {&one, 1}, options.stop, {}));
    auto committed = CommitDrafts(bank, {&one, 1});
    if (committed.ok()) return committed->front();
    last = committed.status();
    // Somebody else was faster; with if_match the next plan says whether that matters.
    if (last.code() != StatusCode::kConflict) break;
  }
  return last;
}

}  // namespace kvasir::agent
