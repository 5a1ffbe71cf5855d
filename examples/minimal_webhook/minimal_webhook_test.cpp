// What the webhook makes of testdata/, and whose signature it takes. Run by ctest.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>
#include <davit/testing/signer.hpp>

using namespace davit::testing;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  Checks checks;
  checks.all(check_deliveries(library.webhooks(), 0, "testdata"));

  const davit::Signature scheme = scheme_of(library.webhooks(), 0);
  RequestBuilder request(R"({"order": {"id": "A-17", "state": "failed"}})");
  sign(request, scheme, "the secret");
  checks.that("the right secret is taken",
              verify(scheme, request.request(), davit::Secrets({"the secret"}), kNow));
  checks.that("another is not", !verify(scheme, request.request(), davit::Secrets({"another"}), kNow));
  return checks.exit_code();
}
