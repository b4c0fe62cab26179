// large_store PATH COUNT: a store of COUNT short memories in 500 sessions, without a model's
// segments. To list, read and search by words it is as good as any, and made in seconds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "storage/store.h"

namespace {

constexpr std::uint64_t kPerCommit = 1000;
constexpr std::uint64_t kSessions = 500;

kvasir::storage::DocumentWrite MakeWrite(std::uint64_t number) {
  kvasir::storage::DocumentWrite write;
  write.record.id = "note-" + std::to_string(number);
  write.record.space = "default";
  write.record.session = "day-" + std::to_string(number % kSessions);
  write.record.title = "Note " + std::to_string(number);
  write.record.text = "On day " + std::to_string(number % kSessions) +
                      " the lighthouse keeper saw " + std::to_string(number % 97) +
                      " ships go by and wrote it down.";
  write.segments.push_back(
      {.entry = {.span = {0, write.record.text.size()}, .tokens = 20}, .router = {}, .kv = {}});
  return write;
}

kvasir::Status Fill(const std::string& path, std::uint64_t count) {
  KVASIR_ASSIGN_OR_RETURN(const auto store, kvasir::storage::Store::Open(path, {}));
  KVASIR_RETURN_IF_ERROR(store->EnsureSpace("default").status());
  for (std::uint64_t from = 0; from < count; from += kPerCommit) {
    std::vector<kvasir::storage::DocumentWrite> writes;
    for (std::uint64_t i = from; i < std::min(from + kPerCommit, count); ++i) {
      writes.push_back(MakeWrite(i));
    }
    KVASIR_RETURN_IF_ERROR(store->Commit(std::move(writes)).status());
  }
  return kvasir::Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: large_store PATH COUNT\n";
    return 2;
  }
  const kvasir::Status status = Fill(argv[1], std::strtoull(argv[2], nullptr, 10));
  if (status.ok()) return 0;
  std::cerr << status.message() << "\n";
  return 1;
}
