#include "agent/reading.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "agent/excerpt.h"
#include "agent/hit.h"
#include "model/utf8.h"

namespace kvasir::agent {
namespace {

using storage::DocumentNumber;

constexpr std::size_t kCandidates = 50;
// A memory far behind the best one rather misleads a small reader than helps it.
constexpr double kLeastShareOfBest = 0.5;
// Later hops ask with a longer text, which any memory shares more words with.
constexpr double kLeastShareLater = 0.7;
constexpr std::size_t kCarriedBytes = 400;
// A small model answers from a few sentences; in a page it loses the thread. Others read segments
// whole.
constexpr std::size_t kLocalBytes = 700;
constexpr std::size_t kRemoteBytes = 4096;

double LeastShare(std::uint32_t hop) { return hop == 1 ? kLeastShareOfBest : kLeastShareLater; }

class Reader {
 public:
  Reader(Bank& bank, storage::SpaceId space, const AskRequest& request)
      : bank_(bank),
        space_(space),
        request_(request),
        most_(bank.options().reasoner ? kRemoteBytes : kLocalBytes),
        routed_alone_(RoutesAsPublished(bank.model())),
        for_small_reader_(!bank.options().reasoner && !routed_alone_),
        reads_latent_(for_small_reader_ && request.latent_memory) {}

  Result<Reading> Run(const std::stop_token& stop) {
    const storage::Selection selection{.session = request_.session,
                                       .filter = request_.filter,
                                       .as_of = request_.as_of,
                                       .least_trust = request_.least_trust};
    KVASIR_ASSIGN_OR_RETURN(allowed_, bank_.store().Select(space_, selection));
    std::string text = request_.question;
    for (std::uint32_t hop = 1; hop <= request_.max_hops && !allowed_.empty(); ++hop) {
      if (stop.stop_requested()) return Cancelled("ask was stopped");
      KVASIR_ASSIGN_OR_RETURN(const std::size_t added, Hop(text, hop));
      if (added == 0) break;
      text = request_.question;
      for (std::size_t i = reading_.passages.size() - added; i < reading_.passages.size(); ++i) {
        text += '\n';
        text += Start(reading_.passages[i].text);
      }
    }
    reading_.allowed = std::move(allowed_);
    return std::move(reading_);
  }

 private:
  // Adds the best memories that were not chosen before; how many.
  Result<std::size_t> Hop(std::string_view text, std::uint32_t hop) {
    SearchQuery query;
    query.space = space_;
    query.text = text;
    query.allowed = &allowed_;
    query.candidates = kCandidates;
    query.lexical = !routed_alone_;
    query.explain = request_.explain;
    query.titles = hop == 1;
    KVASIR_ASSIGN_OR_RETURN(const std::vector<Candidate> found, Search(bank_, query));
    std::vector<const Candidate*> chosen;
    std::vector<DocumentNumber> numbers;
    if (hop == 1 && !found.empty() && found.front().score < bank_.fusion().answerable) {
      KVASIR_RETURN_IF_ERROR(Explain(found, hop));
      return 0;
    }
    // The best that is new: a memory that was read stands in the later hops' text, and so wins
    // them.
    const auto best = std::find_if(found.begin(), found.end(), [&](const Candidate& candidate) {
      return !chosen_.contains(candidate.document);
    });
    const double least = best == found.end() ? 0 : best->score * LeastShare(hop);
    if (hop > 1 && for_small_reader_ && !StandsOut(found, least)) {
      KVASIR_RETURN_IF_ERROR(Explain(found, hop));
      return 0;
    }
    for (const Candidate& candidate : found) {
      if (chosen.size() == request_.documents_per_hop || candidate.score < least) break;
      // Nothing in common with the question but a place in the space.
      if (!candidate.lexical && bank_.fusion().latent <= 0 && !routed_alone_) continue;
      if (!chosen_.insert(candidate.document).second) continue;
      chosen.push_back(&candidate);
      numbers.push_back(candidate.document);
    }
    if (reads_latent_) Prefetch(found);
    KVASIR_ASSIGN_OR_RETURN(auto documents, bank_.store().GetMany(space_, numbers));
    const std::size_t added = Add(chosen, &documents, hop);
    if (added > 0) KVASIR_RETURN_IF_ERROR(Explain(found, hop));
    return added;
  }

  // Whether one new memory alone is near: where several are about as near as the best, all are as
  // far from the question, and a small reader is only led astray by them.
  bool StandsOut(const std::vector<Candidate>& found, double least) const {
    const auto near = [&](const Candidate& candidate) {
      return candidate.score >= least && !chosen_.contains(candidate.document);
    };
    return std::ranges::count_if(found, near) == 1;
  }

