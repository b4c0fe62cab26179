// Hits as JSON for the C ABI.
#ifndef SDK_C_JSON_LIST_H_
#define SDK_C_JSON_LIST_H_

#include <string>
#include <vector>

#include "kvasir/requests.h"

namespace kvasir::c {

/// [{"id","title","text","score"}, …], on one line. The texts are UTF-8, as every stored one is.
std::string HitsToJson(const std::vector<Hit>& hits);

}  // namespace kvasir::c

#endif  // SDK_C_JSON_LIST_H_
