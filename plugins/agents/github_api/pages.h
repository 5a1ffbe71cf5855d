// The Link header, by which GitHub says where a list goes on (RFC 8288).
#pragma once

#include <string>
#include <string_view>

namespace github {

// The address with rel="next"; empty if there is none.
std::string next_page(std::string_view link);

// Does `url` lie below `api` ("https://api.github.com", no slash at its end)? Only there is the token sent.
bool lies_below(std::string_view api, std::string_view url);

}  // namespace github
