// SPDX-License-Identifier: Apache-2.0
// What the .proto files say about the types is in the code that is made of them.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "grove/v1/builtin.actor.h"

namespace grove::test {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

/// Puts a file and its imports into a pool, each with its comments.
const FileDescriptor* with_comments(const FileDescriptor& file, const google::protobuf::FileDescriptorSet& comments,
                                    google::protobuf::DescriptorPool& into) {
  if (const FileDescriptor* known = into.FindFileByName(file.name())) return known;
  for (int i = 0; i < file.dependency_count(); ++i)
    with_comments(*file.dependency(i), comments, into);
  FileDescriptorProto copy;
  file.CopyTo(&copy);
  for (const FileDescriptorProto& each : comments.file()) {
    if (each.name() == file.name()) *copy.mutable_source_code_info() = each.source_code_info();
  }
  return into.BuildFile(copy);
}

TEST(comments_of_proto_files, are_in_the_definition_of_a_type) {
  const auto definition = v1::Counter::Actor::grove_definition();
  google::protobuf::FileDescriptorSet comments;
  ASSERT_TRUE(comments.ParseFromArray(definition.comments.data(), static_cast<int>(definition.comments.size())));
  for (const FileDescriptorProto& file : comments.file())
    EXPECT_EQ(file.message_type_size(), 0) << "nothing but comments: " << file.name();
  google::protobuf::DescriptorPool pool;
  const FileDescriptor* file = with_comments(*definition.service->file(), comments, pool);
  ASSERT_NE(file, nullptr);
  google::protobuf::SourceLocation place;
  ASSERT_TRUE(file->FindServiceByName("Counter")->GetSourceLocation(&place));
  EXPECT_EQ(place.leading_comments, " A number that many add to. State lives in memory: it is lost with the worker.\n");
  ASSERT_TRUE(file->FindMessageTypeByName("MapGetResponse")->FindFieldByName("value")->GetSourceLocation(&place));
  EXPECT_EQ(place.leading_comments, " Absent: there is no such entry.\n");
}

}  // namespace
}  // namespace grove::test
