// The JSON of every answer: the same words as `kvasir --json` prints.
#ifndef HTTP_RENDER_H_
#define HTTP_RENDER_H_

#include <utility>

#include "http/json.h"
#include "http/rendering.h"

namespace kvasir::http {

/// See Rendering for what there is.
template <typename T>
Json ToJson(const T& value) {
  return Rendering<Json>::Of(value);
}
inline Json ToJson(MemoryRecord record, RecordText text = RecordText::kBoth) {
  return Rendering<Json>::Of(std::move(record), text);
}

}  // namespace kvasir::http

#endif  // HTTP_RENDER_H_
