// routing_trace STORE MODEL ADAPTER < QUESTIONS > TRACE: which segments each routed layer chooses
// for each question, for cache_bench.
//
// In: rows {"question", …}. Out, one line for each question and routed layer, in order:
//   LAYER DOCUMENT:SEGMENT DOCUMENT:SEGMENT …
// LAYER counts from 0; the best segments of kChoices documents (agent/space_index.h), best first,
// of which a model attends to the first 16. The store must have been made with this model and
// adapter; its default space is asked.
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/bank.h"
#include "agent/space_index.h"
#include "storage/store.h"
#include "tests/bench/open_bank.h"

namespace kvasir {
namespace {

constexpr std::size_t kChoices = 32;  // The 16 that are read, and as many that were close.

Status Record(agent::Bank& bank, const agent::SpaceIndex& index, const std::string& text) {
  KVASIR_ASSIGN_OR_RETURN(const model::TokenSequence tokens, bank.framing().Question(text));
  if (tokens.empty()) return Status::Ok();
  KVASIR_ASSIGN_OR_RETURN(const auto question, bank.questions().Borrow());
  KVASIR_ASSIGN_OR_RETURN(const auto queries, question->Route(tokens));
  for (std::size_t layer = 0; layer < queries.size(); ++layer) {
    KVASIR_ASSIGN_OR_RETURN(const auto hits, index.Select(queries[layer], kChoices, nullptr));
    std::cout << layer;
    for (const agent::LatentHit& hit : hits) std::cout << ' ' << hit.document << ':' << hit.segment;
    std::cout << '\n';
  }
  return Status::Ok();
}

Status Run(const std::string& store_path, const std::string& model_path,
           const std::string& adapter) {
  KVASIR_ASSIGN_OR_RETURN(const auto bank, bench::OpenBank(store_path, model_path, adapter));
  KVASIR_ASSIGN_OR_RETURN(const auto space, bank->store().FindSpace("default"));
  KVASIR_ASSIGN_OR_RETURN(const auto index, bank->router_index()->Open(space));
  for (std::string line; std::getline(std::cin, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object()) return InvalidArgument("a row of standard input is no JSON object");
    KVASIR_RETURN_IF_ERROR(Record(*bank, *index, row.value("question", "")));
  }
  return Status::Ok();
}

}  // namespace
}  // namespace kvasir

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: routing_trace STORE MODEL ADAPTER < QUESTIONS > TRACE\n");
    return 2;
  }
  const kvasir::Status status = kvasir::Run(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "routing_trace: %s\n", status.message().c_str());
  return 1;
}
