// SPDX-License-Identifier: Apache-2.0
// The texts of a request, and those of its answer, are UTF-8 whatever bytes somebody put there.
#include "base/text.h"
#include "grove/v1/builtin.actor.h"
#include "tests/unit/gate/gate_fixture.h"
#include "worker/actor/actor_type.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

constexpr const char* no_text = "gr\xfc\xdf";

v1::Envelope get_of(const std::string& key) {
  return request_for(1, "grove.Counter", key, "Get", v1::CounterGetRequest{});
}

struct wrong_text {
  const char* name;
  void (*set)(v1::Request&);
  const char* error;
};

class request_text : public gate_test, public testing::WithParamInterface<wrong_text> {};

TEST_P(request_text, that_is_no_utf8_is_refused_by_name) {
  const auto client = greeted();
  v1::Envelope request = get_of("k");
  GetParam().set(*request.mutable_request());
  const v1::Response refused = response_to(*client, request);
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_EQ(refused.message(), GetParam().error);
  EXPECT_EQ(response_to(*client, get_of("k")).code(), 0U) << "the connection goes on";
}

INSTANTIATE_TEST_SUITE_P(
    each, request_text,
    testing::Values(
        wrong_text{"type", [](v1::Request& r) { r.set_type(no_text); }, "the type is no UTF-8: 'gr\\xfc\\xdf'"},
        wrong_text{"key", [](v1::Request& r) { r.set_key(no_text); }, "the key is no UTF-8: 'gr\\xfc\\xdf'"},
        wrong_text{"cut_key", [](v1::Request& r) { r.set_key("\xe4\xb8"); }, "the key is no UTF-8: '\\xe4\\xb8'"},
        wrong_text{"method", [](v1::Request& r) { r.set_method(no_text); }, "the method is no UTF-8: 'gr\\xfc\\xdf'"},
        wrong_text{"idempotency_key", [](v1::Request& r) { r.set_idempotency_key(no_text); },
                   "the idempotency key is no UTF-8: 'gr\\xfc\\xdf'"},
        wrong_text{"metadata_name", [](v1::Request& r) { (*r.mutable_metadata())[no_text] = "v"; },
                   "a name of the metadata is no UTF-8: 'gr\\xfc\\xdf'"},
        wrong_text{"metadata_value", [](v1::Request& r) { (*r.mutable_metadata())["tenant"] = no_text; },
                   "the metadata 'tenant' is no UTF-8: 'gr\\xfc\\xdf'"}),
    [](const auto& test) { return std::string{test.param.name}; });

using request_key = gate_test;

TEST_F(request_key, of_any_script_and_with_any_characters_is_taken) {
  const auto client = greeted();
  for (const std::string& key : {std::string{"\u4e2d\u6587"}, std::string{"\U0001f600"}, std::string{"a\nb"},
                                 std::string{"\0", 1}, std::string{"\u202e"}, std::string{}}) {
    EXPECT_EQ(response_to(*client, get_of(key)).code(), 0U) << printable(key);
  }
}

TEST_F(request_key, that_names_no_type_is_cut_between_characters_in_the_error) {
  const auto client = greeted();
  std::string type;
  for (int i = 0; i < 30; ++i)
    type += "\u4e2d";
  const v1::Response refused = response_to(*client, request_for(1, type, "k", "Get", v1::CounterGetRequest{}));
  EXPECT_EQ(refused.code(), 5U);
  EXPECT_TRUE(is_utf8(refused.message()));
  EXPECT_THAT(refused.message(), HasSubstr(type.substr(0, 60) + "...'"));
}

class ThrowingActor final : public v1::Echo::Actor {
 public:
  v1::EchoResponse Echo(const v1::EchoRequest&) const override { throw invalid_argument{no_text}; }
  v1::EchoSleepResponse Sleep(const v1::EchoSleepRequest&) const override { throw std::runtime_error{no_text}; }
  v1::EchoSpinResponse Spin(const v1::EchoSpinRequest&) const override { return {}; }
};

class thrown_text : public gate_test {
 protected:
  thrown_text() : gate_test{[](actor_types& to) { to.add<ThrowingActor>(); }} {}
};

TEST_F(thrown_text, that_is_no_utf8_arrives_with_its_bytes_replaced) {
  const auto client = greeted();
  EXPECT_EQ(response_to(*client, echo_of(1, 1)).message(), "gr\ufffd\ufffd");
  EXPECT_THAT(response_to(*client, sleep_of(2, std::chrono::milliseconds{1})).message(), HasSubstr("gr\ufffd\ufffd"));
}

}  // namespace
}  // namespace grove::test
