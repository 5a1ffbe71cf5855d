// Strings are most of what senders send, so they are looked at eight bytes at a time: does any of them end
// the string, begin an escape, or is it a control byte? Whether the text is UTF-8 is asked once, before all
// else.
#include "host/base/json_scan.h"

#include <cstdint>
#include <cstring>

namespace davit {
namespace {

constexpr int kMostLevels = 64;  // one bit each
constexpr int kMostDigits = 17;  // before and behind the point each

constexpr std::uint64_t each_byte(unsigned char byte) { return 0x0101010101010101u * byte; }
constexpr std::uint64_t kHighBits = each_byte(0x80);

// Is one of the eight bytes 0, or below `limit` (at most 0x80)? Exact as a question about all eight.
constexpr bool has_zero(std::uint64_t word) { return ((word - each_byte(1)) & ~word & kHighBits) != 0; }
constexpr bool has_less(std::uint64_t word, unsigned char limit) {
  return ((word - each_byte(limit)) & ~word & kHighBits) != 0;
}

class Scanner {
 public:
  Scanner(std::string_view text, const JsonLimits& limits)
      : at_(text.data()), end_(text.data() + text.size()), limits_(limits) {}

  bool document() {
    do {
      if (!value()) return false;
    } while (!ended_);
    return true;
  }

 private:
  // A scalar or the beginning of an array or object, and then all ends that follow it.
  bool value() {
    skip_blanks();
    if (at_ == end_ || !count()) return false;
    switch (*at_) {
      case '{':
        if (!enter(true)) return false;
        if (next_is('}')) return leave() && follow();
        return key();
      case '[':
        if (!enter(false)) return false;
        if (next_is(']')) return leave() && follow();
        return true;
      case '"':
        return string() && follow();
      case 't':
        return word("true") && follow();
      case 'f':
        return word("false") && follow();
      case 'n':
        return word("null") && follow();
      default:
        return number() && follow();
    }
  }

  // What comes behind a value: the ends of what it is in, a comma, or the end of the text.
  bool follow() {
    for (;;) {
      skip_blanks();
      if (depth_ == 0) return ended_ = at_ == end_;
      if (at_ == end_) return false;
      const char c = *at_++;
      if (c == ',') return in_object() ? key() : true;
      if (c != (in_object() ? '}' : ']')) return false;
      leave();
    }
  }

  bool key() {
    skip_blanks();
    if (at_ == end_ || *at_ != '"' || !count() || !string()) return false;
    skip_blanks();
    if (at_ == end_ || *at_ != ':') return false;
    ++at_;
    return true;
  }

  bool string() {
    ++at_;
    for (;;) {
      while (end_ - at_ >= 8) {
        std::uint64_t bytes;
        std::memcpy(&bytes, at_, 8);
        if (has_less(bytes, 0x20) || has_zero(bytes ^ each_byte('"')) || has_zero(bytes ^ each_byte('\\')))
          break;
        at_ += 8;
      }
      if (at_ == end_) return false;
      const char c = *at_++;
      if (c == '"') return true;
      if (c == '\\' ? !escape() : static_cast<unsigned char>(c) < 0x20) return false;
    }
  }

  // At what stands behind the backslash.
  bool escape() {
    if (at_ == end_) return false;
    const char c = *at_++;
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    if (end_ - at_ < 4) return false;
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      const char digit = *at_++;
      code <<= 4;
      if (digit >= '0' && digit <= '9') {
        code += static_cast<unsigned>(digit - '0');
      } else if (const char letter = static_cast<char>(digit | 0x20); letter >= 'a' && letter <= 'f') {
        code += static_cast<unsigned>(letter - 'a' + 10);
      } else {
        return false;
      }
    }
    return code < 0xD800 || code > 0xDFFF;
  }

  bool number() {
    if (*at_ == '-') ++at_;
    if (at_ == end_) return false;
    if (*at_ == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!digits()) return false;
    }
    return at_ == end_ || (*at_ != 'e' && *at_ != 'E');
  }

  bool digits() {
    const char* begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin && at_ - begin <= kMostDigits;
  }

  bool word(std::string_view expected) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, expected.size()) != expected)
      return false;
    at_ += expected.size();
    return true;
  }

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool next_is(char c) {
    skip_blanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool count() { return ++values_ <= limits_.max_values; }
  bool enter(bool object) {
    ++at_;
    if (++depth_ > limits_.max_depth || depth_ > kMostLevels) return false;
    objects_ = objects_ << 1 | (object ? 1u : 0u);
    return true;
  }
  bool leave() {
    --depth_;
    objects_ >>= 1;
    return true;
  }
  bool in_object() const { return (objects_ & 1) != 0; }

  const char* at_;
  const char* end_;
  const JsonLimits& limits_;
  int depth_ = 0;
  std::uint64_t objects_ = 0;  // a bit per open level, the innermost last: is it an object?
  std::size_t values_ = 0;
  bool ended_ = false;
};

}  // namespace

bool surely_json(std::string_view text, const JsonLimits& limits) {
  return text.size() <= limits.max_bytes && is_utf8(text) && Scanner(text, limits).document();
}

}  // namespace davit
