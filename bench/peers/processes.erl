%% SPDX-License-Identifier: Apache-2.0
%% Erlang processes, measured as switch_probe.cc measures greenlets: ring, memory, spawn, asleep.
-module(processes).
-export([main/1]).

main([What, Units | More]) ->
    N = list_to_integer(Units),
    case What of
        "ring" -> io:format("~p~n", [ring(N, list_to_integer(hd(More)))]);
        "memory" -> io:format("~p~n", [memory(N)]);
        "spawn" -> io:format("~p~n", [spawn_rate(N)]);
        "asleep" -> {S, B} = asleep(N), io:format("~p ~p~n", [S, B])
    end,
    erlang:halt(0).

resident_bytes() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    Lines = string:split(Status, "\n", all),
    lists:sum([kilobytes(L) * 1024 || L <- Lines,
               string:prefix(L, "VmRSS:") =/= nomatch orelse string:prefix(L, "VmPTE:") =/= nomatch]).

kilobytes(Line) ->
    {match, [Number]} = re:run(Line, "[0-9]+", [{capture, first, list}]),
    list_to_integer(Number).

start(N, Body) ->
    [spawn(Body) || _ <- lists:seq(1, N)].

collect(0) -> ok;
collect(N) -> receive done -> collect(N - 1) end.

ring(N, Switches) ->
    Rounds = Switches div N + 1,
    Me = self(),
    All = start(N, fun() -> receive go -> yields(Rounds) end, Me ! done end),
    Begun = erlang:monotonic_time(nanosecond),
    [P ! go || P <- All],
    collect(N),
    (erlang:monotonic_time(nanosecond) - Begun) / (N * Rounds).

yields(0) -> ok;
yields(N) -> erlang:yield(), yields(N - 1).

memory(N) ->
    erlang:garbage_collect(),
    Before = resident_bytes(),
    Me = self(),
    All = start(N, fun() -> Me ! done, receive stop -> ok end end),
    collect(N),
    After = resident_bytes(),
    true = length(All) =:= N,
    (After - Before) / N.

spawn_rate(N) ->
    Begun = erlang:monotonic_time(nanosecond),
    spawn_batches(N div 100),
    N / ((erlang:monotonic_time(nanosecond) - Begun) / 1.0e9).

spawn_batches(0) -> ok;
spawn_batches(N) ->
    Started = [spawn_monitor(fun() -> ok end) || _ <- lists:seq(1, 100)],
    [receive {'DOWN', Ref, process, _, _} -> ok end || {_, Ref} <- Started],
    spawn_batches(N - 1).

asleep(N) ->
    Before = resident_bytes(),
    Begun = erlang:monotonic_time(microsecond),
    Wake = erlang:monotonic_time(millisecond) + N * 4 div 1000 + 500,
    Me = self(),
    start(N, fun() ->
                     receive after max(0, Wake - erlang:monotonic_time(millisecond)) -> ok end,
                     Me ! done
             end),
    receive done -> ok end,
    Peak = resident_bytes(),
    collect(N - 1),
    {(erlang:monotonic_time(microsecond) - Begun) / 1.0e6, (Peak - Before) / N}.
