// Ask a question that takes two memories, and print the answer while it is made:
// `02_ask_streaming [QUESTION]`.
#include <kvasir/kvasir.h>

#include <iostream>
#include <string>

namespace {

void Show(const kvasir::AskEvent& event) {
  switch (event.kind) {
    case kvasir::AskEventKind::kHop:
      std::cout << "hop " << event.hop << " read " << event.ids.size() << " memories\n";
      break;
    case kvasir::AskEventKind::kToken:
      std::cout << event.text << std::flush;
      break;
    case kvasir::AskEventKind::kCitation:
      for (const std::string& id : event.ids) std::cout << " [" << id << "]";
      break;
  }
}

kvasir::Status Run(const std::string& question) {
  KVASIR_ASSIGN_OR_RETURN(auto memory, kvasir::Memory::InMemory());
  const std::pair<const char*, const char*> texts[] = {
      {"ada", "Ada moved to Lisbon in May."},
      {"tagus", "Lisbon lies on the estuary of the river Tagus."},
      {"bread", "Grandmother's bread rests for a night in the cold."},
  };
  for (const auto& [id, text] : texts) {
    kvasir::RememberRequest request;
    request.id = id;
    request.text = text;
    KVASIR_RETURN_IF_ERROR(memory->Remember(request).status());
  }
  kvasir::AskRequest request;
  request.question = question;
  request.max_new_tokens = 32;
  request.on_event = Show;
  KVASIR_ASSIGN_OR_RETURN(const auto answer, memory->Ask(request));
  std::cout << "\n\nsources:\n";
  for (const kvasir::Citation& citation : answer.citations) {
    std::cout << "  " << citation.id << ": " << citation.text << '\n';
  }
  return kvasir::Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  const kvasir::Status status =
      Run(argc > 1 ? argv[1] : "Which river runs through the city where Ada lives?");
  if (!status.ok()) std::cerr << status.message() << '\n';
  return status.ok() ? 0 : 1;
}
