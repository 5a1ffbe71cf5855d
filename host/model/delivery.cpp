#include "host/model/delivery.h"

#include <strings.h>

namespace davit {

std::vector<std::string_view> header_values(const Delivery& delivery, std::string_view name) {
  std::vector<std::string_view> values;
  for (const DeliveryHeader& header : delivery.headers) {
    if (header.name.size() == name.size() && strncasecmp(header.name.data(), name.data(), name.size()) == 0) {
      values.push_back(header.value);
    }
  }
  return values;
}

}  // namespace davit
