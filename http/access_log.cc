#include "http/access_log.h"

#include "http/json.h"
#include "kvasir/filter.h"

namespace kvasir::http {

void AccessLog::Write(const AccessEntry& entry) {
  if (!write_) return;
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  Json json = {{"time", FormatTimestamp(now)},
               {"request_id", entry.request_id},
               {"remote", entry.remote},
               {"status", entry.status},
               {"bytes_in", entry.bytes_in},
               {"bytes_out", entry.bytes_out},
               {"ms", static_cast<double>(entry.took.count()) / 1000.0}};
  const std::pair<const char*, std::string_view> texts[] = {{"method", entry.method},
                                                            {"route", entry.route},
                                                            {"key", entry.key_id},
                                                            {"code", entry.code},
                                                            {"error", entry.error}};
  for (const auto& [name, value] : texts) {
    if (!value.empty()) json[name] = value;
  }
  const std::string line = DumpJson(json) + "\n";
  std::lock_guard lock(mutex_);
  write_(line);
}

}  // namespace kvasir::http
