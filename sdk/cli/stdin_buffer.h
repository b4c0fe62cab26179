// Standard input that a stop ends: a plain read would sleep through Ctrl-C.
#ifndef SDK_CLI_STDIN_BUFFER_H_
#define SDK_CLI_STDIN_BUFFER_H_

#include <array>
#include <stop_token>
#include <streambuf>

namespace kvasir::cli {

/// Reads file descriptor 0; after a stop it answers end of file.
class StdinBuffer : public std::streambuf {
 public:
  explicit StdinBuffer(std::stop_token stop) : stop_(std::move(stop)) {}

 protected:
  int_type underflow() override;

 private:
  std::stop_token stop_;
  std::array<char, 1 << 16> bytes_{};
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_STDIN_BUFFER_H_
