// JSON for plugins, over RapidJSON (which stays out of sight).
//
//   Json payload = Json::parse(request.body());
//   std::string_view title = payload["issue"]["title"].string_or("untitled");
//   for (JsonView label : payload["issue"]["labels"]) { … label["name"].string_or("") … }
//   Json parsed = Json::object({{"title", title}, {"labels", Json::array({"bug", "AI-Fix"})}});
//   parsed["count"] = 2;
//
// Reading never fails and never copies: what is absent or of another type reads as null, null reads as the
// fallback. A Json owns its document; a JsonView (and each string_view it gives) borrows from it and lives as
// long as it does and is not written to. Moving a Json is cheap; copying is deep. As with standard
// containers, several threads may read one Json at the same time.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

// Not RAPIDJSON_SSE2: in RapidJSON 1.1.0 its vector code takes the control bytes 0x1A to 0x1F for plain ones,
// and writes them unescaped. It is undefined in case the author's own code asked for it.
#undef RAPIDJSON_SSE2
#undef RAPIDJSON_SSE42
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "davit/failure.hpp"
#include "davit/text.hpp"

namespace davit {
inline namespace sdk {

class Json;
class JsonMembers;

namespace detail {

namespace rj = RAPIDJSON_NAMESPACE;
using JsonPool = rj::MemoryPoolAllocator<>;
using JsonNode = rj::GenericValue<rj::UTF8<>, JsonPool>;

[[gnu::visibility("hidden")]] inline const JsonNode& null_node() noexcept {
  static const JsonNode null;
  return null;
}

inline rj::SizeType json_size(std::size_t size) { return static_cast<rj::SizeType>(size); }

}  // namespace detail

inline constexpr int kJsonMaxDepth = 64;  // nested arrays and objects
// Strings, numbers, literals, arrays, objects and keys together, as in the host.
inline constexpr std::size_t kJsonMaxValues = 200'000;

namespace detail {
// For what the host composed: a payload of 64 levels lies some levels deep in it.
inline constexpr int kHostJsonMaxDepth = 2 * kJsonMaxDepth;
inline constexpr std::size_t kHostJsonMaxValues = 10 * kJsonMaxValues;
}  // namespace detail

// A value inside somebody's Json. Trivially copyable, one pointer wide.
class JsonView {
 public:
  JsonView() noexcept : node_(&detail::null_node()) {}
  JsonView(const Json& json) noexcept;  // NOLINT(google-explicit-constructor)
  JsonView(Json&&) = delete;            // it would outlive the document: give that a name first

  JsonView(const JsonView&) = default;
  JsonView& operator=(const JsonView&) & = default;

  bool is_null() const noexcept { return node_->IsNull(); }
  bool is_bool() const noexcept { return node_->IsBool(); }
  bool is_int() const noexcept { return node_->IsInt64(); }  // a whole number that int_or() gives
  bool is_number() const noexcept { return node_->IsNumber(); }
  bool is_string() const noexcept { return node_->IsString(); }
  bool is_array() const noexcept { return node_->IsArray(); }
  bool is_object() const noexcept { return node_->IsObject(); }

  // The member, or null if there is none or this is no object.
  JsonView operator[](std::string_view name) const noexcept {
    const detail::JsonNode* found = find(name);
    return found ? JsonView(found) : JsonView();
  }

  // The element, or null if there is none or this is no array.
  template <std::integral Index>
  JsonView operator[](Index index) const noexcept {
    if (!node_->IsArray() || !std::in_range<detail::rj::SizeType>(index)) return {};
    const auto at = static_cast<detail::rj::SizeType>(index);
    return at < node_->Size() ? JsonView(&(*node_)[at]) : JsonView();
  }

  // RFC 6901, e.g. "/issue/labels/0/name"; null if there is no such value.
  JsonView at_pointer(std::string_view pointer) const {
    JsonView here = *this;
    while (!pointer.empty()) {
      if (pointer.front() != '/') return {};
      const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
      here = here.step(pointer.substr(1, end - 1));
      pointer.remove_prefix(end);
    }
    return here;
  }

  // Is there a member of that name (null or not)?
  bool has(std::string_view name) const noexcept { return find(name) != nullptr; }

  // Is this text among the elements?
  bool contains(std::string_view text) const noexcept {
    for (JsonView element : *this) {
      if (element == text) return true;
    }
    return false;
  }

  std::string_view string_or(std::string_view fallback) const noexcept {
    return node_->IsString() ? std::string_view(node_->GetString(), node_->GetStringLength()) : fallback;
  }
  std::int64_t int_or(std::int64_t fallback) const noexcept {
    return node_->IsInt64() ? node_->GetInt64() : fallback;
  }
  double number_or(double fallback) const noexcept {
    return node_->IsNumber() ? node_->GetDouble() : fallback;
  }
  bool bool_or(bool fallback) const noexcept { return node_->IsBool() ? node_->GetBool() : fallback; }

  // Where a missing value is a mistake: throws Failure(InvalidInput) naming `what`.
  std::string_view require_string(std::string_view what) const {
    if (!node_->IsString()) throw Failure::invalid_input(std::string(what) + " is missing or not a string");
    return string_or("");
  }
  std::int64_t require_int(std::string_view what) const {
    if (!node_->IsInt64())
      throw Failure::invalid_input(std::string(what) + " is missing or not a whole number");
    return node_->GetInt64();
  }

  // Elements of an array, members of an object, else 0.
  std::size_t size() const noexcept {
    if (node_->IsArray()) return node_->Size();
    return node_->IsObject() ? node_->MemberCount() : 0;
  }
  bool empty() const noexcept { return size() == 0; }

  // The elements of an array; nothing for any other type.
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using iterator_concept = std::forward_iterator_tag;
    using value_type = JsonView;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = JsonView;

    Iterator() = default;
    JsonView operator*() const noexcept { return JsonView(at_); }
    Iterator& operator++() noexcept { return ++at_, *this; }
    Iterator operator++(int) noexcept { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

   private:
    friend class JsonView;
    explicit Iterator(const detail::JsonNode* at) : at_(at) {}
    const detail::JsonNode* at_ = nullptr;
  };
  Iterator begin() const noexcept { return Iterator(node_->IsArray() ? node_->Begin() : nullptr); }
  Iterator end() const noexcept { return Iterator(node_->IsArray() ? node_->End() : nullptr); }

  // The members of an object: for (auto [name, value] : json.members()).
  JsonMembers members() const noexcept;

  // Compact JSON text, always UTF-8.
  std::string dump() const {
    detail::rj::StringBuffer buffer;
    detail::rj::Writer<detail::rj::StringBuffer> writer(buffer);
    node_->Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
  }

  friend bool operator==(JsonView json, std::string_view text) noexcept {
    return json.node_->IsString() && json.string_or("") == text;
  }

 protected:
  friend class Json;
  friend class JsonMembers;
  explicit JsonView(const detail::JsonNode* node) noexcept : node_(node) {}

  const detail::JsonNode* find(std::string_view name) const noexcept {
    if (!node_->IsObject()) return nullptr;
    for (const auto& [key, value] : node_->GetObject()) {
      if (key.GetStringLength() == name.size() &&
          (name.empty() || std::memcmp(key.GetString(), name.data(), name.size()) == 0)) {
        return &value;
      }
    }
    return nullptr;
  }

  JsonView step(std::string_view token) const {
    if (node_->IsArray()) {
      if (token.empty() || token.size() > 9 || (token.size() > 1 && token.front() == '0')) return {};
      std::uint32_t index = 0;
      for (char c : token) {
        if (c < '0' || c > '9') return {};
        index = index * 10 + static_cast<std::uint32_t>(c - '0');
      }
      return (*this)[index];
    }
    if (token.find('~') == std::string_view::npos) return (*this)[token];
    std::string name;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const bool escape = token[i] == '~' && i + 1 < token.size();
      name += !escape ? token[i] : token[++i] == '1' ? '/' : '~';
    }
    return (*this)[name];
  }

  const detail::JsonNode* node_;
};

struct JsonMember {
  std::string_view name;
  JsonView value;
};

// The members of an object, in their order. Borrows like a JsonView.
class JsonMembers {
 public:
  class Iterator {
   public:
    JsonMember operator*() const {
      return {std::string_view(at_->name.GetString(), at_->name.GetStringLength()), JsonView(&at_->value)};
    }
    Iterator& operator++() { return ++at_, *this; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    friend class JsonMembers;
    explicit Iterator(detail::JsonNode::ConstMemberIterator at) : at_(at) {}
    detail::JsonNode::ConstMemberIterator at_;
  };
  Iterator begin() const {
    return Iterator(is_object() ? node_->MemberBegin() : detail::JsonNode::ConstMemberIterator());
  }
  Iterator end() const {
    return Iterator(is_object() ? node_->MemberEnd() : detail::JsonNode::ConstMemberIterator());
  }

