// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace grove::exit_codes {

/// The CLI's, from DESIGN: what a script can tell apart.
inline constexpr int done = 0;
inline constexpr int call_failed = 1;
inline constexpr int wrong_usage = 2;
inline constexpr int server_unreachable = 3;

/// What was asked for (--help, --version, a reply) could not be written; the CLI's call_failed.
inline constexpr int output_lost = 1;

/// The server's and the workers'; sysexits.h has the first.
inline constexpr int bad_configuration = 64;  ///< Never restarted: the same configuration fails again.
inline constexpr int internal_failure = 70;   ///< Counts against the restart budget.
inline constexpr int cannot_listen = 71;      ///< The address is taken or not ours.
inline constexpr int crash_loop = 72;         ///< The supervisor gave up: more restarts than its budget allows.
inline constexpr int supervisor_lost = 73;    ///< A worker whose supervisor went away.

}  // namespace grove::exit_codes
