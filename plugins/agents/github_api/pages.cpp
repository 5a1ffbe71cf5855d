#include "github_api/pages.h"

#include <algorithm>

namespace github {

std::string next_page(std::string_view link) {
  while (true) {
    const std::size_t begin = link.find('<'), end = link.find('>');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return "";
    const std::string_view url = link.substr(begin + 1, end - begin - 1);
    link.remove_prefix(end + 1);
    const std::string_view parameters = link.substr(0, std::min(link.find('<'), link.size()));
    if (parameters.find("rel=\"next\"") != std::string_view::npos) return std::string(url);
  }
}

bool lies_below(std::string_view api, std::string_view url) {
  return url.size() > api.size() && url.substr(0, api.size()) == api && url[api.size()] == '/';
}

}  // namespace github
