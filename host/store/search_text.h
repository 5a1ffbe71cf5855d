// What people search for, as words: how it is asked of the index, and whether a text that is not in it yet
// holds it. Both go by the same tokenizer, that of the index
// (https://sqlite.org/fts5.html#unicode61_tokenizer).
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.h"
#include "host/store/database.h"

namespace davit::store {

inline constexpr std::size_t kMostSearchCharacters = 200;
inline constexpr std::size_t kMostSearchWords = 16;

// Cuts texts into words as the index does: letters and digits, without case and accents, and each character of Chinese and
// Japanese by itself (words_apart.h). Confined to the thread that uses its connection, and not to outlive it.
class Words {
 public:
  explicit Words(Database& database);
  ~Words();
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  std::vector<std::string> of(std::string_view text);
  // How many stand between blanks and signs in it.
  std::size_t written_in(std::string_view text) { return cut(text).size(); }

 private:
  struct Tokenizer;
  std::vector<std::string> cut(std::string_view text);
  Database& database_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

// All that stands between blanks has to be found, in whatever order and in whichever text; what is cut into
// several words ("octo/repo#7") as these words in a row in one text. The last one, and each that ends with
// '*', also finds words that only begin with it, if it has three characters or more.
class SearchText {
 public:
  // InvalidInput for more than kMostSearchCharacters or kMostSearchWords.
  static Result<SearchText> parse(Words& words, std::string_view text);

  // Nothing in it is a word, as in "#": it finds nothing.
  bool empty() const { return phrases_.empty(); }
  // For MATCH. Whatever the text was, it has no syntax but ours. `words_from` lists the words that begin with one;
  // if it gives none, the index is left to find them.
  using WordsFrom = std::function<std::vector<std::string>(const std::string& beginning)>;
  std::string expression(const WordsFrom& words_from) const;
  // Do the texts of a task hold it?
  bool found_in(Words& words, std::initializer_list<std::string_view> texts) const;

 private:
  struct Phrase {
    std::vector<std::string> words;
    bool begins = false;  // its last word may go on
  };
  std::vector<Phrase> phrases_;
};

}  // namespace davit::store
