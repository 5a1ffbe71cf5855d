// Repositories that a text names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "work_item/request.h"

namespace discovery {

// Those of `known` that the request's title, text, address and details name, in the order of `known`: by an
// address below `address` ("https://github.com"), also as git@github.com:acme/shop.git, or as acme/shop,
// acme/shop#7. Names compare as on GitHub: without regard to case.
std::vector<std::string> linked(const work::Request& request, const std::vector<std::string>& known,
                                std::string_view address);

}  // namespace discovery
