package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	callTimeout    = 5 * time.Second
	heartbeatEvery = 500 * time.Millisecond
	// Longer without an acknowledgement and the node is taken for lost.
	silenceMax = 5 * time.Second
	component  = "go-client"
)

type nodeInfo struct {
	Host string `json:"host_name"`
	Port int    `json:"grpc_port"`
	Name string `json:"node_name"`
}

func (n nodeInfo) address() string { return net.JoinHostPort(n.Host, strconv.Itoa(n.Port)) }

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// platform asks the node at an address which node to use.
func (a api) platform(ctx context.Context, address, client string) (nodeInfo, error) {
	conn, err := dial(address)
	if err != nil {
		return nodeInfo{}, err
	}
	defer conn.Close()
	var found struct {
		Primary nodeInfo `json:"primary"`
	}
	err = a.ask(ctx, conn, "control.PlatformService/GetPlatformServer", &found, identity(client))
	return found.Primary, err
}

func identity(client string) fields {
	return fields{"client_id": client, "component_name": component, "version": "4.6"}
}

// session is one connection with its control channel: `ctx` ends when the node is lost.
type session struct {
	api    api
	conn   *grpc.ClientConn
	ctx    context.Context
	end    context.CancelFunc
	client string
	heard  atomic.Int64
}

// openSession registers a client at the node of an address and keeps its heartbeat.
func (a api) openSession(parent context.Context, address, client string) (*session, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(parent)
	s := &session{api: a, conn: conn, ctx: ctx, end: end, client: client}
	control, err := a.open(ctx, conn, "control.PlatformService/OpenStream")
	if err == nil {
		err = control.send(fields{"register": identity(client)})
	}
	if err == nil {
		// The node must answer before anything relies on it.
		_, err = s.lastToken()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.heard.Store(time.Now().UnixNano())
	go s.listen(control)
	go s.beat(control)
	return s, nil
}

func (s *session) close() {
	s.end()
	s.conn.Close()
}

// listen ends the session when the channel ends or the node asks for a reconnect.
func (s *session) listen(control *stream) {
	defer s.end()
	for {
		var told struct {
			Reconnect *fields `json:"request_reconnect"`
		}
		if control.receive(&told) != nil || told.Reconnect != nil {
			return
		}
		s.heard.Store(time.Now().UnixNano())
	}
}

// beat sends heartbeats that ask for an acknowledgement; silence means a frozen node, whose connection stays open.
func (s *session) beat(control *stream) {
	defer s.end()
	for number := 0; ; number++ {
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(heartbeatEvery):
		}
		silence := time.Since(time.Unix(0, s.heard.Load()))
		if silence > silenceMax || control.send(fields{"heartbeat": fields{}, "instruction_id": fmt.Sprint("beat-", number)}) != nil {
			return
		}
	}
}

func (s *session) lastToken() (int64, error) {
	var found struct {
		Token int64 `json:"token,string"`
	}
	err := s.api.ask(s.ctx, s.conn, "event.EventStore/GetLastToken", &found, fields{})
	return found.Token, err
}

func payload(text string) fields { return fields{"type": "text", "revision": "", "data": []byte(text)} }

// serve handles requests of one kind until the session ends: the answer is the payload with a prefix.
func (s *session) serve(method string, subscribe fields, answer func(request message) []fields, ready chan<- error) {
	call, err := s.api.open(s.ctx, s.conn, method)
	if err == nil {
		err = call.send(fields{"subscribe": subscribe, "instruction_id": subscribe["message_id"]})
	}
	if err == nil {
		err = call.send(fields{"flow_control": fields{"client_id": s.client, "permits": 100}})
	}
	ready <- err
	for err == nil {
		var told struct {
			Command *message `json:"command"`
			Query   *message `json:"query"`
		}
		if err = call.receive(&told); err != nil {
			return
		}
		request := told.Command
		if request == nil {
			request = told.Query
		}
		if request == nil {
			continue
		}
		for _, reply := range append(answer(*request), fields{"flow_control": fields{"client_id": s.client, "permits": 1}}) {
			if err = call.send(reply); err != nil {
				return
			}
		}
	}
}

// message is what commands, queries and their answers have in common.
type message struct {
	ID      string `json:"message_identifier"`
	Code    string `json:"error_code"`
	Payload struct {
		Data []byte `json:"data"`
	} `json:"payload"`
}

func (s *session) handleCommands(name string) error {
	ready := make(chan error, 1)
	subscribe := fields{"message_id": newID(), "command": name, "component_name": component, "client_id": s.client, "load_factor": 100}
	go s.serve("command.CommandService/OpenStream", subscribe, func(request message) []fields {
		return []fields{{"command_response": fields{
			"message_identifier": newID(), "request_identifier": request.ID, "payload": payload("done " + string(request.Payload.Data)),
		}}}
	}, ready)
	return <-ready
}

func (s *session) handleQueries(name string) error {
	ready := make(chan error, 1)
	subscribe := fields{"message_id": newID(), "query": name, "result_name": "text", "component_name": component, "client_id": s.client}
	go s.serve("query.QueryService/OpenStream", subscribe, func(request message) []fields {
		return []fields{
			{"query_response": fields{
				"message_identifier": newID(), "request_identifier": request.ID, "payload": payload("found " + string(request.Payload.Data)),
			}},
			{"query_complete": fields{"message_id": newID(), "request_id": request.ID}},
		}
	}, ready)
	return <-ready
}

// dispatch sends a command and answers the payload of its result, or its error code.
func (s *session) dispatch(name, text string) (string, error) {
	var reply message
	err := s.api.ask(s.ctx, s.conn, "command.CommandService/Dispatch", &reply, fields{
		"message_identifier": newID(), "name": name, "timestamp": time.Now().UnixMilli(), "payload": payload(text),
		"client_id": s.client, "component_name": component,
	})
	return reply.Code + string(reply.Payload.Data), err
}

// query asks and answers the payload of the only result, or its error code.
func (s *session) query(name, text string) (string, error) {
	replies, err := list[message](s.ctx, s.api, s.conn, "query.QueryService/Query", fields{
		"message_identifier": newID(), "query": name, "timestamp": time.Now().UnixMilli(), "payload": payload(text),
		"response_type": payload("text"), "client_id": s.client, "component_name": component,
		"processing_instructions": []fields{{"key": "NR_OF_RESULTS", "value": fields{"number_value": 1}}},
	})
	if err != nil {
		return "", err
	}
	if len(replies) != 1 {
		return "", fmt.Errorf("%d results", len(replies))
	}
	return replies[0].Code + string(replies[0].Payload.Data), nil
}
