// How RocksDB is set up: every option that differs from its default, with the reason.
#ifndef STORAGE_ENGINE_OPTIONS_H_
#define STORAGE_ENGINE_OPTIONS_H_

#include <rocksdb/db.h>

#include <vector>

#include "storage/engine.h"

namespace kvasir::storage {

rocksdb::DBOptions DatabaseOptions(const EngineOptions& options);
/// One per Family, in its order.
std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const EngineOptions& options);
/// An info log that keeps nothing: RocksDB's own may quote keys and options.
std::shared_ptr<rocksdb::Logger> SilentLogger();

}  // namespace kvasir::storage

#endif  // STORAGE_ENGINE_OPTIONS_H_
