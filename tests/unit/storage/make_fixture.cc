// Writes the fixture store of this format version: make_store_fixture FOLDER. The result is
// committed once per version (without OPTIONS and LOCK files) and never written again.
#include <cstdio>

#include "tests/unit/storage/fixture.h"

int main(int count, char** arguments) {
  using namespace kvasir::storage;  // NOLINT(google-build-using-namespace)
  if (count != 2) return 1;
  const kvasir::Status made = MakeFixture(arguments[1]);
  if (!made.ok()) std::fprintf(stderr, "%s\n", made.message().c_str());
  return made.ok() ? 0 : 2;
}
