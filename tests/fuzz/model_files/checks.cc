#include "tests/fuzz/model_files/checks.h"

#include <string>
#include <string_view>
#include <vector>

#include "compute/quant_blocks.h"
#include "model/config.h"
#include "model/gguf.h"
#include "model/safetensors.h"
#include "model/tensor_names.h"
#include "model/tokenizer.h"
#include "model/utf8.h"
#include "tests/fuzz/require.h"
#include "tests/support/tokenizer_fixture.h"

namespace kvasir::testing {
namespace {

using model::Tokenizer;

void ReadAll(const model::WeightsFile& file) {
  std::vector<float> row;
  for (const model::TensorView& tensor : file.tensors()) {
    Require(file.Find(tensor.name).ok(), "a listed tensor is found");
    static_cast<void>(model::ParseTensorName(file.naming(), tensor.name));
    const auto size = compute::RowBytes(tensor.type, tensor.elements());
    Require(tensor.bytes.size() == static_cast<size_t>(size), "a tensor has its bytes");
    row.resize(static_cast<size_t>(tensor.elements()));
    Require(compute::DequantizeRow(tensor.type, tensor.bytes, row).ok(), "a tensor can be read");
  }
}

void CheckText(const Tokenizer& tokenizer, std::string_view text, bool parse_special) {
  const auto spans = tokenizer.EncodeWithOffsets(text, {.parse_special = parse_special});
  Require(spans.ok() == model::ValidateUtf8(text).ok(), "UTF-8 is encoded, and only that");
  if (!spans.ok()) return;
  size_t at = 0;
  std::vector<model::TokenId> ids;
  model::StreamDecoder stream(tokenizer, true);
  std::string streamed;
  for (const model::TokenSpan& span : *spans) {
    Require(span.begin == at && span.end > at, "spans follow one another");
    Require(parse_special || !tokenizer.IsControl(span.id), "no control token comes out unasked");
    at = span.end;
    ids.push_back(span.id);
    streamed += stream.Push(span.id);
  }
  streamed += stream.Finish();
  Require(streamed == tokenizer.Decode(ids, true), "streaming agrees with decoding");
  Require(model::ValidateUtf8(streamed).ok(), "what is decoded is UTF-8");
}

/// These know all 256 bytes, so nothing may be lost.
std::vector<Tokenizer> SmallTokenizers() {
  std::vector<Tokenizer> all;
  for (const char* name : {"gpt-2", "smollm", "llama-bpe", "qwen2"}) {
    auto tokenizer = SmallTokenizer(name);
    Require(tokenizer.ok(), "the fixture can be read");
    all.push_back(std::move(tokenizer).value());
  }
  return all;
}

}  // namespace

void CheckGguf(std::span<const std::byte> bytes) {
  const auto file = model::GgufFile::Parse(bytes, "fuzz.gguf");
  if (!file.ok()) return;
  ReadAll(**file);
  for (const std::string_view key : (*file)->keys()) {
    Require((*file)->FindValue(key) != nullptr, "a listed key is found");
    static_cast<void>((*file)->Number(key));
  }
  const auto config = model::ConfigFromGguf(**file);
  Require(!config.ok() || model::Validate(*config).ok(), "a configuration is valid");
  const auto tokenizer = Tokenizer::FromGguf(**file);
  if (!tokenizer.ok()) return;
  CheckText(*tokenizer, "It's 12 <|im_end|> \u00e9\u65e5\n", false);
  CheckText(*tokenizer, std::string(100, 'a') + " <|im_end|>", true);
}

void CheckSafetensors(std::span<const std::byte> bytes) {
  const auto file = model::SafetensorsFile::Parse(bytes, "fuzz.safetensors");
  if (file.ok()) ReadAll(**file);
}

void CheckJson(std::span<const std::byte> bytes) {
  const auto config = model::ConfigFromJson(AsText(bytes), "fuzz.json");
  Require(!config.ok() || model::Validate(*config).ok(), "a configuration is valid");
  const auto tokenizer = Tokenizer::FromJson(AsText(bytes), "fuzz.json");
  if (tokenizer.ok()) CheckText(*tokenizer, "It's 12 <|im_end|> \u00e9\u65e5\n", false);
}

void CheckTokenizer(std::span<const std::byte> bytes) {
  static const std::vector<Tokenizer> all = SmallTokenizers();
  const std::string_view text = AsText(bytes);
  for (const Tokenizer& tokenizer : all) {
    CheckText(tokenizer, text, false);
    CheckText(tokenizer, text, true);
    const auto ids = tokenizer.Encode(text);
    Require(!ids.ok() || tokenizer.Decode(*ids) == text, "decoding gives the text back");
  }
}

}  // namespace kvasir::testing
