#include "host/http/event_text.h"

#include <charconv>

#include "host/base/clock.h"
#include "host/base/json.h"
#include "host/base/text.h"

namespace davit::http {
namespace {

constexpr std::size_t kMostLine = 16 << 10;
constexpr std::string_view kRetry = "retry: 2000\n";

void append_id(std::string& out, std::string_view epoch, std::uint64_t number) {
  out += "id: ";
  out += event_id(epoch, number);
  out += '\n';
}

// JSON has no line break outside of its strings, and none inside as it is written here: one line of data is
// enough.
void append_data(std::string& out, std::string_view event, std::string_view json) {
  out += "event: ";
  out += event;
  out += "\ndata: ";
  out += json;
  out += "\n\n";
}

template <typename Write>
void append_object(std::string& out, std::string_view event, Write&& write) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write(writer);
  writer.EndObject();
  append_data(out, event, text_of(buffer));
}

}  // namespace

std::string event_id(std::string_view epoch, std::uint64_t number) {
  return std::string(epoch) + '-' + std::to_string(number);
}

std::optional<std::uint64_t> number_of(std::string_view epoch, std::string_view event_id) {
  if (event_id.size() <= epoch.size() + 1 || event_id.substr(0, epoch.size()) != epoch ||
      event_id[epoch.size()] != '-')
    return std::nullopt;
  const std::string_view digits = event_id.substr(epoch.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

void append_hello(std::string& out, std::string_view epoch, std::uint64_t number, bool resumed) {
  out += kRetry;
  append_id(out, epoch, number);
  append_data(out, "hello", resumed ? R"({"resumed":true})" : R"({"resumed":false})");
}

void append_reset(std::string& out, std::string_view epoch, std::uint64_t number) {
  out += kRetry;
  append_id(out, epoch, number);
  append_data(out, "reset", "{}");
}

void append_event(std::string& out, std::string_view epoch, const Event& event, std::string_view queue) {
  append_id(out, epoch, event.number);
  if (event.topic == Topic::Queue) return append_data(out, to_string(event.topic), queue);
  append_object(out, to_string(event.topic), [&](JsonWriter& writer) {
    if (event.topic == Topic::Delivery && !event.id.empty()) write_member(writer, "delivery_id", event.id);
    if (event.topic == Topic::Task || event.topic == Topic::Execution)
      write_member(writer, "task_id", event.id);
    if (!event.session.empty()) write_member(writer, "session_id", event.session);
    if (!event.agent.empty()) write_member(writer, "agent", event.agent);
    if (event.state) write_member(writer, "status", to_string(*event.state));
    if (event.scope.empty()) return;
    write_member(writer, "scope", event.scope);
    event.id.empty() ? write_null_member(writer, "key") : write_member(writer, "key", event.id);
    write_member(writer, "spent", event.resumes_at.has_value());
    event.resumes_at ? write_member(writer, "resumes_at", to_iso8601(*event.resumes_at))
                     : write_null_member(writer, "resumes_at");
  });
}

void append_line(std::string& out, std::string_view task_id, std::string_view session_id,
                 const store::TranscriptLine& line) {
  append_object(out, "log", [&](JsonWriter& writer) {
    write_member(writer, "task_id", task_id);
    write_member(writer, "session_id", session_id);
    write_member(writer, "number", line.number);
    if (line.at == WallTime{}) {
      write_null_member(writer, "at");
    } else {
      write_member(writer, "at", to_iso8601(line.at));
    }
    write_member(writer, "kind", line.kind);
    write_member(writer, "line", shortened(line.text, kMostLine));
    write_member(writer, "shortened", line.text.size() > kMostLine);
  });
}

void append_missed_lines(std::string& out, std::string_view task_id, std::string_view session_id) {
  append_object(out, "log", [&](JsonWriter& writer) {
    write_member(writer, "task_id", task_id);
    write_member(writer, "session_id", session_id);
    write_member(writer, "missed", true);
  });
}

void append_heartbeat(std::string& out, std::string_view epoch, std::uint64_t number) {
  out += ":\n";
  append_id(out, epoch, number);
  out += '\n';
}

}  // namespace davit::http
