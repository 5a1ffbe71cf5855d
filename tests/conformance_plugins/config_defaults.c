/* The default of a setting is not allowed by its own schema. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," DELIVERY_ID "," SIGNATURE ",\"config_schema\":{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\",\"description\":\"of it\",\"minimum\":5,\"default\":1}}}" "}"
#include "wrong_webhook.h"
