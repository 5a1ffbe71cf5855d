// All that the host's routes answer from, around an empty store, without a server: for tests of every route.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "host/base/crypto.h"
#include "host/http/all_routes.h"
#include "host/http/mailbox.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_database.h"

namespace davit::testing {

// Confined to one thread. With the tokens "the-admin-token-1" and "the-reader-token-1", and 127.0.0.1 as a
// trusted proxy.
class TestedRoutes {
 public:
  static constexpr const char* kAdmin = "the-admin-token-1";
  static constexpr const char* kReader = "the-reader-token-1";
  static constexpr store::SessionLimits kLimits{
      .idle = Duration(3'600'000), .lifetime = Duration(10 * 3'600'000), .most = 50};

  explicit TestedRoutes(std::unique_ptr<Log> log = Log::silent()) : log_(std::move(log)) {
    std::filesystem::create_directories(database_.folder() / "plugins");
    live::Wanted wanted;
    wanted.watch = false;
    wanted.scan.drop_folder = database_.folder() / "plugins";
    wanted.scan.store_folder = database_.folder() / "store";
    live_ = std::move(live::LivePlugins::start({registry_, database_.store(), children_, metrics_, *log_,
                                                clock_, database_.folder() / "calls.trail"},
                                               std::move(wanted)))
                .value();
    ingest_ = std::move(ingest::Ingest::start(
                            {registry_, database_.store(), children_, metrics_, *log_, clock_}, {}))
                  .value();
    events_ = std::make_unique<http::EventStreams>(database_.store(), metrics_, *log_, clock_);
    reopen();
  }
  // The server has closed the store's last write by the time that what it calls goes.
  ~TestedRoutes() {
    live_->stop();
    events_.reset();
    ingest_.reset();
    live_.reset();
    database_.close();
  }

  // As after a restart: what is known comes from the store.
  void reopen() {
    authentication_ = std::move(http::Authentication::load({sha256_hex(kAdmin), sha256_hex(kReader)}, kLimits,
                                                           database_.store(), clock_))
                          .value();
    audit_ = std::make_unique<http::AuditLog>(database_.store(), clock_, proxies());
  }

  std::vector<http::Route> routes() {
    return http::all_routes({.store = database_.store(),
                             .registry = registry_,
                             .ingest = *ingest_,
                             .live = *live_,
                             .metrics = metrics_,
                             .authentication = *authentication_,
                             .audit = *audit_,
                             .login_limit = login_limit_,
                             .events = *events_,
                             .log = *log_,
                             .clock = clock_,
                             .proxies = proxies(),
                             .dashboard = {},
                             .readiness = [] { return std::vector<http::PartHealth>(); },
                             .reload = [](const std::string&, const auto& done) { done({}); }});
  }

  // A request as it comes from `address`, and its answer.
  struct Asked {
    std::string method, path, query, body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string address = "198.51.100.7";
  };
  http::Response ask(const Asked& asked) { return ask(asked, routes()); }
  http::Response ask(const Asked& asked, std::vector<http::Route> routes) {
    const http::Router asked_of = router(std::move(routes));
    auto mail = first_of(asked, asked_of);
    if (!mail) {
      ADD_FAILURE() << asked.method << " " << asked.path << " got no answer";
      return {};
    }
    return std::get<http::Response>(std::move(mail->content));
  }

  http::Router router(std::vector<http::Route> routes) {
    return {std::move(routes), *authentication_, *audit_, workers_, request_log_, proxies()};
  }
  // What the connection of a request gets first: its answer, or the beginning of a stream. Nullopt if nothing
  // comes for long.
  std::optional<http::Mail> first_of(const Asked& asked, const http::Router& router) {
    http::Request request;
    request.request_id = new_id();
    request.method = asked.method;
    request.path = asked.path;
    request.query = asked.query;
    request.body = asked.body;
    request.remote_address = asked.address;
    request.received_at = clock_.wall();
    for (const auto& [name, value] : asked.headers) request.headers.push_back({name, value});
    const auto mailbox = std::make_shared<http::Mailbox>();
    http::Responder responder(mailbox, {}, request.request_id, 0);
    router.handle(std::move(request), std::move(responder));
    std::vector<http::Mail> mail;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (mail.empty() && std::chrono::steady_clock::now() < until) {
      mailbox->take_or_sleep(mail);
      std::this_thread::yield();  // other threads answer
    }
    if (mail.empty()) return std::nullopt;
    return std::move(mail.front());
  }

  // Everything that was handed to the audit log before is in it.
  std::vector<AuditEntry> audit(store::AuditFilter filter = {.limit = 500}) {
    AuditEntry last;
    last.operation = "last";
    last.outcome = "done";
    (void)wait([&](auto done) { database_.store().note_audit(last, done); });
    auto page = database_.store().audit(filter).value();
    std::erase_if(page.items, [](const AuditEntry& entry) { return entry.operation == "last"; });
    return page.items;
  }

  FakeClock& clock() { return clock_; }
  store::Store& store() { return database_.store(); }
  http::Authentication& authentication() { return *authentication_; }
  const TempDatabase& database() const { return database_; }
  metrics::Metrics& metrics() { return metrics_; }

 private:
  static http::TrustedProxies proxies() { return {{"127.0.0.1"}, http::ForwardedHeader::XForwardedFor}; }

  FakeClock clock_;
  std::unique_ptr<Log> log_;
  metrics::Metrics metrics_{"test"};
  http::LoginLimit login_limit_;
  std::unique_ptr<http::Authentication> authentication_;
  std::unique_ptr<http::AuditLog> audit_;
  http::RequestLog request_log_{metrics_, *log_, clock_};
  TempDatabase database_{clock_};
  plugin::Registry registry_;
  isolation::KnownChildren children_;
  std::unique_ptr<live::LivePlugins> live_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<http::EventStreams> events_;
  http::Workers workers_{2, 64};
};

inline std::string header_of(const http::Response& response, std::string_view name) {
  for (const auto& [each, value] : response.headers)
    if (each == name) return value;
  return "";
}

}  // namespace davit::testing
