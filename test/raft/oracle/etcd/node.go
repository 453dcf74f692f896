package main

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"sort"
	"unsafe"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// The timing of schedule.ts. A leader of ours looks back over `quorumTicks`, a follower trusts its leader for `electionTicks`.
const (
	heartbeatTicks = 3
	electionTicks  = 10
	quorumTicks    = 20
)

// A storage that knows its members without a snapshot.
type storage struct {
	*raft.MemoryStorage
	members pb.ConfState
}

func (s *storage) InitialState() (pb.HardState, pb.ConfState, error) {
	hard, _, err := s.MemoryStorage.InitialState()
	return hard, s.members, err
}

type node struct {
	id   uint64
	raw  *raft.RawNode
	disk *storage
	// The members as long as the log names none.
	bootstrap members
	// Our state after the last step.
	ours state
	// Ticks as a leader since the election, the last check of the quorum, or the begin of a transfer.
	sinceCheck int
	// Ticks as a leader, and the tick at which each other member was heard last.
	leading int
	heardAt map[uint64]int
	// What each other member confirmed in this leadership: the newest read and the highest index.
	acked, confirmed map[uint64]uint64
	// Reads: how things stood when they were asked, and what ours answered.
	asked    map[uint64]asked
	answered map[uint64]uint64
}

type asked struct{ term, commit uint64 }

type silent struct{}

func (silent) Debug(...interface{})            {}
func (silent) Debugf(string, ...interface{})   {}
func (silent) Info(...interface{})             {}
func (silent) Infof(string, ...interface{})    {}
func (silent) Warning(...interface{})          {}
func (silent) Warningf(string, ...interface{}) {}
func (silent) Error(...interface{})            {}
func (silent) Errorf(string, ...interface{})   {}
func (silent) Fatal(v ...interface{})          { panic(fmt.Sprint(v...)) }
func (silent) Fatalf(f string, v ...interface{}) {
	panic(fmt.Sprintf(f, v...))
}
func (silent) Panic(v ...interface{})            { panic(fmt.Sprint(v...)) }
func (silent) Panicf(f string, v ...interface{}) { panic(fmt.Sprintf(f, v...)) }

func startNode(s step) *node {
	disk := &storage{MemoryStorage: raft.NewMemoryStorage()}
	must(disk.Append(etcdEntries(0, s.Log)))
	start := membersOf(disk, s.Bootstrap)
	disk.members = pb.ConfState{Voters: start.Voters, Learners: start.Learners}
	must(disk.SetHardState(pb.HardState{Term: s.State.Term, Vote: s.State.Vote, Commit: s.State.Commit}))
	raw, err := raft.NewRawNode(&raft.Config{
		ID: s.Node, ElectionTick: electionTicks, HeartbeatTick: heartbeatTicks, Storage: disk, Applied: s.State.Commit,
		MaxSizePerMsg: 200, MaxInflightMsgs: 64, CheckQuorum: true, PreVote: true, ReadOnlyOption: raft.ReadOnlySafe,
		DisableProposalForwarding: true, Logger: silent{},
	})
	must(err)
	n := &node{id: s.Node, raw: raw, disk: disk, bootstrap: s.Bootstrap, asked: map[uint64]asked{}, answered: map[uint64]uint64{}}
	n.newLeadership()
	return n
}

func (n *node) newLeadership() {
	n.sinceCheck, n.leading = 0, 0
	n.heardAt, n.acked, n.confirmed = map[uint64]int{}, map[uint64]uint64{}, map[uint64]uint64{}
}

// Carries out everything that is ready, as our host did: entries are durable at once.
func (n *node) drain() ([]pb.Message, []raft.ReadState) {
	var sent []pb.Message
	var reads []raft.ReadState
	for n.raw.HasReady() {
		ready := n.raw.Ready()
		must(n.disk.Append(ready.Entries))
		if !raft.IsEmptyHardState(ready.HardState) {
			must(n.disk.SetHardState(ready.HardState))
		}
		sent = append(sent, ready.Messages...)
		reads = append(reads, ready.ReadStates...)
		n.raw.Advance(ready)
	}
	return sent, reads
}

// Ours counts a configuration from the moment it is in the log, etcd's when its host says so: say so now, from etcd's own log.
func (n *node) followConfig() {
	n.applyMembers(membersOf(n.disk, n.bootstrap))
}

func (n *node) applyMembers(want members) {
	voters, learners := setOf(want.Voters), setOf(want.Learners)
	have := n.raw.Status().Config
	change := func(kind pb.ConfChangeType, id uint64) {
		n.raw.ApplyConfChange(pb.ConfChangeV2{Changes: []pb.ConfChangeSingle{{Type: kind, NodeID: id}}})
	}
	// Additions first: etcd's refuses to be without a voter.
	for id := range voters {
		if _, is := have.Voters.IDs()[id]; !is {
			change(pb.ConfChangeAddNode, id)
		}
	}
	for id := range learners {
		if _, is := have.Learners[id]; !is {
			change(pb.ConfChangeAddLearnerNode, id)
		}
	}
	for id := range n.raw.Status().Config.Voters.IDs() {
		if !voters[id] && !learners[id] {
			change(pb.ConfChangeRemoveNode, id)
		}
	}
	for id := range have.Learners {
		if !voters[id] && !learners[id] {
			change(pb.ConfChangeRemoveNode, id)
		}
	}
}

