// SPDX-License-Identifier: Apache-2.0
#include "client/cli/example.h"

#include <gmock/gmock.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/struct.pb.h>

#include "client/cli/json.h"
#include "grove/v1/builtin.pb.h"
#include "grove/v1/system.pb.h"

namespace grove::cli {
namespace {

using ::testing::HasSubstr;

/// Every message of a file is taken back as it was shown.
void expect_readable(const google::protobuf::FileDescriptor& file) {
  google::protobuf::DynamicMessageFactory factory;
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto& type = *file.message_type(i);
    const std::unique_ptr<google::protobuf::Message> message{factory.GetPrototype(&type)->New()};
    const status read = read_json(example_json(type), 100, *message);
    EXPECT_TRUE(read.ok()) << type.full_name() << ": " << read.to_string() << '\n' << example_json(type);
  }
}

TEST(example_json, is_a_request_that_is_taken) {
  expect_readable(*v1::CounterAddRequest::descriptor()->file());
  expect_readable(*v1::Worker::descriptor()->file());
  expect_readable(*google::protobuf::FileDescriptorProto::descriptor()->file());
  expect_readable(*google::protobuf::Api::descriptor()->file());
  expect_readable(*google::protobuf::Struct::descriptor()->file());
}

TEST(example_json, has_a_value_for_each_field) {
  EXPECT_EQ(example_json(*v1::MapSetRequest::descriptor()), R"({"name":"text","value":"text"})");
  EXPECT_EQ(example_json(*v1::CounterAddRequest::descriptor()), R"({"by":"1"})");
  EXPECT_EQ(example_json(*v1::CounterGetRequest::descriptor()), "{}");
  EXPECT_EQ(example_json(*v1::MapState::descriptor()), R"({"entries":{"text":"text"}})");
}

TEST(example_json, stops_where_messages_contain_themselves) {
  EXPECT_THAT(example_json(*google::protobuf::DescriptorProto::descriptor()), HasSubstr(R"("nestedType":[{}])"));
}

}  // namespace
}  // namespace grove::cli
