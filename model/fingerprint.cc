#include "model/fingerprint.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace kvasir::model {
namespace {

/// Raised whenever the same model and text would give other segments than before.
constexpr std::uint64_t kSegmentNumbers = 2;

std::uint64_t ReadWord(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

std::uint64_t Mix(std::uint64_t k) {
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccdULL;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53ULL;
  return k ^ (k >> 33);
}

/// Writes values of any kind in one unambiguous row of bytes, for hashing.
class Record {
 public:
  void Number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes_.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }
  void Real(double value) { Number(std::bit_cast<std::uint64_t>(value)); }
  void Text(std::string_view text) {
    Number(text.size());
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void Hash(const Fingerprint& hash) {
    const auto bytes = std::as_bytes(std::span(hash));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  Fingerprint Digest() const { return Hash128(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

void AddTensors(const WeightsFile& file, Record& record) {
  std::vector<const TensorView*> tensors;
  for (const TensorView& tensor : file.tensors()) {
    if (!Adapter::IsForAnswers(tensor.name)) tensors.push_back(&tensor);
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
  record.Number(tensors.size());
  for (const TensorView* tensor : tensors) {
    record.Text(tensor->name);
    record.Number(static_cast<std::uint64_t>(tensor->type));
    record.Number(tensor->shape.size());
    for (const std::int64_t n : tensor->shape) record.Number(static_cast<std::uint64_t>(n));
    record.Hash(Hash128(tensor->bytes));
  }
}

void AddConfig(const ModelConfig& config, Record& record) {
  record.Number(static_cast<std::uint64_t>(config.architecture));
  for (const int n : {config.hidden, config.layers, config.heads, config.kv_heads, config.head_dim,
                      config.ffn, config.vocab, config.rope.dims}) {
    record.Number(static_cast<std::uint64_t>(n));
  }
  record.Number(static_cast<std::uint64_t>(config.rope.layout));
  record.Real(config.rope.theta);
  record.Real(config.rms_eps);
}

void AddRouting(const RouterSpec& router, Record& record) {
  record.Number(router.layers.size());
  for (const std::int32_t layer : router.layers) record.Number(static_cast<std::uint64_t>(layer));
  record.Number(static_cast<std::uint64_t>(router.source));
  for (const std::int64_t n : {router.key_heads, router.head_dim, router.pooling}) {
    record.Number(static_cast<std::uint64_t>(n));
  }
  record.Number(router.cosine ? 1 : 0);
  record.Number(router.skip_first_token ? 1 : 0);
}

}  // namespace

Fingerprint Hash128(std::span<const std::byte> bytes, std::uint64_t seed) {
  constexpr std::uint64_t kC1 = 0x87c37b91114253d5ULL;
  constexpr std::uint64_t kC2 = 0x4cf5ad432745937fULL;
  std::uint64_t h1 = seed;
  std::uint64_t h2 = seed;
  const auto scramble1 = [](std::uint64_t k) { return std::rotl(k * kC1, 31) * kC2; };
  const auto scramble2 = [](std::uint64_t k) { return std::rotl(k * kC2, 33) * kC1; };

  const std::size_t whole = bytes.size() / 16 * 16;
  for (std::size_t at = 0; at < whole; at += 16) {
    h1 = (std::rotl(h1 ^ scramble1(ReadWord(&bytes[at])), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ scramble2(ReadWord(&bytes[at + 8])), 31) + h1) * 5 + 0x38495ab5;
  }
  std::array<std::byte, 16> tail{};
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(whole), bytes.end(), tail.begin());
  h2 ^= scramble2(ReadWord(&tail[8]));  // Of zero is zero: an absent half changes nothing.
  h1 ^= scramble1(ReadWord(tail.data()));

  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  h1 = Mix(h1);
  h2 = Mix(h2);
  h1 += h2;
  h2 += h1;
  Fingerprint out;
  for (int i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(h1 >> (8 * i));
    out[8 + i] = static_cast<std::uint8_t>(h2 >> (8 * i));
  }
  return out;
}

Fingerprint FingerprintOf(const WeightsFile& weights, const Adapter* adapter,
                          const ModelConfig& config, const RouterSpec& router,
                          std::uint64_t tokenizer) {
  Record record;
  record.Text("kvasir model");
  record.Number(kSegmentNumbers);
  AddTensors(weights, record);
  record.Number(adapter != nullptr ? 1 : 0);
  if (adapter != nullptr) {
    AddTensors(adapter->file(), record);
    record.Text(adapter->info().document_template.prefix);
    record.Text(adapter->info().document_template.suffix);
  }
  AddConfig(config, record);
  AddRouting(router, record);
  record.Number(tokenizer);
  return record.Digest();
}

std::string ToHex(const Fingerprint& fingerprint) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : fingerprint) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace kvasir::model
