// channel_dump STORE MODEL ADAPTER < QUESTIONS > CANDIDATES: what both channels say of the
// candidates of each question, for fitting the fusion (scripts/tune-fusion).
//
// In: rows {"question","positives":[{"id"}]}. Out, one line a question:
//   {"question": "...", "memories": N, "gold": ["id", …], "ids": ["id", …],
//    "evidence": [[coverage, lexical_share, latent, named], …], "links": [[from, to, strength], …]}
// Links go from the memories that may become one of the best, by their places in "ids".
// The store must have been made with this model and adapter; its default space is searched.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/bank.h"
#include "agent/search.h"
#include "storage/store.h"
#include "tests/bench/open_bank.h"

namespace kvasir {
namespace {

using nlohmann::json;

// Places of the candidates that any choice of weights could put among the first three.
std::set<std::size_t> Seeds(const std::vector<agent::Candidate>& found) {
  constexpr std::size_t kEach = 8;
  std::vector<std::size_t> by_latent(found.size());
  std::iota(by_latent.begin(), by_latent.end(), std::size_t{0});
  std::set<std::size_t> seeds(
      by_latent.begin(),
      by_latent.begin() + static_cast<std::ptrdiff_t>(std::min(kEach, by_latent.size())));
  std::stable_sort(by_latent.begin(), by_latent.end(), [&](std::size_t a, std::size_t b) {
    return found[a].evidence.latent > found[b].evidence.latent;
  });
  for (std::size_t i = 0; i < std::min(kEach, by_latent.size()); ++i) seeds.insert(by_latent[i]);
  return seeds;
}

Result<json> Candidates(agent::Bank& bank, storage::SpaceId space,
                        const storage::DocumentSet& allowed, const std::string& question) {
  agent::SearchQuery query;
  query.space = space;
  query.text = question;
  query.allowed = &allowed;
  KVASIR_ASSIGN_OR_RETURN(const auto found, agent::Search(bank, query));
  std::vector<storage::DocumentNumber> numbers;
  for (const agent::Candidate& candidate : found) numbers.push_back(candidate.document);
  KVASIR_ASSIGN_OR_RETURN(const auto documents, bank.store().GetMany(space, numbers));
  std::map<storage::DocumentNumber, std::size_t> places;
  json row = {{"question", question},
              {"memories", allowed.size()},
              {"ids", json::array()},
              {"evidence", json::array()}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!documents[i]) continue;
    const agent::Evidence& e = found[i].evidence;
    places[found[i].document] = row["ids"].size();
    row["ids"].push_back(documents[i]->record.id);
    row["evidence"].push_back({e.coverage, e.lexical_share, e.latent, e.named});
  }
  row["links"] = json::array();
  for (const std::size_t i : Seeds(found)) {
    if (!documents[i]) continue;
    KVASIR_ASSIGN_OR_RETURN(const auto mentions,
                            agent::TitlesIn(bank, space, *documents[i], found[i].segment));
    for (const storage::TitleMention& mention : mentions) {
      const auto to = places.find(mention.document);
      if (to == places.end()) continue;
      row["links"].push_back({places[found[i].document], to->second, mention.strength});
    }
  }
  return row;
}

Status Run(const std::string& store_path, const std::string& model_path,
           const std::string& adapter) {
  KVASIR_ASSIGN_OR_RETURN(const auto bank, bench::OpenBank(store_path, model_path, adapter));
  KVASIR_ASSIGN_OR_RETURN(const auto space, bank->store().FindSpace("default"));
  KVASIR_ASSIGN_OR_RETURN(const auto allowed, bank->store().Select(space, {}));
  for (std::string line; std::getline(std::cin, line);) {
    const json asked = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!asked.is_object()) return InvalidArgument("a row of standard input is no JSON object");
    KVASIR_ASSIGN_OR_RETURN(json row,
                            Candidates(*bank, space, allowed, asked.value("question", "")));
    for (const json& positive : asked["positives"]) row["gold"].push_back(positive["id"]);
    std::cout << row.dump() << '\n';
  }
  return Status::Ok();
}

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: channel_dump STORE MODEL ADAPTER < QUESTIONS > CANDIDATES\n");
    return 2;
  }
  const kvasir::Status status = kvasir::Run(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "channel_dump: %s\n", status.message().c_str());
  return 1;
}
