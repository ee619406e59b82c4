// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/mailbox.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace grove::test {
namespace {

const auto anything = [](const message&) { return true; };

TEST(mailbox, is_first_in_first_out) {
  message_pool pool;
  mailbox mail;
  for (const char* text : {"a", "b", "c"})
    mail.push(pool.make(text, {}));
  for (const char* text : {"a", "b", "c"})
    EXPECT_EQ(mail.pop_if(anything)->key(), text);
  EXPECT_TRUE(mail.empty());
}

TEST(mailbox, gives_the_first_message_that_may_start) {
  message_pool pool;
  mailbox mail;
  for (const char* text : {"a", "b", "c"})
    mail.push(pool.make(text, {}));
  EXPECT_EQ(mail.pop_if([](const message& m) { return m.key() == "b"; })->key(), "b");
  EXPECT_EQ(mail.pop_if([](const message& m) { return m.key() == "x"; }), nullptr);
  EXPECT_EQ(mail.messages(), 2U);
  while (mail.pop_if(anything) != nullptr) {
  }
}

TEST(mailbox, stays_in_order_when_its_last_message_is_taken_out) {
  message_pool pool;
  mailbox mail;
  mail.push(pool.make("a", {}));
  message_ptr last = pool.make("b", {});
  const message& b = *last;
  mail.push(std::move(last));
  EXPECT_EQ(mail.remove(b)->key(), "b");
  mail.push(pool.make("c", {}));
  EXPECT_EQ(mail.pop_if(anything)->key(), "a");
  EXPECT_EQ(mail.pop_if(anything)->key(), "c");
}

TEST(mailbox, counts_the_bytes_of_payloads_and_call_chains) {
  message_pool pool;
  mailbox mail;
  message_ptr m = pool.make("key", std::string(100, 'x'), "trial.Caller/a\n");
  EXPECT_EQ(mailbox::weight(*m), 115U);
  mail.push(std::move(m));
  EXPECT_EQ(mail.bytes(), 115U);
  EXPECT_NE(mail.pop_if(anything), nullptr);
  EXPECT_EQ(mail.bytes(), 0U);
}

TEST(mailbox, keeps_control_messages_apart_and_each_kind_once) {
  mailbox mail;
  EXPECT_FALSE(mail.has_control());
  mail.push_control(control_kind::passivate);
  mail.push_control(control_kind::passivate);
  EXPECT_TRUE(mail.has_control());
  EXPECT_FALSE(mail.empty());
  EXPECT_FALSE(mail.take_control(control_kind::stream_closed));
  EXPECT_TRUE(mail.take_control(control_kind::passivate));
  EXPECT_FALSE(mail.take_control(control_kind::passivate));
  EXPECT_TRUE(mail.empty());
}

}  // namespace
}  // namespace grove::test