 private:
  friend class JsonView;
  explicit JsonMembers(const detail::JsonNode* node) : node_(node) {}
  bool is_object() const { return node_->IsObject(); }
  const detail::JsonNode* node_;
};

inline JsonMembers JsonView::members() const noexcept { return JsonMembers(node_); }

namespace detail {

// What a document's nodes and strings live in. A parsed document is one allocation: its text, then its first
// pool. Values that were built apart bring their arena along when they are put into another one, so nothing
// is copied.
struct JsonArena {
  explicit JsonArena(std::size_t text_size, std::size_t pool_size)
      : memory(new char[text_size + pool_size]), pool(memory.get() + text_size, pool_size, pool_size) {}
  explicit JsonArena() : pool(1024) {}

  std::unique_ptr<char[]> memory;
  JsonPool pool;
  std::vector<std::unique_ptr<JsonArena>> adopted;
};

// Passes the reader's events on to the document and says no to what is nested too deep or too much. A lone
// \uDC00 is let through by the reader; where the text has such an escape at all, each string is looked at
// again.
class JsonDepthGuard {
 public:
  using Ch = char;
  JsonDepthGuard(rj::GenericDocument<rj::UTF8<>, JsonPool>& next, bool check_strings, int max_depth,
                 std::size_t max_values)
      : next_(next), check_strings_(check_strings), max_depth_(max_depth), max_values_(max_values) {}

