package main

// What `schedule.ts` writes: one schedule a line. Members are numbers from 1; 0 is nobody.

type schedule struct {
	Seed  uint64             `json:"seed"`
	Steps []step             `json:"steps"`
	Logs  map[uint64][]entry `json:"logs"`
	Ended *string            `json:"ended"`
}

type step struct {
	Node      uint64      `json:"node"`
	Op        string      `json:"op"`
	Message   *message    `json:"message"`
	Value     uint64      `json:"value"`
	Change    string      `json:"change"`
	Refused   string      `json:"refused"`
	Log       []entry     `json:"log"`
	Bootstrap members     `json:"bootstrap"`
	Sent      []message   `json:"sent"`
	Reads     [][2]uint64 `json:"reads"`
	State     state       `json:"state"`
}

type state struct {
	Role     string            `json:"role"`
	Term     uint64            `json:"term"`
	Vote     uint64            `json:"vote"`
	Lead     uint64            `json:"lead"`
	Commit   uint64            `json:"commit"`
	Last     uint64            `json:"last"`
	LastTerm uint64            `json:"lastTerm"`
	Elapsed  int               `json:"elapsed"`
	Timeout  int               `json:"timeout"`
	Members  members           `json:"members"`
	Match    map[uint64]uint64 `json:"match"`
}

type message struct {
	Type     string  `json:"type"`
	From     uint64  `json:"from"`
	To       uint64  `json:"to"`
	Term     uint64  `json:"term"`
	Index    uint64  `json:"index"`
	LogTerm  uint64  `json:"logTerm"`
	Commit   uint64  `json:"commit"`
	Granted  bool    `json:"granted"`
	Reject   bool    `json:"reject"`
	Transfer bool    `json:"transfer"`
	Hint     uint64  `json:"hint"`
	HintTerm uint64  `json:"hintTerm"`
	Entries  []entry `json:"entries"`
	Read     uint64  `json:"read"`
}

type entry struct {
	Term uint64 `json:"term"`
	Data uint64 `json:"data"`
	// Nil: not a configuration.
	Config *members `json:"config"`
}

type members struct {
	Voters   []uint64 `json:"voters"`
	Learners []uint64 `json:"learners"`
}
