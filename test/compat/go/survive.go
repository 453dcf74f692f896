package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// Confirmed before the test is told which node serves, and again after the client has moved.
	confirmedPerPart = 50
	permits          = 200
)

type surviveFound struct {
	Lost  string `json:"lost"`
	Now   string `json:"now"`
	Moves int    `json:"moves"`
	// Appends whose outcome had to be looked up after the connection was lost, and that had been stored.
	LookedUp  int  `json:"lookedUp"`
	Confirmed int  `json:"confirmed"`
	Missing   int  `json:"missing"`
	Twice     int  `json:"twice"`
	InOrder   bool `json:"inOrder"`
	// The aggregate read at the end through the node that serves now.
	Stored bool `json:"stored"`
	// Commands and queries to the moved handlers, through every node that is left.
	Answers []string `json:"answers"`
}

// survivor is a client that moves to another node when its own is lost.
type survivor struct {
	api       api
	addresses []string
	aggregate string
	command   string
	query     string
	session   *session
	address   string
	moves     int
	lookedUp  int
	confirmed []string

	lock  sync.Mutex
	next  int64
	read  []tracked
	tasks sync.WaitGroup
}

// survive loads the node that discovery names, prints its address, and goes on until it is lost and another one has served.
func survive(ctx context.Context, a api, addresses []string) (*surviveFound, error) {
	c := &survivor{api: a, addresses: addresses, aggregate: newID(), command: "go-do-" + newID(), query: "go-ask-" + newID()}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	if err := served(ctx, c.session, c.command, c.query); err != nil {
		return nil, err
	}
	if err := c.load(ctx, func() bool { return len(c.confirmed) >= confirmedPerPart }); err != nil {
		return nil, err
	}
	lost := c.address
	printLine(fields{"serving": lost})
	var struck atomic.Bool
	go func() {
		if bufio.NewScanner(os.Stdin).Scan() {
			struck.Store(true)
		}
	}()
	if err := c.load(ctx, func() bool { return struck.Load() && c.address != lost }); err != nil {
		return nil, err
	}
	goal := len(c.confirmed) + confirmedPerPart
	if err := c.load(ctx, func() bool { return len(c.confirmed) >= goal }); err != nil {
		return nil, err
	}
	return c.judge(ctx, lost)
}

