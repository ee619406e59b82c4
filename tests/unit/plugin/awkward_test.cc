// SPDX-License-Identifier: Apache-2.0
// That the code made of awkward.proto compiles is most of the test; that names on the wire stay as they are is the rest.
#include <gtest/gtest.h>

#include "awkward.actor.h"
#include "awkward.client.h"
#include "tests/support/actor_world.h"

namespace grove::test {
namespace {

namespace made = awkward::fmt;

made::Text text(const std::string& value) {
  made::Text made;
  made.set_text(value);
  return made;
}

class class_actor final : public made::class_::Actor {
 public:
  made::Text delete_(const made::Text& request) override {
    state().set_kept(request.text());
    return text("delete of " + std::string{key()});
  }
  made::Text new_(const made::Text&) override { return ref<made::class_>("other").delete_(text("from new")); }
  made::Text Actor_(const made::Text&) override { return text("Actor"); }
  made::Text Ref_(const made::Text&) override { return text("Ref"); }
  made::Text actor_type_(const made::Text&) const override { return text(state().kept()); }
  made::Text classClient(const made::Text&) override { return text("classClient"); }
  made::Text class_Client_(const made::Text&) override { return text("class_Client"); }
  made::namespace_ state_(const made::Text&) override { return {}; }
  made::Text key_(const made::Text&) override { return text("key"); }
  made::Text owner_(const made::Text&) override { return text("owner"); }
  made::Text on_activate_(const made::Text&) override { return text("on_activate"); }
  made::Text errno_(const made::Text&) override { return text("errno"); }
  made::Text requires_(const made::Text&) override { return text("requires"); }
  made::stream detail(const made::Text&) override { return {}; }
  void operator_(const made::Text& request, ::grove::stream<made::Text> items) override { items.write(request); }
};

class actor_actor final : public made::Actor_::Actor {
 public:
  made::Outer_union Actor_(const made::Text&) override { return {}; }
};

class ref_actor final : public made::Ref_::Actor {
 public:
  made::grove Ref_(const made::grove& request) override { return request; }
};

class awkward_names : public actor_world {
 protected:
  awkward_names()
      : actor_world{[](actor_types& into) {
          into.add<class_actor>();
          into.add<actor_actor>();
          into.add<ref_actor>();
        }} {}
  std::string answer(std::string_view method) {
    return ask<made::Text>("awkward.Class", "k", method, text("given")).text();
  }
};

TEST_F(awkward_names, are_on_the_wire_what_they_are_in_the_file) {
  for (const char* const method :
       {"Actor", "Ref", "classClient", "class_Client", "key", "owner", "on_activate", "errno", "requires"})
    EXPECT_EQ(answer(method), method);
  EXPECT_EQ(answer("delete"), "delete of k");
  EXPECT_EQ(answer("actor_type"), "given") << "state() is the actor's own, whatever its methods are called";
}

TEST_F(awkward_names, are_called_by_a_reference) {
  EXPECT_EQ(answer("new"), "delete of other");
}

TEST_F(awkward_names, may_be_those_of_what_is_made_of_a_service) {
  EXPECT_EQ(call("awkward.fmt.Actor", "k", "Actor", text("")).code, status_code::ok);
  made::grove given;
  given.set_text("given");
  EXPECT_EQ(ask<made::grove>("awkward-Ref", "k", "Ref", given).text(), "given");
}

TEST_F(awkward_names, make_a_client) {
  static_assert(made::class_Client::actor_type == "awkward.Class");
  static_assert(std::is_member_function_pointer_v<decltype(&made::class_Client::delete_)>);
}

}  // namespace
}  // namespace grove::test