  bool Null() { return count() && next_.Null(); }
  bool Bool(bool value) { return count() && next_.Bool(value); }
  bool Int(int value) { return count() && next_.Int(value); }
  bool Uint(unsigned value) { return count() && next_.Uint(value); }
  bool Int64(std::int64_t value) { return count() && next_.Int64(value); }
  bool Uint64(std::uint64_t value) { return count() && next_.Uint64(value); }
  bool Double(double value) { return count() && next_.Double(value); }
  // Numbers come as text: the reader's own conversion makes 3e200 of "0e200" and infinity of "0e308".
  bool RawNumber(const char* text, rj::SizeType size, bool) {
    if (!count()) return false;
    auto read_whole = [&](auto& value) {
      const auto [stop, error] = std::from_chars(text, text + size, value);
      return error == std::errc() && stop == text + size;
    };
    std::int64_t integer = 0;
    if (read_whole(integer)) return next_.Int64(integer);
    std::uint64_t natural = 0;
    if (read_whole(natural)) return next_.Uint64(natural);
    double real = 0;
    // Out of range is what is too large and what is too small; strtod gives infinity for the one, nearly 0
    // for the other.
    if (!read_whole(real)) real = std::strtod(std::string(text, size).c_str(), nullptr);
    too_large_ = !std::isfinite(real);
    return !too_large_ && next_.Double(real);
  }
  bool String(const char* text, rj::SizeType size, bool copy) {
    return count() && good(text, size) && next_.String(text, size, copy);
  }
  bool Key(const char* text, rj::SizeType size, bool copy) {
    return count() && good(text, size) && next_.Key(text, size, copy);
  }
  bool StartObject() { return count() && enter() && next_.StartObject(); }
  bool EndObject(rj::SizeType count) { return --depth_, next_.EndObject(count); }
  bool StartArray() { return count() && enter() && next_.StartArray(); }
  bool EndArray(rj::SizeType count) { return --depth_, next_.EndArray(count); }

  std::string why() const {
    if (too_large_) return "a number that is too large";
    if (values_ > max_values_) return "more than " + std::to_string(max_values_) + " values";
    if (depth_ <= max_depth_) return "a lone surrogate";
    return "nested deeper than " + std::to_string(max_depth_) + " levels";
  }

 private:
  bool count() { return ++values_ <= max_values_; }
  bool enter() { return ++depth_ <= max_depth_; }
  bool good(const char* text, rj::SizeType size) const { return !check_strings_ || is_utf8({text, size}); }

