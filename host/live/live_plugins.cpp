// A change comes as a burst of events: the first one starts a short wait, and one scan answers all of them.
// Files that their writer has closed or renamed into place are taken at once, others when they have settled.
// What was refused for a reason that may pass is tried again with growing patience, up to an hour; a copy in
// the store that outlives its use is looked at with growing patience, until it is gone. Nothing else wakes
// this thread by itself.
#include "host/live/live_plugins.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "host/live/changes.h"
#include "host/live/kept_rulings.h"
#include "host/live/probe_notes.h"
#include "host/plugin/refusal_codes.h"

namespace davit::live {
namespace {

constexpr Duration kBurst{30};    // of events that belong to one change
constexpr Duration kVerdicts{5};  // that come together
constexpr Duration kFirstPatience{60'000};
constexpr Duration kLongestPatience{3'600'000};
constexpr Duration kLeastSettle{20};
constexpr Duration kBeforeForgetting{100};  // of copies: what is just published has its turn first
constexpr Duration kLongestBeforeForgetting{60'000};
constexpr int kShortLooks = 5;          // in a deadline of a probe
constexpr Duration kBootPatience{500};  // for probes that nobody asked for
// In the books, in place of a plugin whose name is not known; no plugin may have it.
constexpr std::string_view kLookedAt = "(probe)";
constexpr Duration kBootTrials{2'000};  // before what served before does so at first

// Who asked for an act; empty where nobody did, or not by a request.
std::string_view request_of(const store::Audited& act) {
  return act ? std::string_view(act->request_id) : std::string_view();
}

bool has_code(const plugin::LibraryRecord& library, const plugin::RefusalCode& code) {
  return library.refusal && library.refusal->code == code.code;
}

bool any_has(const std::vector<plugin::LibraryRecord>& libraries, const plugin::RefusalCode& code) {
  return std::any_of(libraries.begin(), libraries.end(),
                     [&](const auto& library) { return has_code(library, code); });
}

}  // namespace

// ---- life ----

LivePlugins::LivePlugins(const Needs& needs, Wanted wanted)
    : needs_(needs),
      crashes_(needs.store, needs.metrics, needs.log),
      stopping_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      wanted_(std::move(wanted)),
      scanner_(
          wanted_.scan, [this](const std::filesystem::path& file) { return look_at(file); }, needs.log,
          needs.clock),
      patience_(kFirstPatience) {}

Result<std::unique_ptr<LivePlugins>> LivePlugins::start(const Needs& needs, Wanted wanted) {
  std::unique_ptr<LivePlugins> live(new LivePlugins(needs, std::move(wanted)));
  live->open_trail();
  TRY(live->read_rulings());
  live->loop_ = TRY(isolation::Loop::start("davit-plugins"));
  LivePlugins* own = live.get();
  live->desk_ = std::make_unique<ProbeDesk>(
      [own](const std::filesystem::path& file, ProbeDesk::Look look) {
        auto options = own->probe_.with([](const isolation::ProbeOptions& now) { return now; });
        if (look == ProbeDesk::Look::Short) options.deadline /= kShortLooks;
        const ProbeNote noted(file);
        return isolation::probe(file, options, own->needs_.children, own->needs_.log);
      },
      [own] { own->loop_->post([own] { own->scan_soon(kVerdicts); }); });
  live->trials_ = std::make_unique<TrialDesk>(
      [own](const isolation::RunnerSpec& spec) {
        auto options = own->trial_.with([](const isolation::ProbeOptions& now) { return now; });
        return isolation::try_out(spec, options, own->needs_.children, own->needs_.log);
      },
      [own] {
        own->loop_->post([own] {
          if (own->stopped_) return;
          own->publish_anew();
          own->plan_next_scan();
          own->answer_rescans();
        });
      });
  live->set_probe_options();
  live->loop_->run([own] {
    own->watch_folder();
    own->first_scan();
    own->publish_first();
    own->plan_next_scan();
  });
  return live;
}

LivePlugins::~LivePlugins() {
  stop();
  if (loop_) {
    // Until its thread has ended, all of this is in its hands.
    loop_->run([] {});
    loop_->stop();
  }
  trials_.reset();
  desk_.reset();
  loop_.reset();
  // Instances in this process note their calls here to the last.
  needs_.registry.publish(std::make_shared<const plugin::Snapshot>());
}

// A call that was under way when the host before us died is to blame for that, but not for a SIGKILL: that
// comes from outside. So may an end that neither the call's thread nor a supervisor has seen.
void LivePlugins::blame_for_former_end() {
  const std::optional<int>& status = needs_.former_status;
  const std::string end = status ? isolation::describe_end(*status) : "how is not known";
  const bool was_killed = status && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL;
  blame_for_probes(end);
  const auto calls = plugin::BreadcrumbFile::left_behind(needs_.trail);
  for (const plugin::UnfinishedCall& call : calls) {
    if (was_killed || (!status && !call.is_seen)) {
      needs_.log.warn(was_killed ? "The host was killed in the middle of a plugin's call; nobody is blamed"
                                 : "The host ended unseen in the middle of a plugin's call; nobody is blamed",
                      {{"plugin", call.plugin}, {"call", call.call}, {"request", call.request_id}});
      continue;
    }
    store::PluginCrash crash{.sha256 = call.sha256,
                             .plugin = call.plugin,
                             .call = call.call,
                             .request_id = call.request_id,
                             .reason = call.cause.empty() ? end : call.cause + "; " + end,
                             .at = needs_.clock.wall()};
    if (auto noted = crashes_.note("A plugin brought the host down", crash, wanted_.quarantine); !noted)
      needs_.log.error("A crash could not be kept", {{"reason", noted.error().message}});
    else if (wanted_.quarantine.after > 0)
      needs_.on_blame();
  }
  if (was_killed) {
    needs_.log.warn(
        "The host was killed from outside, maybe because memory ran out; no plugin is blamed for that",
        {{"end", end}});
  } else if (status && calls.empty()) {
    needs_.log.warn("The host ended while no plugin was known to run in it; no plugin is blamed for that",
                    {{"end", end}});
  }
}

// Whatever ended the host, also from outside: a probe is done in a moment, so one that is under way at such
// an end again and again has to do with it, and as long as nobody clears it davit is better off without.
void LivePlugins::blame_for_probes(const std::string& end) {
  for (const std::string& sha256 : ProbeNote::take_left_behind(wanted_.scan.store_folder)) {
    const store::PluginCrash crash{.sha256 = sha256,
                                   .plugin = std::string(kLookedAt),
                                   .call = "constructor or metadata",
                                   .request_id = "",
                                   .reason = "it was being looked at when the host ended; " + end,
                                   .at = needs_.clock.wall()};
    if (auto noted = crashes_.note("The host ended while it looked at a library", crash, wanted_.quarantine);
        !noted)
      needs_.log.error("A crash could not be kept", {{"reason", noted.error().message}});
    else if (wanted_.quarantine.after > 0)
      needs_.on_blame();
  }
}

// What ended hosts is not looked at any more.
ProbeDesk::Verdict LivePlugins::look_at(const std::filesystem::path& stored_file) {
  const auto found = ended_hosts_.find(stored_file.stem().string());
  if (found == ended_hosts_.end()) return desk_->ask(stored_file);
  return plugin::refuse(plugin::refusal::kProbeEndedHost, "Looking at it ended davit: " + found->second.reason);
}

// Somebody wants to know whether it still does.
void LivePlugins::let_look_again() {
  bool forgot = false;
  for (const auto& [sha256, quarantined] : std::exchange(ended_hosts_, {})) {
    rulings_.quarantined.erase(sha256);
    if (auto cleared = crashes_.clear({sha256}, std::nullopt); !cleared)
      needs_.log.error("Crashes could not be forgotten", {{"reason", cleared.error().message}});
    needs_.log.info("A library that ended davit while it was looked at is looked at again by command",
                    {{"sha256", std::string_view(sha256).substr(0, 12)}, {"reason", quarantined.reason}});
    forgot = true;
  }
  if (forgot) publish_anew();
}

void LivePlugins::open_trail() {
  blame_for_former_end();
  auto opened = plugin::BreadcrumbFile::open(needs_.trail, needs_.clock);
  if (!opened) {
    needs_.log.error("Calls of plugins in this process are not noted: a crash or a hang has nobody to blame",
                     {{"reason", opened.error().message}});
    return;
  }
  trail_ = std::move(*opened);
  trail_->watch_for_ends();
  watchdog_ = std::make_unique<plugin::CallWatchdog>(
      *trail_, needs_.clock, [&log = needs_.log](const plugin::UnfinishedCall& call) {
        log.error("A plugin hangs in the host, which ends to be started again",
                  {{"plugin", call.plugin}, {"call", call.call}, {"request", call.request_id}});
        std::abort();
      });
}

void LivePlugins::stop() {
  ::eventfd_write(stopping_.number(), 1);
  if (trail_) trail_->blame_nobody();
  {
    std::lock_guard lock(gate_);
    closed_ = true;
    listener_ = nullptr;
  }
  if (!loop_) return;
  loop_->post([this] {
    stopped_ = true;
    for (auto* timer : {&scan_timer_, &retry_timer_, &forget_timer_}) {
      if (*timer != 0) loop_->cancel(std::exchange(*timer, 0));
    }
    if (watch_) loop_->unwatch(watch_->fd());
    watch_.reset();
    answer_rescans();
  });
}

void LivePlugins::on_publish(std::function<void()> listener) {
  std::lock_guard lock(gate_);
  if (closed_) return;
  listener_ = std::move(listener);
  if (listener_) listener_();
}

void LivePlugins::set_probe_options() {
  probe_.with([this](isolation::ProbeOptions& options) {
    options.deadline = wanted_.probe_deadline;
    options.memory_limit = wanted_.probe_memory;
    // The database, its token and what tasks left lie beside the trail.
    options.hidden = {needs_.trail.parent_path(), wanted_.scan.store_folder};
    options.stop_fd = stopping_.number();
  });
  trial_.with([this](isolation::ProbeOptions& options) {
    options.deadline = wanted_.probe_deadline;
    options.memory_limit = wanted_.runner_memory;
    options.stop_fd = stopping_.number();
  });
}

// ---- looking ----

void LivePlugins::watch_folder() {
  if (watch_) loop_->unwatch(watch_->fd());
  watch_.reset();
  if (!wanted_.watch) return;
  auto opened = FolderWatch::open(wanted_.scan.drop_folder);
  if (!opened) {
    needs_.log.error("The plugins folder is not watched", {{"reason", opened.error().message}});
    return;
  }
  watch_ = std::make_unique<FolderWatch>(std::move(*opened));
  auto watched = loop_->watch(watch_->fd(), EPOLLIN, [this](std::uint32_t) {
    FolderWatch::News news = watch_->take();
    for (const std::filesystem::path& file : news.finished) scanner_.finished(file);
    if (news.changed) scan_soon(kBurst);
  });
  if (!watched) needs_.log.error("The plugins folder is not watched", {{"reason", watched.error().message}});
}

// An earlier time that is planned already stands.
void LivePlugins::scan_soon(Duration delay) {
  if (stopped_) return;
  const MonotonicTime at = std::chrono::steady_clock::now() + delay;
  if (scan_timer_ != 0) {
    if (scan_at_ <= at) return;
    loop_->cancel(scan_timer_);
  }
  scan_at_ = at;
  scan_timer_ = loop_->after(delay, [this] {
    scan_timer_ = 0;
    scan();
  });
}

// Is there a library for every instance that the configuration wants to serve?
bool LivePlugins::all_wanted_are_there() const {
  auto offered = [this](PluginKind kind, const std::string& name) {
    return std::any_of(libraries_.begin(), libraries_.end(), [&](const plugin::LibraryRecord& library) {
      if (!library.generation) return false;
      const auto& offers = library.generation->report.offers;
      return std::any_of(offers.begin(), offers.end(),
                         [&](const PluginOffer& offer) { return offer.kind == kind && offer.name == name; });
    });
  };
  return std::all_of(wanted_.webhooks.begin(), wanted_.webhooks.end(),
                     [&](const plugin::WebhookSettings& webhook) {
                       const std::string& name = webhook.plugin.empty() ? webhook.instance : webhook.plugin;
                       return !webhook.enabled || offered(PluginKind::Webhook, name);
                     }) &&
         std::all_of(wanted_.agents.begin(), wanted_.agents.end(), [&](const plugin::AgentSettings& agent) {
           return !agent.enabled || offered(PluginKind::Agent, agent.name);
         });
}

std::vector<plugin::LibraryRecord> LivePlugins::look_through() {
  std::vector<plugin::LibraryRecord> found = scanner_.scan();
  folder_trouble_.with([this](std::string& trouble) { trouble = scanner_.why_unseen(); });
  return found;
}

std::string LivePlugins::folder_trouble() const {
  return folder_trouble_.with([](const std::string& trouble) { return trouble; });
}

void LivePlugins::first_scan() {
  const MonotonicTime begun = std::chrono::steady_clock::now();
  for (;;) {
    libraries_ = look_through();
    const bool unsettled = any_has(libraries_, plugin::refusal::kNotSettled);
    if (!unsettled && !any_has(libraries_, plugin::refusal::kProbing)) return;
    const auto waited = std::chrono::steady_clock::now() - begun;
    if (waited > wanted_.probe_deadline + wanted_.scan.settle) return;
    if (waited > kBootPatience + wanted_.scan.settle && all_wanted_are_there()) return;
    if (unsettled) {
      std::this_thread::sleep_for(std::clamp(wanted_.scan.settle, kLeastSettle, kBootPatience));
    } else {
      desk_->wait(kBootPatience);
    }
  }
}

// What is to be tried first has served nobody yet; what served before waits a little for it.
void LivePlugins::publish_first() {
  auto snapshot = assembled(*needs_.registry.current());
  if (trials_->any_under_way()) {
    trials_->wait(kBootTrials);
    snapshot = assembled(*snapshot);
  }
  publish(std::move(snapshot));
}

void LivePlugins::scan() {
  std::vector<plugin::LibraryRecord> found = look_through();
  const bool unchanged =
      std::equal(found.begin(), found.end(), libraries_.begin(), libraries_.end(), is_same);
  libraries_ = std::move(found);
  if (!unchanged) publish_anew();
  forget_copies_soon();  // also where nothing changed: a probe may have ended that needed one
  plan_next_scan();
  answer_rescans();
}

void LivePlugins::answer_rescans() {
  if (!stopped_ && (any_has(libraries_, plugin::refusal::kProbing) || trials_->any_under_way())) return;
  for (auto& done : std::exchange(rescans_, {})) done();
}

// A verdict calls for a scan by itself; only what settles or may pass needs a timer. Its patience grows from
// look to look, and begins anew for what was not there at the last one.
void LivePlugins::plan_next_scan() {
  if (any_has(libraries_, plugin::refusal::kNotSettled))
    scan_soon(std::max(wanted_.scan.settle, kLeastSettle));
  std::set<std::string> may_pass = trials_->failed();
  for (const plugin::LibraryRecord& library : libraries_) {
    if (library.refusal && plugin::is_passing(library.refusal->code) &&
        !has_code(library, plugin::refusal::kNotSettled) && !has_code(library, plugin::refusal::kProbing))
      may_pass.insert(library.source.string() + library.sha256);
  }
  if (!scanner_.saw_folder()) may_pass.insert("the folder");
  const bool looking = any_has(libraries_, plugin::refusal::kProbing) || trials_->any_under_way();
  if (looking || stopped_) return;  // its end calls for the next plan
  const bool is_new = !std::includes(may_pass_.begin(), may_pass_.end(), may_pass.begin(), may_pass.end());
  may_pass_ = std::move(may_pass);
  if (is_new || may_pass_.empty()) {
    patience_ = kFirstPatience;
    if (retry_timer_ != 0) loop_->cancel(std::exchange(retry_timer_, 0));
  }
  if (may_pass_.empty() || retry_timer_ != 0) return;
  retry_timer_ = loop_->after(patience_, [this] {
    retry_timer_ = 0;
    desk_->forget();
    if (trials_->forget_failures()) publish_anew();
    scan();
  });
  patience_ = std::min(patience_ * 2, kLongestPatience);
}

void LivePlugins::rescan(std::function<void()> done) {
  loop_->post([this, done = std::move(done)]() mutable {
    if (stopped_) return done();
    scanner_.forget_refusals();
    scanner_.check_copies();
    desk_->forget();
    let_look_again();
    watch_folder();
    rescans_.push_back(std::move(done));
    if (trials_->forget_failures()) publish_anew();
    scan();
  });
}

// ---- publishing ----

std::shared_ptr<const plugin::Snapshot> LivePlugins::assembled(const plugin::Snapshot& previous) const {
  return plugin::assemble({libraries_, wanted_.webhooks, wanted_.agents, previous, rulings_, served_,
                           needs_.log, needs_.clock, watchdog_.get(), trials_.get(),
                           &wanted_.agent_defaults});
}

void LivePlugins::publish(std::shared_ptr<const plugin::Snapshot> snapshot) {
  const auto before = needs_.registry.current();  // its instances end after the gate is free again
  {
    std::lock_guard lock(gate_);
    if (closed_) return;
    needs_.registry.publish(snapshot);
    if (listener_) listener_();
  }
  tell_changes(*before, *snapshot, wanted_, rulings_, needs_.log, needs_.metrics);
  hold_agents(*snapshot);
  trials_->forget_unasked();
  forget_copies_soon();
  const bool all_seen = scanner_.saw_folder() && !any_has(libraries_, plugin::refusal::kProbing) &&
                        !any_has(libraries_, plugin::refusal::kNotSettled);
  if (!note_served(served_, *snapshot, all_seen)) return;
  if (auto kept = keep_served(needs_.store, served_); !kept)
    needs_.log.error("What serves could not be noted: after a restart there is nothing to go back to",
                     {{"reason", kept.error().message}});
}

// ---- the store of copies ----

// Not at once: whoever waits for a start or a publication does not wait for this, and who used what was
// replaced is about to let go of it.
void LivePlugins::forget_copies_soon() {
  if (stopped_) return;
  if (forget_timer_ != 0) loop_->cancel(std::exchange(forget_timer_, 0));
  forget_patience_ = kBeforeForgetting;
  forget_timer_ = loop_->after(forget_patience_, [this] { forget_copies(); });
}

void LivePlugins::forget_copies() {
  forget_timer_ = 0;
  std::set<std::string> needed = hashes_of(served_);
  needed.merge(desk_->under_way());
  needed.merge(trials_->under_way());
  // Nobody tells when the last call of a generation that was replaced has ended.
  if (!scanner_.forget_unused(needed)) return;
  forget_patience_ = std::min(forget_patience_ * 2, kLongestBeforeForgetting);
  forget_timer_ = loop_->after(forget_patience_, [this] { forget_copies(); });
}

// ---- who is held back ----

// The tasks of agents in quarantine are parked, and queued again when it ends. Told at the start in any case:
// some may have been parked by a former host.
void LivePlugins::hold_agents(const plugin::Snapshot& snapshot) {
  std::set<std::string> held;
  for (const auto& [name, agent] : snapshot.agents) {
    if (agent->state == plugin::ServingState::Quarantined) held.insert(name);
  }
  if (held_agents_ == held) return;
  held_agents_ = held;
  needs_.store.hold_agents(std::move(held), [&log = needs_.log](const Result<>& done) {
    if (!done)
      log.error("Tasks of agents in quarantine could not be parked or queued again",
                {{"reason", done.error().message}});
  });
}

// ---- settings ----

void LivePlugins::apply(Wanted wanted, std::function<void(std::vector<std::string> faults)> done) {
  loop_->post([this, wanted = std::move(wanted), done = std::move(done)]() mutable {
    if (stopped_) return;
    std::vector<std::string> faults = take_over(std::move(wanted));
    std::lock_guard lock(gate_);
    if (!closed_) done(std::move(faults));
  });
}

std::vector<std::string> LivePlugins::take_over(Wanted wanted) {
  std::vector<std::string> faults;
  std::swap(wanted_, wanted);  // `wanted` is now what was
  plugin::Served served = served_;
  drop_unpinned(served_, wanted_.scan.pinned_sha256);
  auto current = needs_.registry.current();
  auto trial = assembled(*current);
  auto judge = [&](PluginKind kind, const auto& all, const auto& all_now) {
    for (const auto& [name, instance] : all) {
      auto now = all_now.find(name);
      if (instance->state != plugin::ServingState::BadConfig) continue;
      if (now != all_now.end() && now->second->settings == instance->settings &&
          now->second->generation == instance->generation)
        continue;  // it was as bad before
      faults.push_back(instance->config_sentence.empty() || !wanted_.place
                           ? std::string(to_string(kind)) + "s." + name + ": " + instance->state_reason
                           : wanted_.place(kind, name, instance->config_pointer, instance->config_sentence));
    }
  };
  judge(PluginKind::Webhook, trial->webhooks, current->webhooks);
  judge(PluginKind::Agent, trial->agents, current->agents);
  if (!faults.empty()) {
    std::swap(wanted_, wanted);
    std::swap(served_, served);
    return faults;
  }
  scanner_.set_options(wanted_.scan);
  set_probe_options();
  if (wanted_.watch != wanted.watch || wanted_.scan.drop_folder != wanted.scan.drop_folder) watch_folder();
  publish(std::move(trial));
  scan();
  return faults;
}

Result<> LivePlugins::read_rulings() {
  rulings_.quarantined = TRY(crashes_.quarantined());
  ended_hosts_ = TRY(crashes_.quarantined(kLookedAt));
  TRY(read_switches(needs_.store, rulings_));
  TRY(read_concurrency(needs_.store, rulings_));
  served_ = TRY(read_served(needs_.store, scanner_));
  return {};
}

Result<> LivePlugins::switch_to(PluginKind kind, const std::string& name, bool on, const Line& line) {
  Result<> outcome = Error{ErrorCode::Unavailable, "davit stops"};
  loop_->run([&] {
    outcome = check_known(kind, name);
    if (!outcome) return;
    plugin::Rulings before = rulings_;
    (kind == PluginKind::Webhook ? rulings_.webhooks : rulings_.agents)[name] = on;
    const store::Audited act = line();
    outcome = keep_switches(needs_.store, rulings_, act);
    if (!outcome) {
      rulings_ = std::move(before);
      return;
    }
    needs_.log.info("A plugin was switched by command",
                    {{"kind", to_string(kind)}, {"name", name}, {"on", on}, {"request", request_of(act)}});
    publish_anew();
  });
  return outcome;
}

Result<> LivePlugins::set_concurrency(const std::string& agent, std::optional<int> most, const Line& line) {
  Result<> outcome = Error{ErrorCode::Unavailable, "davit stops"};
  loop_->run([&] {
    outcome = check_known(PluginKind::Agent, agent);
    if (!outcome) return;
    plugin::Rulings before = rulings_;
    if (most)
      rulings_.concurrency[agent] = *most;
    else
      rulings_.concurrency.erase(agent);
    const store::Audited act = line();
    outcome = keep_concurrency(needs_.store, rulings_, act);
    if (!outcome) {
      rulings_ = std::move(before);
      return;
    }
    needs_.log.info("An agent's concurrency was set by command",
                    {{"agent", agent},
                     {"most", most ? std::to_string(*most) : "as configured"},
                     {"request", request_of(act)}});
    publish_anew();
  });
  return outcome;
}

void LivePlugins::crashed(const store::PluginCrash& crash) {
  loop_->post([this, crash] {
    if (stopped_) return;
    auto noted = crashes_.note("A plugin brought its runner down", crash, wanted_.quarantine);
    if (!noted) return needs_.log.error("A crash could not be kept", {{"reason", noted.error().message}});
    auto quarantined = crashes_.quarantined();
    if (!quarantined || *quarantined == rulings_.quarantined) return;
    rulings_.quarantined = std::move(*quarantined);
    publish_anew();
  });
}

Result<> LivePlugins::clear(PluginKind kind, const std::string& name, const Line& line) {
  Result<> outcome = Error{ErrorCode::Unavailable, "davit stops"};
  loop_->run([&] { outcome = forget_crashes(kind, name, line); });
  return outcome;
}

Result<> LivePlugins::forget_crashes(PluginKind kind, const std::string& name, const Line& line) {
  const std::set<std::string> sha256s = TRY(to_clear(kind, name));
  const store::Audited act = line();
  TRY(crashes_.clear(sha256s, act));
  for (const std::string& sha256 : sha256s) {
    rulings_.quarantined.erase(sha256);
    needs_.log.info(
        "A plugin's crashes were forgotten by command",
        {{"kind", to_string(kind)},
         {"name", name},
         {"sha256", std::string_view(sha256).substr(0, 12)},
         {"request", request_of(act)}});
  }
  publish_anew();
  return {};
}

// The hash of the library that is there, also if an older one serves in its place; else those of libraries of
// this name that were put into quarantine.
Result<std::set<std::string>> LivePlugins::to_clear(PluginKind kind, const std::string& name) const {
  TRY(check_known(kind, name));
  std::set<std::string> hashes;
  auto add = [&](const auto& instance) {
    if (instance->generation) hashes.insert(instance->generation->sha256);
    if (instance->held_back) hashes.insert(instance->held_back->generation->sha256);
  };
  auto snapshot = needs_.registry.current();
  if (kind == PluginKind::Webhook)
    add(snapshot->webhooks.find(name)->second);
  else
    add(snapshot->agents.find(name)->second);
  if (!hashes.empty()) return hashes;
  for (const store::Quarantine& each : TRY(needs_.store.quarantines())) {
    if (each.plugin == name) hashes.insert(each.sha256);
  }
  if (!hashes.empty()) return hashes;
  return Error{ErrorCode::Conflict, "its library is not there, and none of this name is in quarantine"};
}

Result<> LivePlugins::check_known(PluginKind kind, const std::string& name) const {
  auto snapshot = needs_.registry.current();
  const bool known =
      kind == PluginKind::Webhook ? snapshot->webhooks.contains(name) : snapshot->agents.contains(name);
  if (known) return {};
  return Error{ErrorCode::NotFound, "there is no " + std::string(to_string(kind)) + " named " + name +
                                        "; davit plugins list shows them"};
}

}  // namespace davit::live
