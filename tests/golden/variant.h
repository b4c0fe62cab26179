// One golden variant: a tiny random model and what the method's reference computes with it.
#ifndef KVASIR_TESTS_GOLDEN_VARIANT_H_
#define KVASIR_TESTS_GOLDEN_VARIANT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/model.h"
#include "model/observer.h"
#include "model/safetensors.h"

namespace kvasir::model {

/// A tensor of the golden files with its shape.
struct GoldenTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

class Variant {
 public:
  /// Loads through the product's own loader, with float32 weights.
  static std::unique_ptr<Variant> Load(const std::string& name, const std::string& backend);

  const std::shared_ptr<const Model>& model() const { return model_; }
  const nlohmann::json& facts() const { return facts_; }
  bool Has(const std::string& tensor) const;
  /// By name, from whichever file holds it.
  GoldenTensor Tensor(const std::string& name) const;
  /// A tensor [heads, n, D] as rows [n, heads * D], rows [first, first + count).
  std::vector<float> HeadRows(const std::string& name, std::int64_t first,
                              std::int64_t count) const;
  /// Every name that holds `part`.
  std::vector<std::string> Names(const std::string& part) const;
  std::vector<std::vector<std::int32_t>> Documents() const;

 private:
  nlohmann::json facts_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::shared_ptr<const Model> model_;
};

/// |a-b| <= 1e-4 + 1e-4*|b|, every number; names the worst one otherwise.
void ExpectClose(std::span<const float> actual, std::span<const float> expected,
                 const std::string& what);

/// Keeps the latest rows of every probe.
class Recorder final : public Observer {
 public:
  void See(Probe probe, std::int32_t layer, std::span<const float> rows, std::int64_t) override {
    rows_[{probe, layer}].assign(rows.begin(), rows.end());
  }
  const std::vector<float>& Rows(Probe probe, std::int32_t layer) { return rows_[{probe, layer}]; }

 private:
  std::map<std::pair<Probe, std::int32_t>, std::vector<float>> rows_;
};

/// Every test runs each variant on each backend.
class Golden : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    variant_ = Variant::Load(std::get<0>(GetParam()), std::get<1>(GetParam()));
    ASSERT_NE(variant_, nullptr);
  }
  const Variant& variant() const { return *variant_; }
  const Model& model() const { return *variant_->model(); }

 private:
  std::unique_ptr<Variant> variant_;
};

inline const auto kEveryVariantAndBackend =
    testing::Combine(testing::Values("cosine", "dot", "shared_cosine", "shared_dot"),
                     testing::Values("reference", "cpu"));

inline std::string GoldenName(const testing::TestParamInfo<Golden::ParamType>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param);
}

}  // namespace kvasir::model

#endif  // KVASIR_TESTS_GOLDEN_VARIANT_H_
