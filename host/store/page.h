// A part of a list that is read part by part.
#pragma once

#include <string>
#include <vector>

namespace davit::store {

template <typename Item>
struct Page {
  std::vector<Item> items;
  // Empty: no more. Of tasks that are searched a page may be short, or empty, though there is a next one: no
  // more than some thousand are looked at for one.
  std::string next_cursor;
};

}  // namespace davit::store
