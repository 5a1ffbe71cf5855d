// Bodies nobody sends on purpose, made of bodies that somebody sent.
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>

namespace mutants {

// With the first `from` replaced by `to`; a test that replaces nothing tests nothing.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the payload: " + from);
  return text.replace(at, from.size(), to);
}

// One to four changes of bytes, of what JSON is made of, of longer pieces.
inline std::string damaged(std::string body, std::mt19937& random) {
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    if (body.empty()) body = "x";
    const std::size_t at = below(body.size());
    switch (below(5)) {
      case 0:
        body[at] = static_cast<char>(below(256));
        break;
      case 1:
        body[at] = "{}[]\",:0\\n"[below(10)];
        break;
      case 2:
        body.erase(at, 1 + below(64));
        break;
      case 3:
        body.insert(at, body.substr(below(body.size()), below(256)));
        break;
      default:
        if (const std::size_t null = body.find("null"); null != std::string::npos)
          body.replace(null, 4, R"({"name": []})");
        break;
    }
  }
  return body;
}

namespace detail {

template <class Visit>
void walk(rapidjson::Document& document, rapidjson::Value& value, const Visit& visit) {
  for (const char* other :
       {"null", "7", "-1.5e300", "true", R"("x")", "[]", R"([[{}]])", "{}", R"({"id": {}})"}) {
    rapidjson::Document wrong(&document.GetAllocator());
    wrong.Parse(other);
    value.Swap(wrong);
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    document.Accept(writer);
    value.Swap(wrong);
    visit(std::string(buffer.GetString(), buffer.GetSize()));
  }
  if (value.IsObject()) {
    for (auto& member : value.GetObject()) walk(document, member.value, visit);
  } else if (value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < std::min<rapidjson::SizeType>(2, value.Size()); ++i)
      walk(document, value[i], visit);
  }
}

}  // namespace detail

// Each value in `body` replaced by values of other types, one at a time; of lists, the first two elements.
template <class Visit>
void for_each_wrong_type(const std::string& body, const Visit& visit) {
  rapidjson::Document document;
  document.Parse(body.data(), body.size());
  if (document.HasParseError()) throw std::runtime_error("the payload is no JSON");
  detail::walk(document, document, visit);
}

}  // namespace mutants
