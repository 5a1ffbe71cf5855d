// One pass over the lines of each text. A line gives quoted texts and what is said behind the name of an
// error; its tokens are a path, an identifier or a word, by how they are written.
#include "discovery/clues.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "discovery/letters.h"

namespace discovery {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMostText = 256 * 1024;  // bytes of each text that are read
constexpr std::size_t kMostPaths = 40, kMostMessages = 20, kMostIdentifiers = 60, kMostWords = 30,
                      kMostNames = 2000;
constexpr std::size_t kLongest = 100;  // of an identifier or a word
constexpr std::size_t kLongestPath = 300, kLongestMessage = 160, kShortestMessage = 10;

constexpr std::string_view kEndings[] = {
    "astro",   "bash",   "bat",  "c",    "cc",    "cfg",        "cjs",   "clj",  "conf", "cpp",    "cs",
    "css",     "cxx",    "dart", "elm",  "erb",   "erl",        "ex",    "exs",  "fs",   "go",     "gradle",
    "graphql", "groovy", "h",    "hcl",  "hpp",   "hs",         "htm",   "html", "ini",  "ipynb",  "java",
    "jl",      "js",     "json", "jsx",  "kt",    "kts",        "less",  "lua",  "m",    "md",     "mjs",
    "mm",      "mts",    "php",  "pl",   "pm",    "properties", "proto", "ps1",  "py",   "pyi",    "r",
    "rb",      "rs",     "rst",  "sass", "scala", "scss",       "sh",    "sol",  "sql",  "svelte", "swift",
    "tf",      "toml",   "ts",   "tsx",  "vue",   "xml",        "yaml",  "yml",  "zig"};

// Names that any program may have.
const std::set<std::string_view> kCommonNames = {"anonymous",
                                                 "args",
                                                 "async",
                                                 "await",
                                                 "call",
                                                 "catch",
                                                 "class",
                                                 "close",
                                                 "config",
                                                 "console",
                                                 "create",
                                                 "data",
                                                 "default",
                                                 "delete",
                                                 "error",
                                                 "exec",
                                                 "execute",
                                                 "exception",
                                                 "false",
                                                 "file",
                                                 "fetch",
                                                 "find",
                                                 "function",
                                                 "handle",
                                                 "handler",
                                                 "index",
                                                 "init",
                                                 "init__",
                                                 "invoke",
                                                 "item",
                                                 "lambda",
                                                 "list",
                                                 "load",
                                                 "main",
                                                 "module",
                                                 "name",
                                                 "next",
                                                 "none",
                                                 "null",
                                                 "object",
                                                 "open",
                                                 "parse",
                                                 "process",
                                                 "public",
                                                 "push",
                                                 "read",
                                                 "render",
                                                 "request",
                                                 "response",
                                                 "result",
                                                 "return",
                                                 "runtimeerror",
                                                 "self",
                                                 "send",
                                                 "start",
                                                 "static",
                                                 "stop",
                                                 "string",
                                                 "super",
                                                 "test",
                                                 "this",
                                                 "throw",
                                                 "true",
                                                 "typeerror",
                                                 "undefined",
                                                 "update",
                                                 "user",
                                                 "value",
                                                 "valueerror",
                                                 "keyerror",
                                                 "void",
                                                 "wrapper",
                                                 "write",
                                                 "nullpointerexception",
                                                 "referenceerror",
                                                 "attributeerror",
                                                 "indexerror",
                                                 "illegalargumentexception",
                                                 "illegalstateexception",
                                                 "github",
                                                 "javascript",
                                                 "typescript",
                                                 "__init__",
                                                 "__main__",
                                                 "__call__"};

// Words of requests that say nothing about what they are about.
const std::set<std::string_view> kCommonWords = {
    "about",     "above",     "actual",     "actually", "after",     "again",       "always",     "another",
    "anyone",    "anything",  "around",     "as",       "because",   "been",        "before",     "behavior",
    "behaviour", "being",     "below",      "best",     "better",    "between",     "both",       "broken",
    "bugs",      "cannot",    "cant",       "case",     "change",    "changes",     "code",       "could",
    "customer",  "customers", "customers'", "davit",    "days",      "description", "didn",       "does",
    "doesn",     "doing",     "done",       "dont",     "down",      "during",      "each",       "either",
    "else",      "error",     "errors",     "even",     "ever",      "every",       "everything", "exactly",
    "example",   "exception", "expected",   "fail",     "failed",    "failing",     "fails",      "failure",
    "find",      "first",     "fixed",      "fixes",    "following", "from",        "gets",       "getting",
    "gives",     "good",      "happen",     "happens",  "hasn",      "have",        "haven",      "hello",
    "help",      "here",      "hers",       "high",     "however",   "http",        "https",      "idea",
    "instead",   "into",      "isn",        "issue",    "issues",    "just",        "kind",       "know",
    "last",      "least",     "less",       "like",     "line",      "little",      "long",       "look",
    "looks",     "made",      "make",       "makes",    "many",      "maybe",       "means",      "might",
    "more",      "most",      "much",       "must",     "need",      "needs",       "never",      "news",
    "next",      "nothing",   "often",      "once",     "only",      "other",       "others",     "over",
    "page",      "please",    "possible",   "problem",  "problems",  "quite",       "really",     "reported",
    "reproduce", "request",   "right",      "same",     "says",      "seem",        "seems",      "seen",
    "several",   "shall",     "should",     "show",     "shown",     "shows",       "since",      "some",
    "someone",   "something", "sometimes",  "soon",     "steps",     "still",       "stop",       "such",
    "sure",      "take",      "takes",      "team",     "than",      "thank",       "thanks",     "that",
    "thats",     "their",     "them",       "then",     "there",     "these",       "they",       "thing",
    "things",    "think",     "this",       "those",    "though",    "through",     "time",       "times",
    "today",     "together",  "tried",      "tries",    "trying",    "turn",        "under",      "unless",
    "until",     "upon",      "used",       "user",     "users",     "uses",        "using",      "very",
    "want",      "wants",     "wasn",       "week",     "well",      "went",        "were",       "what",
    "when",      "whenever",  "where",      "whether",  "which",     "while",       "will",       "with",
    "within",    "without",   "work",       "working",  "works",     "would",       "wrong",      "year",
    "yesterday", "your"};

bool has_ending(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string ending = lower(name.substr(dot + 1));
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

std::string_view trimmed(std::string_view text, std::string_view what = " \t\r") {
  const std::size_t begin = std::min(text.find_first_not_of(what), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(what) + 1);
}

// A number, a hash, an id: another one the next time.
bool changes(std::string_view token) {
  std::size_t digits = 0, hex = 0;
  for (const char c : token) {
    digits += is_digit(c);
    hex += is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
  }
  return digits * 2 > token.size() || (token.size() >= 16 && hex == token.size());
}

// Two words of which a person would not make one: a capital inside, an underscore.
bool is_composed(std::string_view name) {
  for (std::size_t i = 1; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 < name.size()) return true;
    if (is_capital(name[i]) && is_small(name[i - 1])) return true;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(Clues& clues) : clues_(clues) {}

  void read(std::string_view text, bool is_prose, bool is_trace) {
    text = text.substr(0, kMostText);
    while (!text.empty()) {
      const std::size_t size = std::min(text.find('\n'), text.size());
      read_line(text.substr(0, size), is_prose, is_trace);
      text.remove_prefix(std::min(size + 1, text.size()));
    }
  }

  // Words by how often they were used; those used as often in the order of the text.
  void finish() {
    std::vector<std::pair<std::size_t, std::string>> words;
    for (const std::string& word : order_) words.emplace_back(counts_[word], word);
    std::stable_sort(words.begin(), words.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [count, word] : words)
      if (clues_.words.size() < kMostWords) clues_.words.push_back(std::move(word));
  }

 private:
  void read_line(std::string_view line, bool is_prose, bool is_trace) {
    // Code of a frame, by how a trace of a request is written.
    if (is_trace && line.starts_with("      ")) {
      const std::string_view code = trimmed(line);
      if (code.size() >= kShortestMessage) add_message(code);
      return read_tokens(code, false);
    }
    read_quoted(line);
    read_error(line);
    read_function(trimmed(line));
    read_tokens(line, is_prose);
  }

  void read_quoted(std::string_view line) {
    for (const char quote : "\"`'"sv) {
      std::size_t end = 0;
      for (std::size_t at = line.find(quote); at != std::string_view::npos; at = line.find(quote, end + 1)) {
        end = line.find(quote, at + 1);
        if (end == std::string_view::npos) break;
        const std::string_view inside = line.substr(at + 1, end - at - 1);
        // An apostrophe is no quote.
        const bool opens = at == 0 || !is_word(line[at - 1]);
        if (!opens) {
          end = at;
          continue;
        }
        if (inside.find(' ') != std::string_view::npos)
          read_said(inside);
        else if (quote == '`')
          add_identifier(without_call(inside));
      }
    }
  }

  // "ValueError: coupon expired", "panic: coupon expired", "ERROR coupon expired".
  void read_error(std::string_view line) {
    const std::string small = lower(line.substr(0, 400));
    for (const std::string_view word : {"error"sv, "exception"sv, "panic"sv, "fatal"sv, "warning"sv}) {
      const std::size_t at = small.find(word);
      if (at == std::string::npos) continue;
      std::string_view rest = line.substr(at + word.size());
      const std::size_t said = rest.find_first_not_of(":] \t");
      if (said == 0 || said == std::string_view::npos) continue;
      return read_said(rest.substr(said));
    }
  }

  // The parts of what is said that are the same each time.
  void read_said(std::string_view said) {
    std::string_view rest = said.substr(0, 1000);
    std::size_t begin = 0, words = 0, at = 0;
    const auto end_part = [&](std::size_t end) {
      const std::string_view part = trimmed(rest.substr(begin, end - begin), " \t\r.,:;!?()[]{}<>\"'`=");
      if (words >= 2 && part.size() >= kShortestMessage) add_message(part);
      words = 0;
    };
    while (at < rest.size()) {
      const std::size_t end = std::min(rest.find(' ', at), rest.size());
      const std::string_view word = rest.substr(at, end - at);
      const bool fixed = word.find_first_of("0123456789{}<>%\"'`$#@=[]") == std::string_view::npos ||
                         (word.find('\'') != std::string_view::npos && is_apostrophe(word));
      if (!fixed) {
        end_part(at);
        begin = end + 1;
      } else if (!word.empty()) {
        ++words;
      }
      at = end + 1;
    }
    if (begin < rest.size()) end_part(rest.size());
  }

  static bool is_apostrophe(std::string_view word) {
    return std::all_of(word.begin(), word.end(), [](char c) { return is_letter(c) || c == '\''; }) &&
           word.front() != '\'' && word.back() != '\'';
  }

  // "at total (src/cart.cpp:2)", `File "cart.py", line 2, in total`: whatever it is called.
  void read_function(std::string_view line) {
    if (line.starts_with("at "))
      return add_names(line.substr(3, std::min(line.find_first_of(" (", 3), line.size()) - 3));
    const std::size_t in = line.rfind(" in ");
    if (in != std::string_view::npos && line.starts_with("File ")) add_names(line.substr(in + 4));
  }

  void read_tokens(std::string_view line, bool is_prose) {
    constexpr std::string_view kBorders = " \t\r()[]{}<>\"'`,;=|*!?&^~$";
    while (!line.empty()) {
      const std::size_t size = std::min(line.find_first_of(kBorders), line.size());
      const std::string_view token = line.substr(0, size);
      const bool is_called = line.substr(size).starts_with("(");
      line.remove_prefix(std::min(size + 1, line.size()));
      if (!token.empty()) read_token(token, is_called, is_prose);
    }
  }

  void read_token(std::string_view token, bool is_called, bool is_prose) {
    token = trimmed(token, ".:-");
    if (token.empty() || token.size() > kLongestPath || token.find('@') != std::string_view::npos) return;
    if (is_prose) add_name_of(token);
    if (read_path(token) || changes(token)) return;
    if (token.find("://") != std::string_view::npos) return;
    if (token.find_first_of("./:#\\") != std::string_view::npos || is_called) return add_names(token);
    if (is_composed(token)) return add_identifier(token);
    if (is_prose) add_words(token);
  }

  // "src/cart.cpp:12:3", "webpack:///./src/cart.ts", "C:\\app\\cart.cs", "cart.py"
  bool read_path(std::string_view token) {
    std::string path(token);
    std::replace(path.begin(), path.end(), '\\', '/');
    const std::size_t scheme = path.find("://");
    if (scheme != std::string::npos) {
      const bool web = path.starts_with("http");
      path.erase(0, scheme + 3);
      // The host's name.
      if (web) path.erase(0, std::min(path.find('/'), path.size()));
      path.resize(std::min(path.find_first_of("?#"), path.size()));
    }
    if (path.ends_with(":line")) path.resize(path.size() - 5);
    // Line and column.
    while (true) {
      const std::size_t colon = path.rfind(':');
      if (colon == std::string::npos || colon + 1 == path.size() ||
          path.find_first_not_of("0123456789", colon + 1) != std::string::npos)
        break;
      path.resize(colon);
    }
    if (const std::size_t colon = path.rfind(':'); colon != std::string::npos) path.erase(0, colon + 1);
    std::string plain;
    for (std::string_view rest = path; !rest.empty();) {
      const std::size_t size = std::min(rest.find('/'), rest.size());
      const std::string_view part = rest.substr(0, size);
      rest.remove_prefix(std::min(size + 1, rest.size()));
      if (part.empty() || part == "." || part == ".." || part == "~") continue;
      plain += (plain.empty() ? "" : "/") + std::string(part);
    }
    if (!has_ending(plain)) return false;
    add(clues_.paths, paths_, std::move(plain), kMostPaths);
    return true;
  }

  // Each name of "com.acme.shop.Cart.total", "Cart::total", "cart#total"; and where a class or module lies.
  void add_names(std::string_view token) {
    token = without_call(token);
    std::vector<std::string> parts;
    for (const char c : token) {
      if (!is_word(c) && c != '-') {
        if (!parts.empty() && !parts.back().empty()) parts.emplace_back();
        continue;
      }
      if (parts.empty()) parts.emplace_back();
      parts.back() += c;
    }
    if (!parts.empty() && parts.back().empty()) parts.pop_back();
    if (parts.size() > 12) return;
    if (parts.size() >= 3 && token.find_first_of("/:#\\") == std::string_view::npos) {
      std::string path;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        path += (i == 0 ? "" : "/") + parts[i];
        if (i >= 2) add(clues_.paths, paths_, std::string(path), kMostPaths);
      }
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (i + 1 == parts.size() || is_composed(parts[i])) add_identifier(parts[i]);
  }

  static std::string_view without_call(std::string_view name) { return name.substr(0, name.find('(')); }

  void add_identifier(std::string_view name) {
    name = trimmed(name, ".:-");
    if (name.size() < 4 || name.size() > kLongest || changes(name)) return;
    if (!std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '-'; })) return;
    if (kCommonNames.contains(lower(name))) return;
    add(clues_.identifiers, identifiers_, std::string(name), kMostIdentifiers);
  }

