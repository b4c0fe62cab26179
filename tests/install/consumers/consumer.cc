// A program of somebody else: `consumer [with-model]`.
#include <kvasir/kvasir.h>

#include <cstring>
#include <iostream>

int main(int argc, char** argv) {
  const bool with_model = argc > 1 && std::strcmp(argv[1], "with-model") == 0;
  kvasir::OpenOptions options;
  options.load_model = with_model;
  auto memory = kvasir::Memory::InMemory(options);
  if (!memory.ok()) {
    std::cerr << memory.status().message() << '\n';
    return 1;
  }
  if (!with_model) {
    const auto nobody = (*memory)->Get("nobody");
    return nobody.status().code() == kvasir::StatusCode::kNotFound ? 0 : 1;
  }
  kvasir::RememberRequest request;
  request.id = "ada";
  request.text = "Ada moved to Lisbon in May.";
  kvasir::RecallRequest query;
  query.query = "Where does Ada live?";
  if (!(*memory)->Remember(request).ok()) return 1;
  const auto found = (*memory)->Recall(query);
  return found.ok() && found->hits.size() == 1 && found->hits[0].id == "ada" ? 0 : 1;
}
