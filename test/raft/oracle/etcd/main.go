// Asks go.etcd.io/raft what it makes of the schedules of our core (`../schedule.ts`): for each member another node is kept beside
// ours and gets the same inputs, and after each one both must look alike. Reads schedules, one a line; prints a summary as JSON.
// Exit 0: no disagreement; 1: some; 2: unreadable input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

const lineBytesMax = 1 << 28

type disagreement struct {
	Seed uint64 `json:"seed"`
	Step int    `json:"step"`
	What string `json:"what"`
	Node uint64 `json:"node"`
	Op   string `json:"op"`
}

type summary struct {
	Schedules     int            `json:"schedules"`
	Steps         int            `json:"steps"`
	Disagreements []disagreement `json:"disagreements"`
	// How often each difference on purpose was met.
	Excluded map[string]int `json:"excluded"`
}

func main() {
	result := summary{Disagreements: []disagreement{}, Excluded: map[string]int{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		var given schedule
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			fmt.Fprintln(os.Stderr, "not a schedule:", err)
			os.Exit(2)
		}
		result.judge(given)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		os.Exit(2)
	}
	if len(result.Disagreements) > 0 {
		os.Exit(1)
	}
}

func (result *summary) judge(given schedule) {
	result.Schedules++
	replay := &replay{nodes: map[uint64]*node{}, excluded: result.Excluded}
	for at, s := range given.Steps {
		// The last step of a schedule that ended early is the one that etcd's does not follow.
		if given.Ended != nil && at == len(given.Steps)-1 {
			replay.pass("schedule ended: " + *given.Ended)
			return
		}
		result.Steps++
		if difference := replay.step(s); difference != "" {
			found := disagreement{Seed: given.Seed, Step: at, What: difference, Node: s.Node, Op: s.Op}
			result.Disagreements = append(result.Disagreements, found)
			return
		}
	}
	for id, n := range replay.nodes {
		if held := n.log(); len(held)+len(given.Logs[id]) > 0 && !reflect.DeepEqual(held, given.Logs[id]) {
			found := disagreement{Seed: given.Seed, Step: len(given.Steps), What: "the logs differ at the end", Node: id}
			result.Disagreements = append(result.Disagreements, found)
			return
		}
	}
}
