// What the webhook makes of testdata/ and of nothing, and whose signature it takes. Run by ctest.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>
#include <davit/testing/signer.hpp>

using namespace davit::testing;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  Checks checks;
  checks.all(check_deliveries(library.webhooks(), 0, "testdata"));

  FakeHost host;
  RequestBuilder nothing("");
  const Outcome refused = WebhookDriver(library.webhooks(), 0, host).parse_payload(nothing);
  checks.that("an empty body is invalid input", refused.status == davit::Status::InvalidInput);
  checks.equal("the sentence about it", refused.error, "the body is empty");

  const davit::Signature scheme = scheme_of(library.webhooks(), 0);
  RequestBuilder request(R"({"event": "something"})");
  sign(request, scheme, "the secret");
  checks.that("the right secret is taken",
              verify(scheme, request.request(), davit::Secrets({"the secret"}), kNow));
  checks.that("another is not", !verify(scheme, request.request(), davit::Secrets({"another"}), kNow));
  return checks.exit_code();
}
