// What a space costs as it grows. Each command prints one JSON object.
//
//   growth_bench fill FROM STORE TOKENS   makes STORE of FROM's memories, copied (store_copies.h)
//   growth_bench ask STORE QUESTIONS      recall: p50, p95, memory; by sketches and by whole keys
//   growth_bench open STORE               loading the router index, beside plain reads
//   growth_bench write STORE SECONDS      questions alone and beside a writer, in turn
//   growth_bench budget STORE QUESTIONS   recall with memory for all of the index, for a half, …
//
// Questions are twelve words in a row of a memory drawn at random. KVASIR_BENCH_MODEL and
// KVASIR_BENCH_ADAPTER name the model; the store must have been made with them.
// KVASIR_BENCH_THREADS as for kvasir_bench. What is asked runs on the product's own code, below the
// public API.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/bank.h"
#include "agent/recall.h"
#include "compute/backend.h"
#include "model/model.h"
#include "storage/store.h"
#include "tests/bench/must.h"
#include "tests/bench/plain_read.h"
#include "tests/bench/store_copies.h"
#include "tests/bench/timing.h"

namespace kvasir::bench {
namespace {

using storage::DocumentNumber;

constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;  // Limited, yet never short.

std::string Setting(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

int Threads() { return std::atoi(Setting("KVASIR_BENCH_THREADS", "0").c_str()); }

std::shared_ptr<const model::Model> LoadModel() {
  const std::string home = Setting("HOME", ".");
  const std::string path =
      Setting("KVASIR_BENCH_MODEL", home + "/.cache/kvasir/models/SmolLM2-135M-Instruct.Q4_1.gguf");
  const std::string adapter =
      Setting("KVASIR_BENCH_ADAPTER", "model/adapters/smollm2-135m-instruct.safetensors");
  auto backend = Must(compute::MakeBackend({.name = "cpu", .threads = Threads()}));
  return Must(model::Model::Load(path, std::move(backend), {.adapter = adapter}));
}

std::unique_ptr<agent::Bank> OpenBank(const std::string& path, std::uint64_t memory_bytes = 0) {
  storage::StoreOptions options;
  options.create = false;
  auto store = Must(storage::Store::Open(path, options));
  agent::BankOptions agent_options;
  agent_options.threads = Threads();
  agent_options.memory_bytes = memory_bytes;
  return Must(agent::Bank::Make(std::move(store), LoadModel(), agent_options));
}

double ResidentMegabytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

std::vector<std::string> Questions(agent::Bank& bank, storage::SpaceId space, std::size_t count) {
  const std::uint64_t memories = bank.store().Spaces().front().memories;
  std::mt19937_64 random(7);
  std::vector<std::string> questions;
  while (questions.size() < count) {
    const DocumentNumber number = random() % memories + 1;
    const auto document = bank.store().GetByNumber(space, number);
    if (!document.ok()) continue;
    std::istringstream text(document->record.text);
    std::vector<std::string> words;
    for (std::string word; text >> word;) words.push_back(word);
    if (words.size() < 12) continue;
    const std::size_t first = random() % (words.size() - 11);
    std::string question;
    for (std::size_t i = first; i < first + 12; ++i) question += words[i] + " ";
    questions.push_back(std::move(question));
  }
  return questions;
}

bool SameHits(const RecallResult& a, const RecallResult& b) {
  return std::equal(a.hits.begin(), a.hits.end(), b.hits.begin(), b.hits.end(),
                    [](const Hit& x, const Hit& y) { return x.id == y.id && x.score == y.score; });
}

void Ask(const std::string& path, std::size_t count) {
  const auto bank = OpenBank(path);
  const auto space = Must(bank->store().FindSpace(kDefaultSpace));
  const auto questions = Questions(*bank, space, count);
  const double before = ResidentMegabytes();
  const Timer opening;
  const auto index = Must(bank->router_index()->Open(space));
  const double open_s = opening.Seconds();
  Must(index->MakeSketches());
  const double after = ResidentMegabytes();

  const auto recall = [&](const std::string& question, bool lexical, bool exact,
                          std::vector<double>* seconds) {
    RecallRequest request;
    request.query = question;
    request.lexical = lexical;
    request.exact = exact;
    const Timer timer;
    RecallResult result = Must(agent::Recall(*bank, request, {}));
    seconds->push_back(timer.Seconds() * 1e3);
    return result;
  };
  std::vector<double> warm;
  recall(questions[0], true, false, &warm);
  std::vector<double> fused;
  std::vector<double> latent;
  std::vector<double> whole;
  std::vector<double> route;
  std::size_t same = 0;
  for (const std::string& question : questions) {
    const auto tokens = Must(bank->framing().Question(question));
    const Timer routing;
    Must((*Must(bank->questions().Borrow())).Route(tokens));
    route.push_back(routing.Seconds() * 1e3);
    recall(question, true, false, &fused);
    const RecallResult picked = recall(question, false, false, &latent);
    same += SameHits(picked, recall(question, false, true, &whole)) ? 1 : 0;
  }
  const SpaceInfo held = bank->store().Spaces().front();
  std::printf(
      "{\"tokens\":%llu,\"memories\":%llu,\"segments\":%llu,\"recall_p50_ms\":%.1f,"
      "\"recall_p95_ms\":%.1f,\"latent_p50_ms\":%.1f,\"latent_p95_ms\":%.1f,"
      "\"latent_whole_p50_ms\":%.1f,\"latent_whole_p95_ms\":%.1f,\"question_p50_ms\":%.1f,"
      "\"same_hits\":%.4f,\"questions\":%zu,\"open_s\":%.2f,\"index_mb\":%.1f,"
      "\"resident_before_mb\":%.1f,\"resident_with_index_mb\":%.1f,\"resident_mb\":%.1f,"
      "\"disk_mb\":%.1f}\n",
      static_cast<unsigned long long>(held.tokens), static_cast<unsigned long long>(held.memories),
      static_cast<unsigned long long>(held.segments), Percentile(fused, 0.5),
      Percentile(fused, 0.95), Percentile(latent, 0.5), Percentile(latent, 0.95),
      Percentile(whole, 0.5), Percentile(whole, 0.95), Percentile(route, 0.5),
      double(same) / double(questions.size()), questions.size(), open_s,
      double(index->Bytes()) / 1e6, before, after, ResidentMegabytes(),
      double(Must(bank->store().GetStats()).disk_bytes) / 1e6);
}

constexpr int kColdPasses = 3;

/// "[1, 2, 3]", in MB/s.
std::string Rates(std::span<const double> bytes_per_second) {
  std::string list;
  for (const double rate : bytes_per_second) {
    list += (list.empty() ? "[" : ", ") + std::to_string(std::llround(rate / 1e6));
  }
  return list + "]";
}

void Open(const std::string& path) {
  const auto bank = OpenBank(path);
  const auto space = Must(bank->store().FindSpace(kDefaultSpace));
  const auto question =
      Must((*Must(bank->questions().Borrow()))
               .Route(Must(bank->framing().Question("Where does the road from the harbour go?"))));
  const double bytes = static_cast<double>(Must(bank->store().GetStats()).router_bytes);
  const auto load = [&] {
    bank->router_index()->Drop(space);
    const Timer timer;
    const auto index = Must(bank->router_index()->Open(space));
    const double rate = bytes / timer.Seconds();
    Must(index->MakeSketches());
    return rate;
  };
  // The first time the system has to find the memory as well; on a virtual machine its host does.
  double disk[kColdPasses];
  double cold[kColdPasses];
  for (int pass = 0; pass < kColdPasses; ++pass) {
    DropFromPageCache(path);
    disk[pass] = ReadFiles(path);
    DropFromPageCache(path);
    cold[pass] = load();
  }
  const double cached = ReadFiles(path);
  const double warm = load();

  bank->router_index()->Drop(space);
  DropFromPageCache(path);
  const Timer timer;
  double first_s = 0;
  std::size_t first_hits = 0;
  agent::RouterIndex::Opening opening;
  while (!opening.complete) {
    opening = bank->router_index()->OpenNow(space);
    if (first_s == 0 && opening.index != nullptr) {
      const auto scores = Must(opening.index->Score({.layers = question, .best = 10}));
      first_hits = scores.best().size();
      if (first_hits == 10) first_s = timer.Seconds();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double all_s = timer.Seconds();
  std::printf(
      "{\"router_mb\":%.1f,\"disk_read_mb_s\":%s,\"load_cold_mb_s\":%s,\"cached_read_mb_s\":"
      "%.0f,\"load_warm_mb_s\":%.0f,\"memory_read_mb_s\":%.0f,\"first_answer_s\":%.3f,"
      "\"complete_s\":%.3f}\n",
      bytes / 1e6, Rates(disk).c_str(), Rates(cold).c_str(), cached / 1e6, warm / 1e6,
      ReadMemory() / 1e6, first_s, all_s);
}

/// Replaces memories one after the other, `pause` in between, until told to stop.
class Writer {
 public:
  Writer(agent::SpaceIndex* index, const storage::Store& store, storage::SpaceId space)
      : index_(index) {
    for (DocumentNumber number = 1; routers_.size() < 200; ++number) {
      const auto document = store.GetByNumber(space, number);
      if (!document.ok()) break;
      Copy copy{number, document->generation, {}};
      for (std::uint32_t i = 0; i < document->segments.size(); ++i) {
        const std::vector<storage::SegmentRequest> one = {{{space, number, i}, 0}};
        copy.records.emplace_back(Must(std::move(store.ReadRouter(one)[0])).view().bytes());
      }
      routers_.push_back(std::move(copy));
    }
  }

  void Start(std::chrono::microseconds pause) {
    thread_ = std::jthread([this, pause](const std::stop_token& stop) {
      for (; !stop.stop_requested(); ++turn_) {
        const Copy& copy = routers_[turn_ % routers_.size()];
        Must(index_->Replace(copy.number, copy.generation, copy.records));
        segments_ += copy.records.size();
        if (pause.count() > 0) std::this_thread::sleep_for(pause * copy.records.size());
      }
    });
  }
  void Stop() { thread_ = {}; }
  std::uint64_t segments() const { return segments_; }

 private:
  struct Copy {
    DocumentNumber number;
    storage::Generation generation;
    std::vector<std::string> records;
  };
  agent::SpaceIndex* index_;
  std::vector<Copy> routers_;
  std::size_t turn_ = 0;
  std::uint64_t segments_ = 0;
  std::jthread thread_;
};

void Write(const std::string& path, double seconds) {
  const auto bank = OpenBank(path);
  const auto space = Must(bank->store().FindSpace(kDefaultSpace));
  const auto index = Must(bank->router_index()->Open(space));
  Must(index->MakeSketches());
  std::vector<std::vector<model::RouterQuery>> queries;
  for (const std::string& question : Questions(*bank, space, 50)) {
    const auto tokens = Must(bank->framing().Question(question));
    queries.push_back(Must((*Must(bank->questions().Borrow())).Route(tokens)));
  }
  Writer writer(index.get(), bank->store(), space);
  std::size_t asked = 0;
  const auto ask = [&](double for_s, std::vector<double>* times) {
    for (const Timer all; all.Seconds() < for_s; ++asked) {
      const Timer timer;
      Must(index->Score({.layers = queries[asked % queries.size()]}).status());
      times->push_back(timer.Seconds() * 1e3);
    }
  };
  // Alone, beside a writer at 100 segments a second (51 000 tokens, more than a machine of two
  // cores encodes in ten), beside one that never rests; in turn, so that all meet the same machine.
  constexpr double kTurn = 0.5;
  std::vector<double> warm;
  std::vector<double> alone;
  std::vector<double> beside;
  std::vector<double> busy;
  std::uint64_t paced_segments = 0;
  double paced_s = 0;
  ask(1, &warm);
  for (const Timer all; all.Seconds() < seconds;) {
    ask(kTurn, &alone);
    const std::uint64_t before = writer.segments();
    writer.Start(std::chrono::milliseconds(10));
    ask(kTurn, &beside);
    writer.Stop();
    paced_segments += writer.segments() - before;
    paced_s += kTurn;
    ask(kTurn, &alone);
    writer.Start(std::chrono::microseconds(0));
    ask(kTurn, &busy);
    writer.Stop();
  }
  const double p95 = Percentile(alone, 0.95);
  std::printf(
      "{\"questions\":%zu,\"alone_p50_ms\":%.2f,\"alone_p95_ms\":%.2f,\"beside_p50_ms\":%.2f,"
      "\"beside_p95_ms\":%.2f,\"segments_per_s\":%.0f,\"busy_p50_ms\":%.2f,\"busy_p95_ms\":%.2f,"
      "\"busy_segments_per_s\":%.0f,\"p95_ratio\":%.3f,\"busy_p95_ratio\":%.3f}\n",
      asked, Percentile(alone, 0.5), p95, Percentile(beside, 0.5), Percentile(beside, 0.95),
      double(paced_segments) / paced_s, Percentile(busy, 0.5), Percentile(busy, 0.95),
      double(writer.segments() - paced_segments) / paced_s, Percentile(beside, 0.95) / p95,
      Percentile(busy, 0.95) / p95);
}

/// Runs `work` in a process of its own, so that its memory is its own; what it printed.
std::string Apart(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0) Die(Internal("no pipe"));
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = work();
    for (std::size_t done = 0; done < said.size();) {
      const ssize_t wrote = write(ends[1], said.data() + done, said.size() - done);
      if (wrote <= 0) _exit(1);
      done += static_cast<std::size_t>(wrote);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    said.append(buffer, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    Die(Internal("a part of the benchmark failed"));
  }
  return said;
}

/// Recalls every question twice, the latent channel alone, first with nothing of the store in the
/// system's page cache, and prints what it took. The answers, one a line, behind the bytes that the
/// index would take whole.
std::string AskUnder(const std::string& path, std::uint64_t memory_bytes, std::size_t count,
                     const char* label) {
  const auto bank = OpenBank(path, memory_bytes);
  const auto space = Must(bank->store().FindSpace(kDefaultSpace));
  const auto questions = Questions(*bank, space, count);
  const double before = ResidentMegabytes();
  const Timer opening;
  const auto index = Must(bank->router_index()->Open(space));
  const double open_s = opening.Seconds();
  Must(index->MakeSketches());
  DropFromPageCache(path);
  std::vector<double> first;
  std::vector<double> again;
  std::string answers = std::to_string(bank->router_index()->Bytes()) + "\n";
  for (std::vector<double>* times : {&first, &again}) {
    for (const std::string& question : questions) {
      RecallRequest request;
      request.query = question;
      request.lexical = false;
      const Timer timer;
      const RecallResult result = Must(agent::Recall(*bank, request, {}));
      times->push_back(timer.Seconds() * 1e3);
      if (times == &again) continue;
      for (const Hit& hit : result.hits) answers += hit.id + " " + std::to_string(hit.score) + " ";
      answers += "\n";
    }
  }
  const auto cache = bank->router_index()->KeyCache();
  const SpaceInfo held = bank->store().Spaces().front();
  std::printf(
      "{\"memories\":%llu,\"segments\":%llu,\"memory\":\"%s\",\"memory_mb\":%.1f,\"index_mb\":%.1f,"
      "\"key_cache_mb\":%.1f,"
      "\"key_cache_hits\":%.3f,\"keys_per_question\":%.0f,\"open_s\":%.2f,\"first_p50_ms\":%.1f,"
      "\"first_p95_ms\":%.1f,"
      "\"again_p50_ms\":%.1f,\"again_p95_ms\":%.1f,\"resident_before_mb\":%.1f,"
      "\"resident_mb\":%.1f}\n",
      static_cast<unsigned long long>(held.memories),
      static_cast<unsigned long long>(held.segments), label,
      memory_bytes > kNoLimit / 2 ? 0 : double(memory_bytes) / 1e6,
      double(bank->router_index()->Bytes()) / 1e6, double(cache.used_bytes) / 1e6,
      double(cache.hits) / std::max(1.0, double(cache.hits + cache.misses)),
      double(cache.hits + cache.misses) / double(2 * count), open_s, Percentile(first, 0.5),
      Percentile(first, 0.95), Percentile(again, 0.5), Percentile(again, 0.95), before,
      ResidentMegabytes());
  std::fflush(stdout);
  return answers;
}

void Budget(const std::string& path, std::size_t count) {
  const auto lines = [](const std::string& said) {
    std::istringstream text(said);
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  };
  const auto whole = lines(Apart([&] { return AskUnder(path, kNoLimit, count, "no limit"); }));
  const double need = std::strtod(whole[0].c_str(), nullptr);
  const agent::MemoryBudget shares{.total = 1, .most_kv = agent::BankOptions().kv_cache_bytes};
  for (const auto& [label, part] : {std::pair{"1x", 1.0}, {"0.5x", 0.5}, {"0.25x", 0.25}}) {
    const std::uint64_t bytes = shares.TotalFor(static_cast<std::uint64_t>(need * part));
    const auto answers =
        lines(Apart([&, label = label] { return AskUnder(path, bytes, count, label); }));
    std::size_t same = 0;
    for (std::size_t i = 1; i < whole.size(); ++i) same += answers.at(i) == whole[i] ? 1 : 0;
    std::printf("{\"memory\":\"%s\",\"same_answers\":%zu,\"of\":%zu}\n", label, same,
                whole.size() - 1);
    std::fflush(stdout);
  }
}

int Run(const std::vector<std::string>& words) {
  if (words.size() == 4 && words[0] == "fill") {
    Must(CopyStore(words[1], words[2], std::strtoull(words[3].c_str(), nullptr, 10)));
  } else if (words.size() == 3 && words[0] == "ask") {
    Ask(words[1], std::strtoull(words[2].c_str(), nullptr, 10));
  } else if (words.size() == 2 && words[0] == "open") {
    Open(words[1]);
  } else if (words.size() == 3 && words[0] == "write") {
    Write(words[1], std::atof(words[2].c_str()));
  } else if (words.size() == 3 && words[0] == "budget") {
    Budget(words[1], std::strtoull(words[2].c_str(), nullptr, 10));
  } else {
    std::fprintf(stderr,
                 "usage: growth_bench fill FROM STORE TOKENS | ask STORE QUESTIONS | open STORE | "
                 "write STORE SECONDS | budget STORE QUESTIONS\n");
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace kvasir::bench

int main(int argc, char** argv) {
  return kvasir::bench::Run(std::vector<std::string>(argv + 1, argv + argc));
}
