// Run by ctest with the built library as its argument, in this folder.
#include <davit/testing/golden.hpp>
#include <davit/testing/library.hpp>
#include <davit/testing/signer.hpp>

using namespace davit::testing;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const Library library(arguments[1]);
  Checks checks;

  // Each testdata/*.delivery.json, with what came of it beside.
  checks.all(check_deliveries(library.webhooks(), 0, "testdata"));

  // Signed as the sender would, and checked by the scheme that the metadata declares.
  const davit::Signature scheme = scheme_of(library.webhooks(), 0);
  RequestBuilder request(R"({"id": 7})");
  sign(request, scheme, "the secret");
  checks.that("the right secret is taken", verify(scheme, request.request(), davit::Secrets({"the secret"}), kNow));
  checks.that("another is not", !verify(scheme, request.request(), davit::Secrets({"another"}), kNow));
  return checks.exit_code();
}
