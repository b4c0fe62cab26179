#include "agent/recall.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/hit.h"
#include "agent/search.h"
#include "agent/segmenter.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

constexpr std::uint32_t kMostHits = 1000;
constexpr std::uint32_t kMostHops = 4;
// Fusion can lift a memory from place 4k of one channel, hardly from further down.
constexpr std::size_t kCandidatesPerHit = 4;
constexpr std::size_t kLeastCandidates = 100;
// Hops: how many hits carry a question on (so two hops cost three searches), how much of their
// text, and how far a memory that they lead to is trusted. Chosen on training rows
// (docs/recall.md).
constexpr std::size_t kSeeds = 2;
constexpr std::size_t kSeedBytes = 200;
constexpr double kHopTrust = 0.1;
// An edit may slip in between scoring and reading.
constexpr int kAttempts = 3;

Status Check(const RecallRequest& request) {
  if (Trimmed(request.query).empty()) return InvalidArgument("query: empty");
  KVASIR_RETURN_IF_ERROR(model::ValidateUtf8(request.query).WithContext("query"));
  if (request.top_k < 1 || request.top_k > kMostHits) {
    return InvalidArgument("top_k: must be 1 to 1000, is " + std::to_string(request.top_k));
  }
  if (request.hops < 1 || request.hops > kMostHops) {
    return InvalidArgument("hops: must be 1 to 4, is " + std::to_string(request.hops));
  }
  if (!request.latent && !request.lexical) {
    return InvalidArgument("at least one of the channels latent and lexical must be on");
  }
  return Status::Ok();
}

struct Ranked {
  Candidate candidate;  // Its score is that of the question alone.
  std::uint32_t hop = 1;
  double carried = 0;  // How strongly a hit leads to it, 0 to 1.

  /// Either is reason enough: 1 - (1 - own) (1 - carried).
  double score() const { return candidate.score + (1 - candidate.score) * kHopTrust * carried; }
};

bool Better(const Ranked& a, const Ranked& b) {
  if (a.score() != b.score()) return a.score() > b.score();
  return Better(a.candidate, b.candidate);
}

// One recall: its allowed memories, its candidates over all hops, its hits.
class Recaller {
 public:
  Recaller(Bank& bank, const RecallRequest& request, const CallOptions& options,
           storage::SpaceId space)
      : bank_(bank), request_(request), options_(options), space_(space) {}

  Result<RecallResult> Run() {
    const storage::Selection selection{.session = request_.session,
                                       .filter = request_.filter,
                                       .as_of = request_.as_of,
                                       .least_trust = Trust::kUntrusted};
    KVASIR_ASSIGN_OR_RETURN(allowed_, bank_.store().Select(space_, selection));
    RecallResult result;
    result.candidates = allowed_.size();
    if (allowed_.empty()) return result;
    // Asked before the search: what is complete then, the search saw whole.
    if (request_.latent && !request_.wait) {
      result.complete = bank_.router_index()->OpenNow(space_).complete;
    }
    KVASIR_RETURN_IF_ERROR(FirstHop());
    for (std::uint32_t hop = 2; hop <= request_.hops; ++hop) {
      KVASIR_ASSIGN_OR_RETURN(const bool more, Expand(hop));
      if (!more) break;
    }
    KVASIR_RETURN_IF_ERROR(Read(&result.hits));
    return result;
  }

  /// Whether a hit was edited or forgotten between scoring and reading.
  bool stale() const { return stale_; }

 private:
  // Titles are followed for the question alone: behind a hit's text they would all be named.
  Result<std::vector<Candidate>> SearchFor(std::string_view text, bool titles) {
    if (options_.stop.stop_requested()) return Cancelled("recall was stopped");
    SearchQuery query;
    query.space = space_;
    query.text = text;
    query.allowed = &allowed_;
    query.latent = request_.latent;
    query.lexical = request_.lexical;
    query.explain = request_.explain;
    query.exact = request_.exact;
    query.wait = request_.wait;
    query.titles = titles;
    query.candidates = std::max(request_.top_k * kCandidatesPerHit, kLeastCandidates);
    return Search(bank_, query);
  }

  Status FirstHop() {
    KVASIR_ASSIGN_OR_RETURN(std::vector<Candidate> found, SearchFor(request_.query, true));
    for (Candidate& candidate : found) {
      const DocumentNumber document = candidate.document;
      ranked_[document] = {.candidate = std::move(candidate)};
    }
    return Status::Ok();
  }

