// Lines of a stream, however long they are, without holding more than one of bounded size.
#ifndef SDK_CLI_LINE_READER_H_
#define SDK_CLI_LINE_READER_H_

#include <cstdint>
#include <istream>
#include <string>

namespace kvasir::cli {

/// The most that one memory may hold: a row, a file, standard input. Larger texts want to be split.
inline constexpr std::uint64_t kMaxMemoryBytes = 8 << 20;

class LineReader {
 public:
  explicit LineReader(std::istream* stream) : stream_(stream) {}

  /// The next line without its end, false at the end of the stream. A line longer than
  /// kMaxMemoryBytes is read past and marked too_long(), with the line itself empty.
  bool Next(std::string* line);

  bool too_long() const { return too_long_; }
  std::uint64_t number() const { return number_; }  ///< Of the last line, from 1.
  std::uint64_t bytes() const { return bytes_; }    ///< Read so far.

 private:
  std::istream* stream_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_ = 0;
  bool too_long_ = false;
};

}  // namespace kvasir::cli

#endif  // SDK_CLI_LINE_READER_H_
