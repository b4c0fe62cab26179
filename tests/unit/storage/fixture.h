// What the fixture stores hold: one document with everything, one edited, one erased.
#ifndef TESTS_UNIT_STORAGE_FIXTURE_H_
#define TESTS_UNIT_STORAGE_FIXTURE_H_

#include "tests/unit/storage/testing.h"

namespace kvasir::storage {

inline Status MakeFixture(const std::string& path) {
  TestClock clock;
  StoreOptions options = TestOptions();
  options.clock = &clock;
  KVASIR_ASSIGN_OR_RETURN(const auto store, Store::Open(path, options));
  KVASIR_ASSIGN_OR_RETURN(const SpaceId space, store->EnsureSpace("default"));
  DocumentWrite full = MakeWrite("full", "Ada moved to Lisbon.\nThe Tagus runs there.");
  full.record.title = "Ada";
  full.record.session = "chat-7";
  full.record.metadata = {{"n", std::int64_t{5}}, {"tags", std::vector<std::string>{"a", "b"}}};
  full.record.messages = {{.role = "user", .content = "hi", .name = "Ada", .time = clock.now}};
  KVASIR_RETURN_IF_ERROR(store->Commit(One(full)).status());
  KVASIR_RETURN_IF_ERROR(store->Commit(One(MakeWrite("edited", "first text"))).status());
  KVASIR_RETURN_IF_ERROR(store->Commit(One(MakeWrite("erased", "gone text"))).status());
  DocumentWrite edit = MakeWrite("edited", "second text");
  edit.mode = WriteMode::kNewVersion;
  KVASIR_RETURN_IF_ERROR(store->Commit(One(edit)).status());
  return store->Erase(space, std::vector<DocumentNumber>{2}).status();
}

}  // namespace kvasir::storage

#endif  // TESTS_UNIT_STORAGE_FIXTURE_H_
