#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/isolation/runner_process.h"

namespace davit::isolation {
namespace {

struct Lines {
  std::vector<std::string> all;
  OutputCapture::Line sink() {
    return [this](std::string_view line) { all.emplace_back(line); };
  }
};

TEST(OutputCaptureTest, LinesAreWholeWhereverTheReadsWereCut) {
  const std::string text = "one\ntwo\n\nfour";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    OutputCapture capture;
    Lines lines;
    capture.take(text.substr(0, cut), MonotonicTime{}, lines.sink());
    capture.take(text.substr(cut), MonotonicTime{}, lines.sink());
    capture.finish(lines.sink());
    EXPECT_EQ(lines.all, (std::vector<std::string>{"one", "two", "", "four"})) << cut;
    EXPECT_EQ(capture.tail(), text);
  }
}

TEST(OutputCaptureTest, ALongLineIsCutAndItsRestDropped) {
  OutputCapture capture;
  Lines lines;
  for (int i = 0; i < 100; ++i) capture.take(std::string(1000, 'x'), MonotonicTime{}, lines.sink());
  capture.take("\nnext\n", MonotonicTime{}, lines.sink());
  ASSERT_EQ(lines.all.size(), 2u);
  EXPECT_EQ(lines.all[0], std::string(2048, 'x'));
  EXPECT_EQ(lines.all[1], "next");
}

TEST(OutputCaptureTest, TooManyLinesInASecondAreCountedAndNotLogged) {
  OutputCapture capture;
  Lines lines;
  MonotonicTime now{std::chrono::hours(1)};
  for (int i = 0; i < 150; ++i) capture.take("line\n", now, lines.sink());
  EXPECT_EQ(lines.all.size(), 100u);
  capture.take("later\n", now + std::chrono::seconds(1), lines.sink());
  EXPECT_EQ(lines.all[100], "(50 lines left out)");
  EXPECT_EQ(lines.all[101], "later");
}

TEST(OutputCaptureTest, TheTailIsTheLast8KiB) {
  OutputCapture capture;
  Lines lines;
  for (int i = 0; i < 1000; ++i) capture.take(std::string(997, 'a'), MonotonicTime{}, lines.sink());
  capture.take("end", MonotonicTime{}, lines.sink());
  EXPECT_EQ(capture.tail().size(), 8u << 10);
  EXPECT_EQ(capture.tail().substr(capture.tail().size() - 4), "aend");
}

}  // namespace
}  // namespace davit::isolation
