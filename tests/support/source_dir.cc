#include "tests/support/source_dir.h"

namespace kvasir::test {

std::filesystem::path SourceDir() { return KVASIR_SOURCE_DIR; }

}  // namespace kvasir::test
