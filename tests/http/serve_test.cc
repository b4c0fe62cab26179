// The real thing: `kvasir serve` as a process, with the real model and store, over loopback.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "http/json.h"
#include "http/random.h"
#include "tests/http/raw_client.h"
#include "tests/support/test_model.h"

extern char** environ;

namespace kvasir::http_test {
namespace {

using http::Json;
using ::testing::HasSubstr;

/// A `kvasir` process whose standard output is read by the test.
class Process {
 public:
  explicit Process(std::vector<std::string> words) {
    words.insert(words.begin(), KVASIR_COMMAND);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int output[2];
    if (pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn(&pid_, KVASIR_COMMAND, &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    output_ = output[0];
  }
  ~Process() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    Wait();
    close(output_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::string ReadLine() {
    std::string line;
    char byte = 0;
    while (read(output_, &byte, 1) == 1 && byte != '\n') line.push_back(byte);
    return line;
  }
  void Terminate() { kill(pid_, SIGTERM); }
  int Wait() {
    if (pid_ <= 0) return -1;
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

class Serve : public ::testing::Test {
 protected:
  ~Serve() override { std::filesystem::remove_all(folder_); }

  std::string Store() const { return (folder_ / "store").string(); }
  std::vector<std::string> Words(const std::string& model) const {
    return {"serve",        "--json",
            "--port",       "0",
            "--store",      Store(),
            "--model",      model,
            "--access-log", (folder_ / "access.log").string()};
  }
  /// The port once the store is open.
  static int WaitUntilReady(Process& server) {
    const Json hello = Json::parse(server.ReadLine());
    const int port = hello["port"];
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (Fetch(port, "GET", "/readyz").status != 200) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never ready");
      std::this_thread::yield();
    }
    return port;
  }

  const std::filesystem::path folder_ = [] {
    auto path = std::filesystem::temp_directory_path() / ("kvasir-serve-" + http::RandomHex(8));
    std::filesystem::create_directory(path);
    return path;
  }();
};

TEST_F(Serve, RemembersRecallsAnswersForgetsAndStopsCleanly) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  {
    Process server(Words(path.string()));
    const int port = WaitUntilReady(server);
    const Reply created =
        Fetch(port, "POST", "/v1/memories", R"({"id":"ada","text":"Ada moved to Lisbon in May."})");
    ASSERT_EQ(created.status, 201) << created.body;
    const Reply found = Fetch(port, "POST", "/v1/recall", R"({"query":"Where does Ada live?"})");
    EXPECT_EQ(Json::parse(found.body)["hits"][0]["id"], "ada");
    const Reply answer =
        Fetch(port, "POST", "/v1/ask",
              R"({"question":"Where does Ada live?","max_new_tokens":8,"stream":true})");
    EXPECT_THAT(answer.body, HasSubstr("event: hop"));
    EXPECT_THAT(answer.body, HasSubstr("event: done"));
    EXPECT_EQ(Fetch(port, "PUT", "/v1/memories/ada", R"({"text":"Ada moved to Porto."})",
                    "If-Match: \"stale\"\r\n")
                  .status,
              412);
    EXPECT_EQ(Fetch(port, "PUT", "/v1/memories/ada", R"({"text":"Ada moved to Porto."})",
                    "If-Match: " + created.headers.at("etag") + "\r\n")
                  .status,
              200);
    server.Terminate();
    EXPECT_EQ(server.Wait(), 0);
  }
  Process server(Words(path.string()));
  const int port = WaitUntilReady(server);
  EXPECT_EQ(Json::parse(Fetch(port, "GET", "/v1/memories/ada").body)["text"],
            "Ada moved to Porto.");
  const Reply erased = Fetch(port, "DELETE", "/v1/memories/ada");
  EXPECT_EQ(Json::parse(erased.body)["physical"], true) << erased.body;
  EXPECT_EQ(Fetch(port, "GET", "/v1/memories/ada").status, 404);
  EXPECT_EQ(Fetch(port, "DELETE", "/v1/memories/ada").status, 404);
  server.Terminate();
  EXPECT_EQ(server.Wait(), 0);
  std::ifstream log(folder_ / "access.log");
  const std::string lines{std::istreambuf_iterator<char>(log), {}};
  EXPECT_THAT(lines, HasSubstr("\"route\":\"/v1/recall\""));
  EXPECT_THAT(lines, ::testing::Not(HasSubstr("Lisbon")));
}

TEST_F(Serve, FinishesTheAnswersThatItHasBegun) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  Process server(Words(path.string()));
  const int port = WaitUntilReady(server);
  ASSERT_EQ(Fetch(port, "POST", "/v1/memories", R"({"text":"Ada moved to Lisbon in May."})").status,
            201);
  RawClient asking(port);
  asking.Send(Request("POST", "/v1/ask",
                      R"({"question":"Where does Ada live?","max_new_tokens":8,"stream":true})"));
  const std::string begun = asking.ReadUntil("event: hop");
  server.Terminate();
  EXPECT_THAT(begun + asking.ReadAll(), HasSubstr("event: done"));
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(Serve, CopiesTheStoreWhileItIsWrittenTo) {
  KVASIR_TEST_MODEL_OR_SKIP(path);
  const std::string copies = (folder_ / "copies").string();
  std::vector<std::string> words = Words(path.string());
  words.insert(words.end(), {"--backup-folder", copies});
  {
    Process server(words);
    const int port = WaitUntilReady(server);
    const auto remember = [port](const std::string& id) {
      return Fetch(port, "POST", "/v1/memories",
                   Json{{"id", id}, {"text", "Ada moved to Lisbon."}}.dump())
          .status;
    };
    ASSERT_EQ(remember("before"), 201);
    std::atomic<bool> copied = false;
    std::thread writer([&] {
      for (int i = 0; !copied; ++i) EXPECT_EQ(remember("during" + std::to_string(i)), 201);
    });
    const Reply backup = Fetch(port, "POST", "/v1/backup");
    copied = true;
    writer.join();
    EXPECT_EQ(backup.status, 201) << backup.body;
    EXPECT_EQ(remember("after"), 201);
    server.Terminate();
    EXPECT_EQ(server.Wait(), 0);
  }
  const std::string restored = (folder_ / "restored").string();
  ASSERT_EQ(Process({"restore", copies, "--store", restored}).Wait(), 0);
  EXPECT_EQ(Process({"get", "before", "--store", restored}).Wait(), 0);
  EXPECT_EQ(Process({"get", "after", "--store", restored}).Wait(), 3);
  EXPECT_EQ(Process({"verify", "--store", restored}).Wait(), 0);
}

TEST_F(Serve, RefusesToBeReachableWithoutProxyAndKey) {
  EXPECT_EQ(Process({"serve", "--port", "0", "--address", "0.0.0.0", "--store", Store()}).Wait(),
            4);
  EXPECT_EQ(Process({"serve", "--port", "0", "--behind-proxy", "--store", Store()}).Wait(), 4);
}

TEST_F(Serve, TakesKeysThatTheCommandLineMade) {
  Process create({"key", "create", "--json", "--store", Store(), "--space", "home"});
  const Json key = Json::parse(create.ReadLine());
  EXPECT_EQ(create.Wait(), 0);
  EXPECT_EQ(key["space"], "home");
  Process list({"key", "list", "--json", "--store", Store()});
  const Json keys = Json::parse(list.ReadLine())["keys"];
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0]["scopes"], "read,write,forget");
  EXPECT_FALSE(keys[0].contains("sha256"));
  EXPECT_EQ(Process({"key", "revoke", keys[0]["id"], "--store", Store()}).Wait(), 0);
  EXPECT_EQ(Process({"key", "revoke", "nobody", "--store", Store()}).Wait(), 3);
}

}  // namespace
}  // namespace kvasir::http_test
