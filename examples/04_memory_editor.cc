// A memory editor for the terminal: what an agent remembers, shown and mended by a person.
// `04_memory_editor STORE` reads commands from standard input:
//
//   list · show ID · edit ID TEXT · history ID · undo ID · forget ID · quit
#include <kvasir/kvasir.h>

#include <iostream>
#include <sstream>
#include <string>

namespace {

class Editor {
 public:
  explicit Editor(kvasir::Memory& memory) : memory_(memory) {}

  /// False at the end.
  bool Obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string id;
    std::string text;
    words >> verb >> id >> std::ws;
    std::getline(words, text);
    if (verb == "quit") return false;
    kvasir::Status status;
    if (verb == "list") {
      status = List();
    } else if (verb == "show") {
      status = Show(id);
    } else if (verb == "edit") {
      status = Edit(id, text);
    } else if (verb == "history") {
      status = History(id);
    } else if (verb == "undo") {
      status = Undo(id);
    } else if (verb == "forget") {
      status = Forget(id);
    } else {
      status = kvasir::InvalidArgument("there is no command '" + verb + "'");
    }
    if (!status.ok()) std::cout << "! " << status.message() << '\n';
    return true;
  }

 private:
  kvasir::Status List() {
    kvasir::ListRequest request;
    do {
      KVASIR_ASSIGN_OR_RETURN(const auto page, memory_.List(request));
      for (const kvasir::MemoryRecord& record : page.memories) {
        std::cout << record.id << " v" << record.version << "  " << record.text << '\n';
      }
      request.cursor = page.next_cursor;
    } while (!request.cursor.empty());
    return kvasir::Status::Ok();
  }

  kvasir::Status Show(const std::string& id) {
    KVASIR_ASSIGN_OR_RETURN(const auto record, memory_.Get(id));
    std::cout << record.id << " v" << record.version << ", "
              << kvasir::FormatTimestamp(record.updated_at) << ", written through "
              << record.provenance.channel << "\n  " << record.text << '\n';
    return kvasir::Status::Ok();
  }

  /// The version that was shown is the one that is edited: an agent may write meanwhile.
  kvasir::Status Edit(const std::string& id, const std::string& text) {
    KVASIR_ASSIGN_OR_RETURN(const auto record, memory_.Get(id));
    kvasir::UpdateRequest request;
    request.id = id;
    request.text = text;
    request.if_match = kvasir::Etag(record.number, record.version);
    KVASIR_ASSIGN_OR_RETURN(const auto receipt, memory_.Update(request));
    std::cout << id << " is v" << receipt.version << '\n';
    return kvasir::Status::Ok();
  }

  kvasir::Status History(const std::string& id) {
    KVASIR_ASSIGN_OR_RETURN(const auto versions, memory_.History(id));
    for (const kvasir::MemoryRecord& version : versions) {
      std::cout << "v" << version.version << "  " << version.text << '\n';
    }
    return kvasir::Status::Ok();
  }

  /// Going back is an edit as well: nothing that was is lost.
  kvasir::Status Undo(const std::string& id) {
    KVASIR_ASSIGN_OR_RETURN(const auto versions, memory_.History(id));
    if (versions.size() < 2) return kvasir::Conflict(id + " was never edited");
    return Edit(id, versions[versions.size() - 2].text);
  }

  kvasir::Status Forget(const std::string& id) {
    kvasir::ForgetRequest request;
    request.ids = {id};
    KVASIR_ASSIGN_OR_RETURN(const auto receipt, memory_.Forget(request));
    std::cout << "forgot " << receipt.memories << " and " << receipt.versions << " old versions\n";
    for (const std::string& place : receipt.not_reached)
      std::cout << "  not reached: " << place << '\n';
    return kvasir::Status::Ok();
  }

  kvasir::Memory& memory_;
};

}  // namespace

int main(int argc, char** argv) {
  auto opened = argc > 1 ? kvasir::Memory::Open(argv[1]) : kvasir::Memory::InMemory();
  if (!opened.ok()) {
    std::cerr << opened.status().message() << '\n';
    return 1;
  }
  kvasir::Memory& memory = **opened;
  kvasir::RememberRequest first;
  first.id = "welcome";
  first.text = "Ada lives in Lisbon.";
  if (const auto receipt = memory.Remember(first); !receipt.ok()) {
    std::cerr << receipt.status().message() << '\n';
    return 1;
  }
  Editor editor(memory);
  std::string line;
  while (std::getline(std::cin, line) && editor.Obey(line)) {
  }
  return 0;
}
