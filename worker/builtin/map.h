// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "grove/v1/builtin.actor.h"

namespace grove::builtin {

class MapActor final : public v1::Map::Actor {
 public:
  v1::MapGetResponse Get(const v1::MapGetRequest& request) const override;
  v1::MapSetResponse Set(const v1::MapSetRequest& request) override;
  v1::MapDeleteResponse Delete(const v1::MapDeleteRequest& request) override;
  v1::MapListResponse List(const v1::MapListRequest& request) const override;

 protected:
  void on_activate() override;

 private:
  // Made from the state at activation: protobuf's map has no order, and its size in bytes would have to be
  // counted.
  std::set<std::string, std::less<>> names_;
  std::size_t bytes_ = 0;
};

}  // namespace grove::builtin
