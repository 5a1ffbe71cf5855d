/* Reports differences where totals are meant. */
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  const davit_usage_v1 *usage = me->host->service(me->host, text(DAVIT_SERVICE_USAGE));
  if (usage) usage->report(call, text("{\"input_tokens\":100}"));
  if (usage) usage->report(call, text("{\"input_tokens\":10}"));
  return put(result, "{\"success\":true}");
}
