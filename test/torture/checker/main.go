// Command checker decides with porcupine whether the history of a torture run is linearizable, one aggregate at a time.
//
//	checker [-timeout 60s] [-html folder] history.jsonl
//
// Standard output is one JSON object. Exit 0: every aggregate is linearizable; 1: at least one is not; 2: the history cannot be
// used; 3: the search did not end in time for some aggregate.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// record is one line of the history (test/torture/history.ts); lines of other types are passed over.
type record struct {
	Type     string   `json:"type"`
	Context  string   `json:"context"`
	Client   string   `json:"client"`
	Node     string   `json:"node"`
	Key      string   `json:"key"`
	Call     int64    `json:"call"`
	Return   *int64   `json:"return"`
	Outcome  string   `json:"outcome"`
	First    int      `json:"first"`
	IDs      []string `json:"ids"`
	Expected *int     `json:"expected"`
	Value    int      `json:"value"`
}

type aggregate struct {
	name    string
	records []record
}

type result struct {
	Porcupine  string   `json:"porcupine"`
	Aggregates int      `json:"aggregates"`
	Operations int      `json:"operations"`
	Dropped    int      `json:"dropped"`
	Illegal    []string `json:"illegal"`
	Undecided  []string `json:"undecided"`
	Millis     int64    `json:"millis"`
}

const version = "v1.3.1"

func main() {
	timeout := flag.Duration("timeout", time.Minute, "longest search per aggregate")
	html := flag.String("html", "", "folder for pictures of aggregates that are not linearizable")
	flag.Parse()
	if flag.NArg() != 1 {
		fail("usage: checker [-timeout 60s] [-html folder] history.jsonl")
	}
	aggregates, err := load(flag.Arg(0))
	if err != nil {
		fail(err.Error())
	}
	outcome := result{Porcupine: version, Aggregates: len(aggregates), Illegal: []string{}, Undecided: []string{}}
	started := time.Now()
	for _, item := range aggregates {
		operations, dropped, err := operationsOf(item)
		if err != nil {
			fail(err.Error())
		}
		outcome.Operations += len(operations)
		outcome.Dropped += dropped
		verdict, info := porcupine.CheckOperationsVerbose(model(), operations, *timeout)
		switch verdict {
		case porcupine.Illegal:
			outcome.Illegal = append(outcome.Illegal, item.name)
			if *html != "" {
				picture(*html, item.name, info)
			}
		case porcupine.Unknown:
			outcome.Undecided = append(outcome.Undecided, item.name)
		}
	}
	outcome.Millis = time.Since(started).Milliseconds()
	text, _ := json.Marshal(outcome)
	fmt.Println(string(text))
	switch {
	case len(outcome.Illegal) > 0:
		os.Exit(1)
	case len(outcome.Undecided) > 0:
		os.Exit(3)
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, "checker:", text)
	os.Exit(2)
}

// load reads the calls of the history by aggregate. Aggregates of different contexts are different ones.
func load(file string) ([]aggregate, error) {
	input, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer input.Close()
	byName := map[string][]record{}
	decoder := json.NewDecoder(input)
	for line := 1; ; line++ {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", file, line, err)
		}
		var head struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(raw, &head); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", file, line, err)
		}
		if head.Type != "append" && head.Type != "list" && head.Type != "highest" {
			continue
		}
		var item record
		if err := json.Unmarshal(raw, &item); err != nil {
			return nil, fmt.Errorf("%s: record %d: %w", file, line, err)
		}
		name := item.Context + "/" + item.Key
		byName[name] = append(byName[name], item)
	}
	if len(byName) == 0 {
		return nil, fmt.Errorf("%s holds no calls", file)
	}
	aggregates := make([]aggregate, 0, len(byName))
	for name, records := range byName {
		aggregates = append(aggregates, aggregate{name, records})
	}
	sort.Slice(aggregates, func(i, j int) bool { return aggregates[i].name < aggregates[j].name })
	return aggregates, nil
}

func picture(folder string, name string, info porcupine.LinearizationInfo) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		fail(err.Error())
	}
	if err := porcupine.VisualizePath(model(), info, filepath.Join(folder, filepath.Base(name)+".html")); err != nil {
		fail(err.Error())
	}
}
