#include "host/config/key_docs.h"

#include "host/config/key_sections.h"
#include "host/config/key_words.h"

namespace davit::config {
namespace {

void append_docs(std::vector<KeyDoc>& docs, const std::string& prefix, std::span<const Field> fields,
                 void* defaults) {
  for (const Field& field : fields)
    docs.push_back({prefix + "." + std::string(field.name), type_text(field), default_text(field, defaults),
                    std::string(field.meaning)});
}

template <typename Section>
void append_docs(std::vector<KeyDoc>& docs, const std::string& prefix, Keys<Section> keys) {
  Section defaults;
  append_docs(docs, prefix, keys.fields, &defaults);
}

}  // namespace

std::vector<KeyDoc> key_docs() {
  std::vector<KeyDoc> docs;
  Config config;
  for_each_section(config, [&](const char* name, std::span<const Field> fields, void* defaults) {
    append_docs(docs, name, fields, defaults);
  });
  append_docs(docs, "webhooks.<name>", webhook_keys());
  append_docs(docs, "agents.<name>", agent_keys());
  append_docs(docs, "schedules.<name>", schedule_keys());
  return docs;
}

std::string key_docs_as_markdown() {
  std::string text, section;
  for (const KeyDoc& doc : key_docs()) {
    const std::size_t dot = doc.path.rfind('.');
    if (doc.path.substr(0, dot) != section) {
      section = doc.path.substr(0, dot);
      text += (text.empty() ? "" : "\n") + std::string("### `") + section +
              "`\n\n| key | value | default | |\n|---|---|---|---|\n";
    }
    std::string type;
    for (const char c : doc.type) type += c == '|' ? std::string("or") : std::string(1, c);
    text += "| `" + doc.path.substr(dot + 1) + "` | " + type + " | " +
            (doc.fallback == "-" ? "" : doc.fallback) + " | " + doc.meaning + " |\n";
  }
  return text;
}

}  // namespace davit::config
