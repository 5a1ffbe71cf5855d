#include "host/config/mistake.h"

namespace davit::config {

std::string to_string(std::string_view file, const Mistake& mistake) {
  std::string line(file);
  if (mistake.line > 0) line += ":" + std::to_string(mistake.line);
  line += ": ";
  if (!mistake.key.empty()) line += mistake.key + ": ";
  return line + mistake.text;
}

}  // namespace davit::config
