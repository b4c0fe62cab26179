#include "compute/route_page.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace kvasir::compute {
namespace {

constexpr std::int64_t kLine = 64;  ///< Blocks begin at cache lines.

}  // namespace

std::shared_ptr<RoutePage> RoutePage::Make(const RouteShape& shape, const cpu::Kernels& kernels) {
  std::shared_ptr<RoutePage> page(new RoutePage(shape, kernels));
  const std::int64_t key_bytes = shape.layers * kSlots * shape.dim * page->ElementBytes();
  const std::int64_t scale_bytes = shape.layers * kSlots * static_cast<std::int64_t>(sizeof(float));
  // calloc, because the system hands out large zeroed memory without making it resident.
  page->memory_.reset(static_cast<std::uint8_t*>(
      std::calloc(static_cast<std::size_t>(key_bytes + scale_bytes + kLine), 1)));
  if (page->memory_ == nullptr) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(page->memory_.get());
  page->keys_ = page->memory_.get() + (kLine - address % kLine) % kLine;
  page->scales_ = reinterpret_cast<float*>(page->keys_ + key_bytes);
  return page;
}

std::uint8_t* RoutePage::Element(std::int64_t layer, std::int64_t slot, std::int64_t i) const {
  const std::int64_t group = shape_.keys == RouteKeys::kF32 ? 1 : kernels_.block_group;
  const std::int64_t block = layer * (kSlots / kBlockSlots) + slot / kBlockSlots;
  const std::int64_t row = i / group * kBlockSlots * group;
  const std::int64_t at =
      block * kBlockSlots * shape_.dim + row + slot % kBlockSlots * group + i % group;
  return keys_ + at * ElementBytes();
}

void RoutePage::WriteChunk(const RouteEntry& entry, std::int64_t chunk, std::int64_t slot) {
  for (std::int64_t layer = 0; layer < shape_.layers; ++layer) {
    const auto row = static_cast<std::size_t>(layer * entry.chunks + chunk);
    const std::size_t first = row * static_cast<std::size_t>(shape_.dim);
    if (shape_.keys == RouteKeys::kF32) {
      const float* key = entry.keys.data() + first;
      for (std::int64_t i = 0; i < shape_.dim; ++i) {
        std::memcpy(Element(layer, slot, i), key + i, sizeof(float));
      }
      continue;
    }
    const std::int8_t* codes = entry.codes.data() + first;
    for (std::int64_t i = 0; i < shape_.dim; ++i) {
      *Element(layer, slot, i) = static_cast<std::uint8_t>(codes[i] + 128);
    }
    Scale(layer, slot) = entry.scales[row];
  }
}

void RoutePage::Write(const RouteEntry& entry, std::uint32_t ordinal) {
  const std::unique_lock lock(mutex_);
  std::int64_t slot = first_free_;
  for (std::int64_t chunk = 0; chunk < entry.chunks; ++chunk, ++slot) {
    while (slots_[static_cast<std::size_t>(slot)].ordinal != kNobody) ++slot;
    WriteChunk(entry, chunk, slot);
    slots_[static_cast<std::size_t>(slot)] = {ordinal, static_cast<std::uint16_t>(chunk),
                                              static_cast<std::uint16_t>(entry.chunks)};
    end_ = std::max(end_, slot + 1);
  }
  first_free_ = slot;
  free_ -= entry.chunks;
}

std::int64_t RoutePage::Erase(std::uint32_t ordinal) {
  const std::unique_lock lock(mutex_);
  std::int64_t erased = 0;
  for (std::int64_t slot = 0; slot < end_; ++slot) {
    if (slots_[static_cast<std::size_t>(slot)].ordinal != ordinal) continue;
    for (std::int64_t layer = 0; layer < shape_.layers; ++layer) {
      for (std::int64_t i = 0; i < shape_.dim; ++i) {
        std::memset(Element(layer, slot, i), 0, static_cast<std::size_t>(ElementBytes()));
      }
      Scale(layer, slot) = 0;
    }
    slots_[static_cast<std::size_t>(slot)] = {};
    first_free_ = std::min(first_free_, slot);
    ++erased;
  }
  free_ += erased;
  return erased;
}

