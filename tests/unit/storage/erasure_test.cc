// After an erasure not one byte of what was erased is left in the store's folder.
#include <gmock/gmock.h>
#include <rocksdb/db.h>
#include <rocksdb/sst_dump_tool.h>

#include <random>
#include <thread>

#include "storage/engine_hooks.h"
#include "storage/keys.h"
#include "storage/store_identity.h"
#include "tests/unit/storage/testing.h"

namespace kvasir::storage {
namespace {

using ::testing::IsEmpty;
namespace fs = std::filesystem;

// Words that exist nowhere else, one for each place a document has.
struct Markers {
  explicit Markers(int n) {
    for (const char* place : {"text", "title", "meta", "id", "session", "user", "source", "old"}) {
      words.push_back(Numbered("qz", 1000 + n, place).append("zq"));
    }
  }
  const std::string& operator[](std::size_t i) const { return words[i]; }
  std::vector<std::string> words;
};

DocumentWrite MarkedWrite(const Markers& markers, const std::string& text_marker) {
  DocumentWrite write = MakeWrite(markers[3], text_marker + " is in it.\nMore.");
  write.record.title = markers[1];
  write.record.metadata[markers[2]] = markers[2];
  write.record.session = markers[4];
  write.record.user_id = markers[5];
  write.record.provenance.source = markers[6];
  return write;
}

// Every byte of the folder, file by file; table files also block by block, decompressed.
std::vector<std::string> EveryFile(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(ReadFile(entry.path()));
  }
  return files;
}

bool Anywhere(const std::vector<std::string>& files, const std::string& bytes) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
    return file.find(bytes) != std::string::npos;
  });
}

std::string Hex(const std::string& bytes) { return rocksdb::Slice(bytes).ToString(/*hex=*/true); }

StoreOptions Uncompressed() {
  StoreOptions options = TestOptions();
  options.hooks = std::make_shared<EngineHooks>();
  options.hooks->compress = false;
  return options;
}

// The hashes under which a document's id and terms are keys.
std::vector<std::string> HashesOf(const std::string& path, const Markers& markers) {
  const StoreIdentity identity = *StoreIdentity::Decode(ReadFile(path + "/IDENTITY"));
  std::vector<std::string> hashes = {SipHash128(identity.hash_key, markers[3])};
  for (const std::size_t place : {0, 1, 7}) {
    const std::uint64_t term = SipHash64(identity.hash_key, markers[place]);
    hashes.push_back(TermPrefix(SpaceId{1}, 0, term).substr(8));
    hashes.emplace_back(reinterpret_cast<const char*>(&term), sizeof(term));
  }
  return hashes;
}

TEST(Erasure, LeavesNoByteOf200RandomSetsBehind) {
  std::mt19937 random(11);
  TempFolder folder;
  const std::string path = folder / "store";
  const auto store = OpenStore(path, Uncompressed());
  const SpaceId space = *store->EnsureSpace("default");
  std::map<DocumentNumber, Markers> alive;
  int made = 0;
  for (int set = 0; set < 200; ++set) {
    while (alive.size() < 8) {
      const Markers markers(made++);
      const auto receipt = store->Commit(One(MarkedWrite(markers, markers[7])));
      ASSERT_OK(receipt);
      DocumentWrite edit = MarkedWrite(markers, markers[0]);
      edit.mode = WriteMode::kNewVersion;
      ASSERT_OK(store->Commit(One(edit)));
      alive.emplace(receipt->documents[0].number, markers);
    }
    std::vector<DocumentNumber> victims;
    std::vector<Markers> erased;
    for (auto it = alive.begin(); it != alive.end();) {
      const bool chosen = random() % 4 == 0 || (victims.empty() && std::next(it) == alive.end());
      if (chosen) {
        victims.push_back(it->first);
        erased.push_back(it->second);
      }
      it = chosen ? alive.erase(it) : std::next(it);
    }
    const auto receipt = store->Erase(space, victims);
    ASSERT_OK(receipt);
    ASSERT_EQ(receipt->documents, victims.size());
    ASSERT_EQ(receipt->versions, victims.size());
    const auto files = EveryFile(path);
    for (const Markers& markers : erased) {
      for (const std::string& word : markers.words) {
        ASSERT_FALSE(Anywhere(files, word)) << "set " << set << ": " << word;
      }
      for (const std::string& hash : HashesOf(path, markers)) {
        ASSERT_FALSE(Anywhere(files, hash)) << "set " << set << ": a hash of " << markers[3];
      }
      EXPECT_FALSE(store->Get(space, markers[3]).ok());
    }
    ASSERT_TRUE(alive.empty() || Anywhere(files, alive.begin()->second[0])) << "the scan sees text";
  }
  EXPECT_THAT(Problems(*store), IsEmpty());
}

