#include "host/http/csv.h"

namespace davit::http {
namespace {

void separate(std::string& table) {
  if (!table.empty() && table.back() != '\n') table += ',';
}

}  // namespace

void csv_text(std::string& table, std::string_view text) {
  separate(table);
  // Always in quotes: then a line never ends with a bare line break of a text, and an empty cell is seen.
  table += '"';
  if (!text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string_view::npos)
    table += '\'';
  for (const char c : text) table.append(c == '"' ? 2 : 1, c);
  table += '"';
}

void csv_number(std::string& table, std::string_view number) {
  separate(table);
  table += number;
}

void csv_end_of_line(std::string& table) { table += "\r\n"; }

}  // namespace davit::http
