// Seams by which tests stand between the engine and the disk. Not for products.
#ifndef STORAGE_ENGINE_HOOKS_H_
#define STORAGE_ENGINE_HOOKS_H_

#include <rocksdb/env.h>

#include <memory>

namespace kvasir::storage {

struct EngineHooks {
  /// Null: the machine's. Sees every file of the database (not the high-water mark).
  std::shared_ptr<rocksdb::Env> env;
  /// False: blocks lie on disk as they are, so that a scan of raw bytes sees everything.
  bool compress = true;
};

}  // namespace kvasir::storage

#endif  // STORAGE_ENGINE_HOOKS_H_
