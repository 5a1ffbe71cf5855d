// Most secrets are a prefix and a run of characters; those are rows of a table. A match takes the whole run,
// so that nothing of a longer form than the known one is left. No regular expressions: the time they need
// depends on who wrote the text.
#include "redact/shapes.h"

#include <algorithm>
#include <array>

namespace redact {
namespace {

enum class Chars { Alnum, Upper, Token, Dotted, Path, Base64, Any };
enum class Before { Any, NoWord };        // may a word go on before it?
enum class Mix { Any, Digit, AllThree };  // what a word of a language is not: digits, or those and both cases

struct Shape {
  std::string_view what;
  std::string_view prefix;  // '?' is any small letter
  Chars chars;
  std::size_t least;  // characters behind the prefix
  Before before = Before::Any;
  Mix mix = Mix::Any;
};

// Lengths are below what is issued today, so that a token cut short is still found.
constexpr std::array kShapes{
    Shape{"GitHub token", "ghs_", Chars::Dotted, 30},
    Shape{"GitHub token", "gh?_", Chars::Alnum, 30},
    Shape{"GitHub token", "github_pat_", Chars::Token, 30},
    Shape{"GitLab token", "glpat-", Chars::Token, 20},
    Shape{"AWS access key", "AKIA", Chars::Upper, 16, Before::NoWord},
    Shape{"AWS access key", "ASIA", Chars::Upper, 16, Before::NoWord},
    Shape{"Slack token", "xox?-", Chars::Token, 10},
    Shape{"Slack token", "xapp-", Chars::Token, 20},
    Shape{"Slack webhook", "hooks.slack.com/services/", Chars::Path, 20},
    Shape{"Anthropic key", "sk-ant-", Chars::Token, 20},
    Shape{"OpenAI key", "sk-", Chars::Token, 32, Before::NoWord, Mix::AllThree},
    Shape{"Stripe key", "sk_live_", Chars::Alnum, 16, Before::NoWord},
    Shape{"Stripe key", "rk_live_", Chars::Alnum, 16, Before::NoWord},
    Shape{"webhook secret", "whsec_", Chars::Base64, 24, Before::NoWord},
    Shape{"Google API key", "AIza", Chars::Token, 35, Before::NoWord},
    Shape{"Google token", "ya29.", Chars::Token, 20, Before::NoWord},
    Shape{"npm token", "npm_", Chars::Alnum, 36, Before::NoWord},
    Shape{"PyPI token", "pypi-AgE", Chars::Token, 50, Before::NoWord},
    Shape{"Hugging Face token", "hf_", Chars::Alnum, 30, Before::NoWord},
    Shape{"Atlassian token", "ATATT3", Chars::Any, 50, Before::NoWord},
    Shape{"Sentry token", "sntry?_", Chars::Any, 30, Before::NoWord},
    Shape{"SendGrid key", "SG.", Chars::Dotted, 50, Before::NoWord},
    Shape{"DigitalOcean token", "dop_v1_", Chars::Alnum, 40, Before::NoWord},
    Shape{"Docker token", "dckr_pat_", Chars::Token, 20, Before::NoWord},
    Shape{"bearer token", "Bearer ", Chars::Any, 20, Before::NoWord, Mix::Digit},
    Shape{"bearer token", "bearer ", Chars::Any, 20, Before::NoWord, Mix::Digit},
    Shape{"basic credentials", "Basic ", Chars::Base64, 16, Before::NoWord, Mix::AllThree},
    Shape{"basic credentials", "basic ", Chars::Base64, 16, Before::NoWord, Mix::AllThree},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_small(c) || is_capital(c); }
bool is_token(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_base64(char c) { return is_alnum(c) || c == '+' || c == '/' || c == '='; }

bool is(Chars chars, char c) {
  switch (chars) {
    case Chars::Alnum:
      return is_alnum(c);
    case Chars::Upper:
      return is_digit(c) || is_capital(c);
    case Chars::Token:
      return is_token(c);
    case Chars::Dotted:
      return is_token(c) || c == '.';
    case Chars::Path:
      return is_alnum(c) || c == '/';
    case Chars::Base64:
      return is_base64(c);
    case Chars::Any:
      return is_token(c) || is_base64(c) || c == '.' || c == '~';
  }
  return false;
}

template <typename Is>
std::size_t run_length(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is) - text.begin());
}

// Whether a row, or one of the forms below it, can begin with this byte: nearly no byte of a text can.
constexpr std::array<bool, 256> kFirst = [] {
  std::array<bool, 256> first{};
  for (const Shape& shape : kShapes) first[static_cast<unsigned char>(shape.prefix.front())] = true;
  for (const unsigned char c : {'e', '-', 'a', 'A', 'S', 's'}) first[c] = true;
  return first;
}();

bool begins_with(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (prefix[i] == '?' ? !is_small(text[i]) : prefix[i] != text[i]) return false;
  }
  return true;
}

