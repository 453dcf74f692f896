package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"
)

const appendMethod = "/io.axoniq.axonserver.grpc.event.EventStore/AppendEvent"

// loadSettings: every client has a connection and an aggregate of its own and waits for each confirmation.
type loadSettings struct {
	clients     int
	warm        time.Duration
	measure     time.Duration
	payloadSize int
}

// loadFound holds what was begun and confirmed within the time measured.
type loadFound struct {
	PerSecond float64 `json:"perSecond"`
	MedianMs  float64 `json:"medianMs"`
	P95Ms     float64 `json:"p95Ms"`
	P99Ms     float64 `json:"p99Ms"`
	MaxMs     float64 `json:"maxMs"`
}

// rawCodec passes bytes as they are: a load must not measure how fast messages are made.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (rawCodec) Name() string                       { return "proto" }

func appends(ctx context.Context, settings loadSettings, addresses []string) (*loadFound, error) {
	from := time.Now().Add(settings.warm)
	to := from.Add(settings.measure)
	run := fmt.Sprintf("load-%d", from.UnixNano())
	var group sync.WaitGroup
	times := make([][]float64, settings.clients)
	failures := make([]error, settings.clients)
	for i := 0; i < settings.clients; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			address := addresses[i%len(addresses)]
			times[i], failures[i] = appendOneByOne(ctx, address, fmt.Sprintf("%s-%d", run, i), settings.payloadSize, from, to)
		}(i)
	}
	group.Wait()
	var all []float64
	for i := range times {
		if failures[i] != nil {
			return nil, failures[i]
		}
		all = append(all, times[i]...)
	}
	if len(all) == 0 {
		return nil, errors.New("nothing was confirmed within the time measured")
	}
	sort.Float64s(all)
	at := func(share float64) float64 { return all[int(share*float64(len(all)-1))] }
	return &loadFound{float64(len(all)) / settings.measure.Seconds(), at(0.5), at(0.95), at(0.99), at(1)}, nil
}

func appendOneByOne(ctx context.Context, address, aggregate string, size int, from, to time.Time) ([]float64, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "AxonIQ-Context", "default")
	payload := []byte(strings.Repeat("x", size))
	var times []float64
	for sequence := uint64(0); ; sequence++ {
		begin := time.Now()
		if !begin.Before(to) {
			return times, nil
		}
		if err := appendOne(ctx, conn, encodedEvent(aggregate, sequence, payload)); err != nil {
			return nil, fmt.Errorf("event %d of %s: %w", sequence, aggregate, err)
		}
		if end := time.Now(); !begin.Before(from) && !end.After(to) {
			times = append(times, float64(end.Sub(begin).Microseconds())/1000)
		}
	}
}

func appendOne(ctx context.Context, conn *grpc.ClientConn, event []byte) error {
	call, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, appendMethod)
	if err != nil {
		return err
	}
	// io.EOF: the call has ended, receiving tells why.
	if err := call.SendMsg(&event); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := call.CloseSend(); err != nil {
		return err
	}
	var confirmation []byte
	return call.RecvMsg(&confirmation)
}

// encodedEvent is an Event of event.proto, by its field numbers.
func encodedEvent(aggregate string, sequence uint64, payload []byte) []byte {
	text := func(to []byte, field protowire.Number, value string) []byte {
		return protowire.AppendString(protowire.AppendTag(to, field, protowire.BytesType), value)
	}
	number := func(to []byte, field protowire.Number, value uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), value)
	}
	object := protowire.AppendBytes(protowire.AppendTag(text(nil, 1, "load"), 3, protowire.BytesType), payload)
	event := text(nil, 1, fmt.Sprintf("%s-%d", aggregate, sequence))
	event = text(event, 2, aggregate)
	event = number(event, 3, sequence)
	event = text(event, 4, "Load")
	event = number(event, 5, uint64(time.Now().UnixMilli()))
	return protowire.AppendBytes(protowire.AppendTag(event, 6, protowire.BytesType), object)
}