void RoutePage::ReadKey(std::int64_t layer, std::int64_t slot, float* key) const {
  for (std::int64_t i = 0; i < shape_.dim; ++i) {
    const std::uint8_t* element = Element(layer, slot, i);
    if (shape_.keys == RouteKeys::kF32) {
      std::memcpy(key + i, element, sizeof(float));
    } else {
      key[i] = Scale(layer, slot) * static_cast<float>(*element - 128);
    }
  }
}

bool RoutePage::AnyWanted(const EntryBitmap* allowed, std::int64_t block) const {
  for (std::int64_t i = 0; i < kBlockSlots; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(block * kBlockSlots + i)];
    if (slot.ordinal != kNobody && allowed->Test(slot.ordinal)) return true;
  }
  return false;
}

void RoutePage::Score(const PreparedQuery& query, std::int64_t first, std::int64_t count,
                      float* scores) const {
  const std::uint8_t* keys = Element(query.layer, first * kBlockSlots, 0);
  if (shape_.keys == RouteKeys::kF32) {
    kernels_.route_f32(reinterpret_cast<const float*>(keys), count, shape_.dim, query.floats,
                       query.count, scores);
  } else {
    kernels_.route_int8(keys, &Scale(query.layer, first * kBlockSlots), count, shape_.dim,
                        query.codes, scores);
  }
}

void RoutePage::Scan(const PreparedQuery& query, std::span<float> scores,
                     std::span<std::uint32_t> best_chunk) const {
  alignas(kLine) float slot_scores[kSlots];
  const std::shared_lock lock(mutex_);
  const std::int64_t blocks = (end_ + kBlockSlots - 1) / kBlockSlots;
  if (query.allowed == nullptr) {
    Score(query, 0, blocks, slot_scores);
  } else {
    for (std::int64_t block = 0; block < blocks; ++block) {
      if (!AnyWanted(query.allowed, block)) continue;
      Score(query, block, 1, slot_scores + block * kBlockSlots);
    }
  }
  const auto wanted = [&](const Slot& slot) {
    return slot.ordinal < scores.size() &&
           (query.allowed == nullptr || query.allowed->Test(slot.ordinal));
  };
  if (query.chunk_reduce == ChunkReduce::kMax) {
    ReduceMax(slot_scores, wanted, scores, best_chunk);
  } else {
    ReduceMean(slot_scores, wanted, scores, best_chunk);
  }
}

template <typename Wanted>
void RoutePage::ReduceMax(const float* slot_scores, Wanted wanted, std::span<float> scores,
                          std::span<std::uint32_t> best_chunk) const {
  for (std::int64_t i = 0; i < end_; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (!wanted(slot)) continue;
    float& best = scores[slot.ordinal];
    if (!best_chunk.empty() &&
        (slot_scores[i] > best ||
         (slot_scores[i] == best && slot.number < best_chunk[slot.ordinal]))) {
      best_chunk[slot.ordinal] = slot.number;
    }
    best = std::max(best, slot_scores[i]);
  }
}

template <typename Wanted>
void RoutePage::ReduceMean(const float* slot_scores, Wanted wanted, std::span<float> scores,
                           std::span<std::uint32_t> best_chunk) const {
  if (!best_chunk.empty()) {
    ReduceMax(slot_scores, wanted, scores, best_chunk);
  }
  // An entry's chunks are all here, so that the sum may be built in place and divided once.
  for (std::int64_t pass = 0; pass < 3; ++pass) {
    for (std::int64_t i = 0; i < end_; ++i) {
      const Slot& slot = slots_[static_cast<std::size_t>(i)];
      if (!wanted(slot)) continue;
      if (pass == 0) scores[slot.ordinal] = 0;
      if (pass == 1) scores[slot.ordinal] += slot_scores[i];
      if (pass == 2 && slot.number == 0) scores[slot.ordinal] /= static_cast<float>(slot.chunks);
    }
  }
}

}  // namespace kvasir::compute
