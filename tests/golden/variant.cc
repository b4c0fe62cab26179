#include "tests/golden/variant.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/source_dir.h"

namespace kvasir::model {

using nlohmann::json;

std::unique_ptr<Variant> Variant::Load(const std::string& name, const std::string& backend_name) {
  const auto folder = test::SourceDir() / "tests" / "golden" / "vectors" / name;
  auto variant = std::make_unique<Variant>();
  variant->facts_ = json::parse(std::ifstream(folder / "case.json"));
  for (const char* file : {"memory", "question", "scoring"}) {
    auto opened = SafetensorsFile::Open(folder / (std::string(file) + ".safetensors"));
    if (!opened.ok()) {
      ADD_FAILURE() << opened.status().message();
      return nullptr;
    }
    variant->files_.push_back(std::move(opened).value());
  }  // One thread: tensors this small are not worth waking a second one for.
  auto backend = compute::MakeBackend(
      {.name = backend_name, .precision = compute::Precision::kF32, .threads = 1});
  std::ifstream config_file(folder / "config.json");
  const std::string config_text(std::istreambuf_iterator<char>(config_file), {});
  auto config = ConfigFromJson(config_text, "config.json");
  auto weights = OpenWeights(folder);
  for (const Status& status : {backend.status(), config.status(), weights.status()}) {
    if (!status.ok()) {
      ADD_FAILURE() << status.message();
      return nullptr;
    }
  }
  // The tiny models have no tokenizer; everything else is the way of a user's checkpoint.
  auto model = Model::Assemble(
      {.weights = std::move(weights).value(), .config = *config, .tokenizer = std::nullopt},
      *backend, {.adapter = "", .template_head = variant->facts_["template_head"]["ids"]});
  if (!model.ok()) {
    ADD_FAILURE() << model.status().message();
    return nullptr;
  }
  variant->model_ = *model;
  return variant;
}

bool Variant::Has(const std::string& tensor) const {
  for (const auto& file : files_) {
    if (file->Contains(tensor)) return true;
  }
  return false;
}

GoldenTensor Variant::Tensor(const std::string& name) const {
  for (const auto& file : files_) {
    if (!file->Contains(name)) continue;
    const TensorView view = *file->Find(name);
    GoldenTensor tensor{.shape = view.shape, .values = {}};
    tensor.values.resize(static_cast<std::size_t>(view.elements()));
    std::memcpy(tensor.values.data(), view.bytes.data(), view.bytes.size());
    return tensor;
  }
  ADD_FAILURE() << "no golden tensor " << name;
  return {};
}

std::vector<float> Variant::HeadRows(const std::string& name, std::int64_t first,
                                     std::int64_t count) const {
  const GoldenTensor tensor = Tensor(name);
  const std::int64_t heads = tensor.shape[0];
  const std::int64_t rows = tensor.shape[1];
  const std::int64_t dim = tensor.shape[2];
  std::vector<float> out;
  for (std::int64_t row = first; row < first + count; ++row) {
    for (std::int64_t head = 0; head < heads; ++head) {
      const auto begin = tensor.values.begin() + (head * rows + row) * dim;
      out.insert(out.end(), begin, begin + dim);
    }
  }
  return out;
}

std::vector<std::string> Variant::Names(const std::string& part) const {
  std::vector<std::string> names;
  for (const auto& file : files_) {
    for (const TensorView& tensor : file->tensors()) {
      if (tensor.name.find(part) != std::string_view::npos) names.emplace_back(tensor.name);
    }
  }
  return names;
}

std::vector<std::vector<std::int32_t>> Variant::Documents() const {
  std::vector<std::vector<std::int32_t>> documents;
  for (const json& document : facts_["documents"]) {
    documents.push_back(document["ids"].get<std::vector<std::int32_t>>());
  }
  return documents;
}

void ExpectClose(std::span<const float> actual, std::span<const float> expected,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double worst = 0;
  std::size_t place = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual[i]) - expected[i]);
    const double part = error / (1e-4 + 1e-4 * std::abs(static_cast<double>(expected[i])));
    // Written so that a NaN is the worst of all.
    if (!(part <= worst)) {
      worst = part;
      place = i;
    }
  }
  EXPECT_LE(worst, 1.0) << what << " [" << place << "]: " << actual[place] << " instead of "
                        << expected[place];
}

}  // namespace kvasir::model
