#include "compute/paging/page_policy.h"

#include <algorithm>
#include <bit>

namespace kvasir::compute {
namespace {

// A tenth: the paper's hundredth loses to plain recency where follow-up questions come in a row, a
// fifth gains nothing more (docs/adr/0007).
constexpr std::size_t kWindowShare = 10;
constexpr std::uint8_t kMostCount = 15;
// So many counts for each page before all are halved: the paper's sample size.
constexpr std::size_t kSamplePerPage = 10;
constexpr std::size_t kLeastWidth = 64;
constexpr std::size_t kMostWidth = std::size_t{1} << 22;

// splitmix64's finaliser: every bit of the number changes half of the result's.
std::uint64_t Mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

}  // namespace

FrequencySketch::FrequencySketch(std::size_t pages)
    : width_(std::bit_ceil(std::clamp(8 * pages, kLeastWidth, kMostWidth))),
      counts_(kRows * width_) {}

std::size_t FrequencySketch::Place(std::size_t row, const PageKey& key) const {
  const std::uint64_t hash =
      Mixed(key.document + Mixed((std::uint64_t{key.space} << 32 | key.segment) + row));
  return row * width_ + (hash & (width_ - 1));
}

void FrequencySketch::Count(const PageKey& key, std::size_t present) {
  const std::uint8_t least = Estimate(key);
  if (least < kMostCount) {
    for (std::size_t row = 0; row < kRows; ++row) {
      std::uint8_t& count = counts_[Place(row, key)];
      if (count == least) ++count;  // The others count somebody else besides.
    }
  }
  if (++counted_ < kSamplePerPage * std::max(present, kLeastWidth)) return;
  for (std::uint8_t& count : counts_) count /= 2;
  counted_ /= 2;
}

std::uint8_t FrequencySketch::Estimate(const PageKey& key) const {
  std::uint8_t least = kMostCount;
  for (std::size_t row = 0; row < kRows; ++row) least = std::min(least, counts_[Place(row, key)]);
  return least;
}

std::size_t PagePolicy::MostWindow() const { return budget_ / kWindowShare; }

std::size_t PagePolicy::MostProtected() const { return (budget_ - MostWindow()) / 5 * 4; }

bool PagePolicy::RoomForMore() const {
  std::size_t bytes = page_bytes_;
  for (const List& list : lists_) bytes += list.bytes;
  return bytes <= budget_;
}

void PagePolicy::Insert(PageUse* page) {
  ++present_;
  Move(page, Queue::kWindow);
  // While nothing has to go, nothing has to prove itself.
  while (Of(Queue::kWindow).bytes > MostWindow() && RoomForMore()) {
    PageUse* oldest = Of(Queue::kWindow).pages.front();
    if (oldest == page) break;
    Move(oldest, Queue::kProbation);
  }
}

void PagePolicy::Touch(PageUse* page) {
  Move(page, page->queue == Queue::kWindow ? Queue::kWindow : Queue::kProtected);
  while (Of(Queue::kProtected).bytes > MostProtected()) {
    PageUse* oldest = Of(Queue::kProtected).pages.front();
    if (oldest == page) break;
    Move(oldest, Queue::kProbation);
  }
}

void PagePolicy::Remove(PageUse* page) {
  --present_;
  Move(page, Queue::kNone);
}

void PagePolicy::Resize(PageUse* page, std::size_t bytes) {
  if (page->queue != Queue::kNone) Of(page->queue).bytes += bytes - page->bytes;
  page->bytes = bytes;
}

void PagePolicy::Move(PageUse* page, Queue to) {
  if (page->queue != Queue::kNone) {
    List& from = Of(page->queue);
    from.pages.erase(page->place);
    from.bytes -= page->bytes;
  }
  page->queue = to;
  if (to == Queue::kNone) return;
  List& list = Of(to);
  page->place = list.pages.insert(list.pages.end(), page);
  list.bytes += page->bytes;
}

PageUse* PagePolicy::Oldest(Queue queue) {
  const auto& pages = Of(queue).pages;
  const auto found =
      std::ranges::find_if(pages, [](const PageUse* page) { return page->pins == 0; });
  return found == pages.end() ? nullptr : *found;
}

PageUse* PagePolicy::Victim() {
  PageUse* candidate = Oldest(Queue::kWindow);
  PageUse* victim = Oldest(Queue::kProbation);
  if (victim == nullptr) victim = Oldest(Queue::kProtected);
  if (candidate == nullptr || victim == nullptr) return candidate != nullptr ? candidate : victim;
  if (Of(Queue::kWindow).bytes <= MostWindow()) return victim;
  if (sketch_.Estimate(candidate->key) <= sketch_.Estimate(victim->key)) return candidate;
  Move(candidate, Queue::kProbation);
  return victim;
}

}  // namespace kvasir::compute
