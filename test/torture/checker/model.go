package main

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/anishathalye/porcupine"
)

// state of one aggregate: how many events it has, and a hash over their ids in order. Of constant size, so that histories with
// many appends stay cheap; two different contents of equal length have equal hashes with probability 2^-64.
type state struct {
	length int
	hash   uint64
}

type input struct {
	kind string
	// Append only.
	first int
	ids   []string
}

type output struct {
	outcome string
	// Conflict: what the server expected. Highest: the sequence.
	value int
	// List: what was seen.
	seen state
}

func extend(from state, ids []string) state {
	hash := fnv.New64a()
	var seed [8]byte
	for at := range seed {
		seed[at] = byte(from.hash >> (8 * at))
	}
	next := from
	for _, id := range ids {
		hash.Reset()
		hash.Write(seed[:])
		hash.Write([]byte(id))
		next = state{next.length + 1, hash.Sum64()}
		for at := range seed {
			seed[at] = byte(next.hash >> (8 * at))
		}
	}
	return next
}

// step says whether an aggregate in this state may have answered so, and what it holds afterwards.
func step(current state, in input, out output) (bool, state) {
	switch in.kind {
	case "append":
		if out.outcome == "conflict" {
			// A rejection tells what the next sequence is: it is a read as well, and must not be stale.
			return current.length == out.value && current.length != in.first, current
		}
		return current.length == in.first, extend(current, in.ids)
	case "list":
		return out.seen == current, current
	case "highest":
		return out.value == current.length-1, current
	}
	return false, current
}

func model() porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return state{} },
		Step: func(current, in, out interface{}) (bool, interface{}) {
			return step(current.(state), in.(input), out.(output))
		},
		Hash: func(current interface{}) uint64 { return current.(state).hash },
		DescribeOperation: func(in, out interface{}) string {
			asked, answer := in.(input), out.(output)
			switch asked.kind {
			case "append":
				if answer.outcome == "conflict" {
					return fmt.Sprintf("append(%d…) -> expected %d", asked.first, answer.value)
				}
				return fmt.Sprintf("append(%d… %v) -> %s", asked.first, asked.ids, answer.outcome)
			case "list":
				return fmt.Sprintf("list() -> %d events", answer.seen.length)
			}
			return fmt.Sprintf("highest() -> %d", answer.value)
		},
		DescribeState: func(current interface{}) string {
			return fmt.Sprintf("%d events, %x", current.(state).length, current.(state).hash)
		},
	}
}

// operationsOf turns the calls of one aggregate into what porcupine searches. An append whose outcome is unknown may have taken
// effect at any later time, or never. Which of the two it was is decided by the reads, the last of which (client "final") follow
// everything else: events that any read saw were written, so the append stays, without an end; others can only have been written
// after the last read, where they matter to nobody, so the append is dropped. An append that was refused is dropped as well: if it
// was written nevertheless, no append is left that explains the reads that show its events.
func operationsOf(item aggregate) ([]porcupine.Operation, int, error) {
	seen := map[string]bool{}
	final := false
	for _, call := range item.records {
		if call.Type == "list" && call.Outcome == "ok" {
			final = final || call.Client == "final"
			for _, id := range call.IDs {
				seen[id] = true
			}
		}
	}
	if !final {
		return nil, 0, fmt.Errorf("%s has no final read", item.name)
	}
	clients := map[string]int{}
	dropped := 0
	operations := make([]porcupine.Operation, 0, len(item.records))
	for _, call := range item.records {
		operation, keep, err := operationOf(call, seen)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", item.name, err)
		}
		if !keep {
			dropped++
			continue
		}
		if _, known := clients[call.Client]; !known {
			clients[call.Client] = len(clients)
		}
		operation.ClientId = clients[call.Client]
		operations = append(operations, operation)
	}
	return operations, dropped, nil
}

func operationOf(call record, seen map[string]bool) (porcupine.Operation, bool, error) {
	in := input{kind: call.Type, first: call.First, ids: call.IDs}
	out := output{outcome: call.Outcome, value: call.Value}
	operation := porcupine.Operation{Input: in, Call: call.Call, Return: math.MaxInt64}
	if call.Outcome != "unknown" {
		if call.Return == nil || *call.Return < call.Call {
			return operation, false, fmt.Errorf("a call at %d ended as %s at an impossible time", call.Call, call.Outcome)
		}
		operation.Return = *call.Return
	}
	switch {
	case call.Type == "list" && call.Outcome == "ok":
		out.seen = extend(state{}, call.IDs)
	case call.Type == "highest" && call.Outcome == "ok", call.Type == "append" && call.Outcome == "ok":
	case call.Type == "append" && call.Outcome == "conflict":
		if call.Expected == nil {
			return operation, false, fmt.Errorf("a conflict at %d does not say what was expected", call.Call)
		}
		out.value = *call.Expected
	case call.Type == "append" && call.Outcome == "unknown":
		for _, id := range call.IDs {
			if seen[id] {
				operation.Output = out
				return operation, true, nil
			}
		}
		return operation, false, nil
	default:
		// A read that failed, or an append of which the server says that nothing was written.
		return operation, false, nil
	}
	operation.Output = out
	return operation, true, nil
}
