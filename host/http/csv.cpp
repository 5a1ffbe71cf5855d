#include "host/http/csv.h"

namespace davit::http {
namespace {

// A formula also begins behind blanks, and with the full width forms of these signs.
bool begins_a_formula(std::string_view text) {
  for (;;) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    else if (text.starts_with("\u00a0")) text.remove_prefix(2);
    else if (text.starts_with("\u3000")) text.remove_prefix(3);
    else break;
  }
  if (text.empty()) return false;
  if (std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos) return true;
  for (const std::string_view wide : {"\uff1d", "\uff0b", "\uff0d", "\uff20"})
    if (text.starts_with(wide)) return true;
  return false;
}

void separate(std::string& table) {
  if (!table.empty() && table.back() != '\n') table += ',';
}

}  // namespace

void csv_text(std::string& table, std::string_view text) {
  separate(table);
  // Always in quotes: then a line never ends with a bare line break of a text, and an empty cell is seen.
  table += '"';
  if (begins_a_formula(text)) table += '\'';
  for (const char c : text) table.append(c == '"' ? 2 : 1, c);
  table += '"';
}

void csv_number(std::string& table, std::string_view number) {
  separate(table);
  table += number;
}

void csv_end_of_line(std::string& table) { table += "\r\n"; }

}  // namespace davit::http
