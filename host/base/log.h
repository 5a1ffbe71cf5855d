// The log: one line per change of state, a fixed sentence and then fields. Never bodies, secrets or prompts.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host/base/result.h"

namespace davit {

enum class LogLevel { Debug, Info, Warn, Error };
enum class LogFormat { Text, Json };

// A field of a log line. Holds its value as text; numbers are written without quotes in JSON.
struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> LogField(std::string_view field_name, Number number)
      : name(field_name), value(std::to_string(number)), quoted(false) {}

  std::string_view name;
  std::string value;
  bool quoted = true;
};

// Thread-safe. Control characters and line breaks in values are escaped, so that a value never forges a line.
class Log {
 public:
  struct Options {
    LogLevel level = LogLevel::Info;
    LogFormat format = LogFormat::Text;
    std::string file;  // empty: stderr
  };

  // Fails with Unavailable if the file cannot be opened.
  static Result<std::unique_ptr<Log>> open(const Options& options);
  // Writes nowhere; for tests and tools.
  static std::unique_ptr<Log> silent();
  // Hands each line, as text with its fields, to a function: a runner sends them to the host. The function is
  // called from any thread, also at once.
  using Forward = std::function<void(LogLevel level, std::string_view line)>;
  static std::unique_ptr<Log> forwarding(LogLevel level, Forward forward);
  ~Log();

  bool enabled(LogLevel level) const;
  void set_level(LogLevel level);
  void write(LogLevel level, std::string_view sentence, std::initializer_list<LogField> fields = {});
  void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields);
  void debug(std::string_view sentence, std::initializer_list<LogField> fields = {});
  void info(std::string_view sentence, std::initializer_list<LogField> fields = {});
  void warn(std::string_view sentence, std::initializer_list<LogField> fields = {});
  void error(std::string_view sentence, std::initializer_list<LogField> fields = {});

 private:
  struct Sink;
  explicit Log(std::unique_ptr<Sink> sink);
  std::unique_ptr<Sink> sink_;
};

}  // namespace davit