  rj::GenericDocument<rj::UTF8<>, JsonPool>& next_;
  bool check_strings_;
  int max_depth_;
  std::size_t max_values_;
  int depth_ = 0;
  std::size_t values_ = 0;
  bool too_large_ = false;
};

}  // namespace detail

class JsonSlot;
struct JsonField;

// A JSON value that owns its document.
class Json {
 public:
  Json() noexcept = default;                             // null
  Json(std::nullptr_t) noexcept {}                       // NOLINT(google-explicit-constructor)
  Json(std::same_as<bool> auto value) : node_(value) {}  // NOLINT(google-explicit-constructor)
  template <std::integral Number>
  requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
      Json(Number value)  // NOLINT(google-explicit-constructor)
      : node_(static_cast<std::conditional_t<std::is_signed_v<Number>, std::int64_t, std::uint64_t>>(value)) {
  }
  // JSON knows neither NaN nor infinity: they become null.
  Json(std::floating_point auto value) {  // NOLINT(google-explicit-constructor)
    if (std::isfinite(value)) node_.SetDouble(static_cast<double>(value));
  }
  // Copies the text. Bytes that are not UTF-8 become U+FFFD.
  Json(std::string_view text) { set_string(text); }                                     // NOLINT
  Json(const std::string& text) : Json(std::string_view(text)) {}                       // NOLINT
  Json(const char* text) : Json(text ? std::string_view(text) : std::string_view()) {}  // NOLINT
  Json(JsonView view) {                                                                 // NOLINT: deep
    const detail::JsonNode& from = *view.node_;
    if (from.IsString()) {
      set_string(view.string_or(""));
    } else if (from.IsObject() || from.IsArray()) {
      node_ = copy(from, arena().pool);
    } else if (from.IsBool()) {
      node_.SetBool(from.GetBool());
    } else if (from.IsInt64()) {
      node_.SetInt64(from.GetInt64());
    } else if (from.IsUint64()) {
      node_.SetUint64(from.GetUint64());
    } else if (from.IsNumber()) {
      node_.SetDouble(from.GetDouble());
    }
  }
  template <std::convertible_to<std::string_view> Text>
  Json(const std::vector<Text>& texts) : Json(array()) {  // NOLINT(google-explicit-constructor)
    for (const Text& text : texts) push_back(std::string_view(text));
  }

  Json(Json&& other) noexcept
      : arena_(std::move(other.arena_)), text_(std::move(other.text_)), node_(std::move(other.node_)) {}
  Json& operator=(Json&& other) noexcept {
    if (this != &other) {
      node_ = std::move(other.node_);
      arena_ = std::move(other.arena_);
      text_ = std::move(other.text_);
    }
    return *this;
  }
  Json(const Json& other) : Json(other.view()) {}
  Json& operator=(const Json& other) { return *this = Json(other); }

  // Reads a whole document: one value, UTF-8, not more levels and values than said. Throws
  // Failure(InvalidInput) with the byte offset.
  static Json parse(std::string_view text, int max_depth = kJsonMaxDepth,
                    std::size_t max_values = kJsonMaxValues) {
    constexpr std::size_t kPadding = 32;  // the reader looks at 16 bytes at a time, also behind the end
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (const std::size_t good = utf8_prefix(text); good != text.size()) bad(good, "not UTF-8");

    const std::size_t room = (text.size() + kPadding + 15) & ~std::size_t{15};
    Json json;
    json.arena_ = std::make_unique<detail::JsonArena>(room, text.size() + text.size() / 4 + 512);
    char* copy = json.arena_->memory.get();
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    std::memset(copy + text.size(), 0, room - text.size());

    constexpr unsigned kFlags = detail::rj::kParseInsituFlag | detail::rj::kParseIterativeFlag |
                                detail::rj::kParseNumbersAsStringsFlag;
    const bool surrogates =
        text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
    detail::rj::GenericDocument<detail::rj::UTF8<>, detail::JsonPool> document(
        &json.arena_->pool, std::max<std::size_t>(1024, text.size() / 2));
    detail::JsonDepthGuard guard(document, surrogates, max_depth, max_values);
    detail::rj::InsituStringStream stream(copy);
    detail::rj::ParseResult result;
    auto events = [&](auto&) {
      detail::rj::GenericReader<detail::rj::UTF8<>, detail::rj::UTF8<>> reader;
      result = reader.Parse<kFlags>(stream, guard);
      return !result.IsError();
    };
    document.Populate(events);
    if (result.Code() == detail::rj::kParseErrorTermination) bad(result.Offset(), guard.why());
    if (result.IsError()) bad(result.Offset(), detail::rj::GetParseError_En(result.Code()));
    if (stream.Tell() != text.size()) bad(stream.Tell(), "a zero byte");
    json.node_.Swap(document);
    return json;
  }

