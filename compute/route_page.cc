#include "compute/route_page.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace kvasir::compute {
namespace {

constexpr std::int64_t kLine = 64;  ///< Blocks begin at cache lines.
constexpr float kNoScore = -std::numeric_limits<float>::infinity();

}  // namespace

std::shared_ptr<RoutePage> RoutePage::Make(const RouteShape& shape, const cpu::Kernels& kernels,
                                           bool will_fill) {
  std::shared_ptr<RoutePage> page(new RoutePage(shape, kernels));
  const std::int64_t key_bytes = shape.layers * kSlots * page->Width() * page->ElementBytes();
  const std::int64_t scale_bytes = shape.layers * kSlots * static_cast<std::int64_t>(sizeof(float));
  page->memory_ = MappedMemory::Map(static_cast<std::size_t>(key_bytes + scale_bytes), will_fill);
  if (!page->memory_) return nullptr;
  page->keys_ = page->memory_.data();
  page->scales_ = reinterpret_cast<float*>(page->keys_ + key_bytes);
  return page;
}

std::shared_ptr<RoutePage> RoutePage::MakeKeyless(const RouteShape& shape,
                                                  const cpu::Kernels& kernels,
                                                  const std::shared_ptr<const SketchBasis>& basis) {
  std::shared_ptr<RoutePage> page(new RoutePage(shape, kernels));
  page->sketches_ = SketchPage::Make(basis, kSlots, /*will_fill=*/true);
  return page->sketches_ == nullptr ? nullptr : page;
}

std::uint8_t* RoutePage::Element(std::int64_t layer, std::int64_t slot, std::int64_t i) const {
  const std::int64_t slots = GroupSlots();
  const std::int64_t line = Floats() ? 1 : cpu::kRouteLine;
  const std::int64_t group = (layer * kSlots + slot) / slots;
  const std::int64_t at =
      (group * Width() + i / line * line) * slots + slot % slots * line + i % line;
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
    for (std::int64_t i = 0; i < shape_.dim; i += cpu::kRouteLine) {
      std::uint8_t* line = Element(layer, slot, i);
      const std::int64_t count = std::min(cpu::kRouteLine, shape_.dim - i);
      for (std::int64_t j = 0; j < count; ++j) {
        line[j] = static_cast<std::uint8_t>(codes[i + j] + 128);
      }
    }
    Scale(layer, slot) = entry.scales[row];
  }
}

void RoutePage::Sketch(std::int64_t slot, SketchPage* to) const {
  thread_local std::vector<float> key;
  key.resize(static_cast<std::size_t>(shape_.dim));
  for (std::int64_t layer = 0; layer < shape_.layers; ++layer) {
    ReadKey(layer, slot, key.data());
    to->Put(kernels_, layer, slot, key);
  }
}

void RoutePage::Sketch(const RouteEntry& entry, std::int64_t chunk, std::int64_t slot) {
  if (Floats()) return Sketch(slot, sketches_.get());
  // From the entry, where the codes lie side by side.
  thread_local std::vector<float> key;
  key.resize(static_cast<std::size_t>(shape_.dim));
  for (std::int64_t layer = 0; layer < shape_.layers; ++layer) {
    const auto row = static_cast<std::size_t>(layer * entry.chunks + chunk);
    const std::int8_t* codes = entry.codes.data() + row * key.size();
    const float scale = entry.scales[row];
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = scale * static_cast<float>(codes[i]);
    sketches_->Put(kernels_, layer, slot, key);
  }
}

bool RoutePage::MakeSketches(const std::shared_ptr<const SketchBasis>& basis) {
  // An empty page of an index that has sketches is one of many: it will fill.
  const bool will_fill = end_ == 0 || end_ > kSlots / 2;
  std::unique_ptr<SketchPage> made = SketchPage::Make(basis, kSlots, will_fill);
  if (made == nullptr) return false;
  {
    const std::shared_lock lock(mutex_);
    for (std::int64_t slot = 0; slot < end_; ++slot) {
      if (slots_[static_cast<std::size_t>(slot)].ordinal != kNobody) Sketch(slot, made.get());
    }
  }
  const std::unique_lock lock(mutex_);
  sketches_ = std::move(made);
  return true;
}

void RoutePage::DropKeys() {
  const std::unique_lock lock(mutex_);
  memory_ = {};
  keys_ = nullptr;
  scales_ = nullptr;
}

