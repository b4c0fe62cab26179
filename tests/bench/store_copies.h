// Large stores for benchmarks: memories of a real store, copied with noise in their router keys.
#ifndef KVASIR_TESTS_BENCH_STORE_COPIES_H_
#define KVASIR_TESTS_BENCH_STORE_COPIES_H_

#include <cstdint>
#include <string>

#include "kvasir/status.h"

namespace kvasir::bench {

/// Fills the store in folder `to` from the default space of the store `from` until it holds
/// `tokens` tokens: every memory once, then again and again with noise half as long as each router
/// key (cosine to the original 0.89), so that a search has many near rivals. Texts are copied as
/// they are; K̄, V̄ are left out, recall does not read them. Goes on where an earlier call ended.
/// Costs no model: about the time in which the store writes and indexes the texts.
Status CopyStore(const std::string& from, const std::string& to, std::uint64_t tokens);

}  // namespace kvasir::bench

#endif  // KVASIR_TESTS_BENCH_STORE_COPIES_H_
