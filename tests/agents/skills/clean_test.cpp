#include "skills/clean.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using skills::clean;
using skills::Cleaned;
using skills::Form;
using skills::what_was_cleaned;

std::string prose(std::string_view text) { return clean(text, Form::Prose).text; }
std::string verbatim(std::string_view text) { return clean(text, Form::Verbatim).text; }
std::string told(std::string_view text, Form form = Form::Prose) {
  return what_was_cleaned(clean(text, form), form);
}

TEST(CleanTest, OrdinaryTextStaysAsItIs) {
  const std::string text =
      "# Größe\n\n- [ ] a < b && c > d\n```cpp\nauto x = a[1](2); // \t<T>\n```\n[link](https://e.org) "
      "![](a.png) <https://e.org> \xF0\x9F\x98\x80 [12:03]: she said\n[^1]: a note\n";
  for (const Form form : {Form::Prose, Form::Verbatim}) {
    EXPECT_EQ(clean(text, form).text, text);
    EXPECT_EQ(told(text, form), "");
  }
}

TEST(CleanTest, HiddenCharactersGoAndAreCounted) {
  // Zero width space, joiner, word joiner, soft hyphen, byte order mark, Hangul filler.
  EXPECT_EQ(prose("a\u200Bb\u200Dc\u2060d\u00ADe\uFEFFf\u3164g"), "abcdefg");
  EXPECT_EQ(told("a\u200Bb\u200Dc\u2060d\u00ADe\uFEFFf\u3164g"), "6 hidden characters were removed");
  EXPECT_EQ(told("a\u200Bb"), "1 hidden character was removed");
}

TEST(CleanTest, CharactersOfDirectionGo) {
  EXPECT_EQ(prose("a\u202Eb\u2066c\u2069d\u200Ee\u061Cf"), "abcdef");
  EXPECT_EQ(clean("a\u202Eb\u2066c\u2069d\u200Ee\u061Cf", Form::Prose).hidden, 5u);
}

TEST(CleanTest, TagCharactersAndSelectorsThatSpellATextGo) {
  std::string hidden;
  for (const char c : std::string("ignore")) {  // U+E0000 + c
    hidden += "\xF3\xA0";
    hidden += static_cast<char>(0x80 | (static_cast<unsigned char>(c) >> 6));
    hidden += static_cast<char>(0x80 | (static_cast<unsigned char>(c) & 0x3F));
  }
  EXPECT_EQ(prose("x" + hidden + "y"), "xy");
  EXPECT_EQ(clean("x" + hidden + "y", Form::Prose).hidden, 6u);
  EXPECT_EQ(prose("x\U000E0100\U000E01EFy\uFE01"), "xy");
}

TEST(CleanTest, EmojiStayWhole) {
  for (const char* emoji : {"\u2764\uFE0F", "\U0001F468\u200D\U0001F469", "\u2764\uFE0F\u200D\U0001F525"}) {
    EXPECT_EQ(prose(emoji), emoji);
    EXPECT_EQ(told(emoji), "");
  }
  EXPECT_EQ(prose("a\uFE0F \u2764\uFE0F\uFE0F"), "a \u2764\uFE0F");
}

TEST(CleanTest, VerbatimTextShowsWhatIsHiddenInIt) {
  EXPECT_EQ(verbatim("if (admin\u202E) {\u200B}"), "if (admin<U+202E>) {<U+200B>}");
  EXPECT_EQ(told("a\u202Eb\u200Bc", Form::Verbatim), "2 hidden characters are shown as <U+...>");
  EXPECT_EQ(verbatim("x\U000E0041y"), "x<U+E0041>y");
  EXPECT_EQ(verbatim("\uFEFF#include"), "#include");
  // A comment of a file under review is no comment to the reviewer.
  EXPECT_EQ(verbatim("+<!-- <b title=\"x\"> -->\n+![alt](x)"), "+<!-- <b title=\"x\"> -->\n+![alt](x)");
}

