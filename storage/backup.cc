// Backups: RocksDB's own engine, always read back with checksums, never onto an existing store.
#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>

#include <filesystem>

#include "storage/engine_options.h"
#include "storage/files.h"
#include "storage/store_impl.h"

namespace kvasir::storage {
namespace {

rocksdb::BackupEngineOptions BackupOptions(const std::string& folder, rocksdb::Logger* silent) {
  rocksdb::BackupEngineOptions options(folder);
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  options.sync = true;
  options.info_log = silent;
  return options;
}

std::string ToHex(std::string_view bytes) {
  return rocksdb::Slice(bytes.data(), bytes.size()).ToString(/*hex=*/true);
}

}  // namespace

Status Store::Impl::Backup(const std::string& folder, const CallOptions& call) const {
  if (folder.empty()) return InvalidArgument("the backup folder's name is empty");
  const auto silent = SilentLogger();
  rocksdb::BackupEngine* raw = nullptr;
  KVASIR_RETURN_IF_ERROR(
      FromRocks(rocksdb::BackupEngine::Open(rocksdb::Env::Default(),
                                            BackupOptions(folder, silent.get()), &raw),
                "opening the backup folder " + folder));
  const std::unique_ptr<rocksdb::BackupEngine> backups(raw);
  const std::scoped_lock physical(physical_mutex);
  rocksdb::CreateBackupOptions create;
  create.flush_before_backup = !options.read_only;  // Then all of it is in checked table files.
  if (call.progress) {
    create.progress_callback = [&] { call.progress({.stage = "backup", .done = 0, .total = 0}); };
  }
  rocksdb::BackupID id = 0;
  KVASIR_RETURN_IF_ERROR(FromRocks(
      backups->CreateNewBackupWithMetadata(create, engine->db(), ToHex(identity.Encode()), &id),
      "writing the backup"));
  Status verified = FromRocks(backups->VerifyBackup(id, /*verify_with_checksum=*/true),
                              "reading the backup back");
  if (!verified.ok()) (void)backups->DeleteBackup(id);
  return verified;
}

Status Store::Restore(const std::string& folder, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return NotFound("there is no backup folder " + folder);
  if (std::filesystem::exists(path, error) && !std::filesystem::is_empty(path, error)) {
    return Conflict(path + " is not empty: a restore never overwrites");
  }
  const auto silent = SilentLogger();
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  KVASIR_RETURN_IF_ERROR(
      FromRocks(rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(),
                                                    BackupOptions(folder, silent.get()), &raw),
                "opening the backup folder " + folder));
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> backups(raw);
  rocksdb::BackupInfo info;
  const auto latest = backups->GetLatestBackupInfo(&info);
  if (!latest.ok()) return NotFound("there is no backup in " + folder);
  std::string encoded;
  if (!rocksdb::Slice(info.app_metadata).DecodeHex(&encoded)) {
    return Corruption("the backup's identity cannot be read");
  }
  KVASIR_RETURN_IF_ERROR(StoreIdentity::Decode(encoded).status());
  KVASIR_RETURN_IF_ERROR(FromRocks(
      backups->VerifyBackup(info.backup_id, /*verify_with_checksum=*/true), "checking the backup"));
  std::filesystem::create_directories(path, error);
  if (error) return PermissionDenied("creating " + path + ": " + error.message());
  const std::string database = path + kDatabaseFolder;
  KVASIR_RETURN_IF_ERROR(
      FromRocks(backups->RestoreDBFromBackup(info.backup_id, database, database), "restoring"));
  // A fresh mark: opening finds a ledger above it and takes it from there. Identity comes last.
  KVASIR_RETURN_IF_ERROR(HighWaterFile::Create(path + kHighWaterFile));
  return WriteFileAtomically(path + kIdentityFile, encoded);
}

}  // namespace kvasir::storage
