// Remember three things, recall one, forget it: `01_remember_recall [STORE]`, a temporary store
// otherwise.
#include <kvasir/kvasir.h>

#include <iostream>
#include <string>

namespace {

kvasir::Status Run(const std::string& path) {
  KVASIR_ASSIGN_OR_RETURN(auto memory,
                          path.empty() ? kvasir::Memory::InMemory() : kvasir::Memory::Open(path));
  const std::string texts[] = {
      "Ada moved to Lisbon in May and rents a flat near the river.",
      "The router in the hall is restarted by holding its left button for ten seconds.",
      "Grandmother's bread: 500 g of flour, 350 g of water, a night in the cold.",
  };
  for (const std::string& text : texts) {
    kvasir::RememberRequest request;
    request.text = text;
    request.session = "notes";
    KVASIR_ASSIGN_OR_RETURN(const auto receipt, memory->Remember(request));
    std::cout << "remembered " << receipt.id << ": " << receipt.tokens << " tokens\n";
  }

  kvasir::RecallRequest query;
  query.query = "How long does the bread dough rest?";
  query.top_k = 2;
  KVASIR_ASSIGN_OR_RETURN(const auto found, memory->Recall(query));
  for (const kvasir::Hit& hit : found.hits) {
    std::cout << hit.score << "  " << hit.text << '\n';
  }
  if (found.hits.empty()) return kvasir::NotFound("nothing was recalled");

  kvasir::ForgetRequest forget;
  forget.ids = {found.hits.front().id};
  KVASIR_ASSIGN_OR_RETURN(const auto receipt, memory->Forget(forget));
  std::cout << "forgot " << receipt.memories << (receipt.physical ? ", for good\n" : "\n");
  return kvasir::Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  const kvasir::Status status = Run(argc > 1 ? argv[1] : "");
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
