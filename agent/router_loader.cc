#include "agent/router_loader.h"

#include <array>
#include <cstddef>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/segment.h"

namespace kvasir::agent {
namespace {

// A few milliseconds of work, so that handing over costs nothing beside it.
constexpr std::size_t kBatchBytes = std::size_t{4} << 20;

// Records one behind the other.
struct Batch {
  struct Place {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  std::string bytes;
  std::vector<Place> places;

  void Add(std::string_view record) {
    bytes.resize((bytes.size() + 7) / 8 * 8);  // A view wants its record aligned to 8.
    places.push_back({bytes.size(), record.size()});
    bytes.append(record);
  }
  void Clear() {
    bytes.clear();
    places.clear();
  }
};

Status AppendAll(const Batch& batch, SpaceIndex* index, const std::function<Status()>& fit) {
  for (const Batch::Place& place : batch.places) {
    const std::string_view record = std::string_view(batch.bytes).substr(place.begin, place.size);
    KVASIR_ASSIGN_OR_RETURN(const auto view,
                            storage::SegmentView::Parse(record, storage::SegmentKind::kRouter,
                                                        /*verify_checksum=*/false));
    KVASIR_RETURN_IF_ERROR(index->Append(view));
  }
  return fit();
}

// Fills one batch while the other is appended.
class Loader {
 public:
  Loader(SpaceIndex* index, const std::function<Status()>& fit) : index_(index), fit_(fit) {}

  Status Add(std::string_view record) {
    filling().Add(record);
    return filling().bytes.size() < kBatchBytes ? Status::Ok() : HandOver();
  }

  Status Finish() {
    KVASIR_RETURN_IF_ERROR(HandOver());
    KVASIR_RETURN_IF_ERROR(Await());
    KVASIR_RETURN_IF_ERROR(index_->FinishLoading());
    return fit_();
  }

 private:
  Batch& filling() { return batches_[turn_]; }

  Status Await() { return appending_.valid() ? appending_.get() : Status::Ok(); }

  Status HandOver() {
    KVASIR_RETURN_IF_ERROR(Await());
    const Batch& full = filling();
    try {
      appending_ =
          std::async(std::launch::async, AppendAll, std::cref(full), index_, std::cref(fit_));
    } catch (const std::system_error&) {
      KVASIR_RETURN_IF_ERROR(AppendAll(full, index_, fit_));  // No thread to be had.
    }
    turn_ = 1 - turn_;
    filling().Clear();
    return Status::Ok();
  }

  SpaceIndex* const index_;
  const std::function<Status()>& fit_;
  std::array<Batch, 2> batches_;
  std::size_t turn_ = 0;
  std::future<Status> appending_;  // Last: it is waited for before a batch goes.
};

}  // namespace

Status LoadRouters(const storage::Store& store, storage::SpaceId space, const std::stop_token& stop,
                   SpaceIndex* index, const std::function<Status()>& fit) {
  Loader loader(index, fit);
  Status added;
  const auto visit = [&](const storage::SegmentView& router) {
    added = stop.stop_requested() ? Cancelled("loading was stopped") : loader.Add(router.bytes());
    return added.ok();
  };
  KVASIR_RETURN_IF_ERROR(store.ScanRouter(space, visit).status());
  KVASIR_RETURN_IF_ERROR(added);
  return loader.Finish();
}

}  // namespace kvasir::agent
