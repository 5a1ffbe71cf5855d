// "Did you mean …?": which of the known names somebody meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit {

// The known name that is nearest to `name`, the first of equals; empty if none is near. A letter too many,
// too few, wrong, or changed with its neighbour is one step; two steps are near, and one for every three
// letters. What is cut off or has more behind it ("timeout" for "timeout_seconds") is one step away.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace davit
