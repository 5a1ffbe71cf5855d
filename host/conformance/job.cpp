#include "host/conformance/job.h"

#include "host/base/json.h"

namespace davit::conformance {

std::string encode(const Job& job) {
  JsonBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  write_member(writer, "check", job.check);
  write_member(writer, "file", job.file.string());
  write_member(writer, "kind", davit::to_string(job.kind));
  write_member(writer, "index", static_cast<std::int64_t>(job.index));
  write_member(writer, "metadata", job.metadata);
  write_member(writer, "config", job.config);
  write_member(writer, "testdata", job.testdata);
  write_member(writer, "seed", std::to_string(job.seed));
  write_member(writer, "fuzz_cases", job.fuzz_cases);
  write_member(writer, "fuzz_all", job.fuzz_all);
  write_member(writer, "rounds_ms", job.rounds_ms);
  write_member(writer, "execution_ms", job.execution_ms);
  writer.Key("hung");
  writer.StartArray();
  for (const std::string& call : job.hung) write_string(writer, call);
  writer.EndArray();
  writer.EndObject();
  return std::string(text_of(buffer));
}

Result<Job> decode_job(std::string_view json) {
  const JsonDocument document = TRY(parse_json(json));
  Job job;
  job.check = string_member(document, "check");
  job.file = string_member(document, "file");
  job.kind = string_member(document, "kind") == "agent" ? PluginKind::Agent : PluginKind::Webhook;
  job.index = static_cast<std::uint32_t>(int_member(document, "index"));
  job.metadata = string_member(document, "metadata", "{}");
  job.config = string_member(document, "config", "{}");
  job.testdata = string_member(document, "testdata");
  job.seed = std::strtoull(string_member(document, "seed", "0").c_str(), nullptr, 10);
  job.fuzz_cases = static_cast<int>(int_member(document, "fuzz_cases"));
  job.fuzz_all = bool_member(document, "fuzz_all");
  job.rounds_ms = static_cast<int>(int_member(document, "rounds_ms"));
  job.execution_ms = static_cast<int>(int_member(document, "execution_ms"));
  const JsonValue* hung = find_member(document, "hung");
  if (hung != nullptr && hung->IsArray()) {
    for (const JsonValue& call : hung->GetArray()) {
      if (call.IsString()) job.hung.emplace_back(call.GetString(), call.GetStringLength());
    }
  }
  return job;
}

}  // namespace davit::conformance
