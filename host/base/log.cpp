#include "host/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "host/base/json.h"

namespace davit {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (char c : value) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == '"' || byte == '=' || byte == '\\' || byte >= 0x7f) return true;
  }
  return false;
}

std::string as_text(std::string_view sentence, std::span<const LogField> fields) {
  std::string line(sentence);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    line += field.quoted && needs_quotes(field.value) ? json_quote(field.value) : field.value;
  }
  return line;
}

// The members behind the time and level that spdlog's pattern writes.
std::string as_json(std::string_view sentence, std::span<const LogField> fields) {
  std::string line = "\"message\":" + json_quote(sentence);
  for (const LogField& field : fields) {
    line += ',' + json_quote(field.name) + ':' + (field.quoted ? json_quote(field.value) : field.value);
  }
  return line;
}

}  // namespace

struct Log::Sink {
  explicit Sink(spdlog::sink_ptr sink, const Options& options)
      : logger("davit", std::move(sink)), format(options.format) {
    logger.set_level(level_of(options.level));
    logger.flush_on(spdlog::level::info);
    logger.set_pattern(format == LogFormat::Json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                                 : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                       spdlog::pattern_time_type::utc);
  }
  spdlog::logger logger;
  LogFormat format;
  Forward forward;
};

Log::Log(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const Options& options) {
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    return std::unique_ptr<Log>(new Log(std::make_unique<Sink>(std::move(sink), options)));
  } catch (const spdlog::spdlog_ex& failure) {
    return Error{ErrorCode::Unavailable, "log file " + options.file + ": " + failure.what()};
  }
}

std::unique_ptr<Log> Log::silent() {
  Options options;
  options.level = LogLevel::Error;
  return std::unique_ptr<Log>(
      new Log(std::make_unique<Sink>(std::make_shared<spdlog::sinks::null_sink_mt>(), options)));
}

std::unique_ptr<Log> Log::forwarding(LogLevel level, Forward forward) {
  Options options;
  options.level = level;
  auto sink = std::make_unique<Sink>(std::make_shared<spdlog::sinks::null_sink_mt>(), options);
  sink->forward = std::move(forward);
  return std::unique_ptr<Log>(new Log(std::move(sink)));
}

bool Log::enabled(LogLevel level) const { return sink_->logger.should_log(level_of(level)); }

void Log::set_level(LogLevel level) { sink_->logger.set_level(level_of(level)); }

void Log::write(LogLevel level, std::string_view sentence, std::initializer_list<LogField> fields) {
  write(level, sentence, std::span<const LogField>(fields.begin(), fields.size()));
}

void Log::write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) {
  if (!enabled(level)) return;
  if (sink_->forward) {
    sink_->forward(level, as_text(sentence, fields));
    return;
  }
  std::string line = sink_->format == LogFormat::Json ? as_json(sentence, fields) : as_text(sentence, fields);
  sink_->logger.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}
void Log::debug(std::string_view sentence, std::initializer_list<LogField> fields) {
  write(LogLevel::Debug, sentence, fields);
}
void Log::info(std::string_view sentence, std::initializer_list<LogField> fields) {
  write(LogLevel::Info, sentence, fields);
}
void Log::warn(std::string_view sentence, std::initializer_list<LogField> fields) {
  write(LogLevel::Warn, sentence, fields);
}
void Log::error(std::string_view sentence, std::initializer_list<LogField> fields) {
  write(LogLevel::Error, sentence, fields);
}

}  // namespace davit
