#include "host/config/reload.h"

namespace davit::config {

std::vector<std::string> waits_for_restart(const Config& running, const Config& wanted) {
  std::vector<std::string> keys;
  auto section = [&](const auto& is, const auto& shall_be) {
    return [&](std::string key, auto member) {
      if (is.*member != shall_be.*member) keys.push_back(std::move(key));
    };
  };
  auto server = section(running.server, wanted.server);
  server("server.host", &ServerConfig::host);
  server("server.port", &ServerConfig::port);
  server("server.threads", &ServerConfig::threads);
  server("server.public", &ServerConfig::public_access);
  server("server.max_connections", &ServerConfig::max_connections);
  server("server.max_event_streams", &ServerConfig::max_event_streams);
  server("server.max_event_streams_per_token", &ServerConfig::max_event_streams_per_token);
  server("server.body_limit", &ServerConfig::body_limit);
  server("server.max_incoming_bytes", &ServerConfig::max_incoming_bytes);
  server("server.head_timeout", &ServerConfig::head_timeout);
  server("server.body_timeout", &ServerConfig::body_timeout);
  server("server.idle_timeout", &ServerConfig::idle_timeout);
  server("server.write_timeout", &ServerConfig::write_timeout);
  server("server.drain_timeout", &ServerConfig::drain_timeout);
  server("server.trusted_proxies", &ServerConfig::trusted_proxies);
  server("server.forwarded_header", &ServerConfig::forwarded_header);
  server("server.address_rate", &ServerConfig::address_rate);
  server("server.address_burst", &ServerConfig::address_burst);
  auto storage = section(running.storage, wanted.storage);
  storage("storage.backend", &StorageConfig::backend);
  storage("storage.path", &StorageConfig::path);
  auto auth = section(running.auth, wanted.auth);
  auth("auth.admin_token_env", &AuthConfig::admin_token_env);
  auth("auth.reader_token_env", &AuthConfig::reader_token_env);
  auth("auth.session_idle", &AuthConfig::session_idle);
  auth("auth.session_lifetime", &AuthConfig::session_lifetime);
  auto log = section(running.log, wanted.log);
  log("log.format", &LogConfig::format);
  log("log.file", &LogConfig::file);
  section(running.metrics, wanted.metrics)("metrics.public", &MetricsConfig::public_access);
  auto runners = section(running.runners, wanted.runners);
  runners("runners.max", &RunnersConfig::max);
  runners("runners.idle", &RunnersConfig::idle);
  runners("runners.memory_limit", &RunnersConfig::memory_limit);
  runners("runners.cgroups", &RunnersConfig::cgroups);
  return keys;
}

}  // namespace davit::config
