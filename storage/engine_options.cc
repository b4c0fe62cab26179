#include "storage/engine_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include "storage/engine_hooks.h"

namespace kvasir::storage {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct FamilySetup {
  const char* name;
  bool compress;       // Codes of segments do not compress; everything else does.
  bool point_lookups;  // A Bloom filter pays.
  std::size_t file_bytes;
};

// An erasure rewrites the files that hold its keys: small files make it cheap. Segment payloads are
// the bulk, so their files are larger to keep the number of files down.
constexpr FamilySetup kSetups[kFamilies] = {
    {"default", true, false, 8 * kMiB},  {"ids", true, true, 8 * kMiB},
    {"heads", true, true, 8 * kMiB},     {"history", true, false, 8 * kMiB},
    {"bodies", true, true, 8 * kMiB},    {"forward", true, true, 8 * kMiB},
    {"postings", true, false, 8 * kMiB}, {"router", false, true, 32 * kMiB},
    {"kv", false, true, 32 * kMiB},      {"ledger", true, false, 8 * kMiB},
};

class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::ColumnFamilyOptions FamilyOptions(const FamilySetup& setup,
                                           const rocksdb::BlockBasedTableOptions& common,
                                           bool compress) {
  rocksdb::ColumnFamilyOptions family;
  rocksdb::BlockBasedTableOptions table = common;
  if (setup.point_lookups) table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.compression = setup.compress && compress ? rocksdb::kZSTD : rocksdb::kNoCompression;
  family.write_buffer_size = 4 * setup.file_bytes;
  family.target_file_size_base = setup.file_bytes;
  family.max_bytes_for_level_base = 8 * setup.file_bytes;
  family.level_compaction_dynamic_level_bytes = true;  // Small stores keep to one level.
  family.paranoid_file_checks = true;                  // A table file is read back once written.
  return family;
}

}  // namespace

std::shared_ptr<rocksdb::Logger> SilentLogger() { return std::make_shared<NoLogger>(); }

rocksdb::DBOptions DatabaseOptions(const EngineOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.create;
  db.create_missing_column_families = options.create;
  db.paranoid_checks = true;
  // Point-in-time recovery opened "OK" after one flipped byte of the log, half of the rows gone.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.recycle_log_file_num = 0;
  db.wal_compression = rocksdb::kNoCompression;
  db.max_total_wal_size = 128 * kMiB;
  db.db_write_buffer_size = 128 * kMiB;
  db.max_bgerror_resume_count = 0;  // A failed write is final until the store is opened again.
  db.max_manifest_file_size = 1;    // Every change starts a new MANIFEST: old keys leave with it.
  db.atomic_flush = true;           // Ten families in one MANIFEST change: an erasure is quicker.
  db.info_log = SilentLogger();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  if (options.hooks && options.hooks->env) db.env = options.hooks->env.get();
  return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const EngineOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  const bool compress = !options.hooks || options.hooks->compress;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const FamilySetup& setup : kSetups) {
    families.emplace_back(setup.name, FamilyOptions(setup, table, compress));
  }
  return families;
}

}  // namespace kvasir::storage
