// SPDX-License-Identifier: Apache-2.0
// Messages that are known by their descriptors only, as the CLI has them from a server.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>

#include "json_trial.pb.h"
#include "proto/json/mapping.h"

namespace grove {
namespace {

/// The trial's messages in a pool of their own, built from what a server sends.
class json_of_a_pool : public ::testing::Test {
 protected:
  json_of_a_pool() { add(*trial::Kinds::descriptor()->file()); }

  [[nodiscard]] std::unique_ptr<google::protobuf::Message> make() {
    return std::unique_ptr<google::protobuf::Message>{
        factory_.GetPrototype(pool_.FindMessageTypeByName("grove.trial.Kinds"))->New()};
  }

 private:
  void add(const google::protobuf::FileDescriptor& file) {
    if (pool_.FindFileByName(file.name()) != nullptr) return;
    for (int i = 0; i < file.dependency_count(); ++i)
      add(*file.dependency(i));
    google::protobuf::FileDescriptorProto copy;
    file.CopyTo(&copy);
    file.CopyJsonNameTo(&copy);
    ASSERT_NE(pool_.BuildFile(copy), nullptr);
  }

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_{&pool_};
};

TEST_F(json_of_a_pool, reads_and_prints_as_compiled_ones_do) {
  constexpr std::string_view json =
      R"({"any":{"@type":"x/grove.trial.Kinds","byText":{"b":1,"a":2}},"values":{"1":[{"a":null}]},"time":)"
      R"("2026-01-02T03:04:05Z","boxedLarge":"9007199254740993","mask":"aB","other":"x","nothing":null})";
  const auto message = make();
  const status read = message_from_json(json, 32, *message);
  ASSERT_TRUE(read.ok()) << read.message();
  trial::Kinds compiled;
  ASSERT_TRUE(message_from_json(json, 32, compiled).ok());
  std::string ours;
  std::string theirs;
  ASSERT_TRUE(append_message_as_json(ours, *message).ok());
  ASSERT_TRUE(append_message_as_json(theirs, compiled).ok());
  EXPECT_EQ(ours, theirs);
  EXPECT_THAT(ours, ::testing::HasSubstr(R"("byText":{"a":2,"b":1})"));
  ASSERT_TRUE(compiled.ParseFromString(message->SerializeAsString()));
  std::string decoded;
  ASSERT_TRUE(append_message_as_json(decoded, compiled).ok());
  EXPECT_EQ(decoded, ours);
}

}  // namespace
}  // namespace grove