  // "check-out" is two words and one name.
  void add_words(std::string_view token) {
    while (!token.empty()) {
      const std::size_t size = std::min(token.find('-'), token.size());
      const std::string word = lower(token.substr(0, size));
      token.remove_prefix(std::min(size + 1, token.size()));
      if (word.size() < 4 || word.size() > kLongest || kCommonWords.contains(word) || changes(word)) continue;
      if (!std::all_of(word.begin(), word.end(), is_word)) continue;
      if (++counts_[word] == 1) order_.push_back(word);
    }
  }

  void add_name_of(std::string_view token) {
    token = trimmed(token, ".:#");
    if (token.size() < 2 || token.size() > kLongest) return;
    const bool plain = std::all_of(token.begin(), token.end(),
                                   [](char c) { return is_word(c) || c == '-' || c == '.' || c == '/'; });
    if (plain) add(clues_.names, names_, lower(token), kMostNames);
  }

  // Cut in the middle of a character it is still found.
  void add_message(std::string_view text) {
    add(clues_.messages, messages_, std::string(text.substr(0, kLongestMessage)), kMostMessages);
  }

  static void add(std::vector<std::string>& list, std::set<std::string>& known, std::string text,
                  std::size_t most) {
    if (text.empty() || list.size() >= most || text.find('\0') != std::string::npos) return;
    if (known.insert(text).second) list.push_back(std::move(text));
  }

  Clues& clues_;
  std::set<std::string> paths_, messages_, identifiers_, names_;
  std::map<std::string, std::size_t> counts_;
  std::vector<std::string> order_;
};

}  // namespace

Clues clues_of(const work::Request& request, const std::vector<std::string>& given_names) {
  Clues clues;
  for (const std::string& name : given_names) clues.given_names.push_back(lower(trimmed(name)));
  Reader reader(clues);
  reader.read(request.title, true, false);
  reader.read(request.text, true, false);
  for (const work::Detail& detail : request.details) {
    const bool is_trace = detail.name == "stack trace";
    // A machine's words are no description; those of a person are.
    reader.read(detail.text, !detail.author.empty(), is_trace);
  }
  reader.finish();
  return clues;
}

}  // namespace discovery