TEST(Erasure, LeavesNothingInCompressedBlocksEither) {
  TempFolder folder;
  const std::string path = folder / "store";
  const auto store = OpenStore(path);
  const SpaceId space = *store->EnsureSpace("default");
  std::vector<DocumentNumber> victims;
  for (int i = 0; i < 40; ++i) {
    const auto receipt = store->Commit(One(MarkedWrite(Markers(i), Markers(i)[0])));
    if (i % 2 == 0) victims.push_back(receipt->documents[0].number);
  }
  ASSERT_OK(store->Erase(space, victims));
  int dumped = 0;
  std::string dumps;
  for (const auto& entry : fs::directory_iterator(path + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    const std::string file = "--file=" + entry.path().string();
    const char* arguments[] = {"sst_dump", file.c_str(), "--command=raw"};
    ::testing::internal::CaptureStdout();
    ASSERT_EQ(rocksdb::SSTDumpTool().Run(3, arguments), 0);
    ::testing::internal::GetCapturedStdout();
    fs::path dump = entry.path();
    dump.replace_filename(entry.path().stem().string() + "_dump.txt");
    dumps += ReadFile(dump);
    fs::remove(dump);
    ++dumped;
  }
  ASSERT_GT(dumped, 5);
  ASSERT_NE(dumps.find(Hex(Markers(1)[0])), std::string::npos) << "the dump sees what is alive";
  for (int i = 0; i < 40; i += 2) {
    for (const std::string& word : Markers(i).words) {
      EXPECT_EQ(dumps.find(Hex(word)), std::string::npos) << word;
    }
  }
}

TEST(Erasure, TakesASpaceWithItsName) {
  TempFolder folder;
  const std::string path = folder / "store";
  const auto store = OpenStore(path, Uncompressed());
  const SpaceId kept = *store->EnsureSpace("default");
  const SpaceId space = *store->EnsureSpace("qzspacenamezq");
  ASSERT_OK(store->Commit(One(MakeWrite("keep", "kept text"))));
  ASSERT_OK(store->Commit(One(MakeWrite("a", "qzinspacezq", "qzspacenamezq"))));
  const auto receipt = store->EraseSpace(space);
  ASSERT_OK(receipt);
  EXPECT_EQ(receipt->documents, 1U);
  const auto files = EveryFile(path);
  EXPECT_FALSE(Anywhere(files, "qzspacenamezq"));
  EXPECT_FALSE(Anywhere(files, "qzinspacezq"));
  EXPECT_OK(store->Get(kept, "keep"));
  EXPECT_NE(*store->EnsureSpace("qzspacenamezq"), space) << "ids of spaces never return";
  EXPECT_THAT(Problems(*store), IsEmpty());
}

TEST(Erasure, OfEverythingLeavesAnEmptyWorkingStore) {
  TempFolder folder;
  const std::string path = folder / "store";
  const auto store = OpenStore(path, Uncompressed());
  for (const char* name : {"one", "two"}) {
    ASSERT_OK(store->EnsureSpace(name));
    ASSERT_OK(store->Commit(One(MakeWrite("a", "qzinspacezq", name))));
  }
  EXPECT_EQ(store->EraseAll()->documents, 2U);
  EXPECT_FALSE(Anywhere(EveryFile(path), "qzinspacezq"));
  EXPECT_THAT(store->Spaces(), IsEmpty());
  ASSERT_OK(store->EnsureSpace("one"));
  EXPECT_OK(store->Commit(One(MakeWrite("a", "again", "one"))));
}

TEST(Erasure, DeferredIsInvisibleAtOnceAndPhysicalAfterCompact) {
  TempFolder folder;
  const std::string path = folder / "store";
  auto store = OpenStore(path, Uncompressed());
  const SpaceId space = *store->EnsureSpace("default");
  ASSERT_OK(store->Commit(One(MakeWrite("a", "qzdeferredzq"))));
  const auto receipt =
      store->Erase(space, std::vector<DocumentNumber>{0}, {.defer = true, .call = {}});
  ASSERT_OK(receipt);
  EXPECT_FALSE(receipt->physical);
  EXPECT_FALSE(store->Get(space, "a").ok());
  EXPECT_TRUE(Anywhere(EveryFile(path), "qzdeferredzq"));
  store.reset();
  store = OpenStore(path, Uncompressed());
  EXPECT_EQ(store->GetStats()->pending_erases, 1U);
  ASSERT_OK(store->CompactErased());
  EXPECT_FALSE(Anywhere(EveryFile(path), "qzdeferredzq"));
  EXPECT_EQ(store->GetStats()->pending_erases, 0U);
}

TEST(Erasure, WaitsForReadersAndIsThenComplete) {
  TempFolder folder;
  const std::string path = folder / "store";
  const auto store = OpenStore(path, Uncompressed());
  const SpaceId space = *store->EnsureSpace("default");
  for (int i = 0; i < 50; ++i) {
    ASSERT_OK(store->Commit(One(MakeWrite(Numbered("m", i), Numbered("qzread", i, "zq")))));
  }
  std::atomic<bool> stop = false;
  std::jthread reader([&] {
    while (!stop) EXPECT_OK(store->ScanDocuments(space, [](const Document&) { return true; }));
  });
  for (DocumentNumber number = 0; number < 20; ++number) {
    ASSERT_OK(store->Erase(space, std::vector{number}));
    ASSERT_FALSE(Anywhere(EveryFile(path), Numbered("qzread", number, "zq")));
  }
  stop = true;
}

TEST(Erasure, OfADamagedMemoryStillTakesItsIdAndPostings) {
  TempFolder folder;
  const std::string path = folder / "store";
  {
    const auto store = OpenStore(path, Uncompressed());
    ASSERT_OK(store->EnsureSpace("default"));
    ASSERT_OK(store->Commit(One(MakeWrite("a", "qzdamagedzq"))));
    ASSERT_OK(store->Commit(One(MakeWrite("b", "healthy"))));
  }
  rocksdb::DB* raw = nullptr;
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path + "/db", &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) families[i].name = names[i];
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  ASSERT_TRUE(rocksdb::DB::Open({}, path + "/db", families, &handles, &raw).ok());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "heads") {
      ASSERT_TRUE(raw->Put({}, handles[i], DocumentKey(SpaceId{1}, 0), "rubbish").ok());
    }
    ASSERT_TRUE(raw->DestroyColumnFamilyHandle(handles[i]).ok());
  }
  delete raw;
  const auto store = OpenStore(path, Uncompressed());
  const SpaceId space = *store->FindSpace("default");
  EXPECT_EQ(store->Get(space, "a").status().code(), StatusCode::kCorruption);
  EXPECT_FALSE(Problems(*store).empty());
  ASSERT_OK(store->Erase(space, std::vector<DocumentNumber>{0}));
  EXPECT_FALSE(Anywhere(EveryFile(path), "qzdamagedzq"));
  EXPECT_EQ(store->Get(space, "a").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(*store->Search(space, "qzdamagedzq", 5), IsEmpty());
}

}  // namespace
}  // namespace kvasir::storage
