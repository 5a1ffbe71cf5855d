// How an answer fits what its client has and takes: conditional requests and packing (RFC 9110, 8.8.3, 12.5.3
// and 13.1.2).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "host/http/request.h"
#include "host/http/response.h"

namespace davit::http {

// Packing a smaller body saves no packet.
inline constexpr std::size_t kWorthPacking = 1024;

// Does an Accept-Encoding want gzip: named, with a weight that is not zero and not less than that of
// `identity`? A mere `*` does not name it, and what is malformed names nothing.
bool takes_gzip(std::string_view accepted);

// Does an If-None-Match name this entity tag (with its quotes)? Compared weakly, as RFC 9110 wants it there.
bool has_tag(std::string_view tags, std::string_view tag);

// What a client says of itself in a GET or HEAD. Owns its text, so that it outlives the request.
struct Wishes {
  bool gzip = false;
  std::string tags;  // If-None-Match
};
Wishes wishes_of(const Request& request);

// Gives a 200 its entity tag, which is of its bytes, and `Cache-Control: private, no-cache`: it may be kept
// and is asked for each time. 304 without a body if the client has it. Otherwise packs it, if it is larger
// than kWorthPacking and the client takes that; the packed one has a tag of its own.
//
// Leaves alone what is no 200, what brings an ETag or a Content-Encoding, and what says `no-store`. Packing
// tells by its size how much of a text repeats another (BREACH), so an answer that holds a secret beside what
// somebody else chose has to say `no-store`. Takes time by its size: not for I/O threads.
void suit(Response& response, const Wishes& wishes);

}  // namespace davit::http
