#include "model/tensor_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/gguf.h"
#include "tests/support/test_model.h"
#include "tests/unit/model_files/gguf_writer.h"

namespace kvasir::model {
namespace {

using ::kvasir::testing::AsBytes;
using ::kvasir::testing::GgufWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TensorNames, TranslateBothWaysWithoutTwoOfAName) {
  for (const TensorNaming naming : {TensorNaming::kGguf, TensorNaming::kHuggingFace}) {
    std::set<std::string> names;
    for (int role = 0; role <= static_cast<int>(TensorRole::kDown); ++role) {
      TensorId id = {static_cast<TensorRole>(role), -1};
      if (IsPerLayer(id.role)) id.layer = 17;
      const std::string name = TensorName(naming, id);
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_EQ(ParseTensorName(naming, name), id) << name;
    }
  }
  EXPECT_EQ(TensorName(TensorNaming::kGguf, {TensorRole::kQuery, 3}), "blk.3.attn_q.weight");
  EXPECT_EQ(TensorName(TensorNaming::kHuggingFace, {TensorRole::kRouterKey, 3}),
            "model.layers.3.self_attn.router_k_proj.0.weight");
}

TEST(TensorNames, AreNotReadIntoWhatIsNone) {
  for (const char* name : {"", "blk.", "blk.x.attn_q.weight", "blk.-1.attn_q.weight", "blk.3",
                           "blk.3.", "blk.3.output.weight", "attn_q.weight",
                           "blk.99999999999.attn_q.weight", "rope_freqs.weight"}) {
    EXPECT_EQ(ParseTensorName(TensorNaming::kGguf, name), std::nullopt) << name;
  }
}

TEST(FindTensor, ComparesTheShapeWithTheConfiguration) {
  GgufWriter w;
  w.Tensor("output_norm.weight", {8}, 0, 0);
  w.data = std::string(32, '\0');
  const std::string bytes = w.Bytes();
  const auto file = GgufFile::Parse(AsBytes(bytes), "x.gguf");
  ASSERT_TRUE(file.ok());
  ModelConfig config;
  config.hidden = 8;
  EXPECT_TRUE(FindTensor(**file, config, {TensorRole::kFinalNorm}).ok());
  config.hidden = 16;
  EXPECT_THAT(FindTensor(**file, config, {TensorRole::kFinalNorm}).status().message(),
              HasSubstr("has shape [8], the configuration says [16]"));
  EXPECT_EQ(FindTensor(**file, config, {TensorRole::kHead}).status().code(), StatusCode::kNotFound);
}

TEST(FindTensor, KnowsEveryTensorOfTheDefaultModel) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok());
  const auto config = ConfigFromGguf(**file);
  ASSERT_TRUE(config.ok());
  for (const TensorView& tensor : (*file)->tensors()) {
    const auto id = ParseTensorName(TensorNaming::kGguf, tensor.name);
    ASSERT_TRUE(id.has_value()) << tensor.name;
    const auto found = FindTensor(**file, *config, *id);
    EXPECT_TRUE(found.ok()) << found.status().message();
  }
}

}  // namespace
}  // namespace kvasir::model
