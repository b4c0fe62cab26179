#include "model/utf8.h"

namespace kvasir::model {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// The longest piece at the front of `bytes` that is a character, or that cannot become one, or
/// that the bytes to come may complete.
struct Piece {
  enum class Kind { kCharacter, kInvalid, kUnfinished };
  Kind kind;
  size_t length;
};

unsigned At(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

/// Bounds of the second byte: they shut out overlong forms, surrogates and what is past U+10FFFF.
bool IsSecondByte(unsigned first, unsigned second) {
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return low <= second && second <= high;
}

Piece FirstPiece(std::string_view bytes) {
  const unsigned first = At(bytes, 0);
  if (first < 0x80) return {Piece::Kind::kCharacter, 1};
  if (first < 0xC2 || first > 0xF4) return {Piece::Kind::kInvalid, 1};
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < length; ++i) {
    if (i == bytes.size()) return {Piece::Kind::kUnfinished, i};
    const bool fits = i == 1 ? IsSecondByte(first, At(bytes, 1)) : At(bytes, i) >> 6 == 2;
    if (!fits) return {Piece::Kind::kInvalid, i};
  }
  return {Piece::Kind::kCharacter, length};
}

}  // namespace

Status ValidateUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (At(text, at) < 0x80) {
      ++at;
      continue;
    }
    const Piece piece = FirstPiece(text.substr(at));
    if (piece.kind != Piece::Kind::kCharacter) {
      return InvalidArgument("text is not UTF-8 at byte " + std::to_string(at));
    }
    at += piece.length;
  }
  return Status::Ok();
}

size_t AppendUtf8Lossy(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const Piece piece = FirstPiece(bytes);
    if (piece.kind == Piece::Kind::kUnfinished) return bytes.size();
    if (piece.kind == Piece::Kind::kCharacter) {
      out.append(bytes.substr(0, piece.length));
    } else {
      AppendCodePoint(kReplacement, out);
    }
    bytes.remove_prefix(piece.length);
  }
  return 0;
}

void AppendCodePoint(char32_t code_point, std::string& out) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | (code_point >> shift & 0x3F)));
  };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code_point >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

size_t CodePointStart(std::string_view text, size_t position) {
  while (position > 0 && position < text.size() &&
         (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) {
    --position;
  }
  return position;
}

char32_t NextCodePoint(std::string_view text, size_t& position) {
  const unsigned first = At(text, position++);
  if (first < 0x80) return first;
  const int tails = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  char32_t code_point = first & (0x3Fu >> tails);
  for (int i = 0; i < tails; ++i) code_point = code_point << 6 | (At(text, position++) & 0x3F);
  return code_point;
}

}  // namespace kvasir::model
