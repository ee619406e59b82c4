// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/interpreter/language.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include "tests/conformance/interpreter/value.h"

namespace grove::conformance {

namespace {

/// A line and the lines below it, before they mean anything.
struct node {
  std::size_t line = 0;
  std::string text;
  std::vector<node> below;
};

[[noreturn]] void fault(std::size_t line, const std::string& what) {
  throw scenario_fault("line " + std::to_string(line) + ": " + what);
}

std::vector<node> read_lines(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw scenario_fault("cannot read " + file);
  node root;
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    const std::size_t indent = text.find_first_not_of(' ');
    if (indent == std::string::npos || text[indent] == '#') continue;
    if (indent % 2 != 0) fault(line, "an odd number of blanks before it");
    node* above = &root;
    for (std::size_t depth = 0; depth < indent / 2; ++depth) {
      if (above->below.empty()) fault(line, "indented too far");
      above = &above->below.back();
    }
    above->below.push_back({line, text.substr(indent), {}});
  }
  return std::move(root.below);
}

bool starts_with(const std::string& text, const char* with) {
  return text.rfind(with, 0) == 0;
}

word word_of(const std::string& token, std::size_t line) {
  if (token.front() == '\'') {
    if (token.size() < 2 || token.back() != '\'') fault(line, "a text without end");
    return {word::type::text, token.substr(1, token.size() - 2), 0};
  }
  const std::size_t digits = token.front() == '-' ? 1 : 0;
  if (token.size() > digits && std::all_of(token.begin() + static_cast<std::ptrdiff_t>(digits), token.end(),
                                           [](unsigned char c) { return std::isdigit(c) != 0; }))
    return {word::type::number, token, std::stol(token)};
  return {word::type::name, token, 0};
}

std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    std::size_t end = at;
    for (bool quoted = false; end < text.size() && (quoted || text[end] != ' '); ++end)
      if (text[end] == '\'') quoted = !quoted;
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

step step_of(const node& from) {
  step made;
  made.line = from.line;
  std::vector<std::string> tokens = tokens_of(from.text);
  if (tokens.size() > 2 && tokens[1] == "=") {
    made.into = tokens[0];
    tokens.erase(tokens.begin(), tokens.begin() + 2);
  }
  for (const std::string& token : tokens) {
    const std::size_t equals = token.find('=');
    if (token.front() != '\'' && equals != std::string::npos && equals > 0)
      made.named.emplace_back(token.substr(0, equals), word_of(token.substr(equals + 1), from.line));
    else
      made.words.push_back(word_of(token, from.line));
  }
  for (const node& each : from.below)
    made.block.push_back(step_of(each));
  return made;
}

scenario scenario_of(const node& from, const std::string& system) {
  scenario made;
  made.system = system;
  made.name = from.text.substr(std::string("scenario ").size());
  for (const node& each : from.below) {
    if (starts_with(each.text, "intended difference: ") || starts_with(each.text, "not ")) continue;
    if (!starts_with(each.text, "body ")) {
      made.steps.push_back(step_of(each));
      continue;
    }
    std::vector<std::string> names = tokens_of(each.text);
    body described{names.at(1), {names.begin() + 2, names.end()}, {}};
    for (const node& step : each.below)
      described.steps.push_back(step_of(step));
    made.bodies.push_back(std::move(described));
  }
  return made;
}

}  // namespace

const std::string& step::verb() const noexcept {
  static const std::string none;
  return !words.empty() && words.front().is == word::type::name ? words.front().text : none;
}

std::vector<scenario> read_scenarios(const std::string& file) {
  std::vector<scenario> read;
  std::string system;
  for (const node& each : read_lines(file)) {
    if (starts_with(each.text, "system ")) {
      system = each.text.substr(std::string("system ").size());
    } else if (starts_with(each.text, "scenario ")) {
      read.push_back(scenario_of(each, system));
    } else {
      fault(each.line, "neither a system nor a scenario");
    }
  }
  return read;
}

}  // namespace grove::conformance
