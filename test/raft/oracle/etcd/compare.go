package main

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

var roles = map[raft.StateType]string{
	raft.StateFollower: "follower", raft.StatePreCandidate: "pre-candidate", raft.StateCandidate: "candidate", raft.StateLeader: "leader",
}

func (n *node) lastIndex() uint64 {
	last, err := n.disk.LastIndex()
	must(err)
	return last
}

func (n *node) termAt(index uint64) uint64 {
	term, err := n.disk.Term(index)
	must(err)
	return term
}

// The whole state after a step, then what both sides have to agree on from here: timers and what was let pass.
func (r *replay) compare(n *node, s step, reads []raft.ReadState, before *raft.BasicStatus) string {
	ours, basic := s.State, n.basic()
	mayCampaign := setOf(ours.Members.Voters)[n.id]
	if !mayCampaign && s.Op == "tick" && ours.Lead == 0 && ours.Elapsed == 0 && n.elapsed() == n.ours.Timeout {
		r.pass(listenerForgets)
		n.setLead(0)
		n.setElapsed(0)
		basic = n.basic()
	}
	pairs := []struct {
		what       string
		ours, etcd interface{}
	}{
		{"role", ours.Role, roles[basic.RaftState]},
		{"term", ours.Term, basic.Term},
		{"vote", ours.Vote, basic.Vote},
		{"leader", ours.Lead, basic.Lead},
		{"commit", ours.Commit, basic.Commit},
		{"last index", ours.Last, n.lastIndex()},
		{"last term", ours.LastTerm, n.termAt(n.lastIndex())},
		{"voters", fmt.Sprint(ours.Members.Voters), fmt.Sprint(sorted(setOf(idsOf(n.status().Config.Voters.IDs()))))},
		{"learners", fmt.Sprint(ours.Members.Learners), fmt.Sprint(sorted(setOf(idsOf(n.status().Config.Learners))))},
	}
	for _, pair := range pairs {
		if pair.ours != pair.etcd {
			return fmt.Sprintf("%s: ours %v, etcd's %v", pair.what, pair.ours, pair.etcd)
		}
	}
	if difference := r.compareReads(n, s, reads); difference != "" {
		return difference
	}
	if basic.RaftState == raft.StateLeader {
		if difference := n.compareMatch(ours); difference != "" {
			return difference
		}
		if before == nil || before.RaftState != raft.StateLeader || before.Term != basic.Term {
			n.newLeadership()
		}
	} else if s.Op != "start" && n.elapsed() != ours.Elapsed {
		return fmt.Sprintf("ticks since the last sign of a leader: ours %d, etcd's %d", ours.Elapsed, n.elapsed())
	}
	n.setTimeout(ours.Timeout)
	n.ours = ours
	return ""
}

func (n *node) compareMatch(ours state) string {
	difference := ""
	n.raw.WithProgress(func(id uint64, _ raft.ProgressType, progress tracker.Progress) {
		if match, known := ours.Match[id]; id != n.id && (!known || match != progress.Match) {
			difference = fmt.Sprintf("match of %d: ours %d, etcd's %d", id, match, progress.Match)
		}
	})
	return difference
}

// What was sent. Answers must be equal; requests for votes and orders may be repeated by ours; appends and heartbeats are sent
// at other moments, so each one of ours is held against etcd's log and progress.
func (r *replay) compareSent(n *node, s step, before raft.BasicStatus, sent []pb.Message) string {
	etcd, ours := map[string]int{}, map[string]int{}
	stale := s.Op == "message" && s.Message.Term < before.Term && (s.Message.Type == "append" || s.Message.Type == "heartbeat")
	for _, m := range sent {
		if m.To != n.id {
			etcd[canonical(m, stale)]++
		}
	}
	for _, m := range s.Sent {
		ours[canonical(etcdMessage(m), stale)]++
		if difference := n.checkSent(m); difference != "" {
			return difference
		}
	}
	for text := range etcd {
		if ours[text] == 0 && text != "" {
			return fmt.Sprintf("etcd's sends %q, ours does not: %s", text, keys(ours))
		}
	}
	for text := range ours {
		switch {
		case text == "" || etcd[text] > 0:
		case strings.HasPrefix(text, "refusal") && len(etcd) == 0:
			r.pass(spokenRefusal)
		case strings.HasPrefix(text, "request"):
		case strings.HasPrefix(text, "hand over") && n.mayHandOver(s):
			r.pass(extraHandOver)
		default:
			if s.Op == "message" && s.Message.Type == "pre-vote" && strings.HasPrefix(text, "refusal") {
				continue
			}
			return fmt.Sprintf("ours sends %q, etcd's does not: %s", text, keys(etcd))
		}
	}
	return ""
}

