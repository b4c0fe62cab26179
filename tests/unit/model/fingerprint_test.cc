#include "model/fingerprint.h"

#include <gtest/gtest.h>

#include "tests/unit/model/tiny_model.h"

namespace kvasir::model {
namespace {

std::string HashOf(std::string_view text) { return ToHex(Hash128(std::as_bytes(std::span(text)))); }

TEST(Fingerprint, HashesAsPublished) {
  // MurmurHash3_x64_128, seed 0; the two words little endian.
  EXPECT_EQ(HashOf(""), "00000000000000000000000000000000");
  EXPECT_EQ(HashOf("hello"), "029bbd41b3a7d8cb191dae486a901e5b");
  EXPECT_EQ(HashOf("The quick brown fox jumps over the lazy dog"),
            "6c1b07bc7bbc4be347939ac4a93c437a");
}

TEST(Fingerprint, IsTheSameForTheSameFiles) {
  EXPECT_EQ(TinyModel()->fingerprint(), TinyModel({.backend = "cpu"})->fingerprint());
}

TEST(Fingerprint, ChangesWithOneNumberOfTheWeights) {
  TestFolder folder;
  HostTensors weights = TinyWeights();
  WriteSafetensors(folder.path() / "model.safetensors", weights, {{"any", "metadata"}});
  // Neither the order of tensors in a file nor its metadata matters.
  EXPECT_EQ(TinyModel({.folder = folder.path()})->fingerprint(), TinyModel()->fingerprint());
  weights["model.layers.0.mlp.down_proj.weight"].values[17] += 1e-3F;
  WriteSafetensors(folder.path() / "model.safetensors", weights, {});
  EXPECT_NE(TinyModel({.folder = folder.path()})->fingerprint(), TinyModel()->fingerprint());
}

TEST(Fingerprint, ChangesWithTheWayOfRouting) {
  EXPECT_NE(TinyModel({.routers = false})->fingerprint(), TinyModel()->fingerprint());
}

}  // namespace
}  // namespace kvasir::model
