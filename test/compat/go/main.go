// Command go is a client of our own on grpc-go: dynamic messages from the proto files, no generated code.
//
//	go -proto folder features address…    every feature through every node; one JSON object
//	go -proto folder survive address…     load through the node that discovery names, until that node is lost and another serves
//	go -clients 16 appends address…       confirmed appends per second, for bench/appends.ts
//
// Exit 0 with the findings on the last line; what they must be is said by test/compat/go.test.ts.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

const runTimeout = 100 * time.Second

func main() {
	protos := flag.String("proto", "engine/proto", "folder of the proto files")
	load := loadSettings{}
	flag.IntVar(&load.clients, "clients", 1, "clients that append")
	flag.DurationVar(&load.warm, "warm", time.Second, "time before measuring")
	flag.DurationVar(&load.measure, "measure", 5*time.Second, "time measured")
	flag.IntVar(&load.payloadSize, "payload", 200, "bytes of payload of each event")
	flag.Parse()
	if flag.NArg() < 2 {
		fail(fmt.Errorf("give features, survive or appends, and addresses"))
	}
	a, err := loadAPI(*protos)
	if err != nil {
		fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	var found any
	switch mode, addresses := flag.Arg(0), flag.Args()[1:]; mode {
	case "features":
		found, err = features(ctx, a, addresses)
	case "survive":
		found, err = survive(ctx, a, addresses)
	case "appends":
		found, err = appends(ctx, load, addresses)
	default:
		err = fmt.Errorf("no mode called %s", mode)
	}
	if err != nil {
		fail(err)
	}
	printLine(found)
}

func printLine(found any) {
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go client:", err)
	os.Exit(1)
}

// until asks again until the answer is the wanted one or `ctx` ends.
func until(ctx context.Context, want string, ask func() (string, error)) error {
	for {
		got, err := ask()
		if err == nil && got == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %q, last answer %q, error %v", want, got, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