func (n *node) membersAfter(change string, id uint64) members {
	have := n.raw.Status().Config
	voters, learners := setOf(idsOf(have.Voters.IDs())), setOf(idsOf(have.Learners))
	delete(voters, id)
	delete(learners, id)
	switch change {
	case "voter":
		voters[id] = true
	case "learner":
		learners[id] = true
	}
	return members{Voters: sorted(voters), Learners: sorted(learners)}
}

// The newest configuration in a log.
func membersOf(disk *storage, bootstrap members) members {
	held := logOf(disk)
	for at := len(held) - 1; at >= 0; at-- {
		if held[at].Config != nil {
			return *held[at].Config
		}
	}
	return bootstrap
}

// -- timers -----------------------------------------------------------------------------------------------------------

// Both sides draw their time-outs by chance; etcd's takes ours over, so that they expire together. Its fields are not exported.
func (n *node) field(name string) reflect.Value {
	inner := reflect.ValueOf(n.raw).Elem().FieldByName("raft").Elem().FieldByName(name)
	return reflect.NewAt(inner.Type(), unsafe.Pointer(inner.UnsafeAddr())).Elem()
}

func (n *node) elapsed() int            { return int(n.field("electionElapsed").Int()) }
func (n *node) setElapsed(ticks int)    { n.field("electionElapsed").SetInt(int64(ticks)) }
func (n *node) setTimeout(ticks int)    { n.field("randomizedElectionTimeout").SetInt(int64(ticks)) }
func (n *node) setLead(id uint64)       { n.field("lead").SetUint(id) }
func (n *node) transferee() uint64      { return n.field("leadTransferee").Uint() }
func (n *node) status() raft.Status     { return n.raw.Status() }
func (n *node) basic() raft.BasicStatus { return n.raw.BasicStatus() }

// A tick of etcd's leader that looks at its quorum (and ends a transfer), or certainly does not.
func (n *node) tickLeader(check bool) {
	if check {
		n.setElapsed(electionTicks - 1)
	} else {
		n.setElapsed(0)
	}
	n.raw.Tick()
}

// -- translation ------------------------------------------------------------------------------------------------------

func bytesOf(value uint64) []byte {
	if value == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, value)
}

func valueOf(data []byte) uint64 {
	if len(data) == 0 {
		return 0
	}
	return binary.BigEndian.Uint64(data)
}

func etcdEntries(previous uint64, entries []entry) []pb.Entry {
	result := make([]pb.Entry, len(entries))
	for i, e := range entries {
		result[i] = pb.Entry{Term: e.Term, Index: previous + uint64(i) + 1, Data: bytesOf(e.Data)}
		if e.Config != nil {
			result[i].Type, result[i].Data = pb.EntryConfChangeV2, encodeMembers(*e.Config)
		}
	}
	return result
}

// A configuration change that leads from nothing to these members: what etcd's logs hold in place of our configurations.
func changeTo(m members) pb.ConfChangeV2 {
	var change pb.ConfChangeV2
	for _, id := range m.Voters {
		change.Changes = append(change.Changes, pb.ConfChangeSingle{Type: pb.ConfChangeAddNode, NodeID: id})
	}
	for _, id := range m.Learners {
		change.Changes = append(change.Changes, pb.ConfChangeSingle{Type: pb.ConfChangeAddLearnerNode, NodeID: id})
	}
	return change
}

func encodeMembers(m members) []byte {
	change := changeTo(m)
	data, err := change.Marshal()
	must(err)
	return data
}

func decodeMembers(data []byte) *members {
	var change pb.ConfChangeV2
	must(change.Unmarshal(data))
	result := members{Voters: []uint64{}, Learners: []uint64{}}
	for _, single := range change.Changes {
		if single.Type == pb.ConfChangeAddNode {
			result.Voters = append(result.Voters, single.NodeID)
		} else {
			result.Learners = append(result.Learners, single.NodeID)
		}
	}
	return &result
}

func etcdMessage(m message) pb.Message {
	result := pb.Message{From: m.From, To: m.To, Term: m.Term, Index: m.Index, LogTerm: m.LogTerm}
	switch m.Type {
	case "pre-vote":
		result.Type = pb.MsgPreVote
	case "vote":
		result.Type = pb.MsgVote
		if m.Transfer {
			result.Context = []byte("CampaignTransfer")
		}
	case "pre-vote-response":
		result.Type, result.Reject = pb.MsgPreVoteResp, !m.Granted
	case "vote-response":
		result.Type, result.Reject = pb.MsgVoteResp, !m.Granted
	case "append":
		result.Type, result.Commit, result.Entries = pb.MsgApp, m.Commit, etcdEntries(m.Index, m.Entries)
	case "append-response":
		result.Type, result.Reject, result.RejectHint, result.LogTerm = pb.MsgAppResp, m.Reject, m.Hint, m.HintTerm
	case "heartbeat":
		result.Type, result.Commit, result.Context = pb.MsgHeartbeat, m.Commit, bytesOf(m.Read)
	case "heartbeat-response":
		result.Type, result.Context = pb.MsgHeartbeatResp, bytesOf(m.Read)
	case "timeout-now":
		result.Type = pb.MsgTimeoutNow
	default:
		panic("message of type " + m.Type)
	}
	return result
}

func setOf(ids []uint64) map[uint64]bool {
	result := map[uint64]bool{}
	for _, id := range ids {
		result[id] = true
	}
	return result
}

func sorted(set map[uint64]bool) []uint64 {
	ids := []uint64{}
	for id := range set {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