void RoutePage::ListKeyless(const EntryBitmap* allowed,
                            std::vector<std::uint32_t>* ordinals) const {
  const std::shared_lock lock(mutex_);
  for (std::int64_t i = 0; !memory_ && i < end_; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.ordinal == kNobody || slot.number != 0) continue;
    if (allowed == nullptr || allowed->Test(slot.ordinal)) ordinals->push_back(slot.ordinal);
  }
}

void RoutePage::Write(const RouteEntry& entry, std::uint32_t ordinal) {
  const std::unique_lock lock(mutex_);
  std::int64_t slot = first_free_;
  for (std::int64_t chunk = 0; chunk < entry.chunks; ++chunk, ++slot) {
    while (slots_[static_cast<std::size_t>(slot)].ordinal != kNobody) ++slot;
    if (memory_) WriteChunk(entry, chunk, slot);
    if (sketches_ != nullptr) Sketch(entry, chunk, slot);
    slots_[static_cast<std::size_t>(slot)] = {ordinal, static_cast<std::uint16_t>(chunk),
                                              static_cast<std::uint16_t>(entry.chunks)};
    end_ = std::max(end_, slot + 1);
  }
  while (slot < kSlots && slots_[static_cast<std::size_t>(slot)].ordinal != kNobody) ++slot;
  first_free_ = slot;
  free_ -= entry.chunks;
}

std::int64_t RoutePage::Erase(std::uint32_t ordinal) {
  const std::unique_lock lock(mutex_);
  std::int64_t erased = 0;
  for (std::int64_t slot = 0; slot < end_; ++slot) {
    if (slots_[static_cast<std::size_t>(slot)].ordinal != ordinal) continue;
    for (std::int64_t layer = 0; memory_ && layer < shape_.layers; ++layer) {
      const std::int64_t line = Floats() ? 1 : cpu::kRouteLine;
      for (std::int64_t i = 0; i < shape_.dim; i += line) {
        std::memset(Element(layer, slot, i), 0,
                    static_cast<std::size_t>(std::min(line, shape_.dim - i) * ElementBytes()));
      }
      Scale(layer, slot) = 0;
    }
    if (sketches_ != nullptr) sketches_->Clear(slot);
    slots_[static_cast<std::size_t>(slot)] = {};
    first_free_ = std::min(first_free_, slot);
    ++erased;
  }
  free_ += erased;
  return erased;
}

void RoutePage::ReadKey(std::int64_t layer, std::int64_t slot, float* key) const {
  if (Floats()) {
    for (std::int64_t i = 0; i < shape_.dim; ++i) {
      std::memcpy(key + i, Element(layer, slot, i), sizeof(float));
    }
    return;
  }
  const float scale = Scale(layer, slot);
  for (std::int64_t i = 0; i < shape_.dim; i += cpu::kRouteLine) {
    const std::uint8_t* line = Element(layer, slot, i);
    const std::int64_t count = std::min(cpu::kRouteLine, shape_.dim - i);
    for (std::int64_t j = 0; j < count; ++j) {
      key[i + j] = scale * static_cast<float>(int{line[j]} - 128);
    }
  }
}

bool RoutePage::AnyWanted(const EntryBitmap* allowed, std::int64_t begin, std::int64_t end) const {
  for (std::int64_t i = begin; i < end; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.ordinal != kNobody && allowed->Test(slot.ordinal)) return true;
  }
  return false;
}

template <typename Visit>
void RoutePage::ForWanted(const EntryBitmap* allowed, std::int64_t slots, Visit visit) const {
  const std::int64_t blocks = (end_ + slots - 1) / slots;
  std::int64_t first = 0;
  for (std::int64_t block = 0; allowed != nullptr && block < blocks; ++block) {
    if (AnyWanted(allowed, block * slots, std::min(end_, (block + 1) * slots))) continue;
    if (block > first) visit(first, block - first);
    first = block + 1;
  }
  if (blocks > first) visit(first, blocks - first);
}

void RoutePage::Score(const PreparedQuery& query, std::int64_t first, std::int64_t count,
                      float* scores) const {
  const std::uint8_t* keys = Element(query.layer, first * GroupSlots(), 0);
  if (Floats()) {
    kernels_.route_f32(reinterpret_cast<const float*>(keys), count, shape_.dim, query.floats,
                       query.count, scores);
  } else {
    kernels_.route_int8(keys, &Scale(query.layer, first * GroupSlots()), count, Width(),
                        query.codes, scores);
  }
}

