// What is wrong with a configuration, and where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace davit::config {

struct Mistake {
  int line = 0;      // from 1; 0: the file as a whole
  std::string key;   // full path ("server.port"), empty for the file as a whole
  std::string text;  // what is wrong and what to do; never a secret's value
};

// "config/davit.yaml:12: server.prot: unknown key; did you mean server.port?"
std::string to_string(std::string_view file, const Mistake& mistake);

}  // namespace davit::config
