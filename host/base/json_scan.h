// The quick way to know that text is JSON.
#pragma once

#include <string_view>

#include "host/base/json.h"

namespace davit {

// True only for well-formed JSON within the limits (which see json.h), read in one pass and without memory of
// its own. False says nothing: text that is wrong, and some that is right but rare (exponents, long numbers,
// escaped surrogates, more than 64 levels), is for the full reader to judge. Never recurses.
bool surely_json(std::string_view text, const JsonLimits& limits);

}  // namespace davit
