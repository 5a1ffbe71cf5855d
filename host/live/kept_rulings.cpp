#include "host/live/kept_rulings.h"

#include <algorithm>
#include <functional>

#include "host/base/json.h"
#include "host/store/committed.h"

namespace davit::live {
namespace {

// Settings: {"webhooks":{"github":false},"agents":{}}
constexpr const char* kSwitches = "plugins.switched";
// {"agents":{"planning-agent":3}}
constexpr const char* kConcurrency = "plugins.concurrency";
// {"files":{"github.so":"<sha256>"},"webhooks":{"github":["<sha256>",…]},"agents":{}}
constexpr const char* kServed = "plugins.served";
constexpr std::size_t kGenerations = 2;  // of an instance: the one that serves, and one to go back to

// Calls `each` with the name and value of every member of the object `kind` in `all`.
template <typename Each>
void for_members(const JsonValue& all, std::string_view kind, Each&& each) {
  const JsonValue* members = find_member(all, kind);
  if (members == nullptr || !members->IsObject()) return;
  for (const auto& member : members->GetObject())
    each(std::string(member.name.GetString(), member.name.GetStringLength()), member.value);
}

void write_key(JsonWriter& writer, std::string_view key) {
  writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

// A member `kind`: an object with a member for each in `all`, which `write` writes.
template <typename All, typename Write>
void write_all(JsonWriter& writer, std::string_view kind, const All& all, Write&& write) {
  write_key(writer, kind);
  writer.StartObject();
  for (const auto& [name, value] : all) write(writer, name, value);
  writer.EndObject();
}

// Keeps an object whose members `write` writes.
Result<> keep(store::Store& store, const char* key, store::Audited line,
              const std::function<void(JsonWriter&)>& write) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write(writer);
  writer.EndObject();
  return store::committed<>([&](store::Done<> done) {
    store.set_setting(key, std::string(text_of(buffer)), std::move(done), std::move(line));
  });
}

template <typename Instances>
bool note_instances(plugin::Served::Generations& served, const Instances& instances, bool all_seen) {
  const std::size_t known = served.size();
  if (all_seen)
    std::erase_if(served, [&](const auto& entry) {
      auto now = instances.find(entry.first);
      return now == instances.end() || now->second->state == plugin::ServingState::Missing;
    });
  bool changed = served.size() != known;
  for (const auto& [name, instance] : instances) {
    if (instance->state != plugin::ServingState::Serving) continue;
    auto& generations = served[name];
    const auto& serves = instance->generation;
    changed = changed || generations.empty() || generations.front()->sha256 != serves->sha256;
    std::erase_if(generations, [&](const auto& each) { return each->sha256 == serves->sha256; });
    generations.insert(generations.begin(), serves);
    if (generations.size() > kGenerations) generations.resize(kGenerations);
  }
  return changed;
}

}  // namespace

Result<> read_switches(const store::Store& store, plugin::Rulings& rulings) {
  auto kept = TRY(store.setting(kSwitches));
  if (!kept) return {};
  const JsonDocument switches = TRY(parse_json(*kept));
  for (const auto& [kind, all] :
       {std::pair("webhooks", &rulings.webhooks), std::pair("agents", &rulings.agents)}) {
    all->clear();
    for_members(switches, kind, [all = all](const std::string& name, const JsonValue& on) {
      if (on.IsBool()) (*all)[name] = on.GetBool();
    });
  }
  return {};
}

Result<> keep_switches(store::Store& store, const plugin::Rulings& rulings, store::Audited line) {
  const auto write = [](JsonWriter& writer, const std::string& name, bool on) {
    write_member(writer, name, on);
  };
  return keep(store, kSwitches, std::move(line), [&](JsonWriter& writer) {
    write_all(writer, "webhooks", rulings.webhooks, write);
    write_all(writer, "agents", rulings.agents, write);
  });
}

Result<> read_concurrency(const store::Store& store, plugin::Rulings& rulings) {
  auto kept = TRY(store.setting(kConcurrency));
  if (!kept) return {};
  const JsonDocument numbers = TRY(parse_json(*kept));
  rulings.concurrency.clear();
  for_members(numbers, "agents", [&](const std::string& name, const JsonValue& number) {
    if (number.IsInt() && number.GetInt() >= 1 && number.GetInt() <= plugin::kMostConcurrency)
      rulings.concurrency[name] = number.GetInt();
  });
  return {};
}

Result<> keep_concurrency(store::Store& store, const plugin::Rulings& rulings, store::Audited line) {
  return keep(store, kConcurrency, std::move(line), [&](JsonWriter& writer) {
    write_all(writer, "agents", rulings.concurrency, [](JsonWriter& into, const std::string& name, int number) {
      write_member(into, name, static_cast<std::int64_t>(number));
    });
  });
}

Result<plugin::Served> read_served(const store::Store& store, plugin::PluginScanner& scanner) {
  plugin::Served served;
  auto kept = TRY(store.setting(kServed));
  if (!kept) return served;
  const JsonDocument hashes = TRY(parse_json(*kept));
  std::map<std::string, std::shared_ptr<const plugin::Generation>> found;  // one for all who share it
  for_members(hashes, "files", [&](const std::string& file, const JsonValue& hash) {
    if (!hash.IsString()) return;
    auto generation = scanner.resume(file, hash.GetString());
    if (!generation) return;
    served.files[file] = hash.GetString();
    found[hash.GetString()] = std::move(generation);
  });
  for (const auto& [kind, all] :
       {std::pair("webhooks", &served.webhooks), std::pair("agents", &served.agents)}) {
    for_members(hashes, kind, [&, all = all](const std::string& name, const JsonValue& of_instance) {
      if (!of_instance.IsArray()) return;
      for (const JsonValue& hash : of_instance.GetArray()) {
        if (!hash.IsString()) continue;
        auto [generation, is_new] = found.try_emplace(hash.GetString());
        if (is_new) generation->second = scanner.kept(generation->first);
        if (generation->second) (*all)[name].push_back(generation->second);
      }
    });
  }
  return served;
}

Result<> keep_served(store::Store& store, const plugin::Served& served) {
  const auto write = [](JsonWriter& writer, const std::string& name, const auto& generations) {
    write_key(writer, name);
    writer.StartArray();
    for (const auto& generation : generations) write_string(writer, generation->sha256);
    writer.EndArray();
  };
  return keep(store, kServed, std::nullopt, [&](JsonWriter& writer) {
    write_all(writer, "files", served.files,
              [](JsonWriter& into, const std::string& file, const std::string& sha256) {
                write_member(into, file, sha256);
              });
    write_all(writer, "webhooks", served.webhooks, write);
    write_all(writer, "agents", served.agents, write);
  });
}

bool note_served(plugin::Served& served, const plugin::Snapshot& now, bool all_seen) {
  std::map<std::string, std::string> files;
  for (const plugin::LibraryRecord& library : now.libraries) {
    // A name that is no text cannot be kept, and no restart brings back what it gave.
    if (library.generation && is_utf8(library.name.string()))
      files[library.name.string()] = library.generation->sha256;
  }
  if (!all_seen) files.insert(served.files.begin(), served.files.end());
  const bool has_new_files = files != served.files;
  served.files = std::move(files);
  const bool webhooks = note_instances(served.webhooks, now.webhooks, all_seen);
  const bool agents = note_instances(served.agents, now.agents, all_seen);
  return has_new_files || webhooks || agents;
}

std::set<std::string> hashes_of(const plugin::Served& served) {
  std::set<std::string> hashes;
  for (const auto* all : {&served.webhooks, &served.agents}) {
    for (const auto& [name, generations] : *all) {
      for (const auto& generation : generations) hashes.insert(generation->sha256);
    }
  }
  return hashes;
}

void drop_unpinned(plugin::Served& served, const std::vector<std::string>& pinned_sha256) {
  if (pinned_sha256.empty()) return;
  for (auto* all : {&served.webhooks, &served.agents}) {
    for (auto& [name, generations] : *all) {
      std::erase_if(generations, [&](const auto& generation) {
        return std::find(pinned_sha256.begin(), pinned_sha256.end(), generation->sha256) ==
               pinned_sha256.end();
      });
    }
    std::erase_if(*all, [](const auto& entry) { return entry.second.empty(); });
  }
}

}  // namespace davit::live
