// Unguessable names, from the kernel.
#ifndef HTTP_RANDOM_H_
#define HTTP_RANDOM_H_

#include <cstddef>
#include <string>

namespace kvasir::http {

/// `bytes` random bytes (at most 256) as lower-case hex. Ends the process when the kernel has none:
/// a guessable key would be worse.
std::string RandomHex(std::size_t bytes);

}  // namespace kvasir::http

#endif  // HTTP_RANDOM_H_