// connect asks the nodes in turn where to go until one of them serves; reading and handling start again there.
func (c *survivor) connect(ctx context.Context) error {
	if c.session != nil {
		c.session.close()
		c.tasks.Wait()
		c.moves++
	}
	for turn := 0; ctx.Err() == nil; turn++ {
		node, err := c.api.platform(ctx, c.addresses[turn%len(c.addresses)], component)
		if err == nil {
			if err = c.start(ctx, node.address()); err == nil {
				return nil
			}
		}
		fmt.Fprintln(os.Stderr, "go client: tries the next node:", err)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("no node serves: %w", ctx.Err())
}

func (c *survivor) start(ctx context.Context, address string) error {
	s, err := c.api.openSession(ctx, address, "go-survivor")
	if err != nil {
		return err
	}
	if c.session == nil {
		last, err := s.lastToken()
		if err != nil {
			s.close()
			return err
		}
		c.next = last + 1
	}
	t, err := s.track(s.ctx, c.next, permits)
	if err == nil {
		err = s.handleCommands(c.command)
	}
	if err == nil {
		err = s.handleQueries(c.query)
	}
	if err != nil {
		s.close()
		return err
	}
	c.session, c.address = s, address
	c.tasks.Add(1)
	go c.collect(s, t)
	return nil
}

// collect keeps what the tracking stream brings; a stream that ends is a reason to move.
func (c *survivor) collect(s *session, t *tracker) {
	defer c.tasks.Done()
	defer s.end()
	for received := 1; ; received++ {
		next, open := <-t.events
		if !open {
			return
		}
		c.lock.Lock()
		c.read = append(c.read, next)
		c.next = next.Token + 1
		c.lock.Unlock()
		if received%(permits/2) == 0 && t.permit(permits/2) != nil {
			return
		}
	}
}

// load appends one event after the other until enough; after a failure on whatever node serves then.
func (c *survivor) load(ctx context.Context, enough func() bool) error {
	for !enough() {
		id, inDoubt := newID(), false
		for {
			if c.session.ctx.Err() != nil {
				if err := c.connect(ctx); err != nil {
					return err
				}
			}
			err := c.session.append(c.aggregate, len(c.confirmed), id)
			if status.Code(err) == codes.OutOfRange && inDoubt {
				err = c.lookUp(id)
			}
			if err == nil {
				c.confirmed = append(c.confirmed, id)
				break
			}
			if status.Code(err) == codes.OutOfRange || ctx.Err() != nil {
				return fmt.Errorf("event %d: %w", len(c.confirmed), err)
			}
			inDoubt = true
			fmt.Fprintln(os.Stderr, "go client: moves from", c.address, "after", err)
			c.session.end()
		}
	}
	return nil
}

// lookUp is how a client learns that the append it got no answer to had been stored.
func (c *survivor) lookUp(id string) error {
	events, err := c.session.readAggregate(c.aggregate, len(c.confirmed))
	if err != nil {
		return err
	}
	if len(events) != 1 || events[0].ID != id {
		return fmt.Errorf("another event is at the sequence number of %s: %v", id, events)
	}
	c.lookedUp++
	return nil
}

func (c *survivor) judge(ctx context.Context, lost string) (*surviveFound, error) {
	last, err := c.session.lastToken()
	if err != nil {
		return nil, err
	}
	err = until(ctx, "read", func() (string, error) {
		c.lock.Lock()
		defer c.lock.Unlock()
		if c.next > last {
			return "read", nil
		}
		return fmt.Sprintf("token %d of %d", c.next, last), nil
	})
	if err != nil {
		return nil, err
	}
	found := &surviveFound{Lost: lost, Now: c.address, Moves: c.moves, LookedUp: c.lookedUp, Confirmed: len(c.confirmed)}
	c.compare(found)
	events, err := c.session.readAggregate(c.aggregate, 0)
	if err != nil {
		return nil, err
	}
	found.Stored = len(events) == len(c.confirmed)
	for i := range events {
		found.Stored = found.Stored && events[i].ID == c.confirmed[i] && events[i].Sequence == int64(i)
	}
	return found, c.askLeft(ctx, found)
}

// compare counts how often each confirmed event came through the tracking streams of all sessions.
func (c *survivor) compare(found *surviveFound) {
	c.lock.Lock()
	defer c.lock.Unlock()
	times := map[string]int{}
	found.InOrder = true
	for i, event := range c.read {
		times[event.Event.ID]++
		found.InOrder = found.InOrder && (i == 0 || event.Token == c.read[i-1].Token+1)
	}
	for _, id := range c.confirmed {
		switch times[id] {
		case 0:
			found.Missing++
		case 1:
		default:
			found.Twice++
		}
	}
}

// askLeft sends a command and a query through every node but the lost one.
func (c *survivor) askLeft(ctx context.Context, found *surviveFound) error {
	for i, address := range c.addresses {
		if address == found.Lost {
			continue
		}
		s, err := c.api.openSession(ctx, address, fmt.Sprint("go-asker-", i))
		if err != nil {
			return err
		}
		defer s.close()
		if err := served(ctx, s, c.command, c.query); err != nil {
			return err
		}
		for _, ask := range []func() (string, error){
			func() (string, error) { return s.dispatch(c.command, "x") },
			func() (string, error) { return s.query(c.query, "y") },
		} {
			answer, err := ask()
			if err != nil {
				return err
			}
			found.Answers = append(found.Answers, answer)
		}
	}
	return nil
}
