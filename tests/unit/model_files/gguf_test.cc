#include "model/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/support/test_model.h"
#include "tests/unit/model_files/gguf_writer.h"

namespace kvasir::model {
namespace {

using ::kvasir::testing::AsBytes;
using ::kvasir::testing::GgufWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The file's name and the reason, in one line, whatever is wrong with `bytes`.
void ExpectRefused(const std::string& bytes, std::string_view reason,
                   StatusCode code = StatusCode::kCorruption) {
  const auto file = GgufFile::Parse(AsBytes(bytes), "evil.gguf");
  ASSERT_FALSE(file.ok()) << "accepted, expected: " << reason;
  const Status status = file.status();
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_THAT(status.message(), HasSubstr("evil.gguf: "));
  EXPECT_THAT(status.message(), HasSubstr(std::string(reason)));
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
}

TEST(Gguf, ReadsEveryKindOfValue) {
  GgufWriter w;
  w.Value("u8", GgufType::kU8, uint8_t{250}).Value("i8", GgufType::kI8, int8_t{-3});
  w.Value("u16", GgufType::kU16, uint16_t{65000}).Value("i16", GgufType::kI16, int16_t{-300});
  w.U32("u32", 4000000000u).Value("i32", GgufType::kI32, int32_t{-7}).F32("f32", 0.5F);
  w.Value("bool", GgufType::kBool, uint8_t{1}).Text("text", "Ada");
  w.Value("u64", GgufType::kU64, std::numeric_limits<uint64_t>::max());
  w.Value("i64", GgufType::kI64, int64_t{-1} << 62).Value("f64", GgufType::kF64, 0.25);
  w.Texts("texts", {"a", "", "c"}).Ints("ints", {1, -2});
  const std::string bytes = w.Bytes();
  const auto file = GgufFile::Parse(AsBytes(bytes), "x.gguf");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const GgufFile& f = **file;
  EXPECT_EQ(*f.Integer("u8"), 250);
  EXPECT_EQ(*f.Integer("i8"), -3);
  EXPECT_EQ(*f.Integer("u16"), 65000);
  EXPECT_EQ(*f.Integer("i16"), -300);
  EXPECT_EQ(*f.Integer("u32"), 4000000000);
  EXPECT_EQ(*f.Integer("i32"), -7);
  EXPECT_EQ(*f.Number("f32"), 0.5);
  EXPECT_TRUE(*f.Bool("bool"));
  EXPECT_EQ(*f.MetadataString("text"), "Ada");
  EXPECT_FALSE(f.Integer("u64").ok()) << "does not fit";
  EXPECT_EQ(*f.Integer("i64"), int64_t{-1} << 62);
  EXPECT_EQ(*f.Number("f64"), 0.25);
  EXPECT_EQ(*f.Number("i8"), -3.0);
  EXPECT_THAT(*f.Strings("texts"), ElementsAre("a", "", "c"));
  EXPECT_EQ(*(*f.Array("ints"))->Integer(1), -2);
  EXPECT_FALSE((*f.Array("ints"))->Integer(2).ok());
  EXPECT_EQ(f.keys().size(), 14u);
  EXPECT_EQ(f.Integer("nothing").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(f.Integer("text").status().code(), StatusCode::kCorruption);
}

TEST(Gguf, FindsTensorsWithTheirShapeOutermostFirst) {
  GgufWriter w;
  w.Tensor("a", {4, 3}, 0, 0).Tensor("b", {32, 2}, 8, 64);
  w.data = std::string(64 + 68, '\7');
  const std::string bytes = w.Bytes();
  const auto file = GgufFile::Parse(AsBytes(bytes), "x.gguf");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto a = (*file)->Find("a");
  ASSERT_TRUE(a.ok());
  EXPECT_THAT(a->shape, ElementsAre(3, 4));
  EXPECT_EQ(a->bytes.size(), 48u);
  EXPECT_EQ(a->Rows(1, 2).size(), 32u);
  const auto b = (*file)->Find("b");
  ASSERT_TRUE(b.ok());
  EXPECT_EQ(b->type, compute::TensorType::kQ8_0);
  EXPECT_EQ(b->rows(), 2);
  EXPECT_EQ((*file)->Find("c").status().code(), StatusCode::kNotFound);
}

TEST(Gguf, ReadsNestedArraysToADepthOfFour) {
  const auto nested = [](int levels) {
    std::string bytes;
    for (int i = 1; i < levels; ++i) {
      GgufWriter::Put(bytes, GgufType::kArray);
      GgufWriter::Put<uint64_t>(bytes, 1);
    }
    GgufWriter::Put(bytes, GgufType::kU8);
    GgufWriter::Put<uint64_t>(bytes, 1);
    return bytes + "!";
  };
  const std::string bytes = GgufWriter().Raw("k", GgufType::kArray, nested(4)).Bytes();
  EXPECT_TRUE(GgufFile::Parse(AsBytes(bytes), "x.gguf").ok());
  ExpectRefused(GgufWriter().Raw("k", GgufType::kArray, nested(5)).Bytes(), "nested too deep");
  ExpectRefused(GgufWriter().Raw("k", GgufType::kArray, nested(100000)).Bytes(), "nested too deep");
}

TEST(Gguf, RefusesEveryTruncation) {
  GgufWriter w;
  w.Text("general.name", "x").Texts("t", {"a", "b"}).Ints("i", {1, 2, 3});
  w.Tensor("a", {4, 3}, 0, 0);
  w.data = std::string(48, 'x');
  const std::string bytes = w.Bytes();
  ASSERT_TRUE(GgufFile::Parse(AsBytes(bytes), "x.gguf").ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(GgufFile::Parse(AsBytes(bytes).first(size), "x.gguf").ok()) << size;
  }
}

TEST(Gguf, RefusesWrongHeaders) {
  GgufWriter w;
  w.magic = "GGML";
  ExpectRefused(w.Bytes(), "not a GGUF file");
  w = GgufWriter();
  w.version = 2;
  ExpectRefused(w.Bytes(), "only 3", StatusCode::kUnavailable);
  w.version = 0x03000000;
  ExpectRefused(w.Bytes(), "big-endian", StatusCode::kUnavailable);
  w = GgufWriter();
  w.tensor_count = uint64_t{1} << 60;
  ExpectRefused(w.Bytes(), "tensors cannot lie in");
  w = GgufWriter();
  w.value_count = std::numeric_limits<uint64_t>::max();
  ExpectRefused(w.Bytes(), "metadata values cannot lie in");
}

TEST(Gguf, RefusesWrongMetadata) {
  ExpectRefused(GgufWriter().U32("k", 1).U32("k", 2).Bytes(), "\"k\" is there twice");
  ExpectRefused(GgufWriter().U32("", 1).Bytes(), "key has 0 bytes");
  ExpectRefused(GgufWriter().U32(std::string(65536, 'k'), 1).Bytes(), "key has 65536 bytes");
  ExpectRefused(GgufWriter().Raw("k", static_cast<GgufType>(13), "1234").Bytes(),
                "unknown value type 13");
  ExpectRefused(GgufWriter().Value("k", GgufType::kBool, uint8_t{2}).Bytes(), "truth value");
  std::string huge;
  GgufWriter::Put<uint64_t>(huge, std::numeric_limits<uint64_t>::max());
  ExpectRefused(GgufWriter().Raw("k", GgufType::kString, huge).Bytes(), "cut off");
  for (const GgufType element : {GgufType::kString, GgufType::kU64, GgufType::kArray}) {
    std::string array;
    GgufWriter::Put(array, element);
    GgufWriter::Put<uint64_t>(array, uint64_t{1} << 61);
    ExpectRefused(GgufWriter().Raw("k", GgufType::kArray, array).Bytes(), "cannot lie in");
  }
}

TEST(Gguf, RefusesWrongTensors) {
  const auto with = [](const auto& make) {
    GgufWriter w;
    w.data = std::string(256, 'x');
    make(w);
    return w.Bytes();
  };
  using W = GgufWriter&;
  ExpectRefused(with([](W w) { w.Tensor("a", {4}, 0, 0).Tensor("a", {4}, 0, 32); }),
                "called \"a\"");
  ExpectRefused(with([](W w) { w.Tensor("a", {16}, 0, 0).Tensor("b", {4}, 0, 32); }), "overlap");
  ExpectRefused(with([](W w) { w.Tensor("a", {4}, 0, 16); }), "not aligned");
  ExpectRefused(with([](W w) { w.Tensor("a", {4}, 0, 256); }), "past the end");
  ExpectRefused(with([](W w) { w.Tensor("a", {4}, 0, uint64_t{0} - 32); }), "past the end");
  ExpectRefused(with([](W w) { w.Tensor("a", {65}, 0, 0); }), "past the end");
  ExpectRefused(with([](W w) { w.Tensor("a", {0}, 0, 0); }), "dimension of 0");
  ExpectRefused(with([](W w) { w.Tensor("a", {uint64_t{1} << 63}, 0, 0); }), "dimension of");
  ExpectRefused(with([](W w) { w.Tensor("a", {1u << 31, 1u << 31, 4}, 0, 0); }), "overflows");
  ExpectRefused(with([](W w) { w.Tensor("a", {1, 1, 1, 1, 1}, 0, 0); }), "5 dimensions");
  ExpectRefused(with([](W w) { w.Tensor("a", {33}, 8, 0); }), "not whole blocks");
  ExpectRefused(with([](W w) { w.Tensor("", {4}, 0, 0); }), "name has 0 bytes");
  ExpectRefused(with([](W w) { w.Tensor(std::string(65, 'n'), {4}, 0, 0); }), "name has 65 bytes");
  ExpectRefused(with([](W w) { w.Tensor("a", {4}, 16, 0); }), "type 16 is not supported",
                StatusCode::kUnavailable);
  for (const uint32_t alignment : {0u, 3u, 48u, 1u << 17}) {
    ExpectRefused(with([&](W w) { w.U32("general.alignment", alignment).Tensor("a", {4}, 0, 0); }),
                  "general.alignment");
  }
  ExpectRefused(with([](W w) { w.Text("general.alignment", "32").Tensor("a", {4}, 0, 0); }),
                "general.alignment");
}

TEST(Gguf, OpensTheDefaultModel) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const auto file = GgufFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(*(*file)->MetadataString("general.architecture"), "llama");
  EXPECT_EQ((*file)->tensors().size(), 272u);
  EXPECT_THAT((*file)->Find("token_embd.weight")->shape, ElementsAre(49152, 576));
}

TEST(Gguf, SaysWhichFileIsMissing) {
  const auto file = GgufFile::Open("no/such/model.gguf");
  EXPECT_EQ(file.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(file.status().message(), HasSubstr("no/such/model.gguf"));
  EXPECT_EQ(GgufFile::Open(::testing::TempDir()).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kvasir::model
