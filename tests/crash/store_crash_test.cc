// A writing process is killed at random moments; what it acknowledged must be there, whole.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "tests/crash/workload.h"

namespace kvasir::storage {
namespace {

namespace fs = std::filesystem;

// What is known of one document.
struct Fate {
  int version = 0;        // Acknowledged; 0: none.
  int begun = 0;          // A version that was begun and not acknowledged; 0: none.
  bool erasing = false;   // An erasure was begun…
  bool erased = false;    // …and acknowledged.
  bool physical = false;  // Its bytes must be gone.
};

void ReadLog(const std::string& log, std::map<int, Fate>* fates) {
  std::istringstream lines(log);
  std::string line;
  while (std::getline(lines, line)) {
    if (lines.eof()) break;  // The last line may be cut.
    std::istringstream words(line);
    std::string when;
    char op = 0;
    int name = 0;
    int version = 0;
    words >> when >> op >> name >> version;
    Fate& fate = (*fates)[name];
    const bool done = when == "done";
    if (op == 'e') {
      fate.erasing = true;
      fate.erased = done;
      fate.physical = done && version != 0;
    } else {
      fate.begun = done ? 0 : version;
      if (done) fate.version = version;
    }
  }
}

// From when the time until the kill counts: on a slow machine opening alone would use it up.
enum class CountFrom { kStart, kFirstWrite };

// Runs the writer for that time and kills it; returns what it said.
std::string RunAndKill(const std::string& path, unsigned seed, int first, CountFrom from,
                       int microseconds) {
  int ends[2];
  if (::pipe(ends) != 0) std::abort();
  const std::string seed_text = std::to_string(seed);
  const std::string first_text = std::to_string(first);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::execl(KVASIR_STORE_WRITER, KVASIR_STORE_WRITER, path.c_str(), seed_text.c_str(),
            first_text.c_str(), nullptr);
    ::_exit(9);
  }
  ::close(ends[1]);
  std::string said;
  std::latch first_word(1);
  std::jthread reader([&] {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
      if (said.empty()) first_word.count_down();
      said.append(buffer, static_cast<std::size_t>(got));
    }
    if (said.empty()) first_word.count_down();  // It ended without a word.
  });
  if (from == CountFrom::kFirstWrite) first_word.wait();
  // The moment of the kill is the test's input, not a wait for something to happen.
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  reader.join();
  ::close(ends[0]);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);
  return said;
}

void ExpectFate(const Store& store, SpaceId space, int name, const Fate& fate) {
  const auto document = store.Get(space, std::to_string(name));
  const bool known = document.ok();
  if (!known) {
    ASSERT_EQ(document.status().code(), StatusCode::kNotFound) << document.status().message();
  }
  if (fate.erased) {
    EXPECT_FALSE(known) << name << " was forgotten and is back";
    return;
  }
  if (!known) {
    EXPECT_TRUE(fate.version == 0 || fate.erasing) << name << " was acknowledged and is lost";
    return;
  }
  const int version = static_cast<int>(document->record.version);
  EXPECT_TRUE(version == fate.version || version == fate.begun)
      << name << " has version " << version << ", acknowledged " << fate.version;
  EXPECT_EQ(document->record.text, CrashText(name, version)) << name << " is torn";
  const auto segments = store.ReadKv(
      std::vector<SegmentRequest>{{{space, document->record.number, 0}, document->generation},
                                  {{space, document->record.number, 1}, document->generation}});
  for (const auto& segment : segments) EXPECT_TRUE(segment.ok()) << name << " lost a segment";
  const auto hits = store.Search(space, CrashWord(name, version), 3);
  ASSERT_TRUE(hits.ok());
  EXPECT_EQ(hits->size(), 1U) << name << " lost its postings";
}

bool InFolder(const std::string& folder, const std::string& word) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(StoreCrash, KeepsWhatWasAcknowledgedAndNothingTorn) {
  const char* wanted = std::getenv("KVASIR_CRASH_ROUNDS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 100;
  const unsigned seed = std::random_device()();
  std::printf("seed %u, %d rounds\n", seed, rounds);
  std::mt19937 random(seed);
  // A killed process loses nothing that a disk would keep: memory does as well, and is quicker.
  const fs::path memory = fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
  const char* disk = std::getenv("KVASIR_CRASH_FOLDER");
  const fs::path base = disk != nullptr ? fs::path(disk) : memory;
  std::string folder = (base / "kvasir-crash-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/store";
  std::map<int, Fate> fates;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    // A new store now and then: creation is killed too, and the rounds stay fast.
    if (round % 10 == 0) {
      fs::remove_all(path);
      fates.clear();
    }
    const CountFrom from = round % 10 == 0 ? CountFrom::kStart : CountFrom::kFirstWrite;
    const unsigned limit = from == CountFrom::kStart ? 60'000 : 400'000;
    const auto delay = static_cast<int>(random() % limit);
    const std::string said = RunAndKill(path, random(), round * 100000, from, delay);
    ReadLog(said, &fates);
    acknowledged += static_cast<std::uint64_t>(std::count(said.begin(), said.end(), '\n')) / 2;
    const auto store = Store::Open(path, CrashOptions());
    ASSERT_TRUE(store.ok()) << "round " << round << ": " << store.status().message();
    const auto space = (*store)->EnsureSpace("default");
    ASSERT_TRUE(space.ok());
    for (const auto& [name, fate] : fates) ExpectFate(**store, *space, name, fate);
    const auto report = (*store)->Verify();
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(report->problems, ::testing::IsEmpty()) << "round " << round;
    for (const auto& [name, fate] : fates) {
      // Texts lie compressed; the log and blocks too small to compress do not.
      if (!fate.physical) continue;
      EXPECT_FALSE(InFolder(path, CrashWord(name, fate.version)));
    }
    // The survivors' state is the new truth: what was open is decided now.
    for (auto& [name, fate] : fates) {
      const auto document = (*store)->Get(*space, std::to_string(name));
      if (document.ok()) fate = {.version = static_cast<int>(document->record.version)};
      if (!document.ok()) fate.erased = true;
    }
  }
  std::printf("%llu operations acknowledged\n", static_cast<unsigned long long>(acknowledged));
  EXPECT_GE(acknowledged, static_cast<std::uint64_t>(rounds) / 4) << "too few to prove anything";
  fs::remove_all(folder);
}

}  // namespace
}  // namespace kvasir::storage
