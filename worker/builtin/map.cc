// SPDX-License-Identifier: Apache-2.0
#include "worker/builtin/map.h"

#include <google/protobuf/map.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace grove::builtin {
namespace {

constexpr std::size_t entries_max = 10'000;
constexpr std::size_t bytes_max = 1U << 20U;
constexpr std::uint32_t list_default = 100;
constexpr std::uint32_t list_max = 1000;

/// Throws nothing: the map has changed its size before it allocates its larger table, and cannot be used once that has
/// failed. So the worker ends there.
void put(google::protobuf::Map<std::string, std::string>& entries, std::string&& name, std::string&& value) noexcept {
  entries[std::move(name)] = std::move(value);
}

}  // namespace

void MapActor::on_activate() {
  for (const auto& [name, value] : std::as_const(*this).state().entries()) {
    names_.insert(name);
    bytes_ += name.size() + value.size();
  }
}

v1::MapGetResponse MapActor::Get(const v1::MapGetRequest& request) const {
  v1::MapGetResponse response;
  const auto found = state().entries().find(request.name());
  if (found != state().entries().end()) response.set_value(found->second);
  return response;
}

v1::MapSetResponse MapActor::Set(const v1::MapSetRequest& request) {
  const auto& entries = std::as_const(*this).state().entries();
  const auto found = entries.find(request.name());
  const bool existed = found != entries.end();
  const std::size_t freed = existed ? found->second.size() : 0;
  const std::size_t added = request.value().size() + (existed ? 0 : request.name().size());
  if (!existed && entries.size() >= entries_max) {
    throw resource_exhausted{"the map has its " + std::to_string(entries_max) + " entries already"};
  }
  if (bytes_ - freed + added > bytes_max) {
    throw resource_exhausted{"the map would have " + std::to_string(bytes_ - freed + added) + " bytes; at most " +
                             std::to_string(bytes_max) + " are allowed"};
  }
  // All that can throw is done before the state changes, so the whole map need not be copied for an undo.
  std::string name = request.name();
  std::string value = request.value();
  if (!existed) names_.insert(name);
  put(*state_without_undo().mutable_entries(), std::move(name), std::move(value));
  bytes_ = bytes_ - freed + added;
  v1::MapSetResponse response;
  response.set_existed(existed);
  return response;
}

v1::MapDeleteResponse MapActor::Delete(const v1::MapDeleteRequest& request) {
  v1::MapDeleteResponse response;
  auto& entries = *state_without_undo().mutable_entries();
  const auto found = entries.find(request.name());
  if (found == entries.end()) return response;
  bytes_ -= found->first.size() + found->second.size();
  entries.erase(found);
  names_.erase(request.name());
  response.set_existed(true);
  return response;
}

v1::MapListResponse MapActor::List(const v1::MapListRequest& request) const {
  if (request.limit() > list_max) {
    throw invalid_argument{"limit is " + std::to_string(request.limit()) + "; at most " + std::to_string(list_max) +
                           " are allowed"};
  }
  const std::size_t limit = request.limit() == 0 ? list_default : request.limit();
  v1::MapListResponse response;
  auto at =
      request.after() < request.prefix() ? names_.lower_bound(request.prefix()) : names_.upper_bound(request.after());
  for (; at != names_.end() && at->starts_with(request.prefix()); ++at) {
    if (static_cast<std::size_t>(response.entries_size()) == limit) {
      response.set_more(true);
      break;
    }
    v1::MapEntry& entry = *response.add_entries();
    entry.set_name(*at);
    entry.set_value(state().entries().at(*at));
  }
  return response;
}

}  // namespace grove::builtin
