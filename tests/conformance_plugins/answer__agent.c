/* An agent whose result does not say whether it succeeded. */
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  return put(result, "{\"output\":1}");
}
