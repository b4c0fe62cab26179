#include "agent/router_loader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "storage/segment.h"

namespace kvasir::agent {
namespace {

// A reader whose turn it is hands over so much at a time; one that is ahead stops here.
constexpr std::size_t kTurnBytes = std::size_t{1} << 20;
constexpr std::size_t kAheadBytes = std::size_t{24} << 20;
constexpr int kMostReaders = 8;  // Beside the one that everybody waits for.

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

Status AppendAll(const Batch& batch, SpaceIndex* index) {
  for (const Batch::Place& place : batch.places) {
    const std::string_view record = std::string_view(batch.bytes).substr(place.begin, place.size);
    KVASIR_ASSIGN_OR_RETURN(const auto view,
                            storage::SegmentView::Parse(record, storage::SegmentKind::kRouter,
                                                        /*verify_checksum=*/false));
    KVASIR_RETURN_IF_ERROR(index->Append(view));
  }
  return Status::Ok();
}

// Who reads which range, and whose turn it is to append: ranges are read beside each other and
// appended one behind the other.
class Turns {
 public:
  explicit Turns(std::uint64_t ranges) : ranges_(ranges) {}

  std::uint64_t ranges() const { return ranges_; }
  std::uint64_t Take() { return taken_.fetch_add(1); }

  bool IsOf(std::uint64_t range) const {
    const std::lock_guard lock(mutex_);
    return turn_ == range;
  }
  // An error: that of another range.
  Status Await(std::uint64_t range) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == range || !failed_.ok(); });
    return failed_;
  }
  void End(Status status) {
    const std::lock_guard lock(mutex_);
    if (failed_.ok()) failed_ = std::move(status);
    ++turn_;
    changed_.notify_all();
  }
  Status failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

 private:
  const std::uint64_t ranges_;
  std::atomic<std::uint64_t> taken_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t turn_ = 0;  // Guarded, as what follows.
  Status failed_;
};

class Reader {
 public:
  Reader(const RouterSource& source, SpaceIndex* index, const std::function<Status()>& fit,
         Turns* turns)
      : source_(source), index_(index), fit_(fit), turns_(turns) {}

  void Run() {
    for (std::uint64_t range = turns_->Take(); range < turns_->ranges(); range = turns_->Take()) {
      Status read = TryRead(range);
      if (!turns_->Await(range).ok()) return;
      const bool ok = read.ok();
      turns_->End(std::move(read));
      if (!ok) return;
    }
  }

 private:
  // An exception must not leave a thread.
  Status TryRead(std::uint64_t range) {
    try {
      return Read(range);
    } catch (const std::bad_alloc&) {
      return Unavailable("out of memory: the router keys of a space were being loaded");
    }
  }

  Status Read(std::uint64_t range) {
    Status added;
    const auto visit = [&](const storage::SegmentView& router) {
      batch_.Add(router.bytes());
      const std::size_t held = batch_.bytes.size();
      if (source_.stop.stop_requested()) {
        added = Cancelled("loading was stopped");
      } else if (held >= kAheadBytes || (held >= kTurnBytes && turns_->IsOf(range))) {
        added = Append(range);
      }
      return added.ok();
    };
    const storage::DocumentRange documents{.first = range * source_.range,
                                           .end = (range + 1) * source_.range};
    KVASIR_RETURN_IF_ERROR(source_.store.ScanRouter(source_.space, visit, documents).status());
    KVASIR_RETURN_IF_ERROR(added);
    return Append(range);
  }

  Status Append(std::uint64_t range) {
    KVASIR_RETURN_IF_ERROR(turns_->Await(range));
    KVASIR_RETURN_IF_ERROR(AppendAll(batch_, index_));
    batch_.Clear();
    return fit_();
  }

  const RouterSource& source_;
  SpaceIndex* const index_;
  const std::function<Status()>& fit_;
  Turns* const turns_;
  Batch batch_;
};

}  // namespace

Status LoadRouters(const RouterSource& source, int threads, SpaceIndex* index,
                   const std::function<Status()>& fit) {
  KVASIR_ASSIGN_OR_RETURN(const auto end, source.store.NumbersEnd(source.space));
  Turns turns(end / source.range + 1);
  const int cores = threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency());
  const auto read = [&] { Reader(source, index, fit, &turns).Run(); };
  {
    std::vector<std::jthread> readers;
    // With this one two more than cores: some wait for the disk.
    const auto most = static_cast<std::uint64_t>(std::min(cores + 1, kMostReaders));
    const std::uint64_t wanted = std::min(most, turns.ranges() - 1);
    try {
      while (readers.size() < wanted) readers.emplace_back(read);
    } catch (const std::system_error&) {  // No more threads to be had.
    }
    read();
  }
  KVASIR_RETURN_IF_ERROR(turns.failed());
  index->FinishLoading();
  return fit();
}

}  // namespace kvasir::agent
