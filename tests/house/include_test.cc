// Arrows between folders point one way, and each foreign library stays behind its door.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/house/include_rules.h"
#include "tests/support/source_dir.h"

namespace kvasir::house {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ComplaintOn(const std::string& file, const std::string& target, bool angled) {
  return Complaint({file, target, angled, 1});
}

TEST(Includes, PointTheAllowedWayInTheWholeTree) {
  const auto includes = IncludesOf(test::SourceDir().string());
  ASSERT_GT(includes.size(), 100U) << "the walk found too little to have looked at the tree";
  for (const Include& include : includes) {
    EXPECT_THAT(Complaint(include), IsEmpty())
        << include.file << ":" << include.line << " includes " << include.target;
  }
}

TEST(Includes, OfALowerFolderAreAllowed) {
  EXPECT_THAT(ComplaintOn("agent/ask.cc", "storage/store.h", false), IsEmpty());
  EXPECT_THAT(ComplaintOn("model/model.cc", "compute/backend.h", false), IsEmpty());
  EXPECT_THAT(ComplaintOn("sdk/cli/main.cc", "kvasir/memory.h", false), IsEmpty());
  EXPECT_THAT(ComplaintOn("storage/engine.cc", "rocksdb/db.h", true), IsEmpty());
  EXPECT_THAT(ComplaintOn("compute/cpu/isa.cc", "immintrin.h", true), IsEmpty());
}

TEST(Includes, OfAHigherOrForeignFolderAreRefused) {
  EXPECT_THAT(ComplaintOn("storage/engine.cc", "model/model.h", false), HasSubstr("may not know"));
  EXPECT_THAT(ComplaintOn("storage/engine.cc", "compute/route.h", false),
              HasSubstr("may not know"));
  EXPECT_THAT(ComplaintOn("model/model.cc", "storage/store.h", false), HasSubstr("may not know"));
  EXPECT_THAT(ComplaintOn("sdk/cli/main.cc", "agent/bank.h", false), HasSubstr("may not know"));
  EXPECT_THAT(ComplaintOn("agent/ask.cc", "gpu/cache.h", false), HasSubstr("may not know"));
  EXPECT_THAT(ComplaintOn("agent/ask.cc", "bank.h", false), HasSubstr("from the root"));
}

TEST(Includes, OfALibraryBehindAnotherDoorAreRefused) {
  EXPECT_THAT(ComplaintOn("agent/ask.cc", "rocksdb/db.h", true), HasSubstr("may not use"));
  EXPECT_THAT(ComplaintOn("model/model.cc", "oneapi/dnnl/dnnl.hpp", true),
              HasSubstr("may not use"));
  EXPECT_THAT(ComplaintOn("sdk/cli/settings.cc", "toml++/toml.h", true), HasSubstr("one door"));
  EXPECT_THAT(ComplaintOn("sdk/include/kvasir/a.h", "unistd.h", true), HasSubstr("standard"));
}

TEST(Includes, PlantedInAnyFileAreFound) {
  std::string folder = testing::TempDir() + "kvasir_house_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::filesystem::create_directories(folder + "/storage/deep");
  std::ofstream(folder + "/storage/deep/planted.cc")
      << "#include <vector>\n#  include \"agent/bank.h\"\n";
  const auto includes = IncludesOf(folder);
  std::filesystem::remove_all(folder);
  ASSERT_EQ(includes.size(), 2U);
  EXPECT_EQ(includes[1].file, "storage/deep/planted.cc");
  EXPECT_EQ(includes[1].line, 2);
  EXPECT_THAT(Complaint(includes[1]), HasSubstr("storage may not know agent"));
}

}  // namespace
}  // namespace kvasir::house
