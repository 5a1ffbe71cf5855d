/* An agent that does not free itself. */
#define OWN_DESTROY
#include "wrong_agent.h"
static void destroy(void *self) {}
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  return put(result, "{\"success\":true}");
}
