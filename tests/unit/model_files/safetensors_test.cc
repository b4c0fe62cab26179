#include "model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/model_files/gguf_writer.h"
#include "tests/unit/model_files/temp_folder.h"

namespace kvasir::model {
namespace {

using ::kvasir::testing::AsBytes;
using ::kvasir::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A file of this header and so many data bytes.
std::string Make(std::string_view header, size_t data) {
  std::string out;
  testing::GgufWriter::PutText(out, header);
  return out + std::string(data, '\1');
}

/// An object of these members.
std::string Braced(std::initializer_list<std::string> members) {
  std::string out;
  for (const std::string& member : members) out.append(out.empty() ? "{" : ",").append(member);
  return out.append("}");
}

std::string Entry(std::string_view name, std::string_view shape, int begin, int end,
                  std::string_view type = "F32") {
  std::ostringstream out;
  out << '"' << name << R"(":{"dtype":")" << type << R"(","shape":)" << shape
      << R"(,"data_offsets":[)" << begin << ',' << end << "]}";
  return out.str();
}

void ExpectRefused(const std::string& bytes, std::string_view reason,
                   StatusCode code = StatusCode::kCorruption) {
  const auto file = SafetensorsFile::Parse(AsBytes(bytes), "evil.safetensors");
  ASSERT_FALSE(file.ok()) << "accepted, expected: " << reason;
  EXPECT_EQ(file.status().code(), code) << file.status().message();
  EXPECT_THAT(file.status().message(), HasSubstr("evil.safetensors: "));
  EXPECT_THAT(file.status().message(), HasSubstr(std::string(reason)));
}

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const std::string bytes =
      Make(Braced({R"("__metadata__":{"format":"pt"})", Entry("a", "[2,3]", 0, 24),
                   Entry("h", "[2]", 24, 28, "F16"), Entry("t", "[]", 28, 30, "BF16")}) +
               "  ",
           30);
  const auto file = SafetensorsFile::Parse(AsBytes(bytes), "x");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(*(*file)->MetadataString("format"), "pt");
  EXPECT_EQ((*file)->MetadataString("other").status().code(), StatusCode::kNotFound);
  EXPECT_THAT((*file)->Find("a")->shape, ElementsAre(2, 3));
  EXPECT_EQ((*file)->Find("h")->type, compute::TensorType::kF16);
  EXPECT_EQ((*file)->Find("t")->elements(), 1);
  EXPECT_EQ((*file)->Find("t")->bytes.size(), 2u);
}

TEST(Safetensors, RefusesWrongHeaders) {
  ExpectRefused("", "too short");
  ExpectRefused(std::string(8, '\xFF'), "cannot lie in it");
  ExpectRefused(Make("{", 0), "not JSON");
  ExpectRefused(Make("[]", 0), "not an object");
  ExpectRefused(Make("\xFF", 0), "not JSON");
  ExpectRefused(Make(std::string(100000, '[') + std::string(100000, ']'), 0), "deeper than 64");
  ExpectRefused(Make(R"({"__metadata__":{"a":1}})", 0), "not a string");
  ExpectRefused(Make(R"({"__metadata__":[]})", 0), "not an object");
  ExpectRefused(Make(Braced({Entry("a", "[1]", 0, 4), Entry("a", "[1]", 4, 8)}), 8),
                "\"a\" is there twice");
}

TEST(Safetensors, RefusesWrongTensors) {
  const auto one = [](std::string_view shape, int begin, int end, size_t data,
                      std::string_view type = "F32") {
    return Make(Braced({Entry("a", shape, begin, end, type)}), data);
  };
  ExpectRefused(one("[2]", 0, 8, 4), "do not lie inside");
  ExpectRefused(one("[2]", 8, 0, 8), "do not lie inside");
  ExpectRefused(one("[2]", -8, 0, 8), "natural numbers");
  ExpectRefused(one("[2]", 0, 4, 4), "its shape needs 8");
  ExpectRefused(one("[-1]", 0, 4, 4), "natural numbers");
  ExpectRefused(one("[1.5]", 0, 4, 4), "natural numbers");
  ExpectRefused(one("[18446744073709551616]", 0, 4, 4), "natural numbers");
  ExpectRefused(one("[4611686018427387904,4,0]", 0, 0, 0), "overflows");
  ExpectRefused(one("[1,1,1,1,1,1,1,1,1]", 0, 4, 4), "at most 8");
  ExpectRefused(one("7", 0, 4, 4), "not an array");
  ExpectRefused(one("[1]", 0, 4, 8), "after the last tensor");
  ExpectRefused(one("[1]", 4, 8, 8), "a hole");
  ExpectRefused(one("[1]", 0, 8, 8, "I64"), "I64 is not supported", StatusCode::kUnavailable);
  ExpectRefused(Make(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), "no dtype");
  ExpectRefused(Make(R"({"a":3})", 4), "no dtype");
  ExpectRefused(Make(Braced({Entry("a", "[2]", 0, 8), Entry("b", "[2]", 4, 12)}), 12), "overlaps");
}

class Shards : public ::testing::Test {
 protected:
  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_.path() / name, std::ios::binary) << bytes;
  }
  auto Open(std::string_view weight_map) {
    Write("model.safetensors.index.json", R"({"weight_map":)" + std::string(weight_map) + "}");
    return OpenWeights(folder_.path());
  }

  TempFolder folder_;
};

TEST_F(Shards, AreReadThroughTheirIndex) {
  Write("one.safetensors", Make(Braced({Entry("a", "[1]", 0, 4)}), 4));
  Write("two.safetensors", Make(Braced({Entry("b", "[2]", 0, 8)}), 8));
  const auto file = Open(R"({"a":"one.safetensors","b":"two.safetensors"})");
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ((*file)->tensors().size(), 2u);
  EXPECT_EQ((*file)->Find("b")->bytes.size(), 8u);
}

TEST_F(Shards, AreRefusedWhenTheIndexDoesNotFit) {
  Write("one.safetensors", Make(Braced({Entry("a", "[1]", 0, 4)}), 4));
  Write("two.safetensors", Make(Braced({Entry("a", "[1]", 0, 4)}), 4));
  const auto message = [&](std::string_view map) { return Open(map).status().message(); };
  EXPECT_THAT(message(R"({"a":"one.safetensors","b":"one.safetensors"})"),
              HasSubstr("\"b\" is not in one.safetensors"));
  EXPECT_THAT(message(R"({"b":"one.safetensors"})"), HasSubstr("does not say that tensor \"a\""));
  EXPECT_THAT(message(R"({"a":"one.safetensors","b":"two.safetensors"})"),
              HasSubstr("two tensors are called \"a\""));
  EXPECT_THAT(message(R"({"a":"three.safetensors"})"), HasSubstr("three.safetensors: No such"));
  EXPECT_THAT(message(R"({"a":"../one.safetensors"})"), HasSubstr("not in a plainly named file"));
  EXPECT_THAT(message(R"({"a":"/etc/passwd"})"), HasSubstr("not in a plainly named file"));
  EXPECT_THAT(message(R"({})"), HasSubstr("no weight_map"));
  EXPECT_THAT(message(R"([1])"), HasSubstr("no weight_map"));
}

TEST(OpenWeights, SaysWhatAFolderLacks) {
  const TempFolder folder;
  EXPECT_THAT(OpenWeights(folder.path()).status().message(), HasSubstr("no model.safetensors"));
}

}  // namespace
}  // namespace kvasir::model
