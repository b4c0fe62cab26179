#include "model/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/gguf.h"
#include "model/tensor_names.h"
#include "tests/support/source_dir.h"
#include "tests/support/test_model.h"
#include "tests/support/tokenizer_fixture.h"
#include "tests/unit/model_files/gguf_writer.h"
#include "tests/unit/model_files/temp_folder.h"

namespace kvasir::model {
namespace {

using ::testing::HasSubstr;

constexpr char kConfig[] = R"({"model_type": "qwen3", "hidden_size": 2, "num_hidden_layers": 1,
  "num_attention_heads": 1, "head_dim": 2, "intermediate_size": 2, "vocab_size": 1300,
  "max_position_embeddings": 64})";

class Checkpoint : public ::testing::Test {
 protected:
  Checkpoint() {
    Write("config.json", kConfig);
    Write("tokenizer.json", testing::SmallTokenizerJson("qwen2").dump());
    std::string weights;
    testing::GgufWriter::PutText(
        weights, R"({"model.norm.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})");
    Write("model.safetensors", weights + std::string(8, '\0'));
  }
  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_.path() / name, std::ios::binary) << bytes;
  }
  std::string Message() { return OpenModelFiles(folder_.path()).status().message(); }

  testing::TempFolder folder_;
};

TEST_F(Checkpoint, OpensAsAFolderOrByItsWeights) {
  for (const auto& path : {folder_.path(), folder_.path() / "model.safetensors"}) {
    const auto files = OpenModelFiles(path);
    ASSERT_TRUE(files.ok()) << files.status().message();
    EXPECT_EQ(files->config.architecture, Architecture::kQwen3);
    EXPECT_TRUE(FindTensor(*files->weights, files->config, {TensorRole::kFinalNorm}).ok());
  }
}

TEST_F(Checkpoint, SaysWhichFileIsMissingOrWrong) {
  Write("config.json", std::string(2 << 20, ' '));
  EXPECT_THAT(Message(), HasSubstr("config.json: 2097152 bytes"));
  Write("config.json", "{");
  EXPECT_THAT(Message(), HasSubstr("config.json: not JSON"));
  Write("config.json", kConfig);
  std::filesystem::remove(folder_.path() / "tokenizer.json");
  EXPECT_THAT(Message(), HasSubstr("tokenizer.json: No such file"));
}

TEST_F(Checkpoint, RefusesATokenizerLargerThanTheModel) {
  std::string small = kConfig;
  small.replace(small.find("1300"), 4, "1100");
  Write("config.json", small);
  EXPECT_THAT(Message(), HasSubstr("the model only 1100"));
}

TEST(OpenModelFiles, SaysThatAFileCalledGgufIsNone) {
  const testing::TempFolder folder;
  const auto path = folder.path() / "m.gguf";
  std::ofstream(path, std::ios::binary).flush();
  EXPECT_THAT(OpenModelFiles(path).status().message(), HasSubstr("not a GGUF file: it is empty"));
  std::ofstream(path, std::ios::binary) << std::string(4096, 'x');
  const Status status = OpenModelFiles(path).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_THAT(status.message(), HasSubstr("m.gguf: not a GGUF file: its first bytes"));
}

TEST(OpenModelFiles, OpensTheDefaultModel) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const auto files = OpenModelFiles(path);
  ASSERT_TRUE(files.ok()) << files.status().message();
  EXPECT_EQ(files->tokenizer.vocab_size(), 49152);
  EXPECT_EQ(files->tokenizer.eos(), 2);
  EXPECT_FALSE(files->tokenizer.add_bos());
}

TEST(OpenModelFiles, OpensTheGoldenCheckpointsWeightsAndConfigurations) {
  const std::filesystem::path golden = test::SourceDir() / "tests/golden/vectors";
  for (const char* name : {"cosine", "dot", "shared_cosine", "shared_dot"}) {
    SCOPED_TRACE(name);
    std::ifstream file(golden / name / "config.json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto config = ConfigFromJson(text, name);
    ASSERT_TRUE(config.ok()) << config.status().message();
    const auto weights = OpenWeights(golden / name);
    ASSERT_TRUE(weights.ok()) << weights.status().message();
    for (const TensorView& tensor : (*weights)->tensors()) {
      const auto id = ParseTensorName(TensorNaming::kHuggingFace, tensor.name);
      ASSERT_TRUE(id.has_value()) << tensor.name;
      const auto found = FindTensor(**weights, *config, *id);
      EXPECT_TRUE(found.ok()) << found.status().message();
    }
  }
}

}  // namespace
}  // namespace kvasir::model
