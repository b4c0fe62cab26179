// The default model with the adapter of the repository.
#ifndef KVASIR_TESTS_UNIT_MODEL_SHIPPED_MODEL_H_
#define KVASIR_TESTS_UNIT_MODEL_SHIPPED_MODEL_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "model/model.h"
#include "tests/support/source_dir.h"

namespace kvasir::model {

/// On one thread of the fast backend; null when the test has failed.
inline std::shared_ptr<const Model> ShippedModel(const std::string& model_path,
                                                 compute::Precision precision) {
  auto backend = compute::MakeBackend({.name = "cpu", .precision = precision, .threads = 1});
  EXPECT_TRUE(backend.ok()) << backend.status().message();
  if (!backend.ok()) return nullptr;
  const auto adapter = test::SourceDir() / "model/adapters/smollm2-135m-instruct.safetensors";
  auto model = Model::Load(model_path, *backend, {.adapter = adapter.string()});
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? *model : nullptr;
}

}  // namespace kvasir::model

#endif  // KVASIR_TESTS_UNIT_MODEL_SHIPPED_MODEL_H_
