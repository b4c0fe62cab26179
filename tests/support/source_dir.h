// Where the tree lies, for tests that read fixtures or the sources themselves.
#ifndef TESTS_SUPPORT_SOURCE_DIR_H_
#define TESTS_SUPPORT_SOURCE_DIR_H_

#include <filesystem>

namespace kvasir::test {

/// The root of the checkout. In one object file, so that compiling the tests does not depend on the
/// path.
std::filesystem::path SourceDir();

}  // namespace kvasir::test

#endif  // TESTS_SUPPORT_SOURCE_DIR_H_
