// The table of raw requests: what stands for what, and the only right answers, by davit alone and behind
// nginx.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace davit::faults {

using Statuses = std::set<int>;

// What may follow the answer.
enum class After {
  Open,       // the next request is answered
  Swallowed,  // nothing: what follows is taken for the rest of the request
  Closed,     // nothing: where the next request begins is in doubt, or its sender does not want one
};

struct Expectation {
  Statuses statuses;
  After after = After::Open;
};

struct Shape {
  std::string name;
  std::string head;  // to the empty line, or what should be one
  std::string body;
  Expectation direct;
  Expectation proxied;  // no status: not sent through nginx, since then the answer is no HTTP/1
};

// The signed headers of a delivery with this body, each time with an id of its own: "X-…: …\r\n…".
using SignedHeaders = std::function<std::string(const std::string& body)>;

inline std::vector<Shape> http_shapes(const SignedHeaders& headers_for) {
  const std::string kBody = R"({"zen":"Practicality beats purity."})";
  const std::string kLength = std::to_string(kBody.size());
  const std::string kTarget = "POST /webhooks/github HTTP/1.1\r\n";
  const std::string kHost = "Host: davit.test\r\n";
  const Expectation kAccepted{{200, 202}, After::Open};
  const Expectation kBad{{400}, After::Closed};
  std::vector<Shape> shapes;

  auto add = [&](std::string name, std::string head, std::string body, Expectation direct,
                 Expectation proxied) {
    shapes.push_back(
        {std::move(name), std::move(head), std::move(body), std::move(direct), std::move(proxied)});
  };
  // A delivery with `lines` among its headers, and its length unless they give one.
  auto delivery = [&](std::string name, const std::string& lines, Expectation direct, Expectation proxied,
                      const std::string& body) {
    add(std::move(name), kTarget + kHost + headers_for(body) + lines + "\r\n", body, std::move(direct),
        std::move(proxied));
  };
  auto with_length = [&](std::string name, const std::string& lines, Expectation direct,
                         Expectation proxied) {
    delivery(std::move(name), lines + "Content-Length: " + kLength + "\r\n", std::move(direct),
             std::move(proxied), kBody);
  };
  // Lengths as given; the bytes behind the head are a body for one reader and a request for another.
  auto lengths = [&](std::string name, const std::string& lines, Expectation proxied) {
    delivery(std::move(name), lines, kBad, std::move(proxied), "");
  };
  auto get = [&](std::string name, const std::string& request_line, Expectation direct, Expectation proxied) {
    add(std::move(name), request_line + "\r\n" + kHost + "\r\n", "", std::move(direct), std::move(proxied));
  };
  auto target = [&](std::string name, const std::string& path, Expectation direct, Expectation proxied) {
    add(std::move(name),
        "POST " + path + " HTTP/1.1\r\n" + kHost + headers_for(kBody) + "Content-Length: " + kLength +
            "\r\n\r\n",
        kBody, std::move(direct), std::move(proxied));
  };
  auto open = [](int status) { return Expectation{{status}, After::Open}; };
  auto swallowed = [](int status) { return Expectation{{status}, After::Swallowed}; };
  auto closed = [](int status) { return Expectation{{status}, After::Closed}; };

  // ---- what is right
  with_length("a delivery", "", kAccepted, kAccepted);
  with_length("blanks around a value", "X-Blank: \t  x \t\r\n", kAccepted, kAccepted);
  with_length("an empty value", "X-Empty:\r\n", kAccepted, kAccepted);
  delivery("a length with leading zeros", "Content-Length: 000" + kLength + "\r\n", kAccepted, kAccepted,
           kBody);
  with_length("a body that is invited", "Expect: 100-continue\r\n", kAccepted, kAccepted);
  with_length("an upgrade that nobody asked for", "Connection: Upgrade\r\nUpgrade: websocket\r\n", kAccepted,
              kAccepted);
  with_length("keep-alive, said", "Connection: keep-alive\r\n", kAccepted, kAccepted);
  with_length("the last request", "Connection: close\r\n", {{200, 202}, After::Closed},
              {{200, 202}, After::Closed});
  with_length("headers Pistache chokes on: Date", "Date: yesterday\r\n", kAccepted, kAccepted);
  with_length("headers Pistache chokes on: Cache-Control", "Cache-Control: max-stale, private=\"x\"\r\n",
              kAccepted, kAccepted);
  with_length("headers Pistache chokes on: Accept", "Accept: font/woff2;q=0.1234, \"a,b\"\r\n", kAccepted,
              kAccepted);
  with_length("headers Pistache chokes on: Cookie", "Cookie: foo\r\n", kAccepted, kAccepted);
  with_length("a hundred bytes of UTF-8",
              "X-Text: " + std::string(50, '\xc3') + std::string(50, '\xa4') + "\r\n", kAccepted, kAccepted);
  add("HTTP/1.0, to be kept open",
      "POST /webhooks/github HTTP/1.0\r\n" + kHost + headers_for(kBody) +
          "Connection: keep-alive\r\nContent-Length: " + kLength + "\r\n\r\n",
      kBody, kAccepted, kAccepted);
  add("HTTP/1.0",
      "POST /webhooks/github HTTP/1.0\r\n" + kHost + headers_for(kBody) + "Content-Length: " + kLength +
          "\r\n\r\n",
      kBody, {{200, 202}, After::Closed}, {{200, 202}, After::Closed});
  add("HTTP/1.0 without a host",
      "POST /webhooks/github HTTP/1.0\r\n" + headers_for(kBody) + "Content-Length: " + kLength + "\r\n\r\n",
      kBody, {{200, 202}, After::Closed}, {{200, 202}, After::Closed});
  get("GET", "GET /healthz?x=y HTTP/1.1", open(200), open(200));
  get("OPTIONS", "OPTIONS /webhooks/github HTTP/1.1", open(405), open(405));
  get("another method than the path takes", "GET /webhooks/github HTTP/1.1", open(405), open(405));
  add("a body where none is wanted",
      "GET /webhooks/github HTTP/1.1\r\n" + kHost + "Content-Length: 4\r\n\r\n", "body", open(405),
      open(405));
  add("no length, no body", kTarget + kHost + headers_for("") + "\r\n", "", open(400), open(400));

  // ---- lengths
  lengths("a length and chunks", "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n", swallowed(400));
  lengths("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 40\r\n", swallowed(400));
  lengths("no length, then one", "Content-Length: 0\r\nContent-Length: 40\r\n", kBad);
  lengths("a length, then none", "Content-Length: 40\r\nContent-Length: 0\r\n", kBad);
  lengths("the same length twice", "Content-Length: 0\r\nContent-Length: 0\r\n", kBad);
  for (const char* length : {"3, 3", "0, 40", "+3", "-1", "3abc", "0x3", "", " ", "3 3", "3.0", "1e1",
                             "\"3\"", "3,", "18446744073709551615", "18446744073709551616",
                             "99999999999999999999999999999999999999999", "\xd9\xa3"}) {
    lengths(std::string("length \"") + length + "\"", std::string("Content-Length: ") + length + "\r\n",
            kBad);
  }
  lengths("a NUL in a length",
          std::string("Content-Length: 4\0"
                      "0\r\n",
                      21),
          kBad);

  // ---- chunks: davit takes none; nginx makes one body of them
  const std::string kHex = "24";  // bytes of kBody
  auto chunks = [&](std::string name, const std::string& coding, const std::string& body, int status,
                    Expectation proxied) {
    delivery(std::move(name), coding, closed(status), std::move(proxied), kBody);
    shapes.back().body = body;
  };
  const std::string kChunked = "Transfer-Encoding: chunked\r\n";
  chunks("chunks", kChunked, kHex + "\r\n" + kBody + "\r\n0\r\n\r\n", 411, kAccepted);
  chunks("chunks, coding behind a tab", "Transfer-Encoding:\tchunked\r\n",
         kHex + "\r\n" + kBody + "\r\n0\r\n\r\n", 411, closed(501));
  chunks("chunks with an extension", kChunked, kHex + ";a=b\r\n" + kBody + "\r\n0\r\n\r\n", 411, kAccepted);
  chunks("chunks with a trailer", kChunked, kHex + "\r\n" + kBody + "\r\n0\r\nX-Trailer: x\r\n\r\n", 411,
         kAccepted);
  chunks("a chunk of more bytes than there are numbers", kChunked, "10000000000000000000\r\nabc\r\n0\r\n\r\n",
         411, kBad);
  chunks("a chunk of less than nothing", kChunked, "-3\r\nabc\r\n0\r\n\r\n", 411, kBad);
  chunks("a chunk of nonsense", kChunked, "xyz\r\nabc\r\n0\r\n\r\n", 411, kBad);
  chunks("a chunk longer than it says", kChunked, "1\r\nabc\r\n0\r\n\r\n", 411, kBad);
  for (const char* coding :
       {"identity", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;q=1", "ch", "\"chunked\""}) {
    chunks(std::string("coding ") + coding, std::string("Transfer-Encoding: ") + coding + "\r\n", "0\r\n\r\n",
           411, closed(501));
  }
  chunks("two codings in two lines", kChunked + "Transfer-Encoding: identity\r\n", "0\r\n\r\n", 411, kBad);
  chunks("a coding behind a vertical tab", "Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n", 400, closed(501));
  chunks("a coding with a blank before its colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n", 400, kBad);
  chunks("a folded coding", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n", 400, kBad);
  add("chunks in HTTP/1.0",
      "POST /webhooks/github HTTP/1.0\r\n" + kHost + headers_for(kBody) + kChunked + "\r\n", "0\r\n\r\n",
      closed(411), kBad);

  // ---- header lines
  for (const auto& [name, line] : std::vector<std::pair<std::string, std::string>>{
           {"a blank before the colon of the length", "Content-Length : 40\r\n"},
           {"a tab before the colon of the length", "Content-Length\t: 40\r\n"},
           {"a blank within a name", "Content Length: 40\r\n"},
           {"a blank before a name", " Content-Length: 40\r\n"},
           {"a folded line", "X-Folded: a\r\n b\r\n"},
           {"a folded line that swallows the length", "X-Folded: a\r\n Content-Length: 40\r\n"},
           {"a line folded by a tab", "X-Folded: a\r\n\tb\r\n"},
           {"NUL in a value", std::string("X-Nul: a\0b\r\n", 12)},
           {"CR in a value", "X-Cr: a\rContent-Length: 40\r\n"},
           {"NUL in a name", std::string("X-N\0ul: a\r\n", 11)}}) {
    lengths(name, line, kBad);
  }
  with_length("a control byte in a value",
              "X-Control: a\x01"
              "b\r\n",
              kBad, open(400));
  with_length("DEL in a value",
              "X-Del: a\x7f"
              "b\r\n",
              kBad, open(400));
  with_length("a line without a colon", "X-No-Colon\r\n", kBad, kAccepted);  // nginx adds the colon
  with_length("an empty name", ": x\r\n", kBad, kBad);
  with_length("a bracket in a name", "X(y): x\r\n", kBad, kAccepted);    // nginx leaves such headers out
  with_length("UTF-8 in a name", "X-\xc3\xa4: x\r\n", kBad, kAccepted);  // these too
  with_length("an expectation nobody can meet", "Expect: magic\r\n", closed(417),
              kAccepted);  // nginx leaves it out
  with_length("two signatures", "X-Hub-Signature-256: sha256=" + std::string(64, 'a') + "\r\n", open(401),
              open(401));
  with_length(
      "101 headers",
      [] {
        std::string lines;
        for (int i = 0; i < 101; ++i) lines += "X-Many: x\r\n";
        return lines;
      }(),
      closed(431), open(431));
  with_length(
      "2,000 headers",
      [] {
        std::string lines;
        for (int i = 0; i < 2000; ++i) lines += "X-Many: some value\r\n";
        return lines;
      }(),
      closed(431), kBad);
  with_length("a header of 20 kB", "X-Long: " + std::string(20'000, 'a') + "\r\n", closed(431), kBad);
  with_length("a header of 100 kB", "X-Long: " + std::string(100'000, 'a') + "\r\n", closed(431), kBad);
  add("another media type",
      kTarget + kHost + "Content-Type: image/png\r\nX-GitHub-Event: ping\r\nContent-Length: 4\r\n\r\n",
      "body", {{401, 415}, After::Open}, {{401, 415}, After::Open});
  add("no signature",
      kTarget + kHost + "Content-Type: application/json\r\nX-GitHub-Event: ping\r\nContent-Length: 2\r\n\r\n",
      "{}", open(401), open(401));

  // ---- hosts
  add("no host", kTarget + headers_for(kBody) + "Content-Length: " + kLength + "\r\n\r\n", kBody, kBad, kBad);
  auto host = [&](const std::string& value, Expectation proxied) {
    add("host " + value,
        kTarget + "Host: " + value + "\r\n" + headers_for(kBody) + "Content-Length: " + kLength + "\r\n\r\n",
        kBody, kBad, std::move(proxied));
  };
  for (const char* refused : {"a b", "a/b"}) host(refused, kBad);
  for (const char* passed_on : {"[::1", "a@b", "a?b", "a#b", "\xff"}) host(passed_on, open(400));
  for (const char* mended : {"h:port", "h:123456"})
    host(mended, kAccepted);  // nginx passes on the name alone
  add("two hosts",
      kTarget + kHost + "Host: other.test\r\n" + headers_for(kBody) + "Content-Length: " + kLength +
          "\r\n\r\n",
      kBody, kBad, kBad);

  // ---- line ends
  auto line_ends = [&](std::string name, std::string first, std::string inner, std::string last,
                       Expectation proxied) {
    std::string head = "POST /webhooks/github HTTP/1.1" + first + kHost + headers_for(kBody) +
                       "Content-Length: " + kLength + "\r\n";
    for (std::size_t at = first.size() + 30;
         inner != "\r\n" && (at = head.find("\r\n", at)) != std::string::npos; at += inner.size())
      head.replace(at, 2, inner);
    add(std::move(name), head + last, kBody, kBad, std::move(proxied));
  };
  line_ends("LF for all line ends", "\n", "\n", "\n",
            kAccepted);  // the signature shows that the body is the same
  line_ends("LF behind the request line", "\n", "\r\n", "\r\n", kAccepted);
  line_ends("LF behind the headers", "\r\n", "\n", "\r\n", kAccepted);
  line_ends("LF for the empty line", "\r\n", "\r\n", "\n", kAccepted);
  line_ends("CR CR LF", "\r\r\n", "\r\n", "\r\n", kBad);

  // ---- request lines
  get("an empty line first", "\r\nGET /healthz HTTP/1.1", kBad, open(200));
  get("a blank first", " GET /healthz HTTP/1.1", kBad, kBad);
  get("lower case", "get /healthz HTTP/1.1", kBad, kBad);
  get("two blanks", "GET  /healthz HTTP/1.1", kBad, open(200));
  get("a tab", "GET\t/healthz HTTP/1.1", kBad, kBad);
  get("no target", "GET HTTP/1.1", kBad, kBad);
  get("no version", "GET /healthz ", kBad, {});    // HTTP/0.9: answered by nginx without a head
  get("only a target", "GET /healthz", kBad, {});  // HTTP/0.9 again
  get("half a version", "GET /healthz HTTP/1", kBad, kBad);
  get("a version without a point", "GET /healthz HTTP/11", kBad, closed(505));
  get("a version in lower case", "GET /healthz http/1.1", kBad, kBad);
  get("words behind the version", "GET /healthz HTTP/1.1 x", kBad, kBad);
  get("HTTP/9.9", "GET /healthz HTTP/9.9", closed(505), closed(505));
  get("HTTP/2.0", "GET /healthz HTTP/2.0", closed(505), closed(505));
  get("HTTP/1.2", "GET /healthz HTTP/1.2", closed(505),
      open(200));  // RFC 9110 §2.5 lets nginx take it for 1.1
  get("a blank in the target", "GET /health z HTTP/1.1", kBad, kBad);
  get("a control byte in the target", "GET /health\x01z HTTP/1.1", kBad, kBad);
  get("a byte that is no ASCII in the target", "GET /health\xe4z HTTP/1.1", kBad, open(400));
  get("a fragment", "GET /healthz#x HTTP/1.1", kBad, open(404));
  get("a whole URL", "GET http://davit.test/healthz HTTP/1.1", kBad, open(200));
  get("an asterisk", "OPTIONS * HTTP/1.1", kBad, kBad);
  get("a path without its slash", "GET healthz HTTP/1.1", kBad, kBad);
  get("a method nobody knows", "BREW /healthz HTTP/1.1", closed(501), open(501));
  get("TRACE", "TRACE /healthz HTTP/1.1", closed(501), closed(405));
  get("CONNECT", "CONNECT davit.test:443 HTTP/1.1", closed(501), kBad);
  get("a target of 9,000 bytes", "GET /" + std::string(9'000, 'a') + " HTTP/1.1", closed(414), closed(414));
  get("a target of 100,000 slashes", "GET " + std::string(100'000, '/') + " HTTP/1.1", closed(414),
      closed(414));
  add("the greeting of TLS",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(50, '\x5a') + "\r\n\r\n",
      "", kBad, kBad);
  add("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", closed(505), kBad);
  add("something else", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "", kBad, kBad);

  // ---- paths: compared as sent, so nothing reaches a route by a detour
  target("a query", "/webhooks/github?a=b&c", kAccepted, kAccepted);
  for (const char* path :
       {"//webhooks/github", "/webhooks//github", "/webhooks/github/", "/webhooks/./github",
        "/webhooks/x/../github", "/webhooks/%67ithub", "/%77ebhooks/github", "/webhooks/github%2f",
        "/webhooks/github;x", "/WEBHOOKS/github", "/webhooks/", "/webhooks/nobody", "/webhooks/../api/tasks",
        "/webhooks/%2e%2e/api/tasks"}) {
    target(std::string("path ") + path, path, open(404), open(404));
  }
  target("path with %00", "/webhooks/github%00", open(404), kBad);
  target("the API without a token", "/api/tasks", open(401), open(401));
  get("the metrics without a token", "GET /metrics HTTP/1.1", open(401), open(404));
  for (const char* path : {"//metrics", "/webhooks/../metrics", "/webhooks/%2e%2e/metrics", "/metrics/",
                           "/metrics%2f", "/x/../metrics"}) {
    get(std::string("metrics by ") + path, std::string("GET ") + path + " HTTP/1.1", open(404), open(404));
  }

  // ---- sizes that are only announced
  lengths("a body of 26 MB", "Content-Length: 27262977\r\n", swallowed(413));
  shapes.back().direct = closed(413);
  lengths("a body of 20 GB", "Content-Length: 20000000000\r\n", swallowed(413));
  shapes.back().direct = closed(413);
  return shapes;
}

}  // namespace davit::faults
