// The routing index of one space: every remembered chunk's router key, laid out so that one
// question is scored against all of them as fast as memory can be read (msa.md §4, "An exact
// saving": one dot product per query and chunk).
//
// Keys lie in pages of 4096 slots, a slot holding one chunk in every layer; inside a page each
// layer is cut into groups of 4 slots, interleaved by cache lines for the dot-product instructions:
// group = [dim / 16][4 slots][16 bytes], with 4 float32 scales elsewhere.
//
// Concurrency: any number of scans run beside each other and beside one writer. All chunks of an
// entry share a page and a page has one lock, so a scan sees an entry whole or not at all; a reader
// waits for a writer at most as long as one entry takes to be written, a writer for readers at most
// as long as one page takes to be scanned. What Append or Remove has returned from, every later
// scan honours.
//
// Exactness: int8 keys are scored in integers, so that every machine (reference, AVX2, AVX-512) and
// any thread count gives the same bits. Against float32 keys, |error| ≤ QueryErrorBound().
#ifndef KVASIR_COMPUTE_ROUTE_H_
#define KVASIR_COMPUTE_ROUTE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "kvasir/status.h"

namespace kvasir::compute {

enum class QueryReduce : std::uint8_t { kMax, kMean, kLast };  ///< Over the query's tokens.
enum class ChunkReduce : std::uint8_t { kMax, kMean };         ///< Over an entry's chunks.
enum class HeadReduce : std::uint8_t { kMean, kMax };          ///< Over query heads (ScanGeneral).

enum class RouteKeys : std::uint8_t {
  kInt8,  ///< Codes in [-127, 127] and one float32 scale per chunk and layer.
  kF32,   ///< Four times the bytes, no rounding.
};

/// How many bits a query keeps when the keys are int8. 15 costs twice the arithmetic of 8 on
/// AVX-512 and nothing elsewhere; either is usually hidden behind the reading of the keys.
enum class QueryBits : std::uint8_t { k8, k15 };

struct RouteShape {
  std::int64_t layers = 0;  ///< Routed layers, numbered from 0.
  std::int64_t dim = 0;     ///< H_kv * D, a multiple of 4.
  RouteKeys keys = RouteKeys::kInt8;
};

/// What the index takes in: one segment's pooled router keys. Borrows; copied by Append.
struct RouteEntry {
  std::uint64_t id = 0;                ///< The caller's, unique among entries present.
  std::int64_t chunks = 0;             ///< 1 … RouteIndex::kMaxChunks.
  std::span<const std::int8_t> codes;  ///< kInt8: [layers, chunks, dim].
  std::span<const float> scales;       ///< kInt8: [layers, chunks]; key = scale * code.
  std::span<const float> keys;         ///< kF32: [layers, chunks, dim].
};

/// A set of entry ordinals: what a filter lets through. Ordinals past the end are not in it.
class EntryBitmap {
 public:
  void Set(std::uint32_t ordinal);
  bool Test(std::uint32_t ordinal) const {
    const std::size_t word = ordinal / 64;
    return word < words_.size() && (words_[word] >> (ordinal % 64) & 1) != 0;
  }

