// Built first-party plugins, and the deliveries of a webhook's testdata/ folder: <name>.delivery.json says
// headers, config (optional) and the file with the body.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "davit/json.hpp"
#include "davit/testing/driver.hpp"
#include "tests/abi/library.h"

namespace testdata {

inline Library plugin(const std::string& name) { return Library(name, "plugins"); }

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline davit::testing::RequestBuilder request_of(const std::filesystem::path& delivery_file) {
  const davit::Json delivery = davit::Json::parse(read_file(delivery_file));
  davit::testing::RequestBuilder request(
      read_file(delivery_file.parent_path() / std::string(delivery["body_file"].string_or(""))));
  for (const auto& [name, value] : delivery["headers"].members())
    request.header(std::string(name), std::string(value.string_or("")));
  return request;
}

}  // namespace testdata
