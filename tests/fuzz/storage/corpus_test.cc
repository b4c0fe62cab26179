#include "tests/fuzz/corpus.h"

#include "tests/fuzz/storage/checks.h"

namespace kvasir::testing {
namespace {

class StoreBytes : public ::testing::TestWithParam<Corpus> {};

TEST_P(StoreBytes, HoldForEveryKeptInput) { ReplayCorpus("storage", GetParam()); }

INSTANTIATE_TEST_SUITE_P(FuzzCorpus, StoreBytes,
                         ::testing::Values(Corpus{"segment", CheckSegment},
                                           Corpus{"rows", CheckRows}, Corpus{"text", CheckText}),
                         [](const auto& instance) { return instance.param.folder; });

}  // namespace
}  // namespace kvasir::testing
