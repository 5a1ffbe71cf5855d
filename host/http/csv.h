// Lines of a table as RFC 4180 has them.
#pragma once

#include <string>
#include <string_view>

namespace davit::http {

// Appends a cell, behind a comma unless it begins a line. Quoted where the format wants it. What a
// spreadsheet would take for a formula (it begins with = + - @, in whatever width and behind whatever blanks, a tab or a
// line break) gets an apostrophe in front, which makes a text of it
// (https://owasp.org/www-community/attacks/CSV_Injection). Numbers of ours are for csv_number().
void csv_text(std::string& table, std::string_view text);
void csv_number(std::string& table, std::string_view number);
void csv_end_of_line(std::string& table);

}  // namespace davit::http
