// What callers ask of a Memory and what they get: plain structs with defaults.
#ifndef KVASIR_REQUESTS_H_
#define KVASIR_REQUESTS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kvasir/types.h"

namespace kvasir {

inline constexpr std::string_view kDefaultSpace = "default";

/// Progress of a long call, for bars and rates. `total` 0 = unknown.
struct Progress {
  std::string_view stage{};  ///< "encode", "store", "erase", …
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// What every call may carry. Callbacks run on the calling thread.
struct CallOptions {
  std::function<void(const Progress&)> progress{};
  std::stop_token stop{};  ///< Asked between segments and between tokens; what was committed stays.
};

struct RememberRequest {
  std::string text{};  ///< UTF-8, no NUL; either this or `messages`.
  std::vector<Message>
      messages;      ///< A conversation; speaker and time are kept and can be searched.
  std::string id{};  ///< Empty: kvasir makes one. The same id and content again changes nothing.
  std::string title{};
  std::string space = std::string(kDefaultSpace);
  std::string session{};  ///< A chat, a run; recall knows what was remembered before and behind.
  std::string user_id{};
  std::string agent_id{};
  Metadata metadata{};
  Provenance provenance{};
  std::optional<Timestamp> expires_at{};
  std::optional<Timestamp> valid_from{};
  std::optional<Timestamp> valid_to{};
  /// At most 255 bytes. Non-empty: this request is carried out once in its space, and asked for
  /// again it is given the first receipt, as long as that memory is kept. Another request with the
  /// same key: kKeyReused. Kept, as a keyed hash, in the same commit as the memory.
  std::string idempotency_key{};
};

enum class RememberOutcome : std::uint8_t { kCreated, kUpdated, kUnchanged };

struct RememberReceipt {
  std::string id{};
  std::uint64_t number = 0;
  std::uint32_t version = 1;
  RememberOutcome outcome = RememberOutcome::kCreated;
  std::uint32_t segments = 0;
  std::uint64_t tokens = 0;
  std::string content_hash{};
  bool replayed = false;  ///< The receipt of an earlier request with the same idempotency key.
};

struct RecallRequest {
  std::string query{};       ///< As typed: the model hears it with capitals and without slips.
  std::uint32_t top_k = 10;  ///< 1 to 1000.
  std::string space = std::string(kDefaultSpace);
  std::string session{};  ///< Non-empty: only memories of this session.
  std::optional<Filter> filter{};
  double threshold = 0.0;            ///< Leave out hits whose score is lower.
  std::optional<Timestamp> as_of{};  ///< Only memories valid at this time ([valid_from, valid_to)).
  std::uint32_t hops = 1;            ///< 1 to 4: route again with what was found.
  bool latent = true;                ///< Use the routing channel.
  bool lexical = true;               ///< Use the BM25 channel. At least one of the two.
  bool explain = false;              ///< Fill Hit::layers.
  /// Read every router key whole. Otherwise a large space is searched by sketches of its keys
  /// first, 3 to 5 times faster; scores are the same, and about one search in a thousand misses one
  /// of the best memories of the latent channel.
  bool exact = false;
  /// false: while a space's router keys are still being read from disk (after opening, about a
  /// second per GB), the latent channel answers from those that are there, and the result says that
  /// it is not complete. The lexical channel never waits.
  bool wait = true;
};

/// The routing score of one layer for one hit.
struct LayerScore {
  std::uint32_t layer = 0;
  float score = 0;
  std::uint32_t chunk = 0;  ///< The best chunk, counted within the segment.
};

struct Hit {
  std::string id{};
  std::uint64_t number = 0;
  std::uint32_t version = 1;
  std::string title{};
  std::string text{};  ///< The original bytes of `span`.
  Span span{};         ///< The best segment in the memory's text.
  std::uint32_t segment = 0;
  double score = 0;  ///< Fused; in [0, 1], higher is better; less for a repetition.
  /// A weighted cosine, of trained routers asked alone the cosine by what tells the memories of
  /// this space apart. Absent when the channel did not see this memory.
  std::optional<double> latent{};
  std::optional<double> lexical{};  ///< BM25, of a long memory mostly its best segment.
  std::vector<LayerScore> layers{};
  std::uint32_t hop = 1;  ///< The hop that found it.
  std::string session{};
  Metadata metadata{};
  Provenance provenance{};
  Timestamp created_at{};
};

struct RecallResult {
  std::vector<Hit> hits{};       ///< Best first; ties by document number.
  std::uint64_t candidates = 0;  ///< Memories that passed the filter.
  bool complete = true;          ///< false: see RecallRequest::wait.
  std::chrono::microseconds took{0};
};

enum class AskEventKind : std::uint8_t { kHop, kToken, kCitation };

/// What a streaming `ask` reports while it runs.
struct AskEvent {
  AskEventKind kind = AskEventKind::kToken;
  std::string_view text{};         ///< kToken: a piece of the answer, whole code points.
  std::vector<std::string> ids{};  ///< kHop: memories chosen; kCitation: the one cited.
  std::uint32_t hop = 0;
};

struct AskRequest {
  std::string question{};
  std::string space = std::string(kDefaultSpace);
  std::string session{};
  std::optional<Filter> filter{};
  std::uint32_t max_hops = 2;           ///< 1 to 8.
  std::uint32_t documents_per_hop = 4;  ///< Original texts appended per hop, 1 to 16.
  std::uint32_t max_new_tokens = 128;
  float temperature = 0;  ///< 0 = greedy.
  float top_p = 1;
  std::uint64_t seed = 0;
  std::vector<std::string> stop{};
  bool latent_memory = true;  ///< Attend to pooled K, V of the chosen memories besides their text.
  Trust least_trust = Trust::kUntrusted;  ///< Leave out memories below this tier.
  std::optional<Timestamp> as_of{};
  bool explain = false;  ///< Fill HopTrace::hits.
  std::function<void(const AskEvent&)> on_event{};
};

struct Citation {
  std::string id{};
  std::uint64_t number = 0;
  std::string title{};
  Span span{};
  std::string text{};
};

struct HopTrace {
  std::vector<std::string> ids{};  ///< What was read, best first.
  std::vector<double> scores{};
  /// With AskRequest::explain: the segments that this hop was routed to, best first, with the score
  /// of each layer: those read, and what came close. A hop after which nothing was read, because
  /// nothing came near, is then there too, with empty `ids`.
  std::vector<Hit> hits{};
};

struct AskResult {
  std::string text{};
  std::vector<Citation> citations{};
  std::vector<HopTrace> hops{};
  std::uint32_t prompt_tokens = 0;
  std::uint32_t new_tokens = 0;
  std::string reasoner{};  ///< "local" or the endpoint's model.
};

/// What to forget. Exactly one of the ways is used; a call that names ids never widens to their
/// scope.
struct ForgetRequest {
  std::vector<std::string> ids{};
  std::string space = std::string(kDefaultSpace);
  std::optional<std::string> session{};
  std::optional<Filter> filter{};
  bool whole_space = false;  ///< Everything in `space`, the space's name too.
  bool everything = false;   ///< Every space of the store.
  bool defer = false;     ///< Gone for every reader now, physically at the next purge or compact.
  bool dry_run = false;   ///< Only say what would go.
  std::uint64_t max = 0;  ///< Refuse (conflict) if more than this would go; 0 = no bound.
};

struct ForgetReceipt {
  std::vector<std::string> ids{};  ///< What went (or would go), at most 1000 named.
  std::uint64_t memories = 0;
  std::uint64_t segments = 0;
  std::uint64_t versions = 0;  ///< Old versions of edited memories.
  bool physical = false;       ///< The bytes are gone from the store's folder.
  std::vector<std::string>
      not_reached;  ///< Plainly: backups made before, exports, copies of answers.
};

struct UpdateRequest {
  std::string id{};
  std::string space = std::string(kDefaultSpace);
  std::optional<std::string> text{};
  std::optional<std::string> title{};
  std::optional<Metadata> metadata{};  ///< Replaces all of it.
  std::optional<Timestamp> expires_at{};
  std::optional<Timestamp> valid_from{};
  std::optional<Timestamp> valid_to{};
  /// Non-empty: refuse (conflict) unless this is the memory's Etag(), which every edit changes, or
  /// its content hash, which only edits of title and text change.
  std::string if_match{};
};

struct ListRequest {
  std::string space = std::string(kDefaultSpace);
  std::string session{};
  std::optional<Filter> filter{};
  std::uint32_t limit = 100;  ///< 1 to 1000.
  std::string cursor{};       ///< From the page before; opaque.
  bool with_text = true;
};

struct ListPage {
  std::vector<MemoryRecord> memories{};  ///< By document number, ascending.
  std::string next_cursor{};             ///< Empty on the last page.
};

struct SpaceInfo {
  std::string name{};
  std::uint64_t memories = 0;
  std::uint64_t segments = 0;
  std::uint64_t tokens = 0;
};

struct SessionInfo {
  std::string name{};
  std::uint64_t memories = 0;
  Timestamp last_write{};
};

/// One kind of the model's work since the store was opened.
struct Work {
  std::uint64_t calls = 0;
  std::uint64_t tokens = 0;
  std::chrono::microseconds took{0};  ///< Sum over calls, which may run beside each other.
};

/// What a cache with a budget of bytes holds, and has done since the store was opened.
struct CacheUse {
  std::uint64_t budget_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< Never more than the budget.
  std::uint64_t hits = 0;        ///< Asked for and here, or on the way.
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;          ///< Given up for something else.
  std::uint64_t prefetches = 0;         ///< Read before anybody asked.
  std::uint64_t prefetches_used = 0;    ///< Of those: asked for later.
  std::uint64_t prefetches_wasted = 0;  ///< Of those: given up unasked for.
};

struct Stats {
  std::vector<SpaceInfo> spaces{};
  std::uint64_t disk_bytes = 0;
  std::uint64_t index_bytes = 0;  ///< Router indexes in memory: keys, sketches, tables.
  std::uint64_t commits = 0;
  std::string model{};  ///< Name and fingerprint of the model the segments need.
  std::string fingerprint{};
  std::string backend{};    ///< "cpu avx512_bf16", "reference", …
  Work encode{};            ///< Segments of what is remembered.
  Work route{};             ///< Questions through the model and against the router keys.
  Work prefill{};           ///< Prompts of the local model.
  Work decode{};            ///< Its answers.
  CacheUse kv_cache{};      ///< Keys and values that `ask` attends to.
  CacheUse router_cache{};  ///< Router keys that no index holds (OpenOptions::memory_bytes).
};

struct VerifyReport {
  std::uint64_t memories = 0;
  std::uint64_t segments = 0;
  std::uint64_t commits = 0;
  std::vector<std::string> problems{};  ///< Empty: everything is what its checksums say.
};

}  // namespace kvasir

#endif  // KVASIR_REQUESTS_H_
