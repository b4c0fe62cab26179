#include "tests/bench/plain_read.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tests/bench/timing.h"

namespace kvasir::bench {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{2} << 20;
constexpr std::size_t kMemoryBytes = std::size_t{256} << 20;

template <typename Visit>
void ForEachFile(const std::string& folder, Visit visit) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    visit(entry.path().string(), file);
    close(file);
  }
}

}  // namespace

void DropFromPageCache(const std::string& folder) {
  sync();
  ForEachFile(folder, [](const std::string&, int file) {
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  });
}

double ReadFiles(const std::string& folder) {
  std::vector<char> buffer(kChunkBytes);
  double bytes = 0;
  const Timer timer;
  ForEachFile(folder, [&](const std::string& path, int file) {
    if (!path.ends_with(".sst")) return;
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
    for (ssize_t got = 0; (got = read(file, buffer.data(), buffer.size())) > 0;) {
      bytes += static_cast<double>(got);
    }
  });
  return bytes / timer.Seconds();
}

double ReadMemory() {
  std::vector<std::uint64_t> memory(kMemoryBytes / 8, 1);
  volatile std::uint64_t sink = 0;
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    const Timer timer;
    std::uint64_t sum = 0;
    for (const std::uint64_t word : memory) sum += word;
    sink = sum;
    best = std::max(best, static_cast<double>(kMemoryBytes) / timer.Seconds());
  }
  (void)sink;
  return best;
}

}  // namespace kvasir::bench
