/* A plugin of an ABI major that does not exist yet. */
__attribute__((visibility("default"))) const void *davit_webhook_factory_v2(void) { return 0; }