// Judged by its first 64 characters, so that a text of many beginnings is not read again and again.
bool is_mixed(std::string_view run, Mix mix) {
  run = run.substr(0, 64);
  const auto has = [&](auto is) { return std::any_of(run.begin(), run.end(), is); };
  switch (mix) {
    case Mix::Any:
      return true;
    case Mix::Digit:
      return has(is_digit);
    case Mix::AllThree:
      return has(is_digit) && has(is_small) && has(is_capital);
  }
  return false;
}

Match match_row(std::string_view text, const Shape& shape, bool word_before) {
  if (word_before && shape.before == Before::NoWord) return {};
  if (!begins_with(text, shape.prefix)) return {};
  const std::string_view rest = text.substr(shape.prefix.size());
  const auto is_one = [&](char c) { return is(shape.chars, c); };
  if (run_length(rest.substr(0, shape.least), is_one) < shape.least) return {};
  if (!is_mixed(rest.substr(0, run_length(rest.substr(0, 64), is_one)), shape.mix)) return {};
  return {shape.prefix.size() + run_length(rest, is_one), shape.what};
}

// RFC 7519: two objects and a signature, in base64url, with dots between.
Match match_jwt(std::string_view text, bool token_before) {
  if (token_before || text.substr(0, 3) != "eyJ") return {};
  const std::size_t header = run_length(text, is_token);
  if (header < 10 || text.substr(header, 4) != ".eyJ") return {};
  const std::size_t claims = header + 1 + run_length(text.substr(header + 1), is_token);
  if (claims >= text.size() || text[claims] != '.') return {};
  return {claims + 1 + run_length(text.substr(claims + 1), is_token), "JSON web token"};
}

// What a backslash begins in JSON and in program text: a line break, a blank or a letter of base64. Quoted
// twice it is two backslashes.
enum class Meaning { None, Break, Blank, Letter };
struct Escape {
  std::size_t size = 0;
  Meaning meaning = Meaning::None;
};

Escape escape_at(std::string_view text) {
  const std::size_t slashes = run_length(text.substr(0, 8), [](char c) { return c == '\\'; });
  if (slashes == 0) return {};
  const std::string_view rest = text.substr(slashes, 5);
  if (rest.empty()) return {};
  switch (rest.front()) {
    case 'n':
      return {slashes + 1, Meaning::Break};
    case 'r':
    case 't':
      return {slashes + 1, Meaning::Blank};
    case '/':
      return {slashes + 1, Meaning::Letter};
    default:
      break;
  }
  for (const std::string_view letter : {"u002b", "u002B", "u002f", "u002F", "u003d", "u003D"}) {
    if (rest == letter) return {slashes + rest.size(), Meaning::Letter};
  }
  return {};
}

