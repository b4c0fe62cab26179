#include "http/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "http/random.h"
#include "http/sha256.h"

namespace kvasir::http {
namespace {

class Keys : public ::testing::Test {
 protected:
  Keys() { std::filesystem::create_directory(folder_); }
  ~Keys() override { std::filesystem::remove_all(folder_); }

  std::string Create(const std::string& space, std::string_view scopes) {
    return *CreateKey(path_, "test", space, *Scopes::Parse(scopes), Timestamp());
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("kvasir-keys-" + RandomHex(8));
  const std::filesystem::path path_ = folder_ / "store.keys";
};

TEST_F(Keys, AreFoundBySecretAndByNothingElse) {
  const std::string secret = Create("home", "read,write");
  KeyWatch watch(path_);
  const auto found = watch.Find(secret);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->space, "home");
  EXPECT_TRUE(found->scopes.Has(Scope::kWrite));
  EXPECT_FALSE(found->scopes.Has(Scope::kForget));
  EXPECT_FALSE(watch.Find(secret.substr(1)));
  EXPECT_FALSE(watch.Find(""));
  EXPECT_FALSE(watch.Find(secret + "0"));
}

TEST_F(Keys, AreKeptAsHashesReadableByTheOwnerOnly) {
  const std::string secret = Create("home", "read");
  std::ifstream file(path_);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text.find(secret), std::string::npos);
  EXPECT_EQ(text.find(secret.substr(secret.rfind('_') + 1)), std::string::npos);
  EXPECT_NE(text.find(Sha256Hex(secret)), std::string::npos);
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(Keys, AreNotFoundOnceRevoked) {
  const std::string secret = Create("home", "read");
  const std::string other = Create("work", "read");
  const std::string id = KeyFile::Load(path_)->keys().front().id;
  ASSERT_TRUE(RevokeKey(path_, id, Timestamp()).ok());
  const auto file = KeyFile::Load(path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Find(secret), nullptr);
  EXPECT_NE(file->Find(other), nullptr);
  EXPECT_EQ(RevokeKey(path_, "nobody", Timestamp()).code(), StatusCode::kNotFound);
}

TEST_F(Keys, LetNobodyInWhenTheirFileIsBroken) {
  std::ofstream(path_) << "{\"keys\":7}";
  KeyWatch watch(path_);
  EXPECT_TRUE(watch.any());
  EXPECT_FALSE(watch.Find("kv_1_2"));
}

TEST_F(Keys, AreNeededByNobodyWithoutAFile) {
  KeyWatch watch(path_);
  EXPECT_FALSE(watch.any());
}

TEST(Scopes, AreWordsAndAdminHasAll) {
  EXPECT_EQ(Scopes::Parse("forget,read")->ToString(), "read,forget");
  EXPECT_FALSE(Scopes::Parse("reed").ok());
  EXPECT_TRUE(Scopes::Parse("admin")->Has(Scope::kForget));
  EXPECT_FALSE(Scopes().Has(Scope::kRead));
  EXPECT_TRUE(Scopes().Has(Scope::kNone));
}

TEST(Sha256, IsTheStandardsOwn) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace kvasir::http
