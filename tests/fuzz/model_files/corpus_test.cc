#include "tests/fuzz/corpus.h"

#include "tests/fuzz/model_files/checks.h"

namespace kvasir::testing {
namespace {

class ModelFiles : public ::testing::TestWithParam<Corpus> {};

TEST_P(ModelFiles, HoldForEveryKeptInput) { ReplayCorpus("model_files", GetParam()); }

INSTANTIATE_TEST_SUITE_P(FuzzCorpus, ModelFiles,
                         ::testing::Values(Corpus{"gguf", CheckGguf},
                                           Corpus{"safetensors", CheckSafetensors},
                                           Corpus{"json", CheckJson},
                                           Corpus{"tokenizer", CheckTokenizer}),
                         [](const auto& instance) { return instance.param.folder; });

}  // namespace
}  // namespace kvasir::testing
