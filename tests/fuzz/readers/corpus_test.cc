#include "tests/fuzz/corpus.h"

#include "tests/fuzz/readers/checks.h"

namespace kvasir::testing {
namespace {

class Readers : public ::testing::TestWithParam<Corpus> {};

TEST_P(Readers, HoldForEveryKeptInput) { ReplayCorpus("readers", GetParam()); }

INSTANTIATE_TEST_SUITE_P(FuzzCorpus, Readers,
                         ::testing::Values(Corpus{"head", CheckHead}, Corpus{"body", CheckBody},
                                           Corpus{"filter", CheckFilter}, Corpus{"row", CheckRow}),
                         [](const auto& instance) { return instance.param.folder; });

}  // namespace
}  // namespace kvasir::testing