  // What the question together with `text`, a hit's, leads to. Scores of so long a question mean
  // little by themselves: they count relative to the best of them.
  Status HopFrom(const Ranked& seed, std::string_view text, std::uint32_t hop) {
    const DocumentNumber origin = seed.candidate.document;
    const double strength = seed.score();
    KVASIR_ASSIGN_OR_RETURN(std::vector<Candidate> found, SearchFor(text, false));
    std::erase_if(found, [&](const Candidate& c) { return c.document == origin; });
    if (found.empty() || found.front().score <= 0) return Status::Ok();
    const double best = found.front().score;
    for (Candidate& candidate : found) {
      const double near = candidate.score / best;
      const double carried = strength * near * near * near;  // docs/recall.md
      const auto [at, is_new] = ranked_.try_emplace(candidate.document);
      Ranked& ranked = at->second;
      if (is_new) {
        candidate.score = 0;
        ranked = {.candidate = std::move(candidate), .hop = hop};
      }
      ranked.carried = std::max(ranked.carried, carried);
    }
    return Status::Ok();
  }

  // Carries the question on with the best hits that have not carried it yet; false when there is
  // none left.
  Result<bool> Expand(std::uint32_t hop) {
    std::vector<Ranked>
        seeds;  // Copies: what one leads to must not change the next one's strength.
    for (Ranked& ranked : Best(std::max<std::size_t>(request_.top_k, kSeeds))) {
      if (seeds.size() == kSeeds) break;
      if (expanded_.insert(ranked.candidate.document).second) seeds.push_back(std::move(ranked));
    }
    if (seeds.empty()) return false;
    std::vector<DocumentNumber> numbers;
    numbers.reserve(seeds.size());
    for (const Ranked& seed : seeds) numbers.push_back(seed.candidate.document);
    KVASIR_ASSIGN_OR_RETURN(const auto documents, bank_.store().GetMany(space_, numbers));
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      const auto& document = documents[i];
      const std::uint32_t segment = seeds[i].candidate.segment;
      if (!document || segment >= document->segments.size()) continue;
      const std::string text = request_.query + "\n" + document->record.title + "\n" +
                               Start(SegmentText(*document, segment));
      KVASIR_RETURN_IF_ERROR(HopFrom(seeds[i], text, hop));
    }
    return true;
  }

  static std::string Start(std::string_view text) {
    const std::size_t end = std::min(text.size(), kSeedBytes);
    return std::string(text.substr(0, model::CodePointStart(text, end)));
  }

  std::vector<Ranked> Best(std::size_t count) const {
    std::vector<Ranked> all;
    for (const auto& [document, ranked] : ranked_) {
      if (ranked.score() >= request_.threshold) all.push_back(ranked);
    }
    const std::size_t kept = std::min(count, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                      Better);
    all.resize(kept);
    return all;
  }

  Status Read(std::vector<Hit>* hits) {
    std::vector<Ranked> best = Best(request_.top_k);
    std::vector<DocumentNumber> numbers;
    numbers.reserve(best.size());
    for (const Ranked& ranked : best) numbers.push_back(ranked.candidate.document);
    KVASIR_ASSIGN_OR_RETURN(auto documents, bank_.store().GetMany(space_, numbers));
    for (std::size_t i = 0; i < best.size(); ++i) {
      const Candidate& candidate = best[i].candidate;
      if (!documents[i] || documents[i]->generation != candidate.generation ||
          candidate.segment >= documents[i]->segments.size()) {
        stale_ = true;
        continue;
      }
      Hit hit = HitOf(std::move(*documents[i]), candidate);
      hit.score = best[i].score();
      hit.hop = best[i].hop;
      hits->push_back(std::move(hit));
    }
    return Status::Ok();
  }

  Bank& bank_;
  const RecallRequest& request_;
  const CallOptions& options_;
  const storage::SpaceId space_;
  storage::DocumentSet allowed_;
  std::map<DocumentNumber, Ranked> ranked_;
  std::set<DocumentNumber> expanded_;
  bool stale_ = false;
};

}  // namespace

Result<RecallResult> Recall(Bank& bank, const RecallRequest& request, const CallOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  KVASIR_RETURN_IF_ERROR(Check(request));
  if (request.latent) KVASIR_RETURN_IF_ERROR(bank.NeedModel());
  KVASIR_ASSIGN_OR_RETURN(const storage::SpaceId space, bank.store().FindSpace(request.space));
  for (int attempt = 1;; ++attempt) {
    Recaller recaller(bank, request, options, space);
    KVASIR_ASSIGN_OR_RETURN(RecallResult result, recaller.Run());
    if (recaller.stale() && attempt < kAttempts) continue;
    result.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    return result;
  }
}

}  // namespace kvasir::agent