// The lines of a PEM file (RFC 7468, RFC 1421, RFC 4880 §6.2) behind its first, and what a log, a diff, JSON
// or a program's quotes put around them; all of them may stand in one line, and the end may be missing. Words
// of a language are none of it: a line of them ends it.
class KeyLines {
 public:
  KeyLines(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  // Where they end; 0 where there are none.
  std::size_t end() {
    while (go_on()) {
    }
    return found_end_ || is_mixed_ ? end_ : 0;
  }

 private:
  static constexpr std::string_view kDashes = "-----";
  static constexpr std::size_t kLong = 24;  // characters of a line that is no word

  std::string_view rest() const { return text_.substr(at_); }
  bool at_dashes() const { return text_.substr(at_, kDashes.size()) == kDashes; }

  std::size_t word_size() const {
    std::size_t at = at_;
    while (at < text_.size()) {
      if (is_base64(text_[at])) {
        ++at;
      } else if (const Escape escape = escape_at(text_.substr(at)); escape.meaning == Meaning::Letter) {
        at += escape.size;
      } else {
        break;
      }
    }
    return at - at_;
  }

  // Over blanks, quotes, marks and line breaks.
  void skip_marks() {
    for (; at_ < text_.size() && !at_dashes();) {
      const char c = text_[at_];
      const Escape escape = escape_at(rest());
      if (escape.meaning == Meaning::Letter) return;
      if (c == '\n' || escape.meaning == Meaning::Break) {
        // In program text a line may end twice: once written, once real.
        bool& before = c == '\n' ? real_break_ : written_break_;
        if (before) gap_ = true;
        before = line_begins_ = true;
      } else if (!(c == '+' && line_begins_) &&  // of a diff
                 std::string_view(" \t\r\\\"'`,;:.-|>").find(c) == std::string_view::npos) {
        return;
      }
      at_ += std::max<std::size_t>(escape.size, 1);
    }
  }

  // "Proc-Type: 4,ENCRYPTED"
  bool skip_header() {
    constexpr std::array<std::string_view, 6> kNames{
        "Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Charset:", "Hash:"};
    if (std::none_of(kNames.begin(), kNames.end(),
                     [&](std::string_view name) { return rest().substr(0, name.size()) == name; }))
      return false;
    while (at_ < text_.size() && !at_dashes() && text_[at_] != '\n' &&
           escape_at(rest()).meaning != Meaning::Break)
      ++at_;
    return true;
  }

  // False once it has come to the end.
  bool go_on() {
    skip_marks();
    if (at_dashes()) {
      take_end();
      return false;
    }
    const std::size_t size = word_size();
    if (size == 0) return false;
    if (size >= kLong) {
      take(size);
      is_mixed_ = is_mixed_ || is_mixed(text_.substr(end_ - size, size), Mix::AllThree);
      return true;
    }
    if (end_ == 0 && skip_header()) return true;
    const std::string_view word = text_.substr(at_, size);
    // The time, or the number of the line, that a log puts in front.
    if (line_begins_ &&
        run_length(word, [](char c) { return is_digit(c) || c == 'T' || c == 'Z' || c == '+'; }) == size) {
      at_ += size;
      return true;
    }
    // The last line: shorter, and nothing else in it; behind it at most a checksum.
    const bool was_padded = end_ > 0 && text_[end_ - 1] == '=';
    if (end_ == 0 || (was_padded && word.front() != '=')) return false;
    const std::size_t before = end_;
    const bool was_gap = gap_;
    take(size);
    skip_marks();
    if (at_dashes() || (!was_gap && (line_begins_ || at_ == text_.size()))) return true;
    end_ = before;
    return false;
  }

  void take(std::size_t size) {
    at_ += size;
    end_ = at_;
    line_begins_ = gap_ = real_break_ = written_break_ = false;
  }

  void take_end() {
    const std::size_t dashes = run_length(rest().substr(0, 8), [](char c) { return c == '-'; });
    if (end_ == 0 || rest().substr(dashes, 4) != "END ") return;
    found_end_ = true;
    const std::size_t close = rest().substr(0, 64).find(kDashes, dashes);
    end_ = close == std::string_view::npos ? at_ : at_ + close + kDashes.size();
  }

  std::string_view text_;
  std::size_t at_ = 0, end_ = 0;                     // end_: of what is taken; 0: nothing
  bool line_begins_ = false;                         // no word was in this line yet but a time
  bool real_break_ = false, written_break_ = false;  // since the last line of the key
  bool gap_ = false;                                 // an empty line goes before
  bool is_mixed_ = false, found_end_ = false;
};

Match match_pem(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----";
  if (text.substr(0, kBegin.size()) != kBegin) return {};
  const std::string_view line = text.substr(0, 64);
  const std::size_t label_end = kBegin.size() + run_length(line.substr(kBegin.size()), [](char c) {
                                  return is_capital(c) || is_digit(c) || c == ' ';
                                });
  if (line.substr(label_end, kDashes.size()) != kDashes) return {};
  if (line.substr(0, label_end).find("PRIVATE KEY") == std::string_view::npos) return {};
  const std::size_t end = KeyLines(text, label_end + kDashes.size()).end();
  return end == 0 ? Match{} : Match{end, "private key"};
}

// RFC 3986 §3.2.1: "user:password@" or a lone token in front of the host. A placeholder ($TOKEN, {password},
// <password>, ***) is none.
Match match_userinfo(std::string_view text, std::size_t at) {
  if (at < 3 || text.substr(at - 3, 3) != "://") return {};
  const std::string_view rest = text.substr(at, 1024);
  const std::size_t end = run_length(rest, [](char c) {
    return is(Chars::Any, c) ? c != '/' : std::string_view("!$&'()*,;:%").find(c) != std::string_view::npos;
  });
  if (end == 0 || end == rest.size() || rest[end] != '@') return {};
  const std::string_view info = rest.substr(0, end);
  const std::size_t colon = info.find(':');
  if (colon == std::string_view::npos)
    return info.size() >= 20 && is_mixed(info, Mix::Digit) ? Match{end, "credentials in an address"}
                                                           : Match{};
  const std::string_view password = info.substr(colon + 1);
  if (password.empty() || std::string_view("$*%").find(password.front()) != std::string_view::npos) return {};
  return {end, "credentials in an address"};
}

// The secret half of an AWS key has no prefix: it is told by its name.
Match match_aws_secret(std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames{"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY",
                                                   "SecretAccessKey", "secretAccessKey"};
  for (const std::string_view name : kNames) {
    if (text.substr(0, name.size()) != name) continue;
    const std::string_view rest = text.substr(name.size(), 256);
    const std::size_t gap = run_length(rest.substr(0, 8), [](char c) {
      return std::string_view(" \t=:>\"'\\").find(c) != std::string_view::npos;
    });
    const std::size_t size = run_length(rest.substr(gap), is_base64);
    if (gap > 0 && size >= 40) return {name.size() + gap + size, "AWS secret key"};
  }
  return {};
}

}  // namespace

Match match_shape(std::string_view text, std::size_t at, bool fresh) {
  if (at > 0 && text[at - 1] == '/') {
    if (const Match match = match_userinfo(text, at); match.size > 0) return match;
  }
  if (!kFirst[static_cast<unsigned char>(text[at])]) return {};
  const std::string_view rest = text.substr(at);
  const char before = fresh ? ' ' : text[at - 1];
  // A dash goes on with a word as well: "task-sk-…" is a name.
  const bool token_before = is_token(before);
  for (const Shape& shape : kShapes) {
    if (const Match match = match_row(rest, shape, token_before); match.size > 0) return match;
  }
  if (const Match match = match_jwt(rest, token_before); match.size > 0) return match;
  if (const Match match = match_pem(rest); match.size > 0) return match;
  return match_aws_secret(rest);
}

}  // namespace redact