  static Json array() { return Json(detail::rj::kArrayType); }
  static Json object() { return Json(detail::rj::kObjectType); }
  static Json array(std::initializer_list<JsonField> elements);
  static Json object(std::initializer_list<JsonField> fields);

  // Makes this an object if it is none, and sets the member.
  Json& set(std::string_view name, Json value) {
    if (!node_.IsObject()) reset(detail::rj::kObjectType);
    detail::JsonNode node = adopt(std::move(value));
    if (detail::JsonNode* there = const_cast<detail::JsonNode*>(view().find(name))) {
      *there = node;
      return *this;
    }
    detail::JsonNode key = text_node(name);
    node_.AddMember(key, node, arena().pool);
    return *this;
  }

  // Makes this an array if it is none, and appends.
  Json& push_back(Json value) {
    if (!node_.IsArray()) reset(detail::rj::kArrayType);
    detail::JsonNode node = adopt(std::move(value));
    node_.PushBack(node, arena().pool);
    return *this;
  }

  void erase(std::string_view name) {
    if (!node_.IsObject()) return;
    if (has(name))
      node_.EraseMember(node_.FindMember(detail::JsonNode(
          detail::JsonNode::StringRefType(name.data() ? name.data() : "", detail::json_size(name.size())))));
  }

  // Reads like a JsonView; json["name"] = value writes. A value inside is written through set() of its own
  // Json.
  JsonSlot operator[](std::string_view name) &;
  JsonView operator[](std::string_view name) const& noexcept { return view()[name]; }
  template <std::integral Index>
  JsonView operator[](Index index) const& noexcept {
    return view()[index];
  }
  JsonView at_pointer(std::string_view pointer) const& { return view().at_pointer(pointer); }
  JsonMembers members() const& noexcept { return view().members(); }
  JsonView::Iterator begin() const& noexcept { return view().begin(); }
  JsonView::Iterator end() const& noexcept { return view().end(); }
  std::string_view string_or(std::string_view fallback) const& noexcept { return view().string_or(fallback); }
  std::string_view require_string(std::string_view what) const& { return view().require_string(what); }
  // A view into a temporary would dangle: give the document a name first.
  JsonView operator[](std::string_view name) && = delete;
  template <std::integral Index>
  JsonView operator[](Index index) && = delete;
  JsonView at_pointer(std::string_view pointer) && = delete;
  JsonMembers members() && = delete;
  std::string_view string_or(std::string_view fallback) && = delete;
  std::string_view require_string(std::string_view what) && = delete;

  JsonView view() const& noexcept { return JsonView(&node_); }
  JsonView view() && = delete;
  bool is_null() const noexcept { return node_.IsNull(); }
  bool is_bool() const noexcept { return node_.IsBool(); }
  bool is_int() const noexcept { return node_.IsInt64(); }
  bool is_number() const noexcept { return node_.IsNumber(); }
  bool is_string() const noexcept { return node_.IsString(); }
  bool is_array() const noexcept { return node_.IsArray(); }
  bool is_object() const noexcept { return node_.IsObject(); }
  bool has(std::string_view name) const noexcept { return view().has(name); }
  bool contains(std::string_view text) const noexcept { return view().contains(text); }
  std::int64_t int_or(std::int64_t fallback) const noexcept { return view().int_or(fallback); }
  double number_or(double fallback) const noexcept { return view().number_or(fallback); }
  bool bool_or(bool fallback) const noexcept { return view().bool_or(fallback); }
  std::int64_t require_int(std::string_view what) const { return view().require_int(what); }
  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return view().empty(); }
  std::string dump() const { return view().dump(); }

  friend bool operator==(const Json& json, std::string_view text) noexcept { return json.view() == text; }

 private:
  friend class JsonView;
  explicit Json(detail::rj::Type type) : node_(type) {}

  [[noreturn]] static void bad(std::size_t offset, const std::string& what) {
    throw Failure::invalid_input("JSON, byte " + std::to_string(offset) + ": " + what);
  }

  detail::JsonArena& arena() {
    if (!arena_) arena_ = std::make_unique<detail::JsonArena>();
    return *arena_;
  }

  void reset(detail::rj::Type type) {
    detail::JsonNode(type).Swap(node_);
    arena_.reset();
    text_.reset();
  }

