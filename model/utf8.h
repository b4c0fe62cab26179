// UTF-8, strictly: no surrogates, no overlong forms, nothing past U+10FFFF.
#ifndef KVASIR_MODEL_UTF8_H_
#define KVASIR_MODEL_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "kvasir/status.h"

namespace kvasir::model {

/// kInvalidArgument with the offset of the first byte that is not UTF-8.
Status ValidateUtf8(std::string_view text);

/// Appends `bytes` to `out` as UTF-8: each maximal piece that cannot be a character becomes one
/// U+FFFD (the Unicode standard's recommended practice). Returns how many bytes at the end were
/// left alone because they may yet become a character (0 to 3).
size_t AppendUtf8Lossy(std::string_view bytes, std::string& out);

/// Appends one code point; it must be a scalar value.
void AppendCodePoint(char32_t code_point, std::string& out);

/// Where the code point that `position` lies in starts; `position` itself at a start and at the
/// end.
size_t CodePointStart(std::string_view text, size_t position);

/// The code point that starts at `position`, which moves behind it. `text` must be valid there.
char32_t NextCodePoint(std::string_view text, size_t& position);

}  // namespace kvasir::model

#endif  // KVASIR_MODEL_UTF8_H_
