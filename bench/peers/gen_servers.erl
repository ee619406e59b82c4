%% SPDX-License-Identifier: Apache-2.0
%% Erlang's gen_servers, measured as messages_probe.cc measures actors. Mailboxes have no bound here: senders send as much
%% at a time as they do there.
-module(gen_servers).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

main([Pattern, Number]) ->
    N = list_to_integer(Number),
    Rate = case Pattern of
               "calls" -> calls(N);
               "tells" -> bursts(N, 1, 1, 128, 1);
               "fan_out" -> bursts(N, 1, 1000, 1, 1);
               "fan_in" -> bursts(N, 1000, 1, 8, 16);
               "ring" -> ring(N);
               "big" -> big(N)
           end,
    io:format("~p~n", [Rate]),
    erlang:halt(0).

start(State) ->
    {ok, Pid} = gen_server:start(?MODULE, State, []),
    Pid.

rate(Messages, Begin) ->
    Begun = erlang:monotonic_time(nanosecond),
    Begin(),
    receive finished -> ok end,
    Messages * 1.0e9 / (erlang:monotonic_time(nanosecond) - Begun).

counted(Servers) ->
    Tallies = [gen_server:call(S, counted) || S <- Servers],
    {lists:sum([C || {C, _} <- Tallies]), lists:sum([S || {_, S} <- Tallies])}.

%% ---- gen_servers: their state is a tuple that begins with what they have counted ----

init(State) -> {ok, State}.

handle_call({ask, Value}, _From, {Count, Sum}) ->
    {reply, Value + 1, {Count + 1, Sum + Value}};
handle_call({ask, Value}, _From, State) ->
    {reply, Value + 1, setelement(2, setelement(1, State, element(1, State) + 1), element(2, State) + Value)};
handle_call(counted, _From, State) ->
    {reply, {element(1, State), element(2, State)}, State}.

%% A receiver that only counts.
handle_cast({take, Value}, {Count, Sum}) ->
    {noreply, {Count + 1, Sum + Value}};
%% The last receiver: after each burst the next sender has its turn.
handle_cast({take, Value}, {Count, Sum, Burst, Bursts, Begun, Senders, Main}) ->
    Counted = Count + 1,
    Next = case Counted rem Burst of
               0 when Begun < Bursts ->
                   gen_server:cast(element(Begun rem tuple_size(Senders) + 1, Senders), go),
                   Begun + 1;
               _ -> Begun
           end,
    case Counted =:= Bursts * Burst of
        true -> Main ! finished;
        false -> ok
    end,
    {noreply, {Counted, Sum + Value, Burst, Bursts, Next, Senders, Main}};
handle_cast({senders, Senders}, {Count, Sum, Burst, Bursts, Begun, _, Main}) ->
    {noreply, {Count, Sum, Burst, Bursts, Begun, Senders, Main}};
handle_cast(go, {Count, Sum, Burst, Receivers}) ->
    {Sent, Total} = send_burst(Burst, Receivers, Count, Sum),
    {noreply, {Sent, Total, Burst, Receivers}};
%% A node of a ring.
handle_cast({pass, Left}, {Count, Sum, Next, Main}) ->
    case Left of
        0 -> Main ! finished;
        _ -> gen_server:cast(Next, {pass, Left - 1})
    end,
    {noreply, {Count + 1, Sum + Left, Next, Main}};
handle_cast({next, Node}, {Count, Sum, _, Main}) ->
    {noreply, {Count, Sum, Node, Main}};
%% A partner.
handle_cast({call_others, Partners}, State) ->
    {noreply, call_another(State, Partners)}.

%% The answer to a partner's call, which was asked with one more than is left.
handle_info(Message, {_, _, Left, _, _, {Request, Partners}, _} = State) ->
    Answer = Left + 2,
    {reply, Answer} = gen_server:check_response(Message, Request),
    {noreply, call_another(State, Partners)}.

send_burst(0, _, Count, Sum) -> {Count, Sum};
send_burst(Left, Receivers, Count, Sum) ->
    {Sent, Total} = send_each(Receivers, Count, Sum),
    send_burst(Left - 1, Receivers, Sent, Total).

send_each([], Count, Sum) -> {Count, Sum};
send_each([Receiver | More], Count, Sum) ->
    gen_server:cast(Receiver, {take, Count}),
    send_each(More, Count + 1, Sum + Count).

%% ---- patterns ----

calls(N) ->
    Answerer = start({0, 0}),
    Main = self(),
    Rate = rate(N, fun() -> spawn(fun() -> call(N, Answerer), Main ! finished end) end),
    {N, _} = counted([Answerer]),
    Rate.

call(0, _) -> ok;
call(Left, Answerer) ->
    Answer = Left + 1,
    Answer = gen_server:call(Answerer, {ask, Left}),
    call(Left - 1, Answerer).

bursts(N, SenderCount, ReceiverCount, Burst, AtATime) ->
    Bursts = max(N div (Burst * ReceiverCount), AtATime),
    Last = start({0, 0, Burst, Bursts, AtATime, {}, self()}),
    Receivers = [start({0, 0}) || _ <- lists:seq(2, ReceiverCount)] ++ [Last],
    Senders = [start({0, 0, Burst, Receivers}) || _ <- lists:seq(1, SenderCount)],
    gen_server:cast(Last, {senders, list_to_tuple(Senders)}),
    {0, 0} = counted(Senders ++ Receivers),
    Messages = Bursts * Burst * ReceiverCount,
    Rate = rate(Messages, fun() -> [gen_server:cast(S, go) || S <- lists:sublist(Senders, AtATime)] end),
    {Messages, Sum} = counted(Senders),
    {Messages, Sum} = counted(Receivers),
    Rate.

ring(N) ->
    Nodes = [First | More] = [start({0, 0, none, self()}) || _ <- lists:seq(1, 1000)],
    [gen_server:cast(Node, {next, Next}) || {Node, Next} <- lists:zip(Nodes, More ++ [First])],
    {0, 0} = counted(Nodes),
    Rate = rate(N, fun() -> gen_server:cast(First, {pass, N - 1}) end),
    Sum = N * (N - 1) div 2,
    {N, Sum} = counted(Nodes),
    Rate.

%% Each calls with send_request/2 and answers meanwhile: faster than a process that calls beside each of them.
big(N) ->
    Each = N div 200 + 1,
    Messages = Each * 200,
    Partners = list_to_tuple([start({0, 0, Each, Self, Self * Self * Self, none, self()}) || Self <- lists:seq(1, 200)]),
    Servers = tuple_to_list(Partners),
    {0, 0} = counted(Servers),
    Main = self(),
    Begin = fun() ->
                    [gen_server:cast(S, {call_others, Partners}) || S <- Servers],
                    [receive done -> ok end || _ <- Servers],
                    Main ! finished
            end,
    Rate = rate(Messages, Begin),
    {Messages, _} = counted(Servers),
    Rate.

call_another({_, _, 0, _, _, _, Main} = State, _) ->
    Main ! done,
    State;
call_another({Count, Sum, Left, Self, Random, _, Main}, Partners) ->
    Next = Random * 48271 rem 2147483647,
    Other = Next rem (tuple_size(Partners) - 1) + 1,
    Partner = element(if Other >= Self -> Other + 1; true -> Other end, Partners),
    Request = gen_server:send_request(Partner, {ask, Left}),
    {Count, Sum, Left - 1, Self, Next, {Request, Partners}, Main}.
