// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/directory.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

class directory_of_actors : public world {
 protected:
  const actor_type& account() { return *types.find("trial.Account"); }
  hosted_type& hosted() { return *actors->find_hosted(account().id()); }
  std::uint64_t hash(std::string_view key) { return hash_of_address(account().id(), key); }
  directory cells;
};

TEST_F(directory_of_actors, finds_what_was_inserted_and_nothing_else) {
  actor_cell& cell = cells.insert(hosted(), hash("a"), "a");
  EXPECT_EQ(cells.find(account(), hash("a"), "a"), &cell);
  EXPECT_EQ(cells.find(account(), hash("b"), "b"), nullptr);
  EXPECT_EQ(cells.find(*types.find("trial.Book"), hash("a"), "a"), nullptr);
}

TEST_F(directory_of_actors, changes_nothing_by_a_prefetch_of_what_is_there_or_is_not) {
  actor_cell& cell = cells.insert(hosted(), hash("a"), "a");
  cells.prefetch(hash("a"));
  cells.prefetch(hash("b"));
  EXPECT_EQ(cells.find(account(), hash("a"), "a"), &cell);
  EXPECT_EQ(cells.size(), 1U);
}

TEST_F(directory_of_actors, tells_keys_with_the_same_hash_apart) {
  actor_cell& a = cells.insert(hosted(), 1, "a");
  actor_cell& b = cells.insert(hosted(), 1, "b");
  EXPECT_EQ(cells.find(account(), 1, "a"), &a);
  EXPECT_EQ(cells.find(account(), 1, "b"), &b);
}

TEST_F(directory_of_actors, finds_all_of_one_partition) {
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 2'000; ++i) {
    std::string key = "key " + std::to_string(i);
    if (partition_of(hash(key), default_partitions) % 64 != 7) continue;
    cells.insert(hosted(), hash(key), key);
    keys.push_back(std::move(key));
  }
  for (const std::string& key : keys) {
    ASSERT_NE(cells.find(account(), hash(key), key), nullptr);
    EXPECT_EQ(cells.find(account(), hash(key), key)->key(), key);
  }
}

TEST_F(directory_of_actors, ends_its_growth_when_nothing_more_is_inserted) {
  std::vector<std::string> keys;
  while (keys.size() < 40'000 || cells.is_settled()) {
    keys.push_back("key " + std::to_string(keys.size()));
    cells.insert(hosted(), hash(keys.back()), keys.back());
  }
  for (int rounds = 0; !cells.is_settled(); ++rounds) {
    ASSERT_LT(rounds, 100);
    cells.settle();
  }
  for (const std::string& key : keys)
    ASSERT_NE(cells.find(account(), hash(key), key), nullptr);
}

TEST_F(directory_of_actors, survives_many_insertions_and_erasures) {
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "key " + std::to_string(i);
    cells.insert(hosted(), hash(key), key);
  }
  for (int i = 0; i < 10'000; i += 2) {
    const std::string key = "key " + std::to_string(i);
    cells.erase(*cells.find(account(), hash(key), key));
  }
  EXPECT_EQ(cells.size(), 5000U);
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "key " + std::to_string(i);
    EXPECT_EQ(cells.find(account(), hash(key), key) != nullptr, i % 2 == 1);
  }
  for (std::size_t i = 0; i < cells.size(); ++i)
    EXPECT_EQ(cells.at(i).index, i);
}

}  // namespace
}  // namespace grove::test
