#include "sandbox/connect_request.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using sandbox::ConnectRequest;
using sandbox::read_connect;
using State = ConnectRequest::State;

TEST(ConnectRequestTest, NamesTheDestinationAndWhereItsHeadEnds) {
  const std::string head =
      "CONNECT Api.Example.org:443 HTTP/1.1\r\nHost: other.example.org:443\r\nProxy-Authorization: x\r\n\r\n";
  const ConnectRequest request = read_connect(head + "\x16\x03");
  ASSERT_EQ(request.state, State::Good) << request.why;
  EXPECT_EQ(request.destination.host, "api.example.org");
  EXPECT_EQ(request.destination.port, 443);
  EXPECT_EQ(request.head_bytes, head.size());
}

TEST(ConnectRequestTest, EveryBeginningOfOneIsIncomplete) {
  const std::string head = "CONNECT [2606:4700::1]:443 HTTP/1.0\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size)
    EXPECT_EQ(read_connect(head.substr(0, size)).state, State::Incomplete) << size;
  EXPECT_EQ(read_connect(head).state, State::Good);
}

TEST(ConnectRequestTest, AnythingElseIsRefusedAtOnce) {
  for (const char* text :
       {"GET http://example.org/ HTTP/1.1\r\n\r\n", "connect a.org:443 HTTP/1.1\r\n\r\n", "G",
        "CONNECT a.org HTTP/1.1\r\n\r\n", "CONNECT a.org:443\r\n\r\n", "CONNECT  a.org:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.org:443 FTP/1.1\r\n\r\n", "CONNECT u@a.org:443 HTTP/1.1\r\n\r\n",
        "CONNECT a.org:443/x HTTP/1.1\r\n\r\n", "CONNECT a.org:99999 HTTP/1.1\r\n\r\n", "\x16\x03\x01"}) {
    const ConnectRequest request = read_connect(text);
    EXPECT_EQ(request.state, State::Bad) << text;
    EXPECT_NE(request.why, "") << text;
  }
}

TEST(ConnectRequestTest, AHeadWithoutEndIsNotReadForEver) {
  const std::string begin = "CONNECT a.org:443 HTTP/1.1\r\nX: ";
  EXPECT_EQ(read_connect(begin + std::string(8000, 'x')).state, State::Incomplete);
  EXPECT_EQ(read_connect(begin + std::string(9000, 'x')).state, State::Bad);
  EXPECT_EQ(read_connect(begin + std::string(9000, 'x') + "\r\n\r\n").state, State::Bad);
}

}  // namespace