  void set_string(std::string_view text) {
    if (!is_utf8(text)) return set_string(to_utf8(text));
    text_.reset(new char[text.size() + 1]);
    if (!text.empty()) std::memcpy(text_.get(), text.data(), text.size());
    text_[text.size()] = '\0';
    node_.SetString(detail::JsonNode::StringRefType(text_.get(), detail::json_size(text.size())));
  }

  // A text that lives in this document.
  detail::JsonNode text_node(std::string_view text) {
    if (!is_utf8(text)) return text_node(to_utf8(text));
    return detail::JsonNode(text.data() ? text.data() : "", detail::json_size(text.size()), arena().pool);
  }

  // RapidJSON's own copy would keep pointing to the strings of a document that was parsed in place.
  static detail::JsonNode copy(const detail::JsonNode& from, detail::JsonPool& pool) {
    detail::JsonNode to;
    if (from.IsString()) {
      to.SetString(from.GetString(), from.GetStringLength(), pool);
    } else if (from.IsArray()) {
      to.SetArray().Reserve(from.Size(), pool);
      for (const auto& element : from.GetArray()) to.PushBack(copy(element, pool), pool);
    } else if (from.IsObject()) {
      to.SetObject();
      for (const auto& member : from.GetObject())
        to.AddMember(copy(member.name, pool), copy(member.value, pool), pool);
    } else {
      to.CopyFrom(from, pool);
    }
    return to;
  }

  // Takes a value's node and keeps what it lives in. Small things are copied, so that a list of a thousand
  // short texts does not become a thousand arenas.
  detail::JsonNode adopt(Json value) {
    if (value.node_.IsString()) return text_node(value.string_in());
    if (!value.arena_) return std::move(value.node_);
    arena().adopted.push_back(std::move(value.arena_));
    return std::move(value.node_);
  }

  std::string_view string_in() const { return {node_.GetString(), node_.GetStringLength()}; }

  std::unique_ptr<detail::JsonArena> arena_;  // of an array or object, or of a document that was read
  // Of a value that is a text and nothing else: most values are, and are soon put into another one, so they
  // get no arena for that.
  std::unique_ptr<char[]> text_;
  detail::JsonNode node_;
};

// One entry of Json::object({{"name", value}, …}) or Json::array({value, …}).
struct JsonField {
  template <class Value>
  requires std::constructible_from<Json, Value> JsonField(std::string_view field_name, Value&& field_value)
      : name(field_name), value(std::forward<Value>(field_value)) {}
  // No Json is made of a JsonField, so this hides no copy.
  // NOLINTBEGIN(bugprone-forwarding-reference-overload,google-explicit-constructor)
  template <class Value>
  requires std::constructible_from<Json, Value> JsonField(Value&& element)
      : value(std::forward<Value>(element)) {}
  // NOLINTEND(bugprone-forwarding-reference-overload,google-explicit-constructor)

  std::string_view name;
  mutable Json value;  // taken out of the initializer list, which is const
};

inline Json Json::array(std::initializer_list<JsonField> elements) {
  Json json = array();
  for (const JsonField& element : elements) json.push_back(std::move(element.value));
  return json;
}

inline Json Json::object(std::initializer_list<JsonField> fields) {
  Json json = object();
  for (const JsonField& field : fields) json.set(field.name, std::move(field.value));
  return json;
}

// json["name"] of a Json that may be written: reads like a JsonView, and can be assigned to.
class JsonSlot : public JsonView {
 public:
  JsonSlot& operator=(Json value) {
    owner_->set(name_, std::move(value));
    node_ = find_in_owner();
    return *this;
  }
  JsonSlot(const JsonSlot&) = default;
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): what is assigned is a copy by then
  JsonSlot& operator=(const JsonSlot& other) { return *this = Json(static_cast<const JsonView&>(other)); }

 private:
  friend class Json;
  JsonSlot(Json& owner, std::string_view name) : JsonView(owner.view()[name]), owner_(&owner), name_(name) {}
  const detail::JsonNode* find_in_owner() const { return JsonSlot(*owner_, name_).node_; }

  Json* owner_;
  std::string_view name_;
};

inline JsonSlot Json::operator[](std::string_view name) & { return JsonSlot(*this, name); }

inline JsonView::JsonView(const Json& json) noexcept : node_(&json.node_) {}

}  // namespace sdk
}  // namespace davit
