/* A setting does not say what it does. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," DELIVERY_ID "," SIGNATURE ",\"config_schema\":{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\"}}}" "}"
#include "wrong_webhook.h"