  // What this hop came near.
  Status Explain(const std::vector<Candidate>& found, std::uint32_t hop) {
    if (!request_.explain) return Status::Ok();
    std::vector<Candidate> shown;
    for (const Candidate& candidate : found) {
      if (shown.size() >= kExplained && !chosen_.contains(candidate.document)) continue;
      shown.push_back(candidate);
    }
    return ShowHop(bank_, space_, shown, hop, &reading_);
  }

  // Keys and values of what was chosen, best first, and of those that were close: the likely
  // winners of the next hop. They come in while that is routed.
  void Prefetch(const std::vector<Candidate>& found) {
    std::vector<storage::SegmentRequest> wanted;
    std::size_t close = request_.documents_per_hop;
    for (const Candidate& candidate : found) {
      if (!chosen_.contains(candidate.document) && close-- == 0) break;
      wanted.push_back({{space_, candidate.document, candidate.segment}, candidate.generation});
    }
    bank_.kv_pages()->Prefetch(wanted);
  }

  std::size_t Add(const std::vector<const Candidate*>& chosen,
                  std::vector<std::optional<storage::Document>>* documents, std::uint32_t hop) {
    HopTrace trace;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!(*documents)[i]) continue;
      // The fused score of a model without fusion weights says nothing.
      const double score = routed_alone_ ? chosen[i]->latent.value_or(0) : chosen[i]->score;
      auto passage = PassageOf(space_, *std::move((*documents)[i]), chosen[i]->segment, score, hop);
      if (!passage) continue;
      const Span part = Excerpt(passage->text, request_.question, most_);
      passage->span = {passage->span.begin + part.begin, passage->span.begin + part.end};
      passage->text = passage->text.substr(part.begin, part.end - part.begin);
      trace.ids.push_back(passage->id);
      trace.scores.push_back(passage->score);
      reading_.passages.push_back(*std::move(passage));
    }
    const std::size_t added = trace.ids.size();
    if (added == 0) return 0;
    if (request_.on_event) {
      request_.on_event({.kind = AskEventKind::kHop, .text = {}, .ids = trace.ids, .hop = hop});
    }
    reading_.hops.push_back(std::move(trace));
    return added;
  }

  static std::string_view Start(std::string_view text) {
    const std::size_t end = std::min(text.size(), kCarriedBytes);
    return text.substr(0, model::CodePointStart(text, end));
  }

  Bank& bank_;
  const storage::SpaceId space_;
  const AskRequest& request_;
  const std::size_t most_;   // Bytes of a passage.
  const bool routed_alone_;  // The routers decide, whatever the words.
  const bool for_small_reader_;
  const bool reads_latent_;  // Their keys and values too.
  storage::DocumentSet allowed_;
  std::set<DocumentNumber> chosen_;
  Reading reading_;
};

}  // namespace

std::optional<Passage> PassageOf(storage::SpaceId space, storage::Document document,
                                 std::uint32_t segment, double score, std::uint32_t hop) {
  if (segment >= document.segments.size()) return std::nullopt;
  MemoryRecord& record = document.record;
  Passage passage;
  passage.key = {space, record.number, segment};
  passage.generation = document.generation;
  passage.span = document.segments[segment].span;
  passage.text = SegmentText(document, segment);
  passage.id = std::move(record.id);
  passage.title = std::move(record.title);
  passage.score = score;
  passage.hop = hop;
  return passage;
}

Status ShowHop(Bank& bank, storage::SpaceId space, std::span<const Candidate> shown,
               std::uint32_t hop, Reading* reading) {
  std::vector<DocumentNumber> numbers;
  numbers.reserve(shown.size());
  for (const Candidate& candidate : shown) numbers.push_back(candidate.document);
  KVASIR_ASSIGN_OR_RETURN(auto documents, bank.store().GetMany(space, numbers));
  if (reading->hops.size() < hop) reading->hops.emplace_back();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (!documents[i] || shown[i].segment >= documents[i]->segments.size()) continue;
    Hit hit = HitOf(*std::move(documents[i]), shown[i]);
    hit.hop = hop;
    reading->hops.back().hits.push_back(std::move(hit));
  }
  return Status::Ok();
}

Result<Reading> Read(Bank& bank, storage::SpaceId space, const AskRequest& request,
                     const std::stop_token& stop) {
  return Reader(bank, space, request).Run(stop);
}

}  // namespace kvasir::agent
