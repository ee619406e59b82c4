// SPDX-License-Identifier: Apache-2.0
#include "base/code_place.h"

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/signal_text.h"

namespace grove {
namespace {

struct function_place {
  std::string_view name;
  std::uintptr_t offset = 0;
};

/// What a loaded module says of its exported symbols.
struct symbol_table {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  std::size_t count = 0;
};

/// How many symbols a table with this hash has: one more than the last one of the last chain.
std::size_t count_of(const std::uint32_t* gnu_hash) noexcept {
  const std::uint32_t buckets = gnu_hash[0];
  const std::uint32_t first = gnu_hash[1];
  const std::uint32_t filters = gnu_hash[2];
  const auto* const bucket = gnu_hash + 4 + filters * (sizeof(ElfW(Addr)) / sizeof(std::uint32_t));
  const auto* const chain = bucket + buckets;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < buckets; ++i)
    last = std::max(last, bucket[i]);
  if (last < first) return first;
  while ((chain[last - first] & 1U) == 0)
    ++last;
  return std::size_t{last} + 1;
}

symbol_table symbols_of(const link_map& module) noexcept {
  symbol_table found;
  for (const ElfW(Dyn)* entry = module.l_ld; entry->d_tag != DT_NULL; ++entry) {
    // The loader has made addresses of these, but not of those of the kernel's module.
    const ElfW(Addr) at = entry->d_un.d_ptr < module.l_addr ? entry->d_un.d_ptr + module.l_addr : entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) found.symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (entry->d_tag == DT_STRTAB) found.names = reinterpret_cast<const char*>(at);
    if (entry->d_tag == DT_GNU_HASH) found.count = count_of(reinterpret_cast<const std::uint32_t*>(at));
    if (entry->d_tag == DT_HASH && found.count == 0) found.count = reinterpret_cast<const std::uint32_t*>(at)[1];
  }
  return found;
}

function_place function_at(const link_map& module, std::uintptr_t address) noexcept {
  const symbol_table table = symbols_of(module);
  if (table.symbols == nullptr || table.names == nullptr) return {};
  const std::uintptr_t place = address - module.l_addr;
  for (std::size_t i = 0; i < table.count; ++i) {
    const ElfW(Sym)& symbol = table.symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
    if (place - symbol.st_value < symbol.st_size) return {table.names + symbol.st_name, place - symbol.st_value};
  }
  return {};
}

}  // namespace

std::size_t write_code_place(const void* address, char* into, std::size_t size) noexcept {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  signal_text text{into, size};
  dl_find_object found{};
  if (::_dl_find_object(const_cast<void*>(address), &found) == 0) {
    const link_map& module = *found.dlfo_link_map;
    const std::string_view name{module.l_name};
    std::array<char, PATH_MAX> program{};
    if (name.empty()) {
      const ssize_t bytes = ::readlink("/proc/self/exe", program.data(), program.size());
      text.add({program.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0});
    } else {
      text.add(name);
    }
    const function_place function = function_at(module, number);
    text.add("(").add(function.name).add("+");
    text.add_hex(function.name.empty() ? number - module.l_addr : function.offset).add(") ");
  }
  text.add("[").add_hex(number).add("]");
  return text.view().size();
}

}  // namespace grove