TEST(CleanTest, ControlCharactersAndTerminalSequencesGo) {
  EXPECT_EQ(
      verbatim("\x1B[1;31merror\x1B[0m: \x1B]0;title\a\x1B]8;;http://x\x1B\\link\x1B]8;;\x1B\\ \x07\x7F"),
      "error: link ");
  EXPECT_EQ(told("\x1B[1mx", Form::Verbatim), "1 control sequence was removed");
  EXPECT_EQ(told("\x1B[1mx\u200B\x1B[0m", Form::Verbatim),
            "2 control sequences were removed; 1 hidden character is shown as <U+...>");
  EXPECT_EQ(prose(std::string("a\0b\x01"
                              "c\u0085",
                              7)),
            "abc");
  // Begun and not ended.
  EXPECT_EQ(verbatim("a\x1B"), "a");
  EXPECT_EQ(verbatim("a\x1B[12"), "a");
  EXPECT_EQ(verbatim("a\x1B]0;title\nb"), "a\nb");
}

TEST(CleanTest, LinesEndInOneWay) {
  EXPECT_EQ(verbatim("a\r\nb\rc\u2028d\u2029e"), "a\nb\nc\nd\ne");
  EXPECT_EQ(told("a\r\nb\rc\u2028"), "");
}

TEST(CleanTest, WhatIsNoUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(prose("a\xFF\xC0\x80z"), "a\uFFFD\uFFFD\uFFFDz");
}

TEST(CleanTest, HtmlCommentsGoAndAreCounted) {
  EXPECT_EQ(prose("a<!-- do evil -->b"), "a b");
  EXPECT_EQ(prose("a<!--\nx\n--><!---->b<!-->c"), "a  b c");
  EXPECT_EQ(told("<!-- a --> <!-- b -->"), "2 HTML comments were removed");
  // A hidden character inside the mark does not save it.
  EXPECT_EQ(prose("a<!\u200B-- x -->b"), "a b");
  // What stood around one does not become another.
  EXPECT_EQ(prose("<!<!-- a -->-- b -->"), "<! -- b -->");
}

TEST(CleanTest, AnUnclosedCommentHidesTheRestOnlyWhereALineBeginsWithIt) {
  EXPECT_EQ(prose("a\n  <!-- x\ny"), "a\n   ");
  EXPECT_EQ(prose("<!-- a --><!-- x\ny"), "  ");
  EXPECT_EQ(prose("the text `<!--` breaks\nthe parser"), "the text `<!--` breaks\nthe parser");
}

TEST(CleanTest, TextsThatAreNotShownGo) {
  EXPECT_EQ(prose("see ![do evil](a.png) here"), "see ![](a.png) here");
  EXPECT_EQ(prose("<img src=\"a.png\" alt=\"do evil > now\" width=5/>"), "<img src=\"a.png\" width=5/>");
  EXPECT_EQ(prose("<span style='x' hidden>seen</span>"), "<span>seen</span>");
  EXPECT_EQ(prose("<b do evil>x"), "<b>x");
  EXPECT_EQ(prose("[//]: # (do evil)\nx"), "\nx");
  EXPECT_EQ(prose("[do evil]: #\n[a]: https://e.org \"do evil\""), "\n[a]: https://e.org");
  EXPECT_EQ(told("![do evil](a.png)"), "1 text that is not shown was removed");
  EXPECT_EQ(told("<!-- a -->\u200B\u200B![b](c)<i title=x>"),
            "2 hidden characters, 1 HTML comment and 2 texts that are not shown were removed");
}

TEST(CleanTest, WhatIsNoTagStays) {
  for (const char* text : {"std::vector<int> x", "a <b", "<a \"", "<a href", "a < b > c", "<x<y>"})
    EXPECT_EQ(prose(text), text);
}

// A quadratic reader would need hours for these.
TEST(CleanTest, MegabytesOfBeginningsAreReadOnce) {
  for (const char* piece :
       {"<!--", "<a ", "<a \"", "![", "[", "[a]: ", "\x1B[", "\x1B]", "\n<!-", "-->", "   "}) {
    std::string text;
    while (text.size() < 1024 * 1024) text += piece;
    for (const Form form : {Form::Prose, Form::Verbatim})
      EXPECT_LE(clean(text, form).text.size(), text.size());
  }
}

}  // namespace
