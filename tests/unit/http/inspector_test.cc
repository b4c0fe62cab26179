#include "http/inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "http/keys.h"
#include "http/metrics.h"
#include "http/router.h"
#include "http/routes/routes.h"
#include "http/tasks.h"

namespace kvasir::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// What the page answers to GET /inspector/`name`, with `etag` in If-None-Match.
class Inspector : public ::testing::Test {
 protected:
  Response Get(const std::string& name, const std::string& etag = "") {
    Request request;
    if (!etag.empty()) request.head.headers.push_back({"if-none-match", etag});
    Call call{.request = request,
              .memory = nullptr,
              .principal = principal_,
              .id = name,
              .body = {},
              .metrics = metrics_,
              .tasks = tasks_,
              .backup_folder = none_,
              .ready = Status::Ok()};
    Answer answer = name.empty() ? GetInspector(call) : GetInspectorFile(call);
    if (answer.problem() != nullptr) return ProblemResponse(*answer.problem(), "id");
    return std::move(*answer.response());
  }

  static std::string Header(const Response& response, std::string_view name) {
    for (const HeaderField& field : response.headers) {
      if (field.name == name) return field.value;
    }
    return "";
  }

  Principal principal_;
  Metrics metrics_{{}};
  Tasks tasks_;
  const std::string none_;
};

TEST_F(Inspector, ServesThePageUnderAPolicyWithoutInlineCode) {
  const Response page = Get("");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(Header(page, "Content-Security-Policy"), HasSubstr("default-src 'self'"));
  EXPECT_THAT(Header(page, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
  EXPECT_EQ(Get("app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("icon.svg").content_type, "image/svg+xml");
}

TEST_F(Inspector, AnswersUnchangedFilesWithoutTheirBytes) {
  const std::string tag = Header(Get("app.js"), "ETag");
  const Response again = Get("app.js", tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(Get("app.js", "\"another\"").status, 200);
}

TEST_F(Inspector, HasNoOtherFiles) {
  EXPECT_EQ(Get("passwd").status, 404);
  EXPECT_EQ(Get("../keys.h").status, 404);
  EXPECT_EQ(Get("README.md").status, 404);
}

TEST_F(Inspector, ImportsOnlyWhatItHas) {
  std::set<std::string> names;
  for (const InspectorFile& file : InspectorFiles()) names.insert(std::string(file.name));
  const std::regex import(R"re((?:from|import) "\./([^"]+)")re");
  for (const InspectorFile& file : InspectorFiles()) {
    const std::string text(file.bytes);
    for (std::sregex_iterator at(text.begin(), text.end(), import), end; at != end; ++at) {
      EXPECT_TRUE(names.contains((*at)[1])) << file.name << " imports " << (*at)[1];
    }
  }
}

TEST_F(Inspector, TurnsNoTextIntoMarkup) {
  for (const InspectorFile& file : InspectorFiles()) {
    if (!file.name.ends_with(".js")) continue;
    for (const char* sink : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                             "DOMParser", "eval(", "new Function", "srcdoc"}) {
      EXPECT_THAT(std::string(file.bytes), Not(HasSubstr(sink))) << file.name;
    }
  }
}

}  // namespace
}  // namespace kvasir::http
