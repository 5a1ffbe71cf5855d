// Chinese and Japanese stand without blanks between their words, and where one ends only a dictionary knows. So that a
// part of such a text is found, each of these characters counts as a word of its own, in what is indexed and in what is
// searched for; several in a row are searched for in that order.
#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace davit::store {

// The text with a blank on either side of each Han character and each kana
// (https://www.unicode.org/Public/UCD/latest/ucd/Blocks.txt). What is not UTF-8 stays as it is.
std::string words_apart(std::string_view text);
// Is there any in it?
bool has_words_to_part(std::string_view text);

// Gives statements of a connection the function words_apart(text). SQLite's code.
int register_words_apart(sqlite3* handle);

}  // namespace davit::store
