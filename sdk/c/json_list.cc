#include "sdk/c/json_list.h"

#include "kvasir/filter.h"

namespace kvasir::c {

std::string HitsToJson(const std::vector<Hit>& hits) {
  std::string json = "[";
  for (const Hit& hit : hits) {
    // A hit's fields are flat, so the public writer of flat objects serves.
    const Metadata fields = {
        {"id", hit.id}, {"title", hit.title}, {"text", hit.text}, {"score", hit.score}};
    if (json.size() > 1) json += ',';
    json += MetadataToJson(fields);
  }
  json += ']';
  return json;
}

}  // namespace kvasir::c
