package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const perTransaction = 3

type featuresFound struct {
	// Nodes that discovery named, by the address asked.
	Discovered map[string]string `json:"discovered"`
	// By the node that appended: sequence numbers each node read.
	Read      map[string][][]int64 `json:"read"`
	Grown     int64                `json:"grown"`
	Conflict  string               `json:"conflict"`
	ErrorCode []string             `json:"errorCode"`
	// Offsets of tokens got with the first permits, with nothing more while none are left, and with the rest.
	FirstPermits []int64  `json:"firstPermits"`
	Beyond       int      `json:"beyond"`
	Rest         []int64  `json:"rest"`
	Commands     []string `json:"commands"`
	Unhandled    string   `json:"unhandled"`
	Queries      []string `json:"queries"`
}

func features(ctx context.Context, a api, addresses []string) (*featuresFound, error) {
	found := &featuresFound{Discovered: map[string]string{}, Read: map[string][][]int64{}}
	sessions := []*session{}
	for i, address := range addresses {
		node, err := a.platform(ctx, address, fmt.Sprint("go-asking-", i))
		if err != nil {
			return nil, err
		}
		found.Discovered[address] = node.address()
		s, err := a.openSession(ctx, address, fmt.Sprint("go-", i))
		if err != nil {
			return nil, err
		}
		defer s.close()
		sessions = append(sessions, s)
	}
	for _, check := range []func(context.Context, []*session, *featuresFound) error{appendAndRead, track, messages} {
		if err := check(ctx, sessions, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// appendAndRead appends one transaction through each node and reads it through all.
func appendAndRead(ctx context.Context, sessions []*session, found *featuresFound) error {
	before, err := sessions[0].lastToken()
	if err != nil {
		return err
	}
	for _, writer := range sessions {
		aggregate := newID()
		if err := writer.append(aggregate, 0, newID(), newID(), newID()); err != nil {
			return err
		}
		for _, reader := range sessions {
			events, err := reader.readAggregate(aggregate, 0)
			if err != nil {
				return err
			}
			sequences := []int64{}
			for _, event := range events {
				sequences = append(sequences, event.Sequence)
			}
			found.Read[writer.client] = append(found.Read[writer.client], sequences)
		}
		if writer == sessions[0] {
			found.Conflict, found.ErrorCode = conflict(ctx, writer, aggregate)
		}
	}
	after, err := sessions[len(sessions)-1].lastToken()
	found.Grown = after - before
	return err
}

// conflict appends a sequence number that is taken; answers the status and the trailer.
func conflict(ctx context.Context, s *session, aggregate string) (string, []string) {
	call, err := s.api.open(ctx, s.conn, "event.EventStore/AppendEvent")
	if err == nil {
		err = call.send(fields{"message_identifier": newID(), "aggregate_identifier": aggregate, "aggregate_type": "Go", "payload": payload("")})
	}
	if err == nil {
		err = call.CloseSend()
	}
	var trailer metadata.MD
	if err == nil {
		err = call.receive(&fields{})
		trailer = call.Trailer()
	}
	return status.Code(err).String(), trailer.Get("AxonIQ-ErrorCode")
}

// track reads the events of appendAndRead through the last node, with few permits at first.
func track(ctx context.Context, sessions []*session, found *featuresFound) error {
	s := sessions[len(sessions)-1]
	last, err := s.lastToken()
	if err != nil {
		return err
	}
	from := last - found.Grown + 1
	t, err := s.track(ctx, from, 2)
	if err != nil {
		return err
	}
	if found.FirstPermits, err = take(ctx, t, from, 2); err != nil {
		return err
	}
	// Calls on the same connection go and come back: an event sent without a permit would have come before them.
	for i := 0; i < 5; i++ {
		if _, err := s.lastToken(); err != nil {
			return err
		}
	}
	found.Beyond = len(t.events)
	if err := t.permit(100); err != nil {
		return err
	}
	found.Rest, err = take(ctx, t, from, int(found.Grown)-2)
	return err
}

func take(ctx context.Context, t *tracker, from int64, count int) ([]int64, error) {
	offsets := []int64{}
	for len(offsets) < count {
		select {
		case next, open := <-t.events:
			if !open {
				return nil, fmt.Errorf("the tracking stream ended after %d events", len(offsets))
			}
			offsets = append(offsets, next.Token-from)
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d events came", len(offsets), count)
		}
	}
	return offsets, nil
}

// messages handles commands on the first node and queries on the last; both are asked through every node.
func messages(ctx context.Context, sessions []*session, found *featuresFound) error {
	if err := sessions[0].handleCommands("go-do"); err != nil {
		return err
	}
	if err := sessions[len(sessions)-1].handleQueries("go-ask"); err != nil {
		return err
	}
	for _, s := range sessions {
		if err := served(ctx, s, "go-do", "go-ask"); err != nil {
			return err
		}
		result, err := s.dispatch("go-do", s.client)
		if err != nil {
			return err
		}
		found.Commands = append(found.Commands, result)
		if result, err = s.query("go-ask", s.client); err != nil {
			return err
		}
		found.Queries = append(found.Queries, result)
	}
	var err error
	found.Unhandled, err = sessions[0].dispatch("go-nobody", "")
	return err
}

// served waits until a node knows both handlers.
func served(ctx context.Context, s *session, command, query string) error {
	if err := until(ctx, "done probe", func() (string, error) { return s.dispatch(command, "probe") }); err != nil {
		return err
	}
	return until(ctx, "found probe", func() (string, error) { return s.query(query, "probe") })
}
