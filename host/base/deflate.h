// Bytes made smaller and whole again, in the zlib format (RFC 1950): its checksum tells damage. For HTTP also in
// the gzip format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit {

// A little larger than `bytes` where nothing can be saved. About 10 ms for a megabyte of text.
std::string deflate(std::string_view bytes);

// InvalidInput if `packed` is damaged, cut or longer than one stream, TooLarge if what comes out is more than
// `most` bytes: no more memory than that is taken, whatever `packed` claims.
Result<std::string> inflate(std::string_view packed, std::size_t most);

// Likewise in the gzip format (RFC 1952), without a name or a time: equal bytes are packed into equal ones.
std::string gzip(std::string_view bytes);

}  // namespace davit