 private:
  std::vector<std::uint64_t> words_;
};

struct RouteQuery {
  std::int64_t layer = 0;
  /// [n, dim]: one vector per routing token, the heads of a key-value group already added up
  /// (GroupQueries). n ≥ 1; all finite.
  std::span<const float> queries;
  QueryReduce query_reduce = QueryReduce::kMax;
  ChunkReduce chunk_reduce = ChunkReduce::kMax;
  QueryBits bits = QueryBits::k15;
  const EntryBitmap* allowed = nullptr;  ///< Null: every entry.
  int threads = 0;                       ///< 0: one per core.
};

/// How ScanBest may look for the best.
enum class RouteEffort : std::uint8_t {
  kAuto,   ///< By sketches once the index has them, otherwise exactly.
  kExact,  ///< Every key whole: the oracle of the others.
};

/// A weighted sum of layers' scores, of which only the best need be exact.
struct RouteSum {
  /// One query per layer; `allowed` and `threads` of the first hold for all.
  std::span<const RouteQuery> layers;
  std::span<const float> weights;  ///< One per query; empty: 1 each.
  /// Whose each entry is, by ordinal, as long as the totals: entries of one owner count as one, by
  /// the highest of them. Owners are small numbers, an array as long as the highest is made. Empty:
  /// every entry is its own owner.
  std::span<const std::uint32_t> owners{};
  std::int64_t best = 16;  ///< How many owners' highest sums must be exact.
  /// Owners whose highest sums must be exact besides, say because another channel found them.
  std::span<const std::uint32_t> also;
  RouteEffort effort = RouteEffort::kAuto;
};

/// Shape of ungrouped queries, for reductions that need every head by itself.
struct RouteHeads {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  HeadReduce reduce = HeadReduce::kMean;
};

struct RouteHit {
  std::uint64_t id = 0;
  std::uint32_t ordinal = 0;
  float score = 0;
};

class RouteKeySource;  // route_source.h

/// See the top of this file. Every method may be called from any thread at any time.
class RouteIndex {
 public:
  static constexpr std::int64_t kMaxChunks = 4096;  ///< Of one entry: a page.
  /// From this many chunks on an index keeps sketches too: below, a whole scan takes as long.
  static constexpr std::int64_t kSketchChunks = 32768;

  /// kInvalidArgument unless layers ≥ 1 and dim is a positive multiple of 4, at most 4096.
  /// `source`, if any, must outlive the index and have every entry that is present in it.
  static Result<std::unique_ptr<RouteIndex>> Make(const RouteShape& shape,
                                                  RouteKeySource* source = nullptr);
  ~RouteIndex();
  RouteIndex(const RouteIndex&) = delete;
  RouteIndex& operator=(const RouteIndex&) = delete;

  const RouteShape& shape() const;

  /// Adds an entry and returns its ordinal: dense, from 0, in order of appending, never used again
  /// (bitmaps and score arrays made earlier stay true). kConflict if the id is present,
  /// kInvalidArgument for a wrong shape, a NaN, an infinity or a negative scale.
  Result<std::uint32_t> Append(const RouteEntry& entry);

  /// From BeginFill on Append begins no sketches; EndFill makes them all at once, on `threads`
  /// threads (0: one per core). The fast way to fill an index; searches in between, also while
  /// EndFill works, read keys whole; changes wait for it. kUnavailable when there is no memory for
  /// sketches, kCancelled when `stop` was asked: the index goes on without.
  void BeginFill();
  Status EndFill(int threads, const std::stop_token& stop = {});
  /// Whether EndFill has more than a moment's work.
  bool WantsSketches() const;

  /// From now on keys are read from the source and only sketches are held: made of what is there,
  /// with its mean, on `threads` threads (0: one per core), then of what is appended. Every score
  /// stays the same, bit for bit; ScanBest reads the keys of what may win, everything else those of
  /// all that it scores. What the source does not have scores as what is not present.
  /// kInvalidArgument without a source or with float32 keys, kUnavailable when there is no memory.
  Status GiveUpKeys(int threads);
  bool HoldsKeys() const;

  /// Forgets an entry: its keys are overwritten before this returns, its slots are used again.
  /// kNotFound if absent.
  Status Remove(std::uint64_t id);

  /// One more than the highest ordinal given out: how long a score array must be.
  std::size_t Ordinals() const;
  /// Entries present, their chunks, bytes of keys, scales and sketches held, and of the tables
  /// beside them.
  std::int64_t Entries() const;
  std::int64_t Chunks() const;
  std::int64_t Bytes() const;
  std::int64_t TableBytes() const;
  /// The ordinal of an id, kNotFound if absent; for building a bitmap.
  Result<std::uint32_t> Ordinal(std::uint64_t id) const;

