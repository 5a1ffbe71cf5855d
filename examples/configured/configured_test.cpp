// What the webhook makes of testdata/, and what it says to configurations and signatures. Run by ctest.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>
#include <davit/testing/signer.hpp>

using namespace davit::testing;

namespace {

// The sentence create() fails with; empty when it does not.
std::string refusal_of(const davit_webhook_factory* factory, const std::string& config) {
  FakeHost host;
  host.config = config;
  try {
    WebhookDriver webhook(factory, 0, host);
    return "";
  } catch (const davit::Failure& failure) {
    return failure.what();
  }
}

// Signed as the sender would, and checked by the scheme that the metadata declares.
bool signed_well(const davit_webhook_factory* factory, const char* secret_of_sender,
                 const char* secret_of_host) {
  const davit::Signature scheme = scheme_of(factory, 0);
  RequestBuilder request(R"({"invoice": {}})");
  sign(request, scheme, secret_of_sender);
  return verify(scheme, request.request(), davit::Secrets({secret_of_host}), kNow);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  const davit_webhook_factory* webhooks = library.webhooks();
  Checks checks;
  checks.all(check_deliveries(webhooks, 0, "testdata"));
  checks.equal("the answer to a good configuration",
               refusal_of(webhooks, R"({"limit": 5, "ignore": ["ACME"]})"), "");
  checks.equal("the answer to no limit", refusal_of(webhooks, "{}"),
               "limit is missing or not a whole number");
  checks.equal("the answer to a star", refusal_of(webhooks, R"({"limit": 5, "ignore": ["*"]})"),
               "ignore names customers; \"*\" is none");
  checks.that("the right secret signs", signed_well(webhooks, "s3cret", "s3cret"));
  checks.that("another secret does not", !signed_well(webhooks, "s3cret", "an0ther"));

  // An older host: its structs end where those of ABI 1.0 do, and it offers no service.
  FakeHost poor;
  poor.services.clear();
  poor.config = R"({"limit": 5})";
  RequestBuilder request(R"({"invoice": {"number": "7", "amount": 6}})");
  checks.that("a poor host gets an answer",
              WebhookDriver(webhooks, 0, poor).deliver(request).status == davit::Status::Ok);
  return checks.exit_code();
}
