package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

const packagePrefix = "io.axoniq.axonserver.grpc."

// fields is a message as JSON: names as in the proto, 64-bit numbers as text or number, bytes in base64.
type fields map[string]any

// api holds the methods of the proto files, read at run time: no generated code.
type api map[string]protoreflect.MethodDescriptor

func loadAPI(folder string) (api, error) {
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{folder}}),
	}
	files, err := compiler.Compile(context.Background(), "control.proto", "event.proto", "command.proto", "query.proto")
	if err != nil {
		return nil, err
	}
	found := api{}
	for _, file := range files {
		for i := 0; i < file.Services().Len(); i++ {
			service := file.Services().Get(i)
			for j := 0; j < service.Methods().Len(); j++ {
				method := service.Methods().Get(j)
				name := strings.TrimPrefix(string(service.FullName()), packagePrefix)
				found[name+"/"+string(method.Name())] = method
			}
		}
	}
	return found, nil
}

// stream is a call of any kind: a unary call is one that sends once and receives once.
type stream struct {
	grpc.ClientStream
	method protoreflect.MethodDescriptor
}

func (a api) open(ctx context.Context, conn *grpc.ClientConn, name string) (*stream, error) {
	method, known := a[name]
	if !known {
		return nil, fmt.Errorf("the protos have no method %s", name)
	}
	kind := &grpc.StreamDesc{
		StreamName:    string(method.Name()),
		ClientStreams: method.IsStreamingClient(),
		ServerStreams: method.IsStreamingServer(),
	}
	path := fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
	call, err := conn.NewStream(metadata.AppendToOutgoingContext(ctx, "AxonIQ-Context", "default"), kind, path)
	if err != nil {
		return nil, err
	}
	return &stream{call, method}, nil
}

func (s *stream) send(request fields) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	message := dynamicpb.NewMessage(s.method.Input())
	if err := protojson.Unmarshal(text, message); err != nil {
		return err
	}
	return s.SendMsg(message)
}

// receive decodes the next message into a structure with JSON names.
func (s *stream) receive(reply any) error {
	message := dynamicpb.NewMessage(s.method.Output())
	if err := s.RecvMsg(message); err != nil {
		return err
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(proto.Message(message))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, reply)
}

// ask sends all requests, half-closes and receives one answer.
func (a api) ask(ctx context.Context, conn *grpc.ClientConn, name string, reply any, requests ...fields) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	call, err := a.open(ctx, conn, name)
	if err != nil {
		return err
	}
	for _, request := range requests {
		// io.EOF: the call has ended, receiving tells why.
		if err := call.send(request); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if err := call.CloseSend(); err != nil {
		return err
	}
	return call.receive(reply)
}

// list sends one request and receives until the end.
func list[T any](ctx context.Context, a api, conn *grpc.ClientConn, name string, request fields) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	call, err := a.open(ctx, conn, name)
	if err != nil {
		return nil, err
	}
	if err := call.send(request); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := call.CloseSend(); err != nil {
		return nil, err
	}
	all := []T{}
	for {
		var next T
		err := call.receive(&next)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
}