  /// Scores entries: scores[ordinal], -infinity where there is none or it is not allowed; ordinals
  /// ≥ scores.size() are left out. best_chunk, if not empty, has scores.size() numbers: which chunk
  /// of the entry scored highest. Costs one reading of the layer's keys; allocates nothing once
  /// warm. kInvalidArgument for a wrong layer or size, or a query that is not finite.
  Status Scan(const RouteQuery& query, std::span<float> scores,
              std::span<std::uint32_t> best_chunk = {}) const;

  /// totals[ordinal] = Σ weight · Scan's score over the queries' layers, -infinity as in Scan; and
  /// how many of them are exact. An owner's highest total is exact if it can be among the `best`
  /// highest owners or is in `also`; the others are estimates, each below the worst of the best or
  /// below an exact one of the same owner. With sketches (one bit for each number of a key, read
  /// instead of the keys) a true one of the best is missed in about one search in a thousand;
  /// without, or with RouteEffort::kExact, all are exact. Costs one reading of the sketches and of
  /// the keys of what may win, an eighth to a third of Scan's bytes. Errors as in Scan.
  Result<std::int64_t> ScanBest(const RouteSum& sum, std::span<float> totals) const;

  /// What Scan says of single entries, whatever `query.allowed` is: scores[i] of ordinals[i], and
  /// best_chunk[i] unless it is empty. Costs one reading of their keys. Errors as in Scan.
  Status ScanEntries(const RouteQuery& query, std::span<const std::uint32_t> ordinals,
                     std::span<float> scores, std::span<std::uint32_t> best_chunk = {}) const;

  /// The same as Scan with queries [n, heads * head_dim], each head by itself, in any combination
  /// of reductions: plain loops in double, slow, exact. The oracle of Scan.
  Status ScanGeneral(const RouteQuery& query, const RouteHeads& heads,
                     std::span<float> scores) const;

  /// Calls visit(i, key [dim]) for every chunk of ordinals[i] that is here: its key in one layer as
  /// float32, an entry's in their order. On the calling thread, under the lock of a page: the visit
  /// must not come back here. kInvalidArgument for a wrong layer.
  using KeyVisit = std::function<void(std::size_t index, std::span<const float> key)>;
  Status ReadKeys(std::int64_t layer, std::span<const std::uint32_t> ordinals,
                  const KeyVisit& visit) const;

  /// The k best of `scores` into `hits`, best first, equal scores by lower id; fewer if there are
  /// fewer. Entries removed since the scan are left out.
  void TopK(std::span<const float> scores, std::int64_t k, const EntryBitmap* allowed,
            std::vector<RouteHit>* hits) const;

  struct State;  ///< route_state.h

 private:
  explicit RouteIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Adds up the query heads that share a key-value head: out[t, g] = factor · Σ_{h in g} q̂[t, h], q̂
/// the unit vector of q when `cosine`, q itself otherwise. queries [n, heads * head_dim], out
/// [n, kv_heads * head_dim]. factor = 1 / heads gives msa.md's mean over heads.
void GroupQueries(std::span<const float> queries, const RouteHeads& heads, bool cosine,
                  float factor, std::span<float> out);

/// By how much Scan's score of a chunk may differ from the dot product of the float32 query with
/// the dequantised key, for a query vector whose largest magnitude is `max_abs` and a key whose
/// codes have the 1-norm `code_norm1` and scale `scale`:  max_abs / (2 · steps) · scale ·
/// code_norm1, where steps is 127 for k8 and min(16256, 2^31 / (128 · dim)) for k15, plus float32
/// rounding.
float QueryErrorBound(QueryBits bits, std::int64_t dim, float max_abs, float scale,
                      float code_norm1);

}  // namespace kvasir::compute

#endif  // KVASIR_COMPUTE_ROUTE_H_
