/* Exports the factory's name as data instead of a function. */
__attribute__((visibility("default"))) int davit_webhook_factory_v1 = 1;
