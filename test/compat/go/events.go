package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type event struct {
	ID        string `json:"message_identifier"`
	Aggregate string `json:"aggregate_identifier"`
	Sequence  int64  `json:"aggregate_sequence_number,string"`
}

type tracked struct {
	Token int64 `json:"token,string"`
	Event event `json:"event"`
}

func newID() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return hex.EncodeToString(bytes)
}

// append stores events of one aggregate in one transaction, with the identifiers given.
func (s *session) append(aggregate string, first int, ids ...string) error {
	requests := []fields{}
	for i, id := range ids {
		requests = append(requests, fields{
			"message_identifier": id, "aggregate_identifier": aggregate, "aggregate_type": "Go",
			"aggregate_sequence_number": first + i, "timestamp": time.Now().UnixMilli(), "payload": payload(id),
		})
	}
	var confirmed struct {
		Success bool `json:"success"`
	}
	err := s.api.ask(s.ctx, s.conn, "event.EventStore/AppendEvent", &confirmed, requests...)
	if err == nil && !confirmed.Success {
		return status.Error(codes.Unknown, "not confirmed")
	}
	return err
}

func (s *session) readAggregate(aggregate string, from int) ([]event, error) {
	request := fields{"aggregate_id": aggregate, "initial_sequence": from}
	return list[event](s.ctx, s.api, s.conn, "event.EventStore/ListAggregateEvents", request)
}

// tracker is an open tracking stream: what came is in `events`, which closes at its end.
type tracker struct {
	call   *stream
	events chan tracked
}

func (s *session) track(ctx context.Context, from int64, permits int) (*tracker, error) {
	call, err := s.api.open(ctx, s.conn, "event.EventStore/ListEvents")
	if err != nil {
		return nil, err
	}
	t := &tracker{call: call, events: make(chan tracked, 1000)}
	first := fields{"tracking_token": from, "number_of_permits": permits, "client_id": s.client, "component_name": component, "processor": "go"}
	if err := call.send(first); err != nil {
		return nil, err
	}
	go func() {
		defer close(t.events)
		for {
			var next tracked
			if call.receive(&next) != nil {
				return
			}
			select {
			case t.events <- next:
			case <-ctx.Done():
				return
			}
		}
	}()
	return t, nil
}

func (t *tracker) permit(count int) error { return t.call.send(fields{"number_of_permits": count}) }
