// The one door to OpenSSL: what a key's hash is made and compared with.
#ifndef HTTP_SHA256_H_
#define HTTP_SHA256_H_

#include <string>
#include <string_view>

namespace kvasir::http {

/// 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

/// Takes the same time wherever the two differ.
bool EqualInConstantTime(std::string_view left, std::string_view right);

}  // namespace kvasir::http

#endif  // HTTP_SHA256_H_
