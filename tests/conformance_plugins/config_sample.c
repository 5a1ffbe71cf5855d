/* Requires a setting that nobody can guess. */
#define METADATA "{\"name\":\"wrong\"," VERSION "," DESCRIPTION "," DELIVERY_ID "," SIGNATURE ",\"config_schema\":{\"type\":\"object\",\"required\":[\"key\"],\"properties\":{\"key\":{\"type\":\"string\",\"description\":\"a key\",\"pattern\":\"^[0-9a-f]{8}-[0-9]{9}$\"}}}" "}"
#include "wrong_webhook.h"
