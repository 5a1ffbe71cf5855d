#include "stacktrace.h"

#include <string>

#include "../reading/excerpt.h"

namespace sentry {
namespace {

using davit::Json;
using davit::JsonView;
using namespace reading;

Json frame_json(JsonView frame) {
  Json json = Json::object();
  const std::string_view file = frame["filename"].string_or(frame["absPath"].string_or(""));
  add_line(json, "file", file.empty() ? frame["abs_path"].string_or("") : file);
  const JsonView line = frame["lineno"].is_int() ? frame["lineno"] : frame["lineNo"];
  if (line.is_int()) json.set("line", line.int_or(0));
  add_line(json, "function", frame["function"].string_or(""));
  add_line(json, "module", frame["module"].string_or(""));
  if (frame["in_app"].bool_or(frame["inApp"].bool_or(false))) json.set("in_app", true);
  add_line(json, "code", cut(frame["context_line"].string_or(""), 256));
  return json;
}

Json exception_json(JsonView exception, const std::string& what) {
  Json json = Json::object();
  add_line(json, "type", exception["type"].string_or(""));
  add_line(json, "value", exception["value"].string_or(""));
  const JsonView stacktrace = object_or_none(exception["stacktrace"], what + ".stacktrace");
  const JsonView frames = list_or_none(stacktrace["frames"], what + ".stacktrace.frames");
  Json kept = Json::array();
  for (std::size_t i = frames.size(); i > 0 && kept.size() < kMaxFrames; --i) {
    if (frames[i - 1].is_object()) kept.push_back(frame_json(frames[i - 1]));
  }
  json.set("frames", std::move(kept));
  return json;
}

// {"values": […]} of the event, or of its entry.
JsonView exception_list(JsonView event) {
  const JsonView direct = object_or_none(event["exception"], "event.exception");
  if (direct.is_object()) return list_or_none(direct["values"], "event.exception.values");
  for (JsonView entry : list_or_none(event["entries"], "event.entries")) {
    if (entry["type"] == "exception")
      return list_or_none(entry["data"]["values"], "event.entries.data.values");
  }
  return {};
}

}  // namespace

Json exceptions_of(JsonView event) {
  const JsonView values = exception_list(event);
  Json exceptions = Json::array();
  for (std::size_t i = values.size(); i > 0 && exceptions.size() < kMaxExceptions; --i) {
    const JsonView value = object_or_none(values[i - 1], "event.exception.values, an element,");
    if (value.is_object()) exceptions.push_back(exception_json(value, "event.exception.values"));
  }
  return exceptions;
}

}  // namespace sentry
