// SPDX-License-Identifier: Apache-2.0
#include "proto/wire/envelope.h"

namespace grove::wire {
namespace {

enum wire_type : std::uint32_t { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

/// One field of an encoded message.
struct field {
  std::uint32_t number = 0;
  std::uint32_t type = 0;
  std::uint64_t value = 0;   ///< Of a varint.
  std::string_view bytes{};  ///< Of a delimited field.
};

/// Walks over the fields of an encoded message.
class reader {
 public:
  explicit reader(std::string_view bytes) noexcept : at_{bytes.data()}, end_{bytes.data() + bytes.size()} {}

  [[nodiscard]] bool done() const noexcept { return at_ == end_; }
  [[nodiscard]] std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  /// False: the bytes are no encoding of a message. Groups (deprecated, never written by proto3) count as
  /// damage.
  [[nodiscard]] bool next(field& into) noexcept {
    std::uint64_t tag = 0;
    if (!read_varint(tag) || tag > UINT32_MAX) return false;
    into.number = static_cast<std::uint32_t>(tag >> 3U);
    into.type = static_cast<std::uint32_t>(tag & 7U);
    if (into.number == 0) return false;
    switch (into.type) {
      case varint:
        return read_varint(into.value);
      case fixed64:
        return skip(8);
      case fixed32:
        return skip(4);
      case delimited: {
        std::uint64_t size = 0;
        if (!read_varint(size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
        into.bytes = {at_, static_cast<std::size_t>(size)};
        at_ += size;
        return true;
      }
      default:
        return false;
    }
  }

 private:
  [[nodiscard]] bool skip(std::ptrdiff_t bytes) noexcept {
    if (end_ - at_ < bytes) return false;
    at_ += bytes;
    return true;
  }

  [[nodiscard]] bool read_varint(std::uint64_t& value) noexcept {
    if (at_ != end_ && (static_cast<unsigned char>(*at_) & 0x80U) == 0) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

/// Calls `take(field)` for every field; false when the bytes are damaged.
template <class Take>
[[nodiscard]] bool for_each_field(std::string_view bytes, Take take) noexcept {
  reader fields{bytes};
  field f;
  while (!fields.done()) {
    if (!fields.next(f)) return false;
    take(f);
  }
  return true;
}

void set(std::string_view& into, const field& f) noexcept {
  if (f.type == delimited) into = f.bytes;
}
void set(std::uint64_t& into, const field& f) noexcept {
  if (f.type == varint) into = f.value;
}
void set(std::uint32_t& into, const field& f) noexcept {
  if (f.type == varint) into = static_cast<std::uint32_t>(f.value);
}
void set(bool& into, const field& f) noexcept {
  if (f.type == varint) into = f.value != 0;
}
void set(status_code& into, const field& f) noexcept {
  if (f.type == varint) into = f.value <= 16 ? static_cast<status_code>(f.value) : status_code::unknown;
}
void set(outcome& into, const field& f) noexcept {
  if (f.type == varint) into = f.value <= 3 ? static_cast<outcome>(f.value) : outcome::unknown;
}

[[nodiscard]] bool decode(std::string_view bytes, hello_view& into) noexcept {
  return for_each_field(bytes, [&into](const field& f) {
    switch (f.number) {
      case 1:
        set(into.version, f);
        break;
      case 2:
        set(into.features, f);
        break;
      case 3:
        set(into.wanted_worker.emplace(0), f);
        break;
      case 4:
        set(into.client, f);
        break;
      default:
        break;
    }
  });
}

[[nodiscard]] bool decode(std::string_view bytes, request_view& into) noexcept {
  into.body = bytes;
  return for_each_field(bytes, [&into](const field& f) {
    switch (f.number) {
      case 1:
        set(into.id, f);
        break;
      case 2:
        set(into.type, f);
        break;
      case 3:
        set(into.key, f);
        break;
      case 4:
        set(into.method, f);
        break;
      case 5:
        set(into.payload, f);
        break;
      case 6:
        set(into.remaining_microseconds, f);
        break;
      case 7:
        set(into.idempotency_key, f);
        break;
      case 8:
        if (f.type == delimited) ++into.metadata_entries;
        break;
      case 9:
        set(into.one_way, f);
        break;
      default:
        break;
    }
  });
}

[[nodiscard]] bool decode(std::string_view bytes, response_view& into) noexcept {
  return for_each_field(bytes, [&into](const field& f) {
    switch (f.number) {
      case 1:
        set(into.id, f);
        break;
      case 2:
        set(into.code, f);
        break;
      case 3:
        set(into.message, f);
        break;
      case 4:
        set(into.result, f);
        break;
      case 5:
        set(into.payload, f);
        break;
      default:
        break;
    }
  });
}

[[nodiscard]] bool decode(std::string_view bytes, item_view& into) noexcept {
  return for_each_field(bytes, [&into](const field& f) {
    if (f.number == 1) set(into.id, f);
    if (f.number == 2) set(into.payload, f);
  });
}

[[nodiscard]] bool decode(std::string_view bytes, refusal_view& into) noexcept {
  return for_each_field(bytes, [&into](const field& f) {
    if (f.number == 1) set(into.code, f);
    if (f.number == 2) set(into.message, f);
  });
}

[[nodiscard]] bool decode_number(std::string_view bytes, std::uint64_t& into) noexcept {
  return for_each_field(bytes, [&into](const field& f) {
    if (f.number == 1) set(into, f);
  });
}

[[nodiscard]] bool decode_body(const field& body, envelope_view& into) noexcept {
  const auto kind = static_cast<body_kind>(body.number);
  // As protobuf has it: another member of the oneof replaces the earlier one, the same one again is merged
  // into it.
  const bool again = into.kind == kind;
  into.kind = kind;
  const auto fresh = [again]<class View>(View& view) -> View& {
    if (!again) view = {};
    return view;
  };
  switch (kind) {
    case body_kind::hello:
      return decode(body.bytes, fresh(into.hello));
    case body_kind::request:
      return decode(body.bytes, fresh(into.request));
    case body_kind::response:
      return decode(body.bytes, fresh(into.response));
    case body_kind::item:
      return decode(body.bytes, fresh(into.item));
    case body_kind::refusal:
      return decode(body.bytes, fresh(into.refusal));
    case body_kind::cancel:
    case body_kind::ping:
    case body_kind::pong:
    case body_kind::drain:
      return decode_number(body.bytes, fresh(into.number));
    case body_kind::welcome:
    case body_kind::none:
      break;
  }
  return true;
}

}  // namespace

bool decode_envelope(std::string_view bytes, envelope_view& into) noexcept {
  into.kind = body_kind::none;
  reader fields{bytes};
  field f;
  while (!fields.done()) {
    if (!fields.next(f)) return false;
    const bool is_body = f.number <= static_cast<std::uint32_t>(body_kind::refusal) && f.type == delimited;
    if (is_body && !decode_body(f, into)) return false;
  }
  return true;
}

std::optional<std::pair<std::string_view, std::string_view>> next_metadata(std::string_view& rest) noexcept {
  reader fields{rest};
  field f;
  while (!fields.done() && fields.next(f)) {
    if (f.number != 8 || f.type != delimited) continue;
    std::pair<std::string_view, std::string_view> entry;
    rest = fields.rest();
    const bool whole = for_each_field(f.bytes, [&entry](const field& part) {
      if (part.number == 1) set(entry.first, part);
      if (part.number == 2) set(entry.second, part);
    });
    if (whole) return entry;
  }
  rest = {};
  return std::nullopt;
}

}  // namespace grove::wire
