#include "tests/integration/memory/fixture.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <utility>

namespace kvasir {
namespace {

constexpr int kHidden = 576;  // SmolLM2-135M

// safetensors: length of the header, header, tensors.
void WriteAdapter(const std::string& path) {
  constexpr int kDim = 16;
  constexpr std::size_t kBytes = std::size_t{kDim} * kHidden * sizeof(float);
  const std::string settings = R"({\"format\":1,\"routed_layers\":[3],\"dim\":16,\"heads\":2})";
  std::string header = R"({"__metadata__":{"kvasir_adapter":")" + settings + R"("})";
  std::size_t offset = 0;
  for (const char* name : {"layers.3.router_q.weight", "layers.3.router_k.weight"}) {
    header.append(",\"").append(name).append(
        R"(":{"dtype":"F32","shape":[16,576],"data_offsets":)");
    header += Name("[", offset, Name(",", offset + kBytes, "]}"));
    offset += kBytes;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> weights(2 * kDim * kHidden);
  for (float& weight : weights) weight = normal(random);
  std::ofstream file(path, std::ios::binary);
  const std::uint64_t length = header.size();
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file << header;
  file.write(reinterpret_cast<const char*>(weights.data()), static_cast<std::streamsize>(offset));
}

}  // namespace

std::string Name(std::string_view prefix, std::size_t number, std::string_view suffix) {
  std::string name(prefix);
  name += std::to_string(number);
  name += suffix;
  return name;
}

RecallRequest Query(std::string_view text) {
  RecallRequest request;
  request.query = text;
  return request;
}

ForgetRequest ForgetIds(std::vector<std::string> ids) {
  ForgetRequest request;
  request.ids = std::move(ids);
  return request;
}

UpdateRequest EditText(std::string_view id, std::string_view text) {
  UpdateRequest request;
  request.id = id;
  request.text = text;
  return request;
}

void MemoryTest::SetUp() {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  model_ = path.string();
  auto folder = sdk::TemporaryFolder::Make();
  ASSERT_TRUE(folder.ok()) << folder.status().message();
  folder_ = std::make_unique<sdk::TemporaryFolder>(*std::move(folder));
  Open();
}

void MemoryTest::TearDown() { memory_.reset(); }

OpenOptions MemoryTest::Options() const {
  OpenOptions options;
  options.model = model_;
  // Tests run beside each other: threads that wait for threads would wait for other tests.
  options.threads = 1;
  return options;
}

void MemoryTest::Open(OpenOptions options) {
  memory_.reset();
  auto opened = sdk::OpenEmbedded((folder_->path() / "store").string(), options,
                                  {.clock = &clock_, .random = nullptr});
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  memory_ = *std::move(opened);
}

RememberReceipt MemoryTest::Remember(const RememberRequest& request) {
  auto receipt = memory_->Remember(request);
  EXPECT_TRUE(receipt.ok()) << receipt.status().message();
  return receipt.ok() ? *receipt : RememberReceipt();
}

RememberReceipt MemoryTest::Remember(const std::string& id, const std::string& text) {
  RememberRequest request;
  request.id = id;
  request.text = text;
  return Remember(request);
}

void MemoryTest::RememberMany(std::string_view prefix, const std::vector<std::string>& texts) {
  std::vector<RememberRequest> requests(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    requests[i].id = Name(prefix, i);
    requests[i].text = texts[i];
  }
  for (const auto& receipt : memory_->RememberBatch(requests)) {
    EXPECT_TRUE(receipt.ok()) << receipt.status().message();
  }
}

std::vector<std::string> MemoryTest::Recall(const RecallRequest& request) {
  const auto found = memory_->Recall(request);
  EXPECT_TRUE(found.ok()) << found.status().message();
  std::vector<std::string> ids;
  if (!found.ok()) return ids;
  for (const Hit& hit : found->hits) ids.push_back(hit.id);
  return ids;
}

std::vector<std::string> MemoryTest::Recall(const std::string& query) {
  return Recall(Query(query));
}

std::string MemoryTest::OtherAdapter() const {
  const std::string path = (folder_->path() / "other.safetensors").string();
  WriteAdapter(path);
  return path;
}

}  // namespace kvasir
