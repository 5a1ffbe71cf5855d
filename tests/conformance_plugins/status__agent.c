/* An agent that says "ignored" where that means nothing. */
#include "wrong_agent.h"
static davit_status work(instance *me, const davit_call *call, davit_text context, const davit_sink *result) {
  return DAVIT_IGNORED;
}
