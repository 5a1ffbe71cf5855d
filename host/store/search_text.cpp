#include "host/store/search_text.h"

#include <sqlite3.h>

#include <algorithm>

#include "host/base/text.h"
#include "host/store/words_apart.h"

namespace davit::store {
namespace {

constexpr std::size_t kLeastPrefix = 3;  // characters; a shorter one stands for too many words

// The table of functions of the extension; null if SQLite was built without.
fts5_api* api_of(sqlite3* handle) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return api;
}

}  // namespace

struct Words::Tokenizer {
  fts5_tokenizer functions{};
  Fts5Tokenizer* made = nullptr;
  ~Tokenizer() {
    if (made != nullptr) functions.xDelete(made);
  }
};

Words::Words(Database& database) : database_(database), tokenizer_(std::make_unique<Tokenizer>()) {
  const char* arguments[] = {"remove_diacritics", "2"};
  void* user = nullptr;
  fts5_api* api = api_of(database.handle());
  if (api == nullptr || api->xFindTokenizer(api, "unicode61", &user, &tokenizer_->functions) != SQLITE_OK ||
      tokenizer_->functions.xCreate(user, arguments, 2, &tokenizer_->made) != SQLITE_OK) {
    tokenizer_->made = nullptr;
    database.note_failure({SQLITE_ERROR, false, "SQLite has no full text search (FTS5)"});
  }
}

Words::~Words() = default;

std::vector<std::string> Words::of(std::string_view text) {
  return has_words_to_part(text) ? cut(words_apart(text)) : cut(text);
}

std::vector<std::string> Words::cut(std::string_view text) {
  std::vector<std::string> words;
  if (tokenizer_->made == nullptr) return words;
  const auto keep = [](void* into, int flags, const char* word, int size, int, int) {
    // None of this tokenizer's words stands in the place of another.
    if ((flags & FTS5_TOKEN_COLOCATED) == 0)
      static_cast<std::vector<std::string>*>(into)->emplace_back(word, static_cast<std::size_t>(size));
    return SQLITE_OK;
  };
  const int done = tokenizer_->functions.xTokenize(tokenizer_->made, &words, FTS5_TOKENIZE_DOCUMENT, text.data(),
                                                   static_cast<int>(text.size()), keep);
  if (done != SQLITE_OK) database_.note_failure({done, false, "a text could not be cut into words"});
  return words;
}

Result<SearchText> SearchText::parse(Words& words, std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  if (characters_in(text) > kMostSearchCharacters)
    return Error{ErrorCode::InvalidInput,
                 "q: must have at most " + std::to_string(kMostSearchCharacters) + " characters"};
  SearchText search;
  std::size_t count = 0;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) break;
    const std::string_view piece = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(piece.size());
    Phrase phrase{words.of(piece)};
    if (phrase.words.empty()) continue;
    count += words.written_in(piece);
    const bool last = text.find_first_not_of(kBlanks) == std::string_view::npos;
    phrase.begins = (last || piece.ends_with('*')) && characters_in(phrase.words.back()) >= kLeastPrefix;
    search.phrases_.push_back(std::move(phrase));
  }
  if (count > kMostSearchWords)
    return Error{ErrorCode::InvalidInput, "q: must have at most " + std::to_string(kMostSearchWords) + " words"};
  return search;
}

std::string SearchText::expression(const WordsFrom& words_from) const {
  const auto quoted = [](const std::vector<std::string>& words) {
    std::string text = "\"";
    for (const std::string& word : words) {
      if (text.size() > 1) text += ' ';
      for (const char c : word) text.append(c == '"' ? 2 : 1, c);
    }
    return text + '"';
  };
  std::string all;
  for (const Phrase& phrase : phrases_) {
    if (!all.empty()) all += " AND ";
    const std::vector<std::string> endings =
        phrase.begins ? words_from(phrase.words.back()) : std::vector<std::string>{phrase.words.back()};
    if (endings.empty()) {
      all += quoted(phrase.words) + " *";
      continue;
    }
    std::vector<std::string> words = phrase.words;
    for (std::size_t i = 0; i < endings.size(); ++i) {
      words.back() = endings[i];
      all += (i == 0 ? "(" : " OR ") + quoted(words);
    }
    all += ')';
  }
  return all;
}

bool SearchText::found_in(Words& words, std::initializer_list<std::string_view> texts) const {
  if (empty()) return false;
  std::vector<std::vector<std::string>> cut;
  for (const std::string_view text : texts) cut.push_back(words.of(text));
  return std::all_of(phrases_.begin(), phrases_.end(), [&](const Phrase& phrase) {
    return std::any_of(cut.begin(), cut.end(), [&](const std::vector<std::string>& text) {
      const std::size_t wanted = phrase.words.size();
      for (std::size_t at = 0; at + wanted <= text.size(); ++at) {
        bool same = true;
        for (std::size_t i = 0; same && i < wanted; ++i) {
          const bool may_go_on = phrase.begins && i + 1 == wanted;
          same = may_go_on ? text[at + i].starts_with(phrase.words[i]) : text[at + i] == phrase.words[i];
        }
        if (same) return true;
      }
      return false;
    });
  });
}

}  // namespace davit::store
