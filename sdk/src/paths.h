// Where things lie: the store, the model, the adapter that was made for it.
#ifndef SDK_SRC_PATHS_H_
#define SDK_SRC_PATHS_H_

#include <optional>
#include <string>

#include "kvasir/status.h"

namespace kvasir::sdk {

/// "~" and "~/…" become the home folder. kInvalidArgument for an empty path or no home.
Result<std::string> ExpandHome(const std::string& path);

/// `asked`, else $KVASIR_MODEL, else the default model's cached file. kUnavailable, saying how to
/// get it, when there is no file.
Result<std::string> FindModel(const std::string& asked);

/// `asked` ("none": nothing), else the shipped adapter that was trained on exactly this model file;
/// nothing when there is none. Reads the model file once to hash it. Looks beside the library
/// (…/share/kvasir/adapters) and in the source tree it was built from. kNotFound for an asked one
/// that is not there.
Result<std::optional<std::string>> FindAdapter(const std::string& asked, const std::string& model);

}  // namespace kvasir::sdk

#endif  // SDK_SRC_PATHS_H_
