package main

import (
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Where ours differs from etcd's on purpose. Each time this is used to let a difference pass, or to leave an input out, it is counted.
const (
	refusedPreVote  = "a refused pre-candidate keeps asking until its time-out, etcd's gives up (raft-design §10)"
	latePreVote     = "a grant of another pre-vote round is ignored, etcd's counts it"
	samePreVote     = "a late pre-vote of the member that has the vote of the term is refused, etcd's grants it"
	spokenRefusal   = "a vote request is refused aloud where etcd's is silent"
	listenerForgets = "a member that may not campaign forgets a silent leader, etcd's remembers it"
	campaignTimer   = "a campaign by order restarts the election timer, etcd's leaves it"
	belowCommit     = "an append that begins below the commit index is used from there on, etcd's drops its entries"
	slidingWindow   = "check quorum looks at a sliding window, etcd's at every window in turn"
	refusedConfig   = "a configuration change out of turn is refused, etcd's becomes an empty entry"
	joinedReads     = "an answer to a later round confirms earlier reads too, etcd's counts each round for itself"
	lostReads       = "reads of a lost leadership fail, etcd's answers them in the next one of the same member"
	takenBack       = "a member taken back within a leadership is still known to hold what it confirmed"
	extraHandOver   = "the order to campaign is repeated with heartbeats"
)

type replay struct {
	nodes    map[uint64]*node
	excluded map[string]int
}

func (r *replay) pass(why string) { r.excluded[why]++ }

// Feeds one step to etcd's node and compares what came of it. Returns what differs, or "".
func (r *replay) step(s step) (difference string) {
	defer func() {
		if thrown := recover(); thrown != nil {
			difference = fmt.Sprintf("etcd's raft gives up: %v", thrown)
		}
	}()
	if s.Op == "start" {
		n := startNode(s)
		r.nodes[s.Node] = n
		return r.compare(n, s, nil, nil)
	}
	n := r.nodes[s.Node]
	before := n.basic()
	if difference = r.feed(n, s); difference != "" {
		return difference
	}
	sent, reads := n.drain()
	n.followConfig()
	n.drain()
	if s.Op == "tick" && before.RaftState == raft.StateLeader {
		if difference = r.sameEnd(n, s); difference != "" {
			return difference
		}
	}
	if difference = r.compareSent(n, s, before, sent); difference != "" {
		return difference
	}
	return r.compare(n, s, reads, &before)
}

func (r *replay) feed(n *node, s step) string {
	switch s.Op {
	case "tick":
		r.tick(n)
	case "message":
		return r.receive(n, s)
	case "campaign":
		must(n.raw.Campaign())
		if n.elapsed() != s.State.Elapsed {
			r.pass(campaignTimer)
			n.setElapsed(s.State.Elapsed)
		}
	case "forget":
		must(n.raw.ForgetLeader())
	case "propose":
		return verdict(n.raw.Propose(bytesOf(s.Value)), s.Refused)
	case "config":
		return r.changeConfig(n, s)
	case "read":
		basic := n.basic()
		n.asked[s.Value] = asked{term: basic.Term, commit: basic.Commit}
		n.raw.ReadIndex(bytesOf(s.Value))
	case "transfer":
		before := n.transferee()
		n.raw.TransferLeader(s.Value)
		if n.transferee() == s.Value && before != s.Value {
			n.sinceCheck = 0
		}
	default:
		return "unknown step " + s.Op
	}
	return ""
}

func verdict(err error, refused string) string {
	if (err != nil) != (refused != "") {
		return fmt.Sprintf("ours says %q, etcd's %v", refused, err)
	}
	return ""
}

func (r *replay) tick(n *node) {
	if n.basic().RaftState != raft.StateLeader {
		n.raw.Tick()
		return
	}
	n.sinceCheck++
	n.leading++
	check := n.sinceCheck == quorumTicks
	if check {
		n.sinceCheck = 0
	}
	n.tickLeader(check)
}

func (r *replay) changeConfig(n *node, s step) string {
	if s.Refused != "" && s.Refused != "transferring" {
		r.pass(refusedConfig)
		return ""
	}
	last, next := n.lastIndex(), n.membersAfter(s.Change, s.Value)
	err := n.raw.ProposeConfChange(changeTo(next))
	if difference := verdict(err, s.Refused); difference != "" || err != nil {
		return difference
	}
	if pending := n.field("pendingConfIndex").Uint(); pending != last+1 {
		return "ours takes a configuration change, etcd's refuses it"
	}
	n.applyMembers(next)
	if _, known := n.ours.Match[s.Value]; known || s.Change == "remove" {
		return ""
	}
	n.heardAt[s.Value] = n.leading
	if match := s.State.Match[s.Value]; match > 0 {
		if match > n.confirmed[s.Value] {
			return fmt.Sprintf("ours says that %d holds %d, it confirmed %d", s.Value, match, n.confirmed[s.Value])
		}
		r.pass(takenBack)
		must(n.raw.Step(pb.Message{Type: pb.MsgAppResp, From: s.Value, To: n.id, Term: n.basic().Term, Index: match}))
	}
	return ""
}

func (r *replay) receive(n *node, s step) string {
	m := etcdMessage(*s.Message)
	basic := n.basic()
	answer := m.Type == pb.MsgHeartbeatResp || m.Type == pb.MsgAppResp
	if basic.RaftState == raft.StateLeader && m.Term == basic.Term && answer {
		n.heardAt[m.From] = n.leading
		if m.Type == pb.MsgHeartbeatResp && valueOf(m.Context) > n.acked[m.From] {
			n.acked[m.From] = valueOf(m.Context)
		}
		if m.Type == pb.MsgAppResp && !m.Reject && m.Index > n.confirmed[m.From] {
			n.confirmed[m.From] = m.Index
		}
	}
	switch {
	case m.Type == pb.MsgPreVoteResp && basic.RaftState == raft.StatePreCandidate && m.Reject && m.Term == basic.Term:
		r.pass(refusedPreVote)
		return unchanged(n, s)
	case m.Type == pb.MsgPreVoteResp && basic.RaftState == raft.StatePreCandidate && !m.Reject && m.Term != basic.Term+1:
		r.pass(latePreVote)
		return unchanged(n, s)
	case m.Type == pb.MsgPreVote && m.Term == basic.Term && m.From == basic.Vote:
		r.pass(samePreVote)
		return unchanged(n, s)
	case m.Type == pb.MsgApp && m.Term >= basic.Term && m.Index < basic.Commit:
		if m.Index+uint64(len(m.Entries)) > basic.Commit {
			r.pass(belowCommit)
			m.Entries = m.Entries[basic.Commit-m.Index:]
			m.Index, m.LogTerm = basic.Commit, n.termAt(basic.Commit)
		}
	}
	if err := n.raw.Step(m); err == raft.ErrStepPeerNotFound {
		// Its wrapper drops answers of strangers, ours looks at their term first: make it known for this step.
		n.raw.ApplyConfChange(pb.ConfChangeV2{Changes: []pb.ConfChangeSingle{{Type: pb.ConfChangeAddLearnerNode, NodeID: m.From}}})
		must(n.raw.Step(m))
	} else {
		must(err)
	}
	return ""
}

// An input that only ours is asked about must not move it.
func unchanged(n *node, s step) string {
	if s.State.Role != n.ours.Role || s.State.Term != n.ours.Term || s.State.Vote != n.ours.Vote {
		return fmt.Sprintf("moved by a message that counts for nothing: %+v", s.State)
	}
	return ""
}

// A leader of ours ends at the first tick at which no majority was heard within the window; etcd's at the next of its own
// checks. So it must have ended when etcd's does, and when only ours does, the silence must be real.
func (r *replay) sameEnd(n *node, s step) string {
	etcdLeads, oursLeads := n.basic().RaftState == raft.StateLeader, s.State.Role == "leader"
	if etcdLeads == oursLeads {
		return ""
	}
	if oursLeads {
		return "etcd's leader ended without a quorum, ours goes on"
	}
	heard := 1
	voters := n.status().Config.Voters.IDs()
	for id := range voters {
		if id != n.id && n.leading-n.heardAt[id] < quorumTicks {
			heard++
		}
	}
	if heard*2 > len(voters) {
		return fmt.Sprintf("ours ended although %d of %d were heard within %d ticks", heard, len(voters), quorumTicks)
	}
	r.pass(slidingWindow)
	n.tickLeader(true)
	if n.basic().RaftState == raft.StateLeader {
		n.tickLeader(true)
	}
	n.drain()
	return ""
}
