// Writes, edits and erases until it is killed, and says what has been acknowledged:
//   "begin <op> <name> <version>" before, "done <op> <name> <version>" after. Usage: PATH SEED
//   FIRST
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/crash/workload.h"

namespace kvasir::storage {
namespace {

void Say(const char* when, char op, int name, int version) {
  std::string line = when;
  line.append(" ").append(1, op).append(" ").append(std::to_string(name));
  line.append(" ").append(std::to_string(version)).append("\n");
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(3);
}

int Run(const std::string& path, unsigned seed, int first) {
  auto opened = Store::Open(path, CrashOptions());
  if (!opened.ok()) return 2;
  Store& store = **opened;
  const auto space = store.EnsureSpace("default");
  if (!space.ok()) return 2;
  std::mt19937 random(seed);
  std::map<int, std::pair<DocumentNumber, int>> mine;  // Name to number and version.
  for (int name = first;; ++name) {
    Say("begin", 'c', name, 1);
    std::vector<DocumentWrite> writes;
    writes.push_back(CrashWrite(name, 1));
    const auto created = store.Commit(std::move(writes));
    if (!created.ok()) return 2;
    Say("done", 'c', name, 1);
    mine[name] = {created->documents[0].number, 1};
    const auto chosen = std::next(mine.begin(), static_cast<long>(random() % mine.size()));
    const int victim = chosen->first;
    auto& [number, version] = chosen->second;
    if (random() % 3 == 0) {
      Say("begin", 'u', victim, version + 1);
      std::vector<DocumentWrite> edits;
      edits.push_back(CrashWrite(victim, version + 1));
      if (!store.Commit(std::move(edits)).ok()) return 2;
      Say("done", 'u', victim, ++version);
    } else if (random() % 6 == 0) {
      Say("begin", 'e', victim, version);
      const EraseOptions erase{.defer = random() % 3 == 0, .call = {}};
      if (!store.Erase(*space, std::vector{number}, erase).ok()) return 2;
      Say("done", 'e', victim, erase.defer ? 0 : version);
      mine.erase(chosen);
    }
  }
}

}  // namespace
}  // namespace kvasir::storage

int main(int count, char** arguments) {
  if (count != 4) return 1;
  return kvasir::storage::Run(arguments[1], static_cast<unsigned>(std::atoi(arguments[2])),
                              std::atoi(arguments[3]));
}