func canonical(m pb.Message, stale bool) string {
	if stale && (m.Type == pb.MsgAppResp || m.Type == pb.MsgHeartbeatResp) {
		return fmt.Sprintf("newer term %d to %d", m.Term, m.To)
	}
	switch m.Type {
	case pb.MsgVoteResp, pb.MsgPreVoteResp:
		if m.Reject {
			return fmt.Sprintf("refusal %v to %d in %d", m.Type, m.To, m.Term)
		}
		return fmt.Sprintf("grant %v to %d in %d", m.Type, m.To, m.Term)
	case pb.MsgVote, pb.MsgPreVote:
		return fmt.Sprintf("request %v to %d in %d with (%d, %d) %s", m.Type, m.To, m.Term, m.Index, m.LogTerm, m.Context)
	case pb.MsgAppResp:
		return fmt.Sprintf("answer to %d in %d: %d %v %d %d", m.To, m.Term, m.Index, m.Reject, m.RejectHint, m.LogTerm)
	case pb.MsgHeartbeatResp:
		return fmt.Sprintf("heartbeat answer to %d in %d for read %d", m.To, m.Term, valueOf(m.Context))
	case pb.MsgTimeoutNow:
		return fmt.Sprintf("hand over to %d in %d", m.To, m.Term)
	}
	return ""
}

// An append tells what etcd's log holds, a heartbeat no commit beyond what etcd's knows to be there.
func (n *node) checkSent(m message) string {
	basic := n.basic()
	if m.Type != "append" && m.Type != "heartbeat" {
		return ""
	}
	if m.Commit > basic.Commit {
		return fmt.Sprintf("ours tells commit %d, etcd's knows %d", m.Commit, basic.Commit)
	}
	if m.Type == "heartbeat" {
		if progress, known := n.status().Progress[m.To]; known && m.Commit > progress.Match {
			return fmt.Sprintf("ours tells %d commit %d, of which %d is known to be there", m.To, m.Commit, progress.Match)
		}
		return ""
	}
	if m.Index > n.lastIndex() || n.termAt(m.Index) != m.LogTerm {
		return fmt.Sprintf("ours appends after (%d, %d), which etcd's does not hold", m.Index, m.LogTerm)
	}
	held := n.log()
	for i, e := range m.Entries {
		at := m.Index + uint64(i)
		if at >= uint64(len(held)) || !reflect.DeepEqual(held[at], e) {
			return fmt.Sprintf("ours sends entry %d as %+v", at+1, e)
		}
	}
	return ""
}

func (n *node) mayHandOver(s step) bool {
	for _, m := range s.Sent {
		if m.Type != "timeout-now" {
			continue
		}
		progress, known := n.status().Progress[m.To]
		if m.To != n.transferee() || !known || progress.Match != n.lastIndex() {
			return false
		}
	}
	return true
}

func (n *node) log() []entry { return logOf(n.disk) }

func logOf(disk *storage) []entry {
	last, err := disk.LastIndex()
	must(err)
	if last == 0 {
		return nil
	}
	held, err := disk.Entries(1, last+1, 1<<40)
	must(err)
	result := make([]entry, len(held))
	for i, e := range held {
		if e.Type == pb.EntryNormal {
			result[i] = entry{Term: e.Term, Data: valueOf(e.Data)}
		} else {
			result[i] = entry{Term: e.Term, Config: decodeMembers(e.Data)}
		}
	}
	return result
}

func idsOf(set map[uint64]struct{}) []uint64 {
	var ids []uint64
	for id := range set {
		ids = append(ids, id)
	}
	return ids
}

// What etcd's confirms, ours must have confirmed by now, at the same index. What only ours confirms needs answers of a majority to
// this or a later read, and must cover what was committed when it was asked.
func (r *replay) compareReads(n *node, s step, reads []raft.ReadState) string {
	for _, read := range s.Reads {
		n.answered[read[0]] = read[1]
	}
	both := map[uint64]bool{}
	for _, read := range reads {
		token := valueOf(read.RequestCtx)
		index, answered := n.answered[token]
		if !answered && n.asked[token].term != n.basic().Term {
			r.pass(lostReads)
		} else if !answered || index != read.Index {
			return fmt.Sprintf("read %d: etcd's confirms it at %d, ours at %d", token, read.Index, index)
		}
		both[token] = true
	}
	for _, read := range s.Reads {
		if both[read[0]] {
			continue
		}
		count, voters := n.confirming(read[0])
		if asked, known := n.asked[read[0]]; !known || read[1] < asked.commit || count*2 <= voters {
			return fmt.Sprintf("read %d confirmed at %d by %d of %d, commit was %d", read[0], read[1], count, voters, asked.commit)
		}
		r.pass(joinedReads)
	}
	return n.readsLeft()
}

// How many voters answered this or a later read of this leadership, the leader among them.
func (n *node) confirming(token uint64) (count, voters int) {
	ids := n.status().Config.Voters.IDs()
	for id := range ids {
		if id == n.id || n.acked[id] >= token {
			count++
		}
	}
	return count, len(ids)
}

// No read may wait for anything else once a majority has answered and an entry of the own term is committed.
func (n *node) readsLeft() string {
	basic := n.basic()
	if basic.RaftState != raft.StateLeader || n.termAt(basic.Commit) != basic.Term {
		return ""
	}
	for token, asked := range n.asked {
		if _, answered := n.answered[token]; answered || asked.term != basic.Term {
			continue
		}
		if count, voters := n.confirming(token); count*2 > voters {
			return fmt.Sprintf("read %d is not confirmed although %d of %d answered", token, count, voters)
		}
	}
	return ""
}

func keys(set map[string]int) string {
	var texts []string
	for text := range set {
		texts = append(texts, text)
	}
	sort.Strings(texts)
	return strings.Join(texts, "; ")
}
