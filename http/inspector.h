// The inspector page: the files of http/inspector, built in.
#ifndef HTTP_INSPECTOR_H_
#define HTTP_INSPECTOR_H_

#include <span>
#include <string_view>

namespace kvasir::http {

struct InspectorFile {
  std::string_view name;  ///< "app.js"; served as /inspector/app.js, index.html as /.
  std::string_view content_type;
  std::string_view hash;  ///< Hex SHA-256 of `bytes`.
  std::string_view bytes;
};

/// Every file, by name. Made by CMake from the folder; lives as long as the program.
std::span<const InspectorFile> InspectorFiles();

/// What the page may do: load its own files and call its own server, nothing else. No inline
/// script or style, no frame, no form that leaves, no string that becomes markup.
inline constexpr std::string_view kInspectorPolicy =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

}  // namespace kvasir::http

#endif  // HTTP_INSPECTOR_H_