bool RoutePage::Scan(const PreparedQuery& query, std::span<float> scores,
                     std::span<std::uint32_t> best_chunk) const {
  alignas(kLine) float slot_scores[kSlots];
  const std::shared_lock lock(mutex_);
  if (!memory_) return false;
  const std::int64_t slots = GroupSlots();
  ForWanted(query.allowed, slots, [&](std::int64_t first, std::int64_t count) {
    Score(query, first, count, slot_scores + first * slots);
  });
  Reduce(query, slot_scores, scores, best_chunk);
  return true;
}

void RoutePage::Estimate(const PreparedQuery& query, std::span<float> scores,
                         float* highest_gain) const {
  alignas(kLine) float slot_scores[kSlots];
  const std::shared_lock lock(mutex_);
  ForWanted(query.allowed, cpu::kSketchSlots, [&](std::int64_t first, std::int64_t count) {
    sketches_->Score(kernels_, query.sketches, query.layer, first, count,
                     slot_scores + first * cpu::kSketchSlots);
  });
  *highest_gain = std::max(*highest_gain, sketches_->HighestGain(query.layer));
  Reduce(query, slot_scores, scores, {});
}

std::optional<float> RoutePage::EntryScore(const PreparedQuery& query, std::uint32_t ordinal,
                                           std::int64_t slot, std::uint32_t* best_chunk) const {
  alignas(kLine) float group_scores[kBlockSlots];
  const std::shared_lock lock(mutex_);
  const Slot first = slots_[static_cast<std::size_t>(slot)];
  if (first.ordinal != ordinal) return kNoScore;
  if (!memory_) return std::nullopt;
  const bool mean = query.chunk_reduce == ChunkReduce::kMean;
  float score = mean ? 0.0F : kNoScore;
  float highest = kNoScore;
  const std::int64_t slots = GroupSlots();
  for (std::int64_t left = first.chunks, scored = -1; left > 0; ++slot) {
    if (slots_[static_cast<std::size_t>(slot)].ordinal != ordinal) continue;
    if (slot / slots != scored) {
      scored = slot / slots;
      Score(query, scored, 1, group_scores);
    }
    const float chunk = group_scores[slot % slots];
    score = mean ? score + chunk : std::max(score, chunk);
    if (best_chunk != nullptr && chunk > highest) {
      *best_chunk = slots_[static_cast<std::size_t>(slot)].number;
    }
    highest = std::max(highest, chunk);
    --left;
  }
  return mean ? score / static_cast<float>(first.chunks) : score;
}

void RoutePage::Reduce(const PreparedQuery& query, const float* slot_scores,
                       std::span<float> scores, std::span<std::uint32_t> best_chunk) const {
  const auto known = [&](const Slot& slot) { return slot.ordinal < scores.size(); };
  const auto wanted = [&](const Slot& slot) {
    return known(slot) && (query.allowed == nullptr || query.allowed->Test(slot.ordinal));
  };
  if (query.chunk_reduce == ChunkReduce::kMean) {
    ReduceMean(slot_scores, wanted, scores, best_chunk);
  } else if (query.allowed == nullptr) {
    ReduceMax(slot_scores, known, scores, best_chunk);
  } else {
    ReduceMax(slot_scores, wanted, scores, best_chunk);
  }
}

template <typename Wanted>
void RoutePage::ReduceMax(const float* slot_scores, Wanted wanted, std::span<float> scores,
                          std::span<std::uint32_t> best_chunk) const {
  if (best_chunk.empty()) {
    // An entry's chunks mostly lie side by side: their best goes to memory once.
    for (std::int64_t i = 0; i < end_;) {
      const Slot& slot = slots_[static_cast<std::size_t>(i)];
      float best = slot_scores[i++];
      while (i < end_ && slots_[static_cast<std::size_t>(i)].ordinal == slot.ordinal) {
        best = std::max(best, slot_scores[i++]);
      }
      if (wanted(slot)) scores[slot.ordinal] = std::max(scores[slot.ordinal], best);
    }
    return;
  }
  for (std::int64_t i = 0; i < end_; ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (!wanted(slot)) continue;
    float& best = scores[slot.ordinal];
    if (slot_scores[i] > best ||
        (slot_scores[i] == best && slot.number < best_chunk[slot.ordinal])) {
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
