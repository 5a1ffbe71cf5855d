#include "host/http/csv.h"

#include <gtest/gtest.h>

namespace davit::http {
namespace {

std::string cell(std::string_view text) {
  std::string table;
  csv_text(table, text);
  return table;
}

TEST(CsvTest, CellsAreApartAndLinesEndAsTheFormatSays) {
  std::string table;
  csv_text(table, "a");
  csv_number(table, "-1.5");
  csv_text(table, "");
  csv_end_of_line(table);
  csv_number(table, "2");
  csv_text(table, "b");
  csv_end_of_line(table);
  EXPECT_EQ(table, "\"a\",-1.5,\"\"\r\n2,\"b\"\r\n");
}

TEST(CsvTest, WhatATextHoldsStaysInItsCell) {
  EXPECT_EQ(cell("a,b"), "\"a,b\"");
  EXPECT_EQ(cell("he said \"no\""), "\"he said \"\"no\"\"\"");
  EXPECT_EQ(cell("two\nlines\r\n"), "\"two\nlines\r\n\"");
  EXPECT_EQ(cell("\xc3\xa4"), "\"\xc3\xa4\"");
}

TEST(CsvTest, NoTextIsAFormula) {
  for (const std::string text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  =cmd", "\u00a0=1",
                                 "\u3000 @a", " \t1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20a", " \uff1d1"})
    EXPECT_EQ(cell(text), "\"'" + text + "\"");
  for (const std::string text : {"a=1", " a", "  ", "", "\uff1e1", "\u00a0", "\xc3\xa4=1"})
    EXPECT_EQ(cell(text), "\"" + text + "\"");
}

}  // namespace
}  // namespace davit::http
