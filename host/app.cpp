#include "host/app.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "host/admin_token.h"
#include "host/base/crypto.h"
#include "host/base/file.h"
#include "host/base/guarded.h"
#include "host/base/log.h"
#include "host/config/config_file.h"
#include "host/config/reload.h"
#include "host/config/secrets.h"
#include "host/dashboard/built_dashboard.h"
#include "host/dispatch/dispatcher.h"
#include "host/dispatch/told_usage.h"
#include "host/host_news.h"
#include "host/http/all_routes.h"
#include "host/http/authentication.h"
#include "host/http/event_streams.h"
#include "host/http/router.h"
#include "host/http/server.h"
#include "host/http/workers.h"
#include "host/ingest/ingest.h"
#include "host/isolation/process_tree.h"
#include "host/live/live_plugins.h"
#include "host/metrics/metrics.h"
#include "host/metrics_sources.h"
#include "host/readiness.h"
#include "host/replies/replies.h"
#include "host/settings_from_config.h"
#include "host/signals.h"
#include "host/store/store.h"
#include "host/supervisor.h"
#include "host/version.h"

namespace davit {
namespace {

// What stops the start, in one line, with its exit code.
struct StartFailure {
  int exit_code = kExitFailure;
  std::string message;
};

bool is_loopback(const std::string& host) { return host.rfind("127.", 0) == 0 || host == "::1"; }

// Members are in the order of life: users die before what they use.
class App {
 public:
  static std::variant<std::unique_ptr<App>, StartFailure> start(const ServeOptions& options,
                                                                Signals& signals);
  ~App();
  int port() const { return server_->port(); }
  // After a stop was asked for, this long is enough unless something hangs.
  Duration longest_stop() const { return config_.server.drain_timeout + Duration{5'000}; }
  // Takes over a changed configuration and changed secrets, all or nothing. From any thread, one after the
  // other. Returns before that is done, since it may run plugins' code; `done` is called on any thread, or
  // not at all if davit stops before.
  // `request` is the id of whoever asks, for the log; empty for a signal.
  void reload(const std::string& request, std::function<void(http::Reloaded)> done);
  // What SIGHUP asks for; log and audit log tell what became of it.
  void reload_by_signal();

 private:
  App(const ServeOptions& options, config::Config config, config::ResolvedSecrets secrets)
      : options_(options),
        config_file_(options.config.string()),
        config_(std::move(config)),
        secrets_(std::move(secrets)) {}
  std::optional<StartFailure> open_store();
  std::optional<StartFailure> load_plugins();
  std::optional<StartFailure> start_loops();
  std::optional<StartFailure> start_serving();
  Result<std::unique_ptr<http::Server>> listen();
  std::filesystem::path state_folder() const;
  std::filesystem::path work_folder() const { return state_folder() / "work"; }  // of executions
  void leave_port() const;
  void log_notes(const config::ResolvedSecrets& secrets) const;

  const ServeOptions options_;
  const std::string config_file_;
  const config::Config config_;
  const config::ResolvedSecrets secrets_;
  std::mutex reloading_;
  SystemClock clock_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<metrics::Metrics> metrics_;
  // To changes of the store, whose writer outlives them.
  struct Listening {
    dispatch::Dispatcher* dispatcher = nullptr;
    replies::Replies* replies = nullptr;
    http::EventStreams* events = nullptr;
  };
  Guarded<Listening> listening_;
  // Likewise asked for by writes of the store that it still answers while it ends.
  std::unique_ptr<http::Authentication> authentication_;
  std::unique_ptr<http::AuditLog> audit_;
  std::unique_ptr<http::RequestLog> request_log_;
  http::LoginLimit login_limit_;
  std::unique_ptr<store::Store> store_;
  plugin::Registry registry_;
  isolation::KnownChildren children_;
  std::unique_ptr<live::LivePlugins> live_;
  std::unique_ptr<ingest::Ingest> ingest_;
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;
  std::unique_ptr<replies::Replies> replies_;
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<http::EventStreams> events_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Workers> workers_;  // first to end: its jobs look at everything above
};

std::filesystem::path App::state_folder() const {
  return std::filesystem::absolute(config_.storage.path).parent_path();
}

// The configuration with its secrets, or every mistake in it, a line each.
struct Loaded {
  config::Config config;
  config::ResolvedSecrets secrets;
  std::vector<std::string> mistakes;
};

Loaded load(const std::filesystem::path& config_file) {
  config::LoadedConfig loaded = config::load_config(config_file);
  config::ResolvedSecrets secrets;
  if (loaded.ok()) {
    secrets = config::resolve_secrets(loaded.config, config::process_environment());
    loaded.mistakes = secrets.mistakes;
  }
  std::vector<std::string> mistakes = loaded.messages();
  return {std::move(loaded.config), std::move(secrets), std::move(mistakes)};
}

std::variant<std::unique_ptr<App>, StartFailure> App::start(const ServeOptions& options, Signals& signals) {
  Loaded loaded = load(options.config);
  if (!loaded.mistakes.empty()) {
    std::string all;
    for (const std::string& message : loaded.mistakes) all += (all.empty() ? "" : "\n") + message;
    return StartFailure{kExitConfig, all};
  }
  std::unique_ptr<App> app(new App(options, std::move(loaded.config), std::move(loaded.secrets)));
  auto log = Log::open({app->config_.log.level, app->config_.log.format, app->config_.log.file});
  if (!log) return StartFailure{kExitConfig, log.error().message};
  app->log_ = std::move(*log);
  app->metrics_ = std::make_unique<metrics::Metrics>(kVersion);
  app->log_notes(app->secrets_);
  if (auto failure = app->open_store()) return *failure;
  signals.stop_takes(app->longest_stop());  // from here on a plugin may hang
  if (auto failure = app->load_plugins()) return *failure;
  if (auto failure = app->start_loops()) return *failure;
  if (auto failure = app->start_serving()) return *failure;
  return app;
}

std::optional<StartFailure> App::open_store() {
  if (auto made = ensure_private_directory(state_folder()); !made)
    return StartFailure{kExitFailure, made.error().message};
  store::Options options;
  options.path = config_.storage.path;
  options.create_if_missing = true;
  options.chain_notify = config_.chain.notify;
  options.told = dispatch::told_usage(work_folder());
  auto opened = store::Store::open(options, *log_, clock_);
  if (auto* failure = std::get_if<store::OpenError>(&opened)) {
    return StartFailure{exit_code_of(failure->failure), failure->message};
  }
  store_ = std::move(std::get<std::unique_ptr<store::Store>>(opened));
  std::error_code ignored;
  std::filesystem::remove(state_folder() / "port", ignored);  // of a host that has ended
  store_->on_change([this](const std::vector<store::Change>& changes) {
    listening_.with([&](const Listening& listening) {
      if (listening.dispatcher) listening.dispatcher->changed(changes);
      if (listening.replies) listening.replies->changed(changes);
      if (listening.events) listening.events->changed(changes);
    });
  });
  store_->on_commit(
      [this](std::chrono::microseconds took, std::size_t writes) { metrics_->committed(took, writes); });
  store_->on_prune(
      [this](std::int64_t deliveries, std::int64_t tasks) {
        metrics_->pruned(deliveries, tasks);
        listening_.with([](const Listening& listening) {
          if (listening.events) listening.events->pruned();
        });
      });
  store_->on_decision([this](std::string_view kind, std::string_view way) {
    if (kind == "reminder") return metrics_->approval_reminded();
    metrics_->approval_decided(kind, way);
  });
  store_->on_execution_end([this](const EndedExecution& ended) {
    metrics_->execution_booked(ended.agent, ended.outcome, ended.task_type, ended.usage);
  });
  if (const Result<> restored = restore_metrics(*store_, *metrics_); !restored)
    return StartFailure{kExitFailure, restored.error().message};
  store_->set_approval_rules(approval_rules(config_), {});
  store_->set_line_rules(line_rules(config_), {});
  store_->set_budgets(budget_limits(config_), {});
  ask_store(*metrics_, *store_, state_folder(), clock_);
  return std::nullopt;
}

std::optional<StartFailure> App::load_plugins() {
  const int former_status = options_.former_status;
  auto live = live::LivePlugins::start(
      {registry_, *store_, children_, *metrics_, *log_, clock_, state_folder() / "calls.trail",
       former_status < 0 ? std::nullopt : std::optional(former_status),
       [fd = options_.serving_fd] { tell_blame(fd); }},
      wanted_plugins(config_file_, config_, secrets_));
  if (!live) return StartFailure{kExitFailure, live.error().message};
  live_ = std::move(*live);
  return std::nullopt;
}

std::optional<StartFailure> App::start_loops() {
  isolation::PoolOptions pool;
  pool.max_runners = static_cast<std::size_t>(config_.runners.max);
  pool.idle = config_.runners.idle;
  pool.use_cgroups = config_.runners.cgroups;
  pool.address_space_limit = config_.runners.memory_limit;

  ingest::Options ingest_options;
  ingest_options.pool = pool;
  ingest_options.address_rate = {config_.server.address_rate, config_.server.address_burst};
  auto ingest =
      ingest::Ingest::start({registry_, *store_, children_, *metrics_, *log_, clock_}, ingest_options);
  if (!ingest) return StartFailure{kExitFailure, ingest.error().message};
  ingest_ = std::move(*ingest);

  dispatch::DispatchOptions dispatch_options;
  dispatch_options.runners = pool;
  dispatch_options.work_directory = work_folder();
  dispatch_options.state_folder = state_folder() / "agents";
  if (auto made = ensure_private_directory(dispatch_options.state_folder); !made)
    return StartFailure{kExitFailure, made.error().message};
  dispatch_options.sandbox = sandbox_of(config_.sandbox);
  dispatch_options.chain = chain_options(config_.chain);
  dispatch_options.keep = keep_options(config_);
  auto dispatcher =
      dispatch::Dispatcher::start({*store_, registry_, *metrics_, children_, *log_, clock_,
                                   [this](const store::PluginCrash& crash) { live_->crashed(crash); }},
                                  dispatch_options);
  if (!dispatcher) return StartFailure{kExitFailure, dispatcher.error().message};
  dispatcher_ = std::move(*dispatcher);
  metrics_->ask_runners([this] {
    auto webhooks = ingest_->runners();
    auto agents = dispatcher_->runners();
    return metrics::RunnerGauges{static_cast<std::int64_t>(webhooks.busy) + agents.busy,
                                 static_cast<std::int64_t>(webhooks.alive - webhooks.busy) + agents.idle};
  });
  replies_ = std::make_unique<replies::Replies>(replies::Replies::Needs{*store_, *metrics_, *log_, clock_},
                                                allowed_replies(config_.replies));
  http::EventOptions events;
  events.max_streams = config_.server.max_event_streams;
  events.max_streams_of_one = config_.server.max_event_streams_per_token;
  events_ = std::make_unique<http::EventStreams>(*store_, *metrics_, *log_, clock_, events);
  metrics_->ask_event_streams([this] { return events_->open_streams(); });
  listening_.with(
      [&](Listening& listening) { listening = {dispatcher_.get(), replies_.get(), events_.get()}; });
  live_->on_publish([this] {
    dispatcher_->plugins_changed();
    ingest_->plugins_changed();
    events_->plugins_changed();
  });
  ingest_->run_deferred();
  dispatcher_->set_schedules(schedules(config_));
  readiness_ =
      std::make_unique<Readiness>(Readiness::Needs{*store_, *dispatcher_, *ingest_, *live_, registry_, clock_,
                                                   state_folder(), config_.plugins.directory},
                                  config_.storage.min_free);
  metrics_->ask_parts([this] {
    std::vector<metrics::PartGauge> parts;
    for (const http::PartHealth& each : readiness_->parts())
      parts.push_back({each.part, each.problem.empty()});
    return parts;
  });
  return std::nullopt;
}

std::optional<StartFailure> App::start_serving() {
  if (!is_loopback(config_.server.host) && config_.server.public_access == config::PublicAccess::No) {
    return StartFailure{kExitConfig,
                        "server.host: " + config_.server.host +
                            " is not a loopback address; set server.public to behind_proxy or direct"};
  }
  std::string admin = secrets_.admin_token.value_or("");
  if (admin.empty()) {
    if (!is_loopback(config_.server.host)) {
      return StartFailure{kExitConfig,
                          config_.auth.admin_token_env +
                              ": set an admin token; one is only made by itself on a loopback address"};
    }
    auto made = generated_admin_token(state_folder(), *log_);
    if (!made) return StartFailure{kExitFailure, made.error().message};
    admin = *made;
  }
  std::string reader = secrets_.reader_token.value_or("");
  if (auto shared = config::shared_token(config_, "the file " + admin_token_file(state_folder()).string(),
                                         admin, reader))
    return StartFailure{kExitConfig, config::to_string(config_file_, *shared)};
  auto authentication = http::Authentication::load(
      {sha256_hex(admin), reader.empty() ? "" : sha256_hex(reader)},
      {.idle = config_.auth.session_idle, .lifetime = config_.auth.session_lifetime}, *store_, clock_);
  if (!authentication) return StartFailure{kExitFailure, authentication.error().message};
  authentication_ = std::move(*authentication);
  workers_ = std::make_unique<http::Workers>(2, 256);

  const http::TrustedProxies proxies{config_.server.trusted_proxies,
                                     config_.server.forwarded_header == config::ForwardedHeader::Forwarded
                                         ? http::ForwardedHeader::Forwarded
                                         : http::ForwardedHeader::XForwardedFor};
  audit_ = std::make_unique<http::AuditLog>(*store_, clock_, proxies);
  std::vector<http::Route> routes = http::all_routes(
      {.store = *store_,
       .registry = registry_,
       .ingest = *ingest_,
       .live = *live_,
       .metrics = *metrics_,
       .authentication = *authentication_,
       .audit = *audit_,
       .login_limit = login_limit_,
       .events = *events_,
       .log = *log_,
       .clock = clock_,
       .proxies = proxies,
       .metrics_access = config_.metrics.public_access ? http::Access::Public : http::Access::Reader,
       .dashboard = dashboard::built_dashboard(),
       .readiness = [this] { return readiness_->parts(); },
       .reload = [this](const std::string& request, auto done) { reload(request, std::move(done)); }});
  request_log_ = std::make_unique<http::RequestLog>(*metrics_, *log_, clock_);
  router_ = std::make_unique<http::Router>(std::move(routes), *authentication_, *audit_, *workers_, *request_log_,
                                           proxies);

  auto server = listen();
  if (!server) return StartFailure{kExitPortInUse, server.error().message};
  server_ = std::move(*server);
  if (config_.server.port == 0) leave_port();
  store_->set_retention(retention_of(config_));
  metrics_->ask_connections([this] { return server_->stats().open_connections; });
  log_->info("davit serves",
             {{"address", config_.server.host}, {"port", server_->port()}, {"version", kVersion}});
  return std::nullopt;
}

// Commands of this machine read it where the configuration does not tell.
void App::leave_port() const {
  const std::filesystem::path file = state_folder() / "port";
  if (auto left = write_file_atomically(file, std::to_string(port()) + "\n", 0600); !left)
    log_->warn("Commands have to be told the port with --url", {{"reason", left.error().message}});
}

// Where the configuration leaves the port open, senders know the one that the first host got.
Result<std::unique_ptr<http::Server>> App::listen() {
  http::Options options;
  options.host = config_.server.host;
  options.threads = config_.server.threads.value_or(
      static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 8u)));
  options.max_connections = config_.server.max_connections;
  options.head_timeout = config_.server.head_timeout;
  options.body_timeout = config_.server.body_timeout;
  options.idle_timeout = config_.server.idle_timeout;
  options.write_timeout = config_.server.write_timeout;
  options.default_body_limit = config_.server.body_limit;
  options.incoming_limit = config_.server.max_incoming_bytes;
  options.body_limit = [this](std::string_view, std::string_view path) {
    constexpr std::string_view kWebhooks = "/webhooks/";
    if (path.substr(0, kWebhooks.size()) != kWebhooks) return config_.server.body_limit;
    return ingest_->body_limit(path.substr(kWebhooks.size()));
  };
  const auto listen_on = [&](int port) {
    options.port = port;
    return http::Server::start(
        options,
        [this](http::Request request, http::Responder responder) {
          router_->handle(std::move(request), std::move(responder));
        },
        *log_, clock_);
  };
  if (config_.server.port == 0 && options_.former_port != 0) {
    auto again = listen_on(options_.former_port);
    if (again) return again;
    log_->warn("The port of the host before this one is taken; another one is used",
               {{"port", options_.former_port}, {"reason", again.error().message}});
  }
  return listen_on(config_.server.port);
}

void App::log_notes(const config::ResolvedSecrets& secrets) const {
  for (const config::Mistake& note : secrets.notes) log_->warn(config::to_string(config_file_, note));
  for (const config::Mistake& unfit : secrets.unfit) log_->error(config::to_string(config_file_, unfit));
}

void App::reload(const std::string& request, std::function<void(http::Reloaded)> done) {
  std::lock_guard one_at_a_time(reloading_);
  auto loaded = std::make_shared<Loaded>(load(config_file_));
  // A file that is being written just now may be empty: better the secrets there are.
  for (const config::Mistake& unfit : loaded->secrets.unfit)
    loaded->mistakes.push_back(config::to_string(config_file_, unfit));
  auto refuse = [this, request, done](std::vector<std::string> mistakes) {
    for (const std::string& mistake : mistakes)
      log_->error("The changed configuration is refused; the old one stays in force",
                  {{"request", request}, {"reason", mistake}});
    done({.mistakes = std::move(mistakes)});
  };
  if (!loaded->mistakes.empty()) return refuse(loaded->mistakes);
  live_->apply(wanted_plugins(config_file_, loaded->config, loaded->secrets),
               [this, request, loaded, done, refuse](std::vector<std::string> faults) {
                 if (!faults.empty()) return refuse(std::move(faults));
                 log_->set_level(loaded->config.log.level);
                 store_->set_retention(retention_of(loaded->config));
                 readiness_->set_min_free(loaded->config.storage.min_free);
                 dispatcher_->set_chain(chain_options(loaded->config.chain));
                 dispatcher_->set_keep(keep_options(loaded->config));
                 dispatcher_->set_sandbox(sandbox_of(loaded->config.sandbox));
                 store_->set_approval_rules(approval_rules(loaded->config), {});
                 store_->set_line_rules(line_rules(loaded->config), {});
                 store_->set_chain_notify(loaded->config.chain.notify, {});
                 store_->set_budgets(budget_limits(loaded->config), {});
                 replies_->allow(allowed_replies(loaded->config.replies));
                 dispatcher_->set_schedules(schedules(loaded->config));
                 log_notes(loaded->secrets);
                 http::Reloaded reloaded;
                 reloaded.waits_for_restart = config::waits_for_restart(config_, loaded->config);
                 for (const config::Mistake& note : loaded->secrets.notes)
                   reloaded.notes.push_back(config::to_string(config_file_, note));
                 for (const std::string& key : reloaded.waits_for_restart)
                   log_->warn("A changed setting waits for the next start", {{"key", key}});
                 log_->info("The configuration was taken over", {{"file", config_file_}, {"request", request}});
                 done(std::move(reloaded));
               });
}

void App::reload_by_signal() {
  AuditEntry line;
  line.way = "signal";
  line.operation = "reload";
  const auto act = std::make_shared<http::Act>(*store_, std::move(line));
  if (const Result<> begun = act->begin(); !begun.ok()) {
    log_->error("The configuration is not read anew, as the audit log cannot be written",
                {{"reason", begun.error().message}});
    return;
  }
  reload("", [act](const http::Reloaded& reloaded) {
    if (reloaded.mistakes.empty()) return act->ended("done", {});
    act->ended("refused", reloaded.mistakes.front());
  });
}

// Accept nothing new, answer what was accepted, return running work to the queue, then end the parts in
// reverse.
App::~App() {
  if (live_) live_->stop();
  if (server_) {
    log_->info("davit stops");
    std::error_code ignored;
    if (config_.server.port == 0) std::filesystem::remove(state_folder() / "port", ignored);
    server_->stop_accepting();
    events_->stop();
    server_->drain(config_.server.drain_timeout);
  }
  if (dispatcher_) dispatcher_->stop(Duration{2'000});
  listening_.with([](Listening& listening) { listening = {}; });
  if (server_) server_->stop();
}

// To whoever waits for us to serve.
void tell_ready(int fd, int port) {
  if (fd < 0) return;
  const std::string line = "ready " + std::to_string(port) + "\n";
  [[maybe_unused]] ssize_t written = ::write(fd, line.data(), line.size());
  ::close(fd);
}

int serve_here(const ServeOptions& options) {
  // Everything that arrives as a signal is waited for by one thread; those made from here on inherit the
  // mask.
  const sigset_t handled = stop_signals();
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a full quota is an error of write(), not our end
  ::umask(0077);
  for (int fd : {options.ready_fd, options.serving_fd}) {
    if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  // Memory of a large body goes back to the system with the body; by default free() would keep up to 32 MiB
  // of each thread's.
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  // The host's memory and environment hold secrets: no other process of the same user may read them.
  ::prctl(PR_SET_DUMPABLE, 0);
  isolation::become_subreaper();

  // A supervisor that dies takes its host with it, in order: nobody else would know of it.
  if (options.serving_fd >= 0) {
    const pid_t supervisor = ::getppid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != supervisor || supervisor == 1) return kExitFailure;
  }

  Signals signals(options.serving_fd >= 0);
  auto started = App::start(options, signals);
  if (auto* failure = std::get_if<StartFailure>(&started)) {
    std::fprintf(stderr, "davit: %s\n", failure->message.c_str());
    return failure->exit_code;
  }
  auto app = std::move(std::get<std::unique_ptr<App>>(started));
  tell_serving(options.serving_fd, {app->port(), app->longest_stop().count()});
  if (options.serving_fd >= 0) ::close(options.serving_fd);
  tell_ready(options.ready_fd, app->port());

  while (signals.next() == Signals::Wish::Reload) app->reload_by_signal();
  app.reset();
  return 0;
}

}  // namespace

int exit_code_of(store::OpenFailure failure) {
  using enum store::OpenFailure;
  switch (failure) {
    case Missing:
      return kExitStoreMissing;
    case Empty:
      return kExitStoreEmpty;
    case Foreign:
      return kExitStoreForeign;
    case Newer:
      return kExitStoreNewer;
    case Corrupt:
      return kExitStoreCorrupt;
    case InUse:
      return kExitStoreInUse;
    case ReadOnly:
      return kExitStoreReadOnly;
    case Linked:
      return kExitStoreLinked;
    case Other:
      return kExitFailure;
  }
  return kExitFailure;
}

int serve(const ServeOptions& options) {
  if (!options.supervise) return serve_here(options);
  SupervisorOptions supervisor;
  supervisor.command = {"davit", "serve", "--no-supervisor", "--config=" + options.config.string()};
  supervisor.ready_fd = options.ready_fd;
  return supervise(supervisor);
}

}  // namespace davit
