#include "host/isolation/frames.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <string>
#include <thread>

#include "host/base/file.h"

namespace davit::isolation {
namespace {

std::string frame_text(FrameKind kind, const std::string& json, const std::string& blob = {}) {
  char header[kFrameHeaderBytes];
  EXPECT_TRUE(encode_header(header, kind, json.size(), blob.size()).ok());
  return std::string(header, sizeof header) + json + blob;
}

struct Sockets {
  UniqueFd a, b;
  Sockets() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    a.reset(fds[0]);
    b.reset(fds[1]);
  }
};

TEST(FramesTest, ThreeFramesAreFoundWhereverTheBytesAreCut) {
  const std::string text = frame_text(FrameKind::Call, R"({"id":1})", "body") +
                           frame_text(FrameKind::Report, "{}") +
                           frame_text(FrameKind::Answer, "", std::string(300, '\0'));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    FrameReader reader;
    std::vector<std::string> seen;
    for (std::string_view part :
         {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}) {
      reader.append(part);
      for (;;) {
        auto frame = reader.next();
        ASSERT_TRUE(frame.ok());
        if (!*frame) break;
        seen.push_back(std::string((*frame)->json) + "|" + std::string((*frame)->blob));
      }
    }
    ASSERT_EQ(seen.size(), 3u) << "cut at " << cut;
    EXPECT_EQ(seen[0], R"({"id":1}|body)");
    EXPECT_EQ(seen[1], "{}|");
    EXPECT_EQ(seen[2], "|" + std::string(300, '\0'));
  }
}

TEST(FramesTest, BytesOneByOneGiveTheSameFrame) {
  const std::string text = frame_text(FrameKind::Call, "{}", "0123456789");
  FrameReader reader;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto before = reader.next();
    ASSERT_TRUE(before.ok());
    EXPECT_FALSE(before->has_value());
    reader.append(text.substr(i, 1));
  }
  auto frame = reader.next();
  ASSERT_TRUE(frame.ok() && frame->has_value());
  EXPECT_EQ((*frame)->blob, "0123456789");
}

TEST(FramesTest, RefusesAnAnnouncedLengthOverTheCapBeforeTheBytesCome) {
  char header[kFrameHeaderBytes];
  EXPECT_EQ(encode_header(header, FrameKind::Call, kMaxFrameJson + 1, 0).error().code, ErrorCode::TooLarge);
  EXPECT_EQ(encode_header(header, FrameKind::Call, 0, kMaxFrameBlob + 1).error().code, ErrorCode::TooLarge);
  ASSERT_TRUE(encode_header(header, FrameKind::Call, kMaxFrameJson, kMaxFrameBlob).ok());
  EXPECT_TRUE(decode_header({header, sizeof header}).ok());
  header[0] = 1;  // 8 MiB and one byte
  EXPECT_EQ(decode_header({header, sizeof header}).error().code, ErrorCode::InvalidInput);
  header[0] = 0;
  header[4] = 1;
  EXPECT_FALSE(decode_header({header, sizeof header}).ok());
}

TEST(FramesTest, RefusesUnknownKindsAndPadding) {
  std::string text = frame_text(FrameKind::Call, "");
  for (int kind = 0; kind < 256; ++kind) {
    text[8] = static_cast<char>(kind);
    EXPECT_EQ(decode_header(text).ok(), kind >= 1 && kind <= 14) << kind;
  }
  for (int at : {9, 10, 11}) {
    std::string padded = frame_text(FrameKind::Call, "");
    padded[at] = 1;
    EXPECT_FALSE(decode_header(padded).ok());
  }
}

TEST(FramesTest, GarbageNeverGivesMoreThanItHolds) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 4 == 0 ? random() : random() % 14);
    auto frame = decode_frame(bytes);
    if (frame.ok() && frame->has_value()) {
      EXPECT_LE(kFrameHeaderBytes + (*frame)->json.size() + (*frame)->blob.size(), bytes.size());
    }
  }
}

TEST(FramesTest, AFullSocketKeepsTheRestUntilItIsFlushed) {
  Sockets sockets;
  fcntl(sockets.a.number(), F_SETFL, O_NONBLOCK);
  const std::string blob(3u << 20, 'b');
  FrameWriter writer;
  ASSERT_TRUE(writer.send(sockets.a.number(), FrameKind::Call, "{\"first\":1}", blob).ok());
  ASSERT_TRUE(writer.send(sockets.a.number(), FrameKind::Call, "{\"second\":1}").ok());
  EXPECT_TRUE(writer.pending());
  FrameReader reader;
  int frames = 0;
  while (frames < 2) {
    ASSERT_TRUE(writer.flush(sockets.a.number()).ok());
    auto got = reader.read_from(sockets.b.number());
    ASSERT_TRUE(got.ok());
    for (;;) {
      auto frame = reader.next();
      ASSERT_TRUE(frame.ok());
      if (!*frame) break;
      if (++frames == 1) {
        EXPECT_EQ((*frame)->blob, blob);
      } else {
        EXPECT_EQ((*frame)->json, "{\"second\":1}");
      }
    }
  }
  EXPECT_FALSE(writer.pending());
}

TEST(FramesTest, SendingToAClosedSocketIsAnErrorAndNoSignal) {
  Sockets sockets;
  sockets.b.reset();
  FrameWriter writer;
  EXPECT_EQ(writer.send(sockets.a.number(), FrameKind::Call, "{}").error().code, ErrorCode::Unavailable);
  EXPECT_EQ(send_frame(sockets.a.number(), FrameKind::Call, "{}").error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace davit::isolation
