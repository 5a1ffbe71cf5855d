// Usage as a part of other JSON; see usage_from_json() in marshal.h.
#pragma once

#include "host/base/json.h"
#include "host/base/result.h"
#include "host/model/agent_result.h"
#include "host/plugin/json_members.h"

namespace davit::plugin {

// Sets `mended` where a figure or a name could not be taken as it is.
Result<Usage> usage_from(const Members& members, bool& mended);
void write_usage(JsonWriter& writer, const Usage& usage);

}  // namespace davit::plugin
