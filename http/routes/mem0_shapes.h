// What mem0's two families of routes share.
#ifndef HTTP_ROUTES_MEM0_SHAPES_H_
#define HTTP_ROUTES_MEM0_SHAPES_H_

#include <string>

#include "http/router.h"

namespace kvasir::http {

/// The key's space, else the default one: mem0 knows none.
std::string SpaceOfMem0(const Call& call);

/// {"id", "memory", "hash", "metadata", "created_at", "updated_at", "user_id", "agent_id",
/// "run_id"}.
Json Mem0Memory(const MemoryRecord& record);

}  // namespace kvasir::http

#endif  // HTTP_ROUTES_MEM0_SHAPES_H_
