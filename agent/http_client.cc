#include "agent/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

namespace kvasir::agent {
namespace {

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

// What libcurl's callbacks see. An exception may not cross C: it is kept and thrown again outside.
struct Call {
  const HttpPost& request;
  std::exception_ptr thrown;
};

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* call = static_cast<Call*>(user);
  const std::size_t bytes = size * count;
  try {
    return call->request.on_body({data, bytes}) ? bytes : CURL_WRITEFUNC_ERROR;
  } catch (...) {
    call->thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Call*>(user)->request.stop.stop_requested() ? 1 : 0;
}

Result<HeaderList> Headers(const std::vector<std::string>& headers) {
  HeaderList list;
  for (const std::string& header : headers) {
    if (header.find_first_of("\r\n") != std::string::npos) {
      return InvalidArgument("a header may not hold a line end");
    }
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    if (longer == nullptr) return Unavailable("out of memory");
    list.release();  // NOLINT(bugprone-unused-return-value): the longer list owns it.
    list.reset(longer);
  }
  return list;
}

long Seconds(std::chrono::milliseconds time) {
  return std::max(1L, static_cast<long>((time.count() + 999) / 1000));
}

void Prepare(CURL* handle, Call* call, curl_slist* headers, char* error) {
  const HttpPost& request = call->request;
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
#if CURL_AT_LEAST_VERSION(7, 85, 0)
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);  // Signals and threads do not mix.
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout_ms.count()));
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, Seconds(request.idle_timeout_ms));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, call);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, call);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
}

// libcurl counts its own users; the first one must be alone.
Status InitOnce() {
  static std::once_flag once;
  static CURLcode code = CURLE_OK;
  std::call_once(once, [] { code = curl_global_init(CURL_GLOBAL_DEFAULT); });
  return code == CURLE_OK ? Status::Ok() : Unavailable("libcurl cannot start");
}

}  // namespace

Result<int> Post(const HttpPost& request) {
  KVASIR_RETURN_IF_ERROR(InitOnce());
  const Easy handle(curl_easy_init());
  if (!handle) return Unavailable("libcurl cannot start");
  KVASIR_ASSIGN_OR_RETURN(const HeaderList headers, Headers(request.headers));
  Call call{request, nullptr};
  std::array<char, CURL_ERROR_SIZE> error{};
  Prepare(handle.get(), &call, headers.get(), error.data());
  const CURLcode code = curl_easy_perform(handle.get());
  if (call.thrown) std::rethrow_exception(call.thrown);
  if (request.stop.stop_requested()) return Cancelled("the request was stopped");
  if (code != CURLE_OK) {
    return Unavailable(request.url + ": " +
                       (error[0] != '\0' ? error.data() : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

}  // namespace kvasir::agent
